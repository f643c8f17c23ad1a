//! IEEE 802.11 frames as recorded from the air, and the headers that recorders put before them.

use super::bytes::{Order, be32};
use super::link::{Frame, NotRead, logical_link};

/// An encrypted data frame: who sent how much to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Sender.
    pub(crate) source: [u8; 6],
    /// Receiver.
    pub(crate) destination: [u8; 6],
    /// The access point, or who passes the frame on.
    pub(crate) bssid: [u8; 6],
    /// True where the access point sent it.
    pub(crate) down: bool,
    /// Bytes of the header.
    pub(crate) header: usize,
    /// Recorded bytes behind the header.
    pub(crate) body: usize,
    /// The frame's number, which it keeps when it is sent again.
    pub(crate) sequence: u16,
}

/// Radiotap (radiotap.org): version 0, length, bits that say which fields follow, the fields, each aligned to its own
/// size. Of the fields only the flags matter here.
pub(super) fn radiotap(data: &[u8]) -> Frame<'_> {
    radiotap_content(data).unwrap_or(Frame::Broken("radiotap header"))
}

fn radiotap_content(data: &[u8]) -> Option<Frame<'_>> {
    const TIMER: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    if *data.first()? != 0 {
        return None;
    }
    let content = data.get(usize::from(Order::Little.u16(data, 2)?)..)?;
    let present = Order::Little.u32(data, 4)?;
    let mut at = 8;
    let mut more = present;
    while more & MORE != 0 {
        more = Order::Little.u32(data, at)?;
        at += 4;
    }
    if present & TIMER != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let flags = if present & FLAGS == 0 { 0 } else { *data.get(at)? };
    Some(match flags {
        _ if flags & 0x40 != 0 => Frame::Unread(NotRead::WrongChecksum),
        _ => frame(content, Trailer { checksum: flags & 0x10 != 0, aligned: flags & 0x20 != 0 }),
    })
}

/// Per-packet information (PPI), by CACE: version, flags, length, link type of what follows.
pub(super) fn ppi(data: &[u8]) -> Frame<'_> {
    let length = Order::Little.u16(data, 2).map(usize::from);
    match (length.and_then(|length| data.get(length..)), Order::Little.u32(data, 4)) {
        (Some(content), Some(105)) => plain(content),
        (Some(_), Some(link)) => Frame::Unread(NotRead::Link(link)),
        _ => Frame::Broken("PPI header"),
    }
}

/// Prism's monitoring header of 144 bytes, or the AVS header, which says its length.
pub(super) fn prism(data: &[u8]) -> Frame<'_> {
    let length = match be32(data, 0) {
        Some(version) if version & 0xffff_f000 == 0x8021_1000 => be32(data, 4).map(|length| length as usize),
        _ => Some(144),
    };
    length.and_then(|length| data.get(length..)).map_or(Frame::Broken("Prism header"), plain)
}

/// A frame without anything before or behind it.
pub(super) fn plain(data: &[u8]) -> Frame<'_> {
    frame(data, Trailer::default())
}

/// What the recorder left of the frame's surroundings.
#[derive(Debug, Clone, Copy, Default)]
struct Trailer {
    /// The last four bytes are the frame's checksum.
    checksum: bool,
    /// The header is filled up to a multiple of four bytes.
    aligned: bool,
}

fn frame(data: &[u8], trailer: Trailer) -> Frame<'_> {
    data_frame(data, trailer).unwrap_or(Frame::Broken("802.11 header"))
}

/// IEEE 802.11-2020 section 9.2.3 and 9.3.2: control, duration, three addresses, number, and depending on control
/// a fourth address, quality of service, and HT control.
fn data_frame(data: &[u8], trailer: Trailer) -> Option<Frame<'_>> {
    const DATA: u8 = 2;
    let [kind, control] = *data.first_chunk()?;
    // Frames of data that carry none tell of power saving.
    if kind >> 2 & 3 != DATA || kind & 0x40 != 0 {
        return Some(Frame::Control);
    }
    let number = Order::Little.u16(data, 22)?;
    let quality = kind & 0x80 != 0;
    let (addresses, mut header) = addresses(data, control)?;
    let service = if quality { *data.get(header)? } else { 0 };
    header += if quality { 2 } else { 0 } + if quality && control & 0x80 != 0 { 4 } else { 0 };
    let padded = if trailer.aligned { header.next_multiple_of(4) } else { header };
    let end = data.len().checked_sub(if trailer.checksum { 4 } else { 0 })?;
    let body = data.get(padded..end)?;
    // Recorders that decrypt leave the mark of encryption in place.
    if control & 0x40 != 0 && !body.starts_with(&[0xaa, 0xaa, 3, 0, 0, 0]) {
        let [source, destination, bssid] = addresses;
        let (down, sequence) = (control & 3 == 2, number >> 4);
        return Some(Frame::Sealed(Sealed { source, destination, bssid, down, header, body: body.len(), sequence }));
    }
    Some(match service {
        _ if control & 4 != 0 || number & 15 != 0 => Frame::Unread(NotRead::WirelessFragment),
        _ if service & 0x80 != 0 => Frame::Aggregate(body),
        _ => logical_link(body),
    })
}

/// Sender, receiver and access point, and where the header goes on (section 9.3.2.1, table 9-60).
fn addresses(data: &[u8], control: u8) -> Option<([[u8; 6]; 3], usize)> {
    let address = |at: usize| data.get(at..)?.first_chunk::<6>().copied();
    let [first, second, third] = [address(4)?, address(10)?, address(16)?];
    Some(match control & 3 {
        0 => ([second, first, third], 24),
        1 => ([second, third, first], 24),
        2 => ([third, first, second], 24),
        _ => ([address(24)?, third, second], 30),
    })
}

/// The next frame of an aggregate (section 9.3.2.2.2): receiver, sender, length, content, filled up to a multiple of
/// four. Gives what follows too.
pub(super) fn aggregated(data: &[u8]) -> Option<(Frame<'_>, &[u8])> {
    let length = usize::from(super::bytes::be16(data, 12)?);
    let content = data.get(14..14 + length)?;
    let rest = data.get((14 + length).next_multiple_of(4)..).unwrap_or_default();
    Some((logical_link(content), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 0, 0, 20];
    const TO: [u8; 6] = [0x01, 0, 0x5e, 1, 1, 1];
    const FROM: [u8; 6] = [2, 0, 0, 0, 0, 7];
    const POINT: [u8; 6] = [2, 0, 0, 0, 0, 9];

    /// An IP packet behind LLC and SNAP.
    fn content() -> Vec<u8> {
        [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], PACKET].concat()
    }

    /// A frame of this kind and control, with what follows the first three addresses and the number.
    fn framed(kind: u8, control: u8, addresses: [[u8; 6]; 3], number: u16, rest: &[u8]) -> Vec<u8> {
        [&[kind, control, 0, 0][..], &addresses.concat(), &number.to_le_bytes(), rest].concat()
    }

    fn data(rest: &[u8]) -> Vec<u8> {
        framed(0x08, 2, [TO, POINT, FROM], 0, rest)
    }

    #[test]
    fn frames_of_every_shape_give_up_their_packet() {
        let content = content();
        let with = |head: &[u8]| [head, &content].concat();
        assert_eq!(plain(&data(&content)), Frame::Ip(PACKET));
        assert_eq!(plain(&framed(0x88, 1, [POINT, FROM, TO], 0x10, &with(&[0, 0]))), Frame::Ip(PACKET), "QoS");
        assert_eq!(plain(&framed(0x88, 0x81, [POINT, FROM, TO], 0, &with(&[0; 6]))), Frame::Ip(PACKET), "HT control");
        assert_eq!(plain(&framed(0x08, 3, [POINT, POINT, TO], 0, &with(&FROM))), Frame::Ip(PACKET), "four addresses");
        assert_eq!(plain(&framed(0x08, 0x42, [TO, POINT, FROM], 0, &content)), Frame::Ip(PACKET), "decrypted");
        let header = [&[0u8, 0, 8, 0][..], &105u32.to_le_bytes()].concat();
        assert_eq!(ppi(&[&header, &data(&content)[..]].concat()), Frame::Ip(PACKET));
        assert_eq!(prism(&[&[0; 144][..], &data(&content)].concat()), Frame::Ip(PACKET));
        let avs = [&0x8021_1001u32.to_be_bytes()[..], &12u32.to_be_bytes(), &[0; 4], &data(&content)].concat();
        assert_eq!(prism(&avs), Frame::Ip(PACKET));
    }

    #[test]
    fn radiotap_s_fields_are_stepped_over_and_its_flags_heeded() {
        let frame = [data(&content()), vec![1, 2, 3, 4]].concat();
        let timed = [&[0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0][..], &[9; 8], &[0x10], &frame].concat();
        assert_eq!(radiotap(&timed), Frame::Ip(PACKET), "two words of fields, a timer, a checksum behind the frame");
        let plain = [&[0, 0, 8, 0, 0, 0, 0, 0][..], &data(&content())].concat();
        assert_eq!(radiotap(&plain), Frame::Ip(PACKET));
        let service = framed(0x88, 2, [TO, POINT, FROM], 0, &[&[0, 0, 0xee, 0xee], &content()[..]].concat());
        let aligned = [&[0, 0, 9, 0, 2, 0, 0, 0, 0x20][..], &service].concat();
        assert_eq!(radiotap(&aligned), Frame::Ip(PACKET));
        let wrong = [&[0, 0, 9, 0, 2, 0, 0, 0, 0x50][..], &frame].concat();
        assert_eq!(radiotap(&wrong), Frame::Unread(NotRead::WrongChecksum));
        assert_eq!(radiotap(&[1, 0, 8, 0, 0, 0, 0, 0]), Frame::Broken("radiotap header"));
        assert_eq!(radiotap(&timed[..20]), Frame::Broken("radiotap header"));
    }

    #[test]
    fn an_encrypted_frame_tells_who_sent_how_much_to_whom() {
        let up = framed(0x88, 0x41, [POINT, FROM, TO], 0x1230, &[7; 30]);
        let Frame::Sealed(sealed) = plain(&up) else { panic!("encrypted") };
        let expected =
            Sealed { source: FROM, destination: TO, bssid: POINT, down: false, header: 26, body: 28, sequence: 0x123 };
        assert_eq!(sealed, expected);
        let Frame::Sealed(down) = plain(&framed(0x08, 0x42, [TO, POINT, FROM], 0, &[7; 30])) else {
            panic!("encrypted")
        };
        let expected = Sealed { down: true, header: 24, body: 30, sequence: 0, ..sealed };
        assert_eq!(down, expected);
    }

    #[test]
    fn what_carries_no_data_is_control_and_what_is_not_put_together_is_named() {
        let addresses = [TO, POINT, FROM];
        assert_eq!(plain(&framed(0x80, 0, addresses, 0, &[1; 40])), Frame::Control, "a beacon");
        assert_eq!(plain(&framed(0xd4, 0, addresses, 0, &[])), Frame::Control, "an acknowledgement");
        assert_eq!(plain(&framed(0xc8, 1, addresses, 0, &[0, 0])), Frame::Control, "no data");
        for (control, number) in [(6, 0), (2, 1)] {
            let fragment = framed(0x08, control, addresses, number, &content());
            assert_eq!(plain(&fragment), Frame::Unread(NotRead::WirelessFragment));
        }
        assert_eq!(plain(&data(&[])[..23]), Frame::Broken("802.11 header"));
    }

    #[test]
    fn an_aggregate_is_taken_apart() {
        let piece = |content: &[u8]| {
            let head = [&TO[..], &FROM, &(content.len() as u16).to_be_bytes(), content].concat();
            [head.clone(), vec![0; head.len().next_multiple_of(4) - head.len()]].concat()
        };
        let frame =
            framed(0x88, 2, [TO, POINT, FROM], 0, &[vec![0x80, 0], piece(&content()), piece(&content())].concat());
        let Frame::Aggregate(frames) = plain(&frame) else { panic!("an aggregate") };
        let (first, rest) = aggregated(frames).unwrap();
        let (second, rest) = aggregated(rest).unwrap();
        assert_eq!((first, second, rest), (Frame::Ip(PACKET), Frame::Ip(PACKET), &[][..]));
        assert_eq!(aggregated(&frames[..20]), None);
    }
}
