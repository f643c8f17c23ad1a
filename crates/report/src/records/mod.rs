//! Records one by one, for other programs: JSON lines, or a HAR file of the HTTP among them.
//!
//! Both are written as the records come, so a recording of any size passes through.

mod body;
mod har;
mod jsonl;

use crate::json::Harmless;
use dyetrace_case::Item;
use std::io::{self, Write};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// One JSON object a line, for every item. `docs/records.schema.json` describes them.
    JsonLines,
    /// A HAR 1.2 file of the HTTP exchanges; what is left out is counted in `log._dyetrace`.
    Har,
}

/// Writes items in one of the formats.
pub struct RecordWriter<'w> {
    out: Harmless<'w>,
    form: Form,
}

enum Form {
    JsonLines,
    Har(har::HarLog),
}

impl<'w> RecordWriter<'w> {
    /// A writer to `out`. Nothing is written yet.
    pub fn new(format: RecordFormat, out: &'w mut dyn Write) -> Self {
        let form = match format {
            RecordFormat::JsonLines => Form::JsonLines,
            RecordFormat::Har => Form::Har(har::HarLog::default()),
        };
        Self { out: Harmless::new(out), form }
    }

    /// Writes one item.
    ///
    /// # Errors
    /// Writing failed, or a body could not be read back from its temporary file.
    pub fn item(&mut self, item: &Item) -> io::Result<()> {
        match &mut self.form {
            Form::JsonLines => jsonl::write(item, &mut self.out),
            Form::Har(log) => log.item(item, &mut self.out),
        }
    }

    /// Writes what belongs behind the last item and flushes.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> io::Result<()> {
        if let Form::Har(log) = self.form {
            log.finish(&mut self.out)?;
        }
        self.out.finish()
    }
}

/// Bytes of a field as text: UTF-8 where they are that, otherwise one character of U+0000 to
/// U+00FF for each byte (ISO 8859-1), so that nothing is lost.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
