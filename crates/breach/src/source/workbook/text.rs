//! The text of a cell or shared string: the runs of rich text together, phonetic hints left out (ECMA-376 part 1, 18.4).

use super::xml::Name;

/// Excel's most characters of a cell, each of at most three bytes for one unit of UTF-16.
const LONGEST: usize = 32_767 * 3;

#[derive(Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    collects: bool,
    is_hint: bool,
    was_cut: bool,
}

impl Text {
    pub(super) fn open(&mut self, name: Name) {
        match name {
            Name::SharedString | Name::Cell => self.clear(),
            Name::Phonetic => self.is_hint = true,
            Name::Text | Name::Value => self.collects = !self.is_hint,
            _ => {}
        }
    }

    pub(super) fn close(&mut self, name: Name) {
        match name {
            Name::Phonetic => self.is_hint = false,
            Name::Text | Name::Value => self.collects = false,
            _ => {}
        }
    }

    pub(super) fn push(&mut self, part: &str) {
        if !self.collects {
            return;
        }
        let room = LONGEST.saturating_sub(self.bytes.len());
        let end = part.floor_char_boundary(room);
        self.was_cut |= end < part.len();
        // Control characters part the fields that are made of this.
        self.bytes.extend(part[..end].bytes().map(|byte| if is_control(byte) { b' ' } else { byte }));
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.collects, self.is_hint) = (false, false);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn was_cut(&self) -> bool {
        self.was_cut
    }
}

fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}
