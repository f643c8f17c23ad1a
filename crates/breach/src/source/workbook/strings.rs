//! Shared strings (ECMA-376 part 1, 18.4): one arena, because a workbook may have millions.

use std::io::Read;

use super::text::Text;
use super::xml::{Item, Name, Stop, Xml};

/// How much memory shared strings may take, their places included.
const MOST: usize = 256 << 20;

/// The strings that cells name by number.
#[derive(Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Why there may be more of them.
    pub(super) incomplete: Option<&'static str>,
}

impl Strings {
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start as usize..*self.ends.get(index)? as usize)
    }

    pub(super) fn read(&mut self, source: &mut dyn Read) {
        let mut xml = Xml::new(source);
        let mut text = Text::default();
        self.incomplete = loop {
            match xml.next() {
                Ok(Item::Open(start)) => text.open(Name::of(start.local_name().as_ref())),
                Ok(Item::Text(part)) => text.push(&part),
                Ok(Item::Close(Name::SharedString)) if self.held() + text.bytes().len() > MOST => {
                    break Some("shared strings beyond 256 MiB are not read: cells that name them are left empty");
                }
                Ok(Item::Close(Name::SharedString)) => {
                    self.bytes.extend_from_slice(text.bytes());
                    self.ends.push(self.bytes.len() as u32);
                    text.clear();
                }
                Ok(Item::Close(name)) => text.close(name),
                Ok(Item::End) => {
                    break text.was_cut().then_some("a shared string is longer than Excel's 32,767 characters: cut");
                }
                Err(Stop::Io(_)) => {
                    break Some("shared strings are cut short or damaged: cells that name others are left empty");
                }
                Err(Stop::Broken) => {
                    break Some("shared strings are no XML from some point on: cells that name others are left empty");
                }
            }
        };
    }

    fn held(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<u32>()
    }
}
