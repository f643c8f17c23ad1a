//! Paths of the elements and keys that are open while a tree is read.

use std::borrow::Cow;

/// Bytes of a path, and of one label in it, that are kept.
pub(crate) const LONGEST: usize = 200;

/// What stands where a name was cut.
const CUT: char = '…';

/// A stranger's name as a path shows it: no more than [`LONGEST`] bytes of it.
pub(crate) fn label(name: &[u8]) -> Cow<'_, str> {
    match name.get(..LONGEST).filter(|_| name.len() > LONGEST) {
        Some(head) => Cow::Owned(cut(&String::from_utf8_lossy(head))),
        None => String::from_utf8_lossy(name),
    }
}

/// The start of a name that goes on: without what is left of the word that the cut went through. Who hides planted
/// values in a place compares them whole, and would leave the half of one standing.
pub(crate) fn cut(head: &str) -> String {
    let in_value = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "@.+-_".contains(c);
    let mut shown = head.trim_end_matches(in_value).to_owned();
    shown.push(CUT);
    shown
}

/// The elements that are open, as one text.
#[derive(Debug, Default)]
pub(crate) struct Path {
    text: String,
    /// Length of the text before each open element.
    ends: Vec<usize>,
    /// Open elements that are too deep to be followed.
    deeper: usize,
}

impl Path {
    /// Goes into an element; tells whether the path names it. One that is too deep is counted only.
    pub(crate) fn open(&mut self, element: &str, label: Option<&str>, depth: usize) -> bool {
        if self.ends.len() >= depth {
            self.deeper += 1;
            return false;
        }
        self.ends.push(self.text.len());
        if self.text.len() > LONGEST {
            return false;
        }
        if !self.text.is_empty() {
            self.text.push('/');
        }
        self.text.push_str(element);
        if let Some(label) = label {
            self.text.push_str(" \"");
            self.text.push_str(label);
            self.text.push('"');
        }
        !element.ends_with(CUT)
    }

    /// Open elements.
    pub(crate) fn depth(&self) -> usize {
        self.ends.len() + self.deeper
    }

    /// Goes out of an element.
    pub(crate) fn close(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => self.text.truncate(self.ends.pop().unwrap_or(0)),
        }
    }

    /// The path, and what of the last element is meant.
    pub(crate) fn with(&self, attribute: &str) -> Cow<'_, str> {
        if attribute.is_empty() { Cow::Borrowed(&self.text) } else { Cow::Owned(format!("{}@{attribute}", self.text)) }
    }
}
