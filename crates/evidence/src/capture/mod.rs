//! Capture files down to transport payloads: containers, link layers, IP, tunnels.

mod blocks;
mod bytes;
mod fragments;
mod ip;
mod link;
mod network;
mod packets;
mod payload;
mod pcap;
mod pcapdroid;
mod pcapng;
mod tunnel;
mod unread;
mod window;

#[expect(unused_imports, reason = "read by the stream reassembly, which is being built on it")]
pub(crate) use payload::{Payload, Socket, TcpFlags, TcpSegment, UdpDatagram};
pub(crate) use pcapdroid::Apps;
pub(crate) use pcapng::{Preview, preview};

use crate::exhibit::Opened;
use crate::layer::Out;
use dyetrace_case::Damage;
use network::Network;
use packets::{Lost, Next, Packets};

/// Packets between two calls of `progress`.
const PROGRESS: u64 = 4096;

/// Reads a capture and emits what is in it. `progress` is called with the bytes of the file done.
pub(crate) fn read(opened: &Opened, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let content = match opened.content() {
        Ok(content) => content,
        Err(error) => return tell(unreadable(&error), out),
    };
    let done = content.done();
    let mut packets = Packets::new(content, opened.exhibit().format, opened.apps().clone());
    let mut network = Network::new(out.limits);
    while !out.stopped() {
        match packets.next() {
            Next::Packet(packet) => {
                if packet.number % PROGRESS == 0 {
                    progress(done.bytes());
                }
                network.packet(&packet, out, &mut |_payload, _out| ());
            }
            Next::Lost(lost) => tell(lost, out),
            Next::End => break,
        }
    }
    network.end(out);
    progress(done.bytes());
}

fn unreadable(error: &std::io::Error) -> Lost {
    Lost { offset: 0, bytes: None, reason: format!("the file cannot be opened again: {error}") }
}

fn tell(lost: Lost, out: &mut Out<'_>) {
    let Lost { offset, bytes, reason } = lost;
    out.damage(Damage {
        exhibit: out.exhibit,
        place: format!("byte {offset}"),
        time: None,
        server: None,
        bytes,
        reason,
    });
}
