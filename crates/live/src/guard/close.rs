//! How a WebSocket ends that the guard ends (RFC 6455 section 7.4.1).

use super::frame::FrameHead;
use super::wire::{Wire, send};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// A message was received that violates a policy.
pub(super) const POLICY: u16 = 1008;
/// The other side broke the protocol.
pub(super) const PROTOCOL: u16 = 1002;

const REASON: &[u8] = b"blocked by dyetrace guard";

/// The frame that a server ends a connection with.
fn frame(code: u16) -> Vec<u8> {
    let content = [&code.to_be_bytes(), REASON].concat();
    let head = FrameHead { is_final: true, is_deflated: false, opcode: 8, mask: None, length: content.len() as u64 };
    head.with(&content)
}

/// Tells the client, and reads on until it has gone: what nobody reads would take the frame away again.
pub(super) async fn say(
    to_client: &mut (impl AsyncWrite + Unpin),
    client: &mut Wire<impl AsyncRead + Unpin>,
    code: u16,
) -> io::Result<()> {
    send(to_client, &frame(code)).await?;
    to_client.shutdown().await?;
    while client.fill().await? {
        client.advance(usize::MAX);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_a_short_unmasked_close_with_its_code_and_a_reason() {
        let frame = frame(POLICY);
        assert_eq!(frame.get(..4), Some(&[0x88, 27, 0x03, 0xf0][..]), "FIN and opcode 8, 27 bytes, 1008");
        assert_eq!(frame.get(4..), Some(REASON));
    }
}
