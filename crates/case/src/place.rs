//! Where something was seen, and through which wrappings.

use crate::{Blob, ExhibitId, RecordId};
use std::fmt;

/// A half-open range of byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl Range {
    /// The range from `start` up to and without `end`.
    pub fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// Number of bytes.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// True where the range holds no byte.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// True where the two share at least one byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Which of the two sides of an exchange sent a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sent by the client: the request.
    Request,
    /// Sent by the server: the response.
    Response,
}

impl Side {
    /// `request` or `response`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }
}

/// The name of one searched part of a record. Written as `request.url`,
/// `request.header:cookie`, `request.header:cookie#2`, `response.body`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartName {
    /// The request target as it was sent (path and query, or the absolute or authority form).
    Url,
    /// The value of a header field: side, position in the message's header list (from 0), the
    /// name in lower case, and how many fields of that name came before it.
    Header {
        /// Who sent it.
        side: Side,
        /// Position in [`crate::Message::headers`].
        index: usize,
        /// Field name in lower case.
        name: String,
        /// 0 for the first field of this name.
        nth: usize,
    },
    /// The content of a message; for protocols that are not parsed, all bytes of that side.
    Body(Side),
    /// The path of a stored file, as the archive that holds it spells it.
    Path,
    /// The bytes of a stored file.
    Content,
    /// A value that a store in a file holds: position among the message's values (from 0), its place in the store
    /// (`table messages, row 17, column body`), and how many values of that place came before it.
    Stored {
        /// Position in [`crate::Message::values`].
        index: usize,
        /// Place in the store.
        name: String,
        /// 0 for the first value of this place.
        nth: usize,
    },
}

impl PartName {
    /// Who sent this part.
    pub fn side(&self) -> Side {
        match self {
            // What a product keeps is its doing, as what it sends is.
            Self::Url | Self::Path | Self::Content | Self::Stored { .. } => Side::Request,
            Self::Header { side, .. } | Self::Body(side) => *side,
        }
    }
}

impl PartName {
    /// True for what lies in a stored file: it is kept, and went nowhere.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Path | Self::Content | Self::Stored { .. })
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("request.url"),
            Self::Header { side, name, nth: 0, .. } => write!(f, "{}.header:{name}", side.name()),
            Self::Header { side, name, nth, .. } => write!(f, "{}.header:{name}#{}", side.name(), nth + 1),
            Self::Body(side) => write!(f, "{}.body", side.name()),
            Self::Path => f.write_str("path"),
            Self::Content => f.write_str("content"),
            Self::Stored { name, nth: 0, .. } => f.write_str(name),
            Self::Stored { name, nth, .. } => write!(f, "{name}#{}", nth + 1),
        }
    }
}

/// One part of a record as search receives it.
///
/// `prefix` holds the steps the reader already undid (content codings), outermost first, so that
/// nothing is inflated twice. Where it is not empty, offsets in `content` are offsets in the
/// decoded bytes and the first step's `encoded` range is the whole part.
#[derive(Debug, Clone)]
pub struct Part<'r> {
    /// Which part of the record this is.
    pub name: PartName,
    /// Steps already undone by the reader.
    pub prefix: Vec<Step>,
    /// The bytes to search.
    pub content: PartContent<'r>,
}

/// The bytes of a [`Part`].
#[derive(Debug, Clone, Copy)]
pub enum PartContent<'r> {
    /// A short text held by the record itself.
    Bytes(&'r [u8]),
    /// A body, in memory or spooled.
    Blob(&'r Blob),
}

/// One undone wrapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The codec's name: `gzip`, `json`, `base64`, `md5` …
    pub codec: String,
    /// What inside the wrapping was followed: a JSON pointer (`/user/phone`), a form field name,
    /// a multipart part's name; absent for wrappings with one content.
    pub detail: Option<String>,
    /// Where the encoded bytes lie in the bytes one step further out.
    pub encoded: Range,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} {detail}", self.codec),
            None => f.write_str(&self.codec),
        }
    }
}

/// The chain of steps from a part's bytes to the value, outermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trail(pub Vec<Step>);

impl fmt::Display for Trail {
    /// `gzip > json /user/phone > base64`; `as typed` where nothing was undone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("as typed");
        }
        for (index, step) in self.0.iter().enumerate() {
            let join = if index == 0 { "" } else { " > " };
            write!(f, "{join}{step}")?;
        }
        Ok(())
    }
}

/// Exhibit, record, part and byte range: what every statement of dyetrace points at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// The record within the exhibit.
    pub record: RecordId,
    /// The part within the record.
    pub part: PartName,
    /// The bytes of the part, as they stand in the exhibit before any step of the trail.
    pub range: Range,
    /// The value's bytes after the last step of the trail.
    pub decoded: Range,
}
