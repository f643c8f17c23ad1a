//! Wi-Fi credentials that apps spell in the lengths of datagrams.
//!
//! A device that is not yet in the home's network cannot read what the network encrypts, but it hears how
//! long each frame is. Apps of many makers use that: they broadcast datagrams whose lengths spell the
//! network's name and password, until the device has understood. So does everybody else in reach, whether
//! the frames are encrypted or not ("Passwords in the Air", WiSec 2018).
//!
//! [`Watch`] listens to the lengths of what each sender sends to everybody. Within encrypted 802.11 frames
//! each is longer by the same number of bytes, which the guide that every scheme begins with gives away.
//! What is read was spelt several times, and its checksums are right; anything else gives no record.

mod airkiss;
mod blocks;
mod esptouch;
mod esptouch2;
mod stream;
mod tuya_ez;
mod votes;

use crate::layer::{Out, UNTIMED};
use dyetrace_case::{Channel, Endpoint, Flag, Message, NameSource, Protocol, Record, RecordId, Time};
use std::collections::HashMap;
use std::net::IpAddr;
use stream::{Found, Stream};

/// Senders listened to at the same time; the one silent longest makes room.
const STREAMS: usize = 512;
/// After such a silence another attempt begins, in nanoseconds.
const SILENCE: i64 = 60_000_000_000;

/// Between whom frames go, so that each adds the same to the length of its datagram.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Path {
    /// UDP datagrams that can be read, from an address to an address and port.
    Udp {
        /// Sender.
        source: IpAddr,
        /// A group of receivers, and the port.
        destination: (IpAddr, u16),
    },
    /// Encrypted 802.11 frames.
    Air {
        /// Sender.
        source: [u8; 6],
        /// A group of receivers.
        destination: [u8; 6],
        /// The access point.
        bssid: [u8; 6],
        /// True for frames that the access point repeats for all.
        down: bool,
        /// Bytes of the frame's header.
        header: usize,
    },
}

/// Where in the evidence something was heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// The packet, counted from 1.
    pub(crate) packet: u64,
    /// When, or [`UNTIMED`].
    pub(crate) time: Time,
}

/// Listens to all senders.
#[derive(Default)]
pub(crate) struct Watch {
    streams: HashMap<Path, Stream>,
    /// Streams begun so far, and records emitted.
    begun: u64,
    emitted: u64,
}

impl Watch {
    /// Listens to the length of one datagram or frame body. `port` is the sender's; `sequence` the number that
    /// an 802.11 frame keeps when it is sent again.
    pub(crate) fn hear(
        &mut self,
        path: Path,
        port: Option<u16>,
        (length, sequence): (u16, Option<u16>),
        heard: Heard,
        out: &mut Out<'_>,
    ) {
        if !self.streams.contains_key(&path) {
            self.make_room(out);
            self.begun += 1;
        }
        let exact = matches!(path, Path::Udp { .. });
        let stream = self.streams.entry(path.clone()).or_insert_with(|| Stream::new(self.begun, port, exact, heard));
        if heard.time.0.saturating_sub(stream.last().time.0) > SILENCE {
            let found = stream.finish();
            let port = stream.port;
            *stream = Stream::new(stream.number, port, exact, heard);
            self.emit(&path, port, found, out);
            return self.hear(path, port, (length, sequence), heard, out);
        }
        stream.hear(length, sequence, heard);
    }

    /// The evidence ended: emits what was understood, in the order in which the senders began.
    pub(crate) fn end(&mut self, out: &mut Out<'_>) {
        let mut streams: Vec<_> = self.streams.drain().collect();
        streams.sort_by_key(|(_, stream)| stream.number);
        for (path, mut stream) in streams {
            self.emit(&path, stream.port, stream.finish(), out);
        }
    }

    fn make_room(&mut self, out: &mut Out<'_>) {
        while self.streams.len() >= STREAMS {
            let idle = self.streams.iter().min_by_key(|(_, stream)| (stream.last().packet, stream.number));
            let Some((path, mut stream)) =
                idle.map(|(path, _)| path.clone()).and_then(|path| self.streams.remove_entry(&path))
            else {
                break;
            };
            self.emit(&path, stream.port, stream.finish(), out);
        }
    }

    fn emit(&mut self, path: &Path, port: Option<u16>, found: Vec<Found>, out: &mut Out<'_>) {
        for found in found {
            let number = self.emitted;
            self.emitted += 1;
            let record = record(path, port, found, number, out);
            out.record(record);
        }
    }
}

/// What was spelt, each with its name.
#[derive(Default)]
struct Fields(Vec<(&'static str, Vec<u8>)>);

impl Fields {
    fn add(&mut self, name: &'static str, value: Option<&[u8]>) {
        self.0.extend(value.map(|value| (name, value.to_vec())));
    }

    /// True where all that `other` says is said here too.
    fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|field| self.0.contains(field))
    }

    /// Adds the address of a network card in its usual form.
    fn address(&mut self, name: &'static str, value: Option<&[u8]>) {
        let address = value.and_then(|value| value.first_chunk::<6>()).map(|address| hardware(*address));
        self.add(name, address.as_ref().map(String::as_bytes));
    }
}

/// The fields stand as parsed fields of the request: each is searched as a whole and under its name.
fn record(path: &Path, port: Option<u16>, found: Found, number: u64, out: &Out<'_>) -> Record {
    let Found { scheme, fields, first, last, spelt } = found;
    let time = Some(first.time).filter(|time| *time != UNTIMED);
    let [client, server] = endpoints(path, port);
    let headers = fields.0.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect();
    let request = Message { time, method: Some("spell".to_owned()), headers, ..Message::default() };
    Record {
        id: RecordId(format!("{}:{number}/packets:{}-{}", scheme.name(), first.packet, last.packet)),
        exhibit: out.exhibit,
        protocol: scheme,
        time,
        client,
        server,
        channel: Channel::clear(),
        app: None,
        request: Some(request),
        response: None,
        flags: vec![Flag::SpeltInLengths(spelt)],
    }
}

fn endpoints(path: &Path, port: Option<u16>) -> [Endpoint; 2] {
    match *path {
        Path::Udp { source, destination } => [
            Endpoint { address: Some(source), port, name: None },
            Endpoint { address: Some(destination.0), port: Some(destination.1), name: None },
        ],
        Path::Air { source, destination, .. } => [source, destination].map(card),
    }
}

/// An endpoint of which only the address of its network card is known.
pub(crate) fn card(address: [u8; 6]) -> Endpoint {
    Endpoint { address: None, port: None, name: Some((hardware(address), NameSource::Hardware)) }
}

fn hardware(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// The schemes, in the order in which they are tried.
const SCHEMES: [Protocol; 4] = [Protocol::EspTouch, Protocol::EspTouch2, Protocol::AirKiss, Protocol::TuyaEz];
