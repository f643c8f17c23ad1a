//! Packets of a capture file, one after the other, whatever the container.

use super::pcap::Pcap;
use super::pcapdroid::Apps;
use super::pcapng::Pcapng;
use super::window::Window;
use dyetrace_case::{App, Format, Time};
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// The longest packet that is believed. The largest snapshot length in use is 256 KiB, and
/// segmentation offload makes packets of 64 KiB (512 KiB with BIG TCP).
pub(crate) const LONGEST: usize = 16 << 20;

/// One packet as recorded.
#[derive(Debug, Clone)]
pub(crate) struct Packet<'a> {
    /// Counted from 1 in the order of the file, as Wireshark does it.
    pub(crate) number: u64,
    /// When it was recorded, where the file says it.
    pub(crate) time: Option<Time>,
    /// LINKTYPE of its first header (tcpdump.org/linktypes.html).
    pub(crate) link: u32,
    /// The recorded bytes.
    pub(crate) data: &'a [u8],
    /// Length on the wire, not less than `data`.
    pub(crate) original: u32,
    /// The app, where the recorder named it.
    pub(crate) app: Option<Arc<App>>,
}

/// Bytes of the file that gave no packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Offset in the file, its compression undone.
    pub(crate) offset: u64,
    /// How many bytes, where they can be counted.
    pub(crate) bytes: Option<u64>,
    /// Why, in plain words.
    pub(crate) reason: String,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Something that is none.
    Lost(Lost),
    /// The end of the file.
    End,
}

/// What a container found: as [`Next`], with positions in place of bytes.
#[derive(Debug)]
pub(super) enum Step {
    Packet(Found),
    Lost(Lost),
    End,
}

/// Where a packet lies in the window.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) time: Option<Time>,
    pub(super) link: u32,
    pub(super) data: Range<usize>,
    pub(super) original: u32,
    /// The user id named by a comment of PCAPdroid.
    pub(super) uid: Option<u32>,
}

/// Reads the packets of a capture file.
pub(crate) struct Packets<R> {
    window: Window<R>,
    container: Container,
    apps: Apps,
    number: u64,
}

enum Container {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl<R: Read> Packets<R> {
    /// Packets of `content`. `apps` are those named anywhere in the file.
    pub(crate) fn new(content: R, format: Format, apps: Apps) -> Self {
        let container = match format {
            Format::Pcapng => Container::Pcapng(Pcapng::new(!apps.is_empty())),
            _ => Container::Pcap(Pcap::default()),
        };
        Self { window: Window::new(content), container, apps, number: 0 }
    }

    /// The next packet or damage. After the end it stays there.
    pub(crate) fn next(&mut self) -> Next<'_> {
        let step = match &mut self.container {
            Container::Pcap(pcap) => pcap.step(&mut self.window),
            Container::Pcapng(pcapng) => pcapng.step(&mut self.window),
        };
        match step {
            Step::Packet(found) => self.packet(found),
            Step::Lost(lost) => Next::Lost(lost),
            Step::End => match self.window.take_fault() {
                Some(reason) => {
                    let reason = format!("the file cannot be read further: {reason}");
                    Next::Lost(Lost { offset: self.window.offset(), bytes: None, reason })
                }
                None => Next::End,
            },
        }
    }

    fn packet(&mut self, found: Found) -> Next<'_> {
        self.number += 1;
        let data = self.window.at(found.data);
        let (data, app) = match found.uid {
            Some(uid) => (data, self.apps.by_uid(uid)),
            None => self.apps.by_trailer(found.link, data),
        };
        let original = found.original.max(data.len() as u32);
        Next::Packet(Packet { number: self.number, time: found.time, link: found.link, data, original, app })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A packet that outlives its window.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Kept {
        pub(crate) time: Option<Time>,
        pub(crate) link: u32,
        pub(crate) data: Vec<u8>,
        pub(crate) original: u32,
        pub(crate) app: Option<Arc<App>>,
    }

    /// Everything a file gives.
    pub(crate) fn all<R: Read>(content: R, format: Format, apps: Apps) -> (Vec<Kept>, Vec<Lost>) {
        let mut packets = Packets::new(content, format, apps);
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        loop {
            match packets.next() {
                Next::Packet(Packet { number, time, link, data, original, app }) => {
                    kept.push(Kept { time, link, data: data.to_vec(), original, app });
                    assert_eq!(number, kept.len() as u64);
                }
                Next::Lost(damage) => lost.push(damage),
                Next::End => return (kept, lost),
            }
        }
    }
}
