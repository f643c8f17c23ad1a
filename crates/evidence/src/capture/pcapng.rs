//! Packets of a pcapng file (draft-ietf-opsawg-pcapng).

use super::blocks::{
    Block, Blocks, CUSTOM, ENHANCED_PACKET, Found as FoundBlock, INTERFACE, PACKET, SECRETS, SECTION, SIMPLE_PACKET,
    STATISTICS,
};
use super::bytes::Order;
use super::packets::{Found, Lost, Step};
use super::pcapdroid::{Apps, uid_of_comment};
use super::remarks::{Collector, Remarks};
use super::window::Window;
use dyetrace_case::Time;
use std::collections::BTreeMap;
use std::io::Read;

/// Secrets Type of an NSS key log, "TLSK" (section 4.7).
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// Bytes of key logs that are kept: those of 100,000 connections.
const MOST_SECRETS: usize = 32 << 20;
/// Interfaces of a section that are remembered.
const MOST_INTERFACES: usize = 65_536;

/// What is needed from a whole file before its first packet.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// TLS key logs.
    pub(crate) secrets: Vec<Vec<u8>>,
    /// Bytes of key logs that were too many to keep.
    pub(crate) secrets_dropped: u64,
    /// Apps by user id.
    pub(crate) apps: Apps,
    /// Packets that the recorder says it dropped; absent where it says nothing.
    pub(crate) dropped: Option<u64>,
    /// What a guard did, where the file is a journal of dyetrace.
    pub(crate) remarks: Remarks,
}

/// Collects secrets and apps. Damage is left for the pass that reads the packets to tell.
pub(crate) fn preview(content: impl Read) -> Preview {
    let (mut window, mut blocks, mut preview) = (Window::new(content), Blocks::new(), Preview::default());
    let mut room = MOST_SECRETS;
    let mut dropped = Dropped::default();
    let (mut remarks, mut interface) = (Collector::default(), None);
    loop {
        let block = match blocks.next(&mut window) {
            FoundBlock::Block(block) => block,
            FoundBlock::Lost(_) => continue,
            FoundBlock::End => {
                preview.dropped = dropped.total();
                preview.remarks = remarks.finish();
                return preview;
            }
        };
        if block.kind == SECRETS
            && let Some(secrets) = key_log(block.order, window.at(block.body.clone()))
        {
            if let Some(left) = room.checked_sub(secrets.len()) {
                room = left;
                preview.secrets.push(secrets.to_vec());
            } else {
                preview.secrets_dropped += secrets.len() as u64;
            }
        } else if block.kind == STATISTICS {
            if let Some((interface, count)) = drops(block.order, window.at(block.body)) {
                dropped.set(interface, count);
            }
        } else if block.kind == SECTION {
            dropped.end_section();
            remarks.section(block.order, window.at(block.body));
        } else if block.kind == INTERFACE {
            interface.get_or_insert(Interface::parse(block.order, window.at(block.body)));
        } else if block.kind == ENHANCED_PACKET && remarks.is_listening() {
            let body = window.at(block.body);
            if let Some((time, data, options)) = interface.and_then(|interface| enhanced(&interface, block.order, body))
            {
                remarks.packet(time, data, options);
            }
        } else if CUSTOM.contains(&block.kind) {
            preview.apps.custom_block(block.order, window.at(block.body));
        }
    }
}

/// Time, bytes and options of a packet that lies on the first interface, as all do in a journal (section 4.3).
fn enhanced<'a>(interface: &Interface, order: Order, body: &'a [u8]) -> Option<(Option<Time>, &'a [u8], Options<'a>)> {
    let ticks = u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?);
    let captured = order.u32(body, 12)? as usize;
    let data = body.get(20..20usize.checked_add(captured)?)?;
    let options = body.get(20 + captured.checked_next_multiple_of(4)?..).unwrap_or_default();
    (order.u32(body, 0)? == 0).then(|| (interface.time(ticks), data, Options::new(order, options)))
}

/// What interfaces dropped. Their numbers begin anew in every section (section 4.1), their counts with the recording,
/// so the last of each interface of a section counts.
#[derive(Default)]
struct Dropped {
    section: BTreeMap<u32, u64>,
    /// Of the sections before.
    before: Option<u64>,
}

impl Dropped {
    fn set(&mut self, interface: u32, count: u64) {
        if self.section.len() < MOST_INTERFACES || self.section.contains_key(&interface) {
            self.section.insert(interface, count);
        }
    }

    fn end_section(&mut self) {
        self.before = self.total();
        self.section.clear();
    }

    fn total(&self) -> Option<u64> {
        let counts = self.before.iter().chain(self.section.values());
        counts.fold(None, |sum: Option<u64>, count| Some(sum.unwrap_or(0).saturating_add(*count)))
    }
}

/// Secrets Type u32, length u32, secrets, options.
fn key_log(order: Order, body: &[u8]) -> Option<&[u8]> {
    let length = order.u32(body, 4)? as usize;
    let rest = body.get(8..)?;
    (order.u32(body, 0)? == TLS_KEY_LOG).then(|| rest.get(..length).unwrap_or(rest))
}

/// Interface u32, time u64, options: 5 counts what the interface dropped, 7 what the system did (section 4.6).
fn drops(order: Order, body: &[u8]) -> Option<(u32, u64)> {
    let options = Options { order, rest: body.get(12..)? };
    let counts = options.filter(|(code, _)| matches!(code, 5 | 7)).filter_map(|(_, value)| order.u64(value, 0));
    let count = counts.fold(None, |sum: Option<u64>, count| Some(sum.unwrap_or(0).saturating_add(count)))?;
    Some((order.u32(body, 0)?, count))
}

/// Where reading a pcapng file has got to.
pub(super) struct Pcapng {
    blocks: Blocks,
    interfaces: Vec<Interface>,
    /// Packet comments are looked at only where a block named an app.
    comments: bool,
    /// Packets of interfaces that no block describes: how many, bytes, offset of the first.
    strays: (u64, u64, u64),
}

/// An Interface Description Block.
#[derive(Clone, Copy)]
struct Interface {
    link: u32,
    snaplen: u32,
    resolution: Resolution,
    /// Seconds to add to each time.
    offset: i64,
}

/// Units per second of an interface's times (option `if_tsresol`).
#[derive(Clone, Copy)]
enum Resolution {
    /// 10 to that power.
    Decimal(u32),
    /// 2 to that power.
    Binary(u32),
}

impl Pcapng {
    pub(super) fn new(comments: bool) -> Self {
        Self { blocks: Blocks::new(), interfaces: Vec::new(), comments, strays: (0, 0, 0) }
    }

    pub(super) fn step<R: Read>(&mut self, window: &mut Window<R>) -> Step {
        loop {
            let block = match self.blocks.next(window) {
                FoundBlock::Block(block) => block,
                FoundBlock::Lost(lost) => return Step::Lost(lost),
                FoundBlock::End => return self.end(),
            };
            let body = window.at(block.body.clone());
            match block.kind {
                SECTION => self.interfaces.clear(),
                INTERFACE if self.interfaces.len() < MOST_INTERFACES => {
                    self.interfaces.push(Interface::parse(block.order, body));
                }
                ENHANCED_PACKET | PACKET | SIMPLE_PACKET => match self.packet(&block, body) {
                    Some(found) => return Step::Packet(found),
                    None => self.stray(&block),
                },
                _ => {}
            }
        }
    }

    fn packet(&self, block: &Block, body: &[u8]) -> Option<Found> {
        let order = block.order;
        if block.kind == SIMPLE_PACKET {
            return self.simple_packet(block, body);
        }
        let interface = match block.kind {
            PACKET => u32::from(order.u16(body, 0)?),
            _ => order.u32(body, 0)?,
        };
        let interface = self.interfaces.get(interface as usize)?;
        let ticks = u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?);
        let captured = order.u32(body, 12)? as usize;
        let original = order.u32(body, 16)?;
        let captured = captured.min(body.len().checked_sub(20)?);
        let options = body.get(20 + captured.next_multiple_of(4)..).unwrap_or_default();
        let uid = if self.comments { Options { order, rest: options }.find_map(uid_option) } else { None };
        let start = block.body.start + 20;
        let time = interface.time(ticks);
        Some(Found { time, link: interface.link, data: start..start + captured, original, uid })
    }

    /// Section 4.4: of the first interface, without a time, as long as its snapshot length allows.
    fn simple_packet(&self, block: &Block, body: &[u8]) -> Option<Found> {
        let interface = self.interfaces.first()?;
        let original = block.order.u32(body, 0)?;
        let most = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let captured = (original.min(most) as usize).min(body.len().checked_sub(4)?);
        let start = block.body.start + 4;
        Some(Found { time: None, link: interface.link, data: start..start + captured, original, uid: None })
    }

    fn stray(&mut self, block: &Block) {
        if self.strays.0 == 0 {
            self.strays.2 = block.offset;
        }
        self.strays.0 += 1;
        self.strays.1 += block.body.len() as u64;
    }

    fn end(&mut self) -> Step {
        let (packets, bytes, offset) = std::mem::take(&mut self.strays);
        if packets == 0 {
            return Step::End;
        }
        let reason = format!("{packets} packet blocks that are too short or name an interface nobody described");
        Step::Lost(Lost { offset, bytes: Some(bytes), reason })
    }
}

fn uid_option((code, value): (u16, &[u8])) -> Option<u32> {
    if code == 1 { uid_of_comment(value) } else { None }
}

impl Interface {
    fn parse(order: Order, body: &[u8]) -> Self {
        let mut interface = Self {
            link: order.u16(body, 0).map_or(u32::MAX, u32::from),
            snaplen: order.u32(body, 4).unwrap_or(0),
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        for (code, value) in (Options { order, rest: body.get(8..).unwrap_or_default() }) {
            match (code, value) {
                (9, [power, ..]) if power & 0x80 != 0 => {
                    interface.resolution = Resolution::Binary(u32::from(power & 0x7f).min(63));
                }
                (9, [power, ..]) => interface.resolution = Resolution::Decimal(u32::from(*power).min(19)),
                (14, value) => interface.offset = order.u64(value, 0).unwrap_or(0).cast_signed(),
                _ => {}
            }
        }
        interface
    }

    fn time(&self, ticks: u64) -> Option<Time> {
        let (seconds, nanos) = match self.resolution {
            Resolution::Binary(power) => {
                let fraction = u128::from(ticks & ((1 << power) - 1));
                (ticks >> power, (fraction * 1_000_000_000) >> power)
            }
            Resolution::Decimal(power) => {
                let units = 10u64.pow(power);
                (ticks / units, u128::from(ticks % units) * 1_000_000_000 / u128::from(units))
            }
        };
        let seconds = i64::try_from(seconds).ok()?.checked_add(self.offset)?;
        Time::from_parts(seconds, nanos as u32)
    }
}

/// Options of a block (section 3.5).
#[derive(Debug, Clone)]
pub(super) struct Options<'a> {
    order: Order,
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    pub(super) fn new(order: Order, rest: &'a [u8]) -> Self {
        Self { order, rest }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.order.u16(self.rest, 0).filter(|code| *code != 0)?;
        let length = usize::from(self.order.u16(self.rest, 2)?);
        let value = self.rest.get(4..4 + length)?;
        self.rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::packets::tests::{Kept, all};
    use super::super::pcapdroid::tests::block as app_block;
    use super::*;
    use dyetrace_case::Format;

    /// Writes pcapng blocks in either byte order.
    pub(crate) struct Writer {
        pub(crate) order: Order,
        pub(crate) file: Vec<u8>,
    }

    impl Writer {
        pub(crate) fn new(order: Order) -> Self {
            let mut writer = Self { order, file: Vec::new() };
            writer.section(order);
            writer
        }

        /// Without a section.
        pub(crate) fn bare(order: Order) -> Self {
            Self { order, file: Vec::new() }
        }

        /// A section that names what wrote it.
        pub(crate) fn named_section(&mut self, application: &[u8]) {
            let mut body = [self.u32(0x1a2b_3c4d).as_slice(), &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
            self.options(&mut body, &[(4, application)]);
            self.block(SECTION, &body);
        }

        pub(crate) fn section(&mut self, order: Order) {
            self.order = order;
            let body = [self.u32(0x1a2b_3c4d).as_slice(), &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
            self.block(SECTION, &body);
        }

        fn u16(&self, number: u16) -> [u8; 2] {
            if self.order == Order::Little { number.to_le_bytes() } else { number.to_be_bytes() }
        }

        fn u32(&self, number: u32) -> [u8; 4] {
            if self.order == Order::Little { number.to_le_bytes() } else { number.to_be_bytes() }
        }

        pub(crate) fn block(&mut self, kind: u32, body: &[u8]) {
            let length = self.u32(12 + body.len().next_multiple_of(4) as u32);
            let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
            self.file.extend([self.u32(kind).as_slice(), &length, body, &padding, &length].concat());
        }

        pub(crate) fn interface(&mut self, link: u16, options: &[(u16, &[u8])]) {
            let mut body = [self.u16(link).as_slice(), &[0, 0], &self.u32(0)].concat();
            self.options(&mut body, options);
            self.block(INTERFACE, &body);
        }

        fn options(&self, body: &mut Vec<u8>, options: &[(u16, &[u8])]) {
            for (code, value) in options {
                body.extend([self.u16(*code), self.u16(value.len() as u16)].concat());
                body.extend_from_slice(value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
        }

        pub(crate) fn packet(&mut self, interface: u32, ticks: u64, data: &[u8], options: &[(u16, &[u8])]) {
            let numbers = [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, data.len() as u32];
            let mut body: Vec<u8> = numbers.iter().flat_map(|number| self.u32(*number)).collect();
            body.extend_from_slice(data);
            body.resize(body.len().next_multiple_of(4), 0);
            self.options(&mut body, options);
            self.block(ENHANCED_PACKET, &body);
        }

        pub(crate) fn secrets(&mut self, text: &[u8]) {
            let body = [&self.u32(TLS_KEY_LOG), &self.u32(text.len() as u32), text].concat();
            self.block(SECRETS, &body);
        }
    }

    fn read(file: &[u8]) -> (Vec<Kept>, Vec<Lost>) {
        all(file, Format::Pcapng, preview(file).apps)
    }

    fn times(packets: &[Kept]) -> Vec<String> {
        packets.iter().map(|packet| packet.time.map_or("none".to_owned(), |time| time.to_string())).collect()
    }

    #[test]
    fn each_interface_has_its_own_clock_and_link_type() {
        for order in [Order::Little, Order::Big] {
            let mut file = Writer::new(order);
            let offset: u64 = 1000;
            let offset = if order == Order::Little { offset.to_le_bytes() } else { offset.to_be_bytes() };
            file.interface(1, &[]);
            file.interface(101, &[(2, b"rmnet0"), (9, &[9])]);
            file.interface(113, &[(9, &[0x8a]), (14, &offset)]);
            file.interface(113, &[(9, &[3])]);
            file.packet(0, 2_000_001, b"a", &[]);
            file.packet(1, 2_000_000_001, b"b", &[]);
            file.packet(2, 2 << 10 | 512, b"c", &[]);
            file.packet(3, 2001, b"d", &[]);
            let (packets, lost) = read(&file.file);
            let expected = ["00:00:02.000001Z", "00:00:02.000000001Z", "00:16:42.500Z", "00:00:02.001Z"];
            assert_eq!(times(&packets), expected.map(|time| format!("1970-01-01T{time}")));
            assert_eq!(packets.iter().map(|packet| packet.link).collect::<Vec<_>>(), [1, 101, 113, 113]);
            assert_eq!(lost, []);
        }
    }

    #[test]
    fn a_section_has_its_own_byte_order_and_interfaces() {
        let mut file = Writer::new(Order::Little);
        file.interface(1, &[]);
        file.packet(0, 5, b"little", &[]);
        file.section(Order::Big);
        file.packet(0, 5, b"nobody described interface 0 of this section", &[]);
        file.interface(101, &[]);
        file.packet(0, 5, b"big", &[]);
        let (packets, lost) = read(&file.file);
        assert_eq!(packets.iter().map(|packet| packet.data.as_slice()).collect::<Vec<_>>(), [&b"little"[..], b"big"]);
        assert_eq!(lost.len(), 1);
        assert!(lost[0].reason.starts_with("1 packet blocks"), "{lost:?}");
    }

    #[test]
    fn what_the_recorder_dropped_is_the_sum_of_the_last_counts_of_its_interfaces() {
        for order in [Order::Little, Order::Big] {
            let mut file = Writer::new(order);
            file.interface(1, &[]);
            assert_eq!(preview(file.file.as_slice()).dropped, None, "without statistics nobody knows");
            for (interface, count) in [(0, 2), (1, 5), (0, 3)] {
                statistics(&mut file, interface, count);
            }
            assert_eq!(preview(file.file.as_slice()).dropped, Some(8));
        }
    }

    /// A second section's interface 0 once took the place of the first's, and its drops were forgotten.
    #[test]
    fn drops_of_every_section_count() {
        let mut file = Writer::new(Order::Little);
        statistics(&mut file, 0, 7);
        file.section(Order::Big);
        statistics(&mut file, 0, 2);
        file.section(Order::Little);
        assert_eq!(preview(file.file.as_slice()).dropped, Some(9));
        statistics(&mut file, 0, u64::MAX);
        assert_eq!(preview(file.file.as_slice()).dropped, Some(u64::MAX));
    }

    fn statistics(file: &mut Writer, interface: u32, count: u64) {
        let count = if file.order == Order::Little { count.to_le_bytes() } else { count.to_be_bytes() };
        let mut body = [file.u32(interface), [0; 4], [0; 4]].concat();
        file.options(&mut body, &[(4, &[0; 8]), (5, &count)]);
        file.block(STATISTICS, &body);
    }

    #[test]
    fn simple_and_obsolete_packet_blocks_are_packets() {
        let mut file = Writer::new(Order::Little);
        file.interface(101, &[]);
        file.block(SIMPLE_PACKET, &[&5u32.to_le_bytes()[..], b"simple"].concat()[..9]);
        let numbers = [0u32, 0, 7, 3, 9].iter().flat_map(|number| number.to_le_bytes());
        file.block(PACKET, &numbers.chain(*b"old").collect::<Vec<u8>>());
        let (packets, lost) = read(&file.file);
        assert_eq!(times(&packets), ["none", "1970-01-01T00:00:00.000007Z"]);
        assert_eq!((packets[0].data.as_slice(), packets[0].original), (&b"simpl"[..], 5));
        assert_eq!((packets[1].data.as_slice(), packets[1].original), (&b"old"[..], 9));
        assert_eq!(lost, []);
    }

    #[test]
    fn secrets_and_apps_are_found_behind_the_packets_that_need_them() {
        let mut file = Writer::new(Order::Little);
        file.interface(101, &[]);
        file.packet(0, 1, b"data", &[(1, b"a remark"), (1, b"u-10077")]);
        file.packet(0, 2, b"data", &[(1, b"u-5")]);
        file.block(CUSTOM[0], &app_block(10_077, "com.example.lamp", "Lamp"));
        file.secrets(b"CLIENT_RANDOM 00 11\n");
        assert_eq!(preview(file.file.as_slice()).secrets, [b"CLIENT_RANDOM 00 11\n"]);
        let (packets, _) = read(&file.file);
        assert_eq!(packets[0].app.as_ref().and_then(|app| app.name.as_deref()), Some("Lamp"));
        assert_eq!(packets[1].app, None);
    }

    #[test]
    fn a_file_cut_at_any_byte_gives_the_packets_before_the_cut() {
        let mut file = Writer::new(Order::Little);
        let mut ends = vec![file.file.len()];
        file.interface(1, &[]);
        ends.push(file.file.len());
        for body in [&b"one"[..], b"two two", b""] {
            file.packet(0, 1, body, &[]);
            ends.push(file.file.len());
        }
        for length in 1..file.file.len() {
            let (packets, lost) = read(&file.file[..length]);
            assert_eq!(packets.len(), ends.iter().skip(2).filter(|end| **end <= length).count(), "cut at {length}");
            assert_eq!(lost.len(), usize::from(!ends.contains(&length)), "cut at {length}: {lost:?}");
        }
    }

    #[test]
    fn reading_goes_on_behind_a_broken_block() {
        let mut file = Writer::new(Order::Little);
        file.interface(1, &[]);
        let broken = file.file.len();
        for n in 0..10u8 {
            file.packet(0, u64::from(n), &[n; 50], &[]);
        }
        for length in [3u32, 84 + 8, 100_000, u32::MAX] {
            let mut bytes = file.file.clone();
            bytes[broken + 4..broken + 8].copy_from_slice(&length.to_le_bytes());
            let (packets, lost) = read(&bytes);
            assert_eq!(packets.len(), 9, "length {length}");
            assert_eq!((lost.len(), lost[0].offset, lost[0].bytes), (1, broken as u64, Some(84)), "length {length}");
        }
    }

    #[test]
    fn keys_that_are_too_many_are_counted_and_not_kept() {
        let mut file = Writer::new(Order::Little);
        let half = vec![b'#'; MOST_SECRETS / 2];
        for _ in 0..3 {
            let head = [TLS_KEY_LOG.to_le_bytes(), (half.len() as u32).to_le_bytes()].concat();
            file.block(SECRETS, &[head, half.clone()].concat());
        }
        let preview = preview(file.file.as_slice());
        assert_eq!((preview.secrets.len(), preview.secrets_dropped), (2, half.len() as u64));
    }
}
