//! Names of elements and attributes that say something: those that no format defines.

use std::collections::HashSet;

/// Names that `SharedPreferences`, property lists and XML itself define: they say nothing of a person.
const DEFINED: [&[u8]; 31] = [
    b"array",
    b"boolean",
    b"byte-array",
    b"data",
    b"date",
    b"dict",
    b"double",
    b"double-array",
    b"encoding",
    b"false",
    b"float",
    b"int",
    b"int-array",
    b"integer",
    b"key",
    b"list",
    b"long",
    b"long-array",
    b"map",
    b"name",
    b"null",
    b"num",
    b"plist",
    b"real",
    b"set",
    b"standalone",
    b"string",
    b"string-array",
    b"true",
    b"value",
    b"version",
];

/// Shortest name that is given: no value that could be told from chance fits in less.
const SHORTEST: usize = 4;
/// Most names that are remembered as given; others are given each time.
const REMEMBERED: usize = 4096;

/// The names of one document that were given.
#[derive(Default)]
pub(crate) struct Names<'a> {
    given: HashSet<&'a [u8]>,
}

impl<'a> Names<'a> {
    /// Whether the name is to be given: it was not yet, and may be a stranger's.
    pub(crate) fn is_new(&mut self, name: &'a [u8]) -> bool {
        if name.len() < SHORTEST || DEFINED.contains(&name) || self.given.contains(name) {
            return false;
        }
        if self.given.len() < REMEMBERED {
            self.given.insert(name);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_those_of_formats_never() {
        let mut names = Names::default();
        assert!(names.is_new(b"13800000427") && !names.is_new(b"13800000427"));
        for name in [&b"string"[..], b"map", b"standalone", b"abc", b""] {
            assert!(!names.is_new(name));
        }
    }
}
