//! Writing, front to back.

use super::{CENTRAL, END, END_64, IN_ZIP64, LOCAL, LOCATOR_64};
use crate::digest::Measured;
use std::io::{self, Read, Write};

/// The first day that zip can say, so that archives do not differ by when they were made: 1980-01-01.
const DATE: u16 = 0x0021;

/// Names are UTF-8 (APPNOTE 4.4.4, bit 11).
const FLAGS: u16 = 1 << 11;

/// Made on Unix (3), by version 4.5 of the format, which brought Zip64.
const MADE_BY: u16 = 3 * 256 + 45;

/// A regular file that its owner may write and all may read.
const MODE: u32 = 0o100_644 << 16;

/// Writes an archive.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    at: u64,
    central: Vec<u8>,
    entries: u64,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, central: Vec::new(), entries: 0 }
    }

    /// Adds a file that was measured before.
    ///
    /// # Errors
    /// Reading or writing failed, or the file is no longer what was measured.
    pub fn add(&mut self, name: &str, measured: &Measured, bytes: &mut dyn Read) -> io::Result<()> {
        let at = self.at;
        let extra =
            if measured.bytes >= u64::from(IN_ZIP64) { zip64(&[measured.bytes, measured.bytes]) } else { Vec::new() };
        let mut header = LOCAL.to_le_bytes().to_vec();
        header.extend(common(name, measured, extra.len())?);
        header.extend(name.as_bytes());
        header.extend(extra);
        self.write(&header)?;
        let out = &mut self.out;
        let written = crate::digest::measure(bytes, &mut |piece| out.write_all(piece))?;
        self.at = self.at.saturating_add(written.bytes);
        if written != *measured {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file changed while it was read"));
        }
        self.remember(name, measured, at)
    }

    fn remember(&mut self, name: &str, measured: &Measured, at: u64) -> io::Result<()> {
        let mut large = Vec::new();
        if measured.bytes >= u64::from(IN_ZIP64) {
            large.extend([measured.bytes, measured.bytes]);
        }
        if at >= u64::from(IN_ZIP64) {
            large.push(at);
        }
        let extra = if large.is_empty() { Vec::new() } else { zip64(&large) };
        let central = &mut self.central;
        central.extend(CENTRAL.to_le_bytes());
        central.extend(MADE_BY.to_le_bytes());
        central.extend(common(name, measured, extra.len())?);
        // Comment's length, number of the disk, internal attributes: none.
        central.extend([0; 6]);
        central.extend(MODE.to_le_bytes());
        central.extend(field(at).to_le_bytes());
        central.extend(name.as_bytes());
        central.extend(extra);
        self.entries += 1;
        Ok(())
    }

    /// Writes the directory and gives the output back.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> io::Result<W> {
        let start = self.at;
        let central = std::mem::take(&mut self.central);
        self.write(&central)?;
        let size = central.len() as u64;
        let many = self.entries >= 0xffff;
        if many || start >= u64::from(IN_ZIP64) || size >= u64::from(IN_ZIP64) {
            self.end_64(start, size)?;
        }
        let count = if many { u16::MAX } else { self.entries as u16 };
        let mut end = END.to_le_bytes().to_vec();
        end.extend([0; 4]);
        end.extend(count.to_le_bytes());
        end.extend(count.to_le_bytes());
        end.extend(field(size).to_le_bytes());
        end.extend(field(start).to_le_bytes());
        end.extend([0; 2]);
        self.write(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn end_64(&mut self, start: u64, size: u64) -> io::Result<()> {
        let here = self.at;
        let mut end = END_64.to_le_bytes().to_vec();
        end.extend(44u64.to_le_bytes());
        end.extend(MADE_BY.to_le_bytes());
        end.extend(45u16.to_le_bytes());
        end.extend([0; 8]);
        for number in [self.entries, self.entries, size, start] {
            end.extend(number.to_le_bytes());
        }
        end.extend(LOCATOR_64.to_le_bytes());
        end.extend([0; 4]);
        end.extend(here.to_le_bytes());
        end.extend(1u32.to_le_bytes());
        self.write(&end)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at = self.at.saturating_add(bytes.len() as u64);
        self.out.write_all(bytes)
    }
}

/// The part that local and central headers share (APPNOTE 4.3.7 and 4.3.12): from the version needed to the length of
/// the extra field.
fn common(name: &str, measured: &Measured, extra: usize) -> io::Result<Vec<u8>> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a name is too long for zip");
    let name_length = u16::try_from(name.len()).map_err(too_long)?;
    let extra_length = u16::try_from(extra).map_err(too_long)?;
    let mut bytes = Vec::new();
    // Version needed, flags, stored, time, date.
    for number in [45, FLAGS, 0, 0, DATE] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(measured.crc32.to_le_bytes());
    bytes.extend(field(measured.bytes).to_le_bytes());
    bytes.extend(field(measured.bytes).to_le_bytes());
    bytes.extend(name_length.to_le_bytes());
    bytes.extend(extra_length.to_le_bytes());
    Ok(bytes)
}

fn field(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_ZIP64)
}

/// The Zip64 extra field (APPNOTE 4.5.3).
fn zip64(numbers: &[u64]) -> Vec<u8> {
    let mut bytes = 1u16.to_le_bytes().to_vec();
    bytes.extend((numbers.len() as u16 * 8).to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}
