//! As much of pcapng (draft-ietf-opsawg-pcapng) as a capture with its keys inside needs.

use std::io::{Result, Write};

/// Section header, one Ethernet interface, and the key log as a Decryption Secrets Block.
pub(crate) fn write_start(out: &mut impl Write, key_log: &[u8]) -> Result<()> {
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend(u64::MAX.to_le_bytes());
    write_block(out, 0x0a0d_0d0a, &section)?;
    write_block(out, 1, &[1, 0, 0, 0, 0, 0, 0, 0])?;
    let mut secrets = 0x544c_534b_u32.to_le_bytes().to_vec();
    secrets.extend((key_log.len() as u32).to_le_bytes());
    secrets.extend(key_log);
    write_block(out, 10, &secrets)
}

/// One packet; the time is in microseconds since 1970.
pub(crate) fn write_packet(out: &mut impl Write, time: u64, frame: &[u8]) -> Result<()> {
    let mut packet = Vec::with_capacity(frame.len() + 20);
    packet.extend(0_u32.to_le_bytes());
    packet.extend(((time >> 32) as u32).to_le_bytes());
    packet.extend((time as u32).to_le_bytes());
    packet.extend((frame.len() as u32).to_le_bytes());
    packet.extend((frame.len() as u32).to_le_bytes());
    packet.extend(frame);
    write_block(out, 6, &packet)
}

fn write_block(out: &mut impl Write, kind: u32, body: &[u8]) -> Result<()> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let total = ((body.len() + padding + 12) as u32).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&total)?;
    out.write_all(body)?;
    out.write_all(&[0; 3][..padding])?;
    out.write_all(&total)
}
