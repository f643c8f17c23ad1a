//! What is counted, as bytes and back.

use std::io::{self, Read, Write};

/// Writes numbers and texts.
pub(crate) struct Out<'w>(pub(crate) &'w mut dyn Write);

/// Reads what [`Out`] wrote. Lengths are checked before anything is made of them.
pub(crate) struct In<'r>(pub(crate) &'r mut dyn Read);

impl Out<'_> {
    pub(crate) fn number(&mut self, number: u64) -> io::Result<()> {
        self.0.write_all(&number.to_le_bytes())
    }

    pub(crate) fn numbers(&mut self, numbers: &[u64]) -> io::Result<()> {
        numbers.iter().try_for_each(|number| self.number(*number))
    }

    /// Bytes whose length the reader knows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        // What could not be read back is not written: the checkpoint before stays.
        if text.len() > LONGEST_TEXT {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.number(text.len() as u64)?;
        self.bytes(text.as_bytes())
    }

    pub(crate) fn maybe_text(&mut self, text: Option<&str>) -> io::Result<()> {
        self.number(u64::from(text.is_some()))?;
        text.map_or(Ok(()), |text| self.text(text))
    }
}

/// Longest text: a name of a column or a table is no longer, nor what a reader knows of all of them in most dumps.
const LONGEST_TEXT: usize = 16 << 20;

impl In<'_> {
    pub(crate) fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A number that is at most so large.
    pub(crate) fn length(&mut self, most: usize) -> io::Result<usize> {
        usize::try_from(self.number()?).ok().filter(|length| *length <= most).ok_or_else(invalid)
    }

    /// A number that fits.
    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> io::Result<T> {
        T::try_from(self.number()?).map_err(|_| invalid())
    }

    pub(crate) fn flag(&mut self) -> io::Result<bool> {
        Ok(self.length(1)? == 1)
    }

    pub(crate) fn bytes(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(bytes)
    }

    pub(crate) fn text(&mut self) -> io::Result<String> {
        let mut bytes = vec![0; self.length(LONGEST_TEXT)?];
        self.bytes(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| invalid())
    }

    pub(crate) fn maybe_text(&mut self) -> io::Result<Option<String>> {
        if self.flag()? { self.text().map(Some) } else { Ok(None) }
    }
}

/// What was written is not what this version writes.
pub(crate) fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
