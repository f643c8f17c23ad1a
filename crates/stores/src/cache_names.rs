//! The names that image caches give to their files: a copy in a cache is named after the picture it was made of.
//!
//! The name of a planted picture's path proves where a file came from, whatever became of its pixels. One table: each
//! library's scheme computes the name from the text under which the app asked for the picture ([`sources`] lists the
//! usual spellings of one path).
//!
//! What cannot be computed: Glide's names of *resized* pictures hold their size, transformation and options, so that of
//! local pictures, which it stores only resized, no name is known from the source alone. Apple's `NSURLCache` names
//! files by random identifiers; the address stands in its `Cache.db`, which is SQLite.

mod scheme;
mod sources;

pub use scheme::Scheme;
pub use sources::sources;

/// A name that a cache would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheName {
    /// Which scheme makes it.
    pub scheme: Scheme,
    /// The file's name, without the folders it is in.
    pub name: String,
}

/// The names that all caches would give to a picture that was asked for by this text.
///
/// Names are compared whole, but for [`Scheme::may_have_suffix`].
pub fn names(source: &str) -> Vec<CacheName> {
    let name = |scheme: Scheme| scheme.names(source).into_iter().map(move |name| CacheName { scheme, name });
    Scheme::ALL.into_iter().flat_map(name).collect()
}

impl CacheName {
    /// Whether a file of this name was named after the source.
    pub fn is_of(&self, file: &str) -> bool {
        match file.strip_prefix(self.name.as_str()) {
            Some("") => true,
            Some(suffix) => self.scheme.may_have_suffix() && suffix.starts_with('.') && suffix.len() <= 8,
            None => false,
        }
    }
}
