//! YAML as a tree in which everything has its position, and reading it against a closed vocabulary.

use super::error::{ClaimError, unknown};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// A value of a YAML document.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Absent: `~`, `null`, nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number. Its text is read from the source, so that `1.10` stays `1.10`.
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// Keys and values in the order of the file.
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

/// A file that is being read: its name and text, to make errors from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    /// Its name.
    pub(crate) file: &'s str,
    /// Its text.
    pub(crate) text: &'s str,
    /// True for rule packs, which may say a few things more than claims.
    pub(crate) rules: bool,
}

/// Most entries of one list. What people write has far fewer.
const MOST: usize = 4096;
/// Longest file of claims or rules. What people write is far shorter.
const LONGEST: usize = 4 << 20;

impl<'s> Source<'s> {
    /// The document as a tree.
    pub(crate) fn parse(self) -> Result<Spanned<Node>, ClaimError> {
        if self.text.len() > LONGEST {
            return Err(self.error(1, 1, 1, format!("longer than {LONGEST} bytes")));
        }
        let options = serde_saphyr::options! {
            with_snippet: false,
            strict_booleans: true,
            merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        };
        serde_saphyr::from_str_with_options(self.text, options).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
            self.error(line, column, 1, format!("not YAML: {reason}"))
        })
    }

    fn error(self, line: u64, column: u64, width: usize, reason: String) -> ClaimError {
        let shown = self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default().to_owned();
        ClaimError { file: self.file.to_owned(), line, column, reason, shown, width }
    }

    /// An error at a node: marks its first word.
    pub(crate) fn at<T>(self, node: &Spanned<T>, reason: impl Into<String>) -> ClaimError {
        let (line, column) = (node.referenced.line(), node.referenced.column());
        let mut error = self.error(line, column, 1, reason.into());
        let rest = error.shown.chars().skip(column.saturating_sub(1) as usize);
        error.width = rest.take_while(|c| !c.is_whitespace() && !",:]}".contains(*c)).count().max(1);
        error
    }

    /// File and line of a node.
    pub(crate) fn place<T>(self, node: &Spanned<T>) -> String {
        format!("{}:{}", self.file, node.referenced.line())
    }

    /// A mapping whose keys are all among `allowed`, each once.
    pub(crate) fn fields<'n>(
        self,
        node: &'n Spanned<Node>,
        what: &'static str,
        allowed: &'static [&'static str],
    ) -> Result<Fields<'n, 's>, ClaimError> {
        let Node::Map(entries) = &node.value else {
            return Err(self.at(node, format!("{what} must be keys and values; keys allowed: {}", allowed.join(", "))));
        };
        for (index, (key, _)) in entries.iter().enumerate() {
            if !allowed.contains(&key.value.as_str()) {
                return Err(self.at(key, unknown(&format!("key of {what}"), &key.value, allowed)));
            }
            if entries[..index].iter().any(|(other, _)| other.value == key.value) {
                return Err(self.at(key, format!("`{}` stands twice in {what}", key.value)));
            }
        }
        Ok(Fields { source: self, node, what, entries })
    }

    /// A text. Numbers are taken as they are written.
    pub(crate) fn text(self, node: &Spanned<Node>) -> Result<String, ClaimError> {
        match &node.value {
            Node::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
            Node::Number(_) => Ok(self.plain(node)),
            Node::Text(_) | Node::Null => Err(self.at(node, "a text is missing here")),
            _ => Err(self.at(node, "one text must stand here")),
        }
    }

    /// A plain scalar as it is written.
    fn plain(self, node: &Spanned<Node>) -> String {
        let start = node.referenced.span().byte_offset().and_then(|offset| usize::try_from(offset).ok());
        let rest = start.and_then(|start| self.text.get(start..)).unwrap_or_default();
        let end = rest.find([',', ']', '}', '#', '\n', '\r']).unwrap_or(rest.len());
        rest[..end].trim().to_owned()
    }

    /// A list, or a single value as a list of one.
    pub(crate) fn list(self, node: &Spanned<Node>) -> Result<Vec<&Spanned<Node>>, ClaimError> {
        match &node.value {
            Node::List(nodes) if nodes.is_empty() => Err(self.at(node, "this list is empty: leave the key out")),
            Node::List(nodes) if nodes.len() > MOST => {
                Err(self.at(node, format!("more than {MOST} entries in one list")))
            }
            Node::List(nodes) => Ok(nodes.iter().collect()),
            Node::Null => Err(self.at(node, "nothing stands here: leave the key out")),
            _ => Ok(vec![node]),
        }
    }

    /// One of the words that a table gives meanings to.
    pub(crate) fn word<T: Copy>(
        self,
        node: &Spanned<Node>,
        what: &str,
        table: &[(&'static str, T)],
    ) -> Result<T, ClaimError> {
        let text = self.text(node)?;
        let found = table.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
            self.at(node, unknown(what, &text, &words))
        })
    }

    /// A name that other files may speak of: lower-case letters, digits, dashes, dots.
    pub(crate) fn name(self, node: &Spanned<Node>) -> Result<String, ClaimError> {
        let text = self.text(node)?;
        let well_formed = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._/".contains(c));
        if well_formed && text.len() <= 100 {
            return Ok(text);
        }
        Err(self.at(node, "a name is lower-case letters, digits and dashes, as in provision-device"))
    }

    /// Yes or no, in any of the ways of YAML.
    pub(crate) fn truth(self, node: &Spanned<Node>) -> Result<bool, ClaimError> {
        match &node.value {
            Node::Bool(value) => Ok(*value),
            Node::Text(text) if ["yes", "true"].contains(&text.as_str()) => Ok(true),
            Node::Text(text) if ["no", "false"].contains(&text.as_str()) => Ok(false),
            _ => Err(self.at(node, "yes or no must stand here")),
        }
    }

    /// A whole number.
    pub(crate) fn whole(self, node: &Spanned<Node>) -> Result<u64, ClaimError> {
        match node.value {
            Node::Number(number) if number >= 0.0 && number.fract() == 0.0 && number < 9e15 => Ok(number as u64),
            _ => Err(self.at(node, "a whole number, 0 or more, must stand here")),
        }
    }

    /// A number between two others.
    pub(crate) fn number(self, node: &Spanned<Node>, low: f64, high: f64) -> Result<f64, ClaimError> {
        match node.value {
            Node::Number(number) if (low..=high).contains(&number) => Ok(number),
            _ if high.is_finite() => Err(self.at(node, format!("a number from {low} to {high} must stand here"))),
            _ => Err(self.at(node, format!("a number, {low} or more, must stand here"))),
        }
    }
}

/// The checked keys of a mapping.
pub(crate) struct Fields<'n, 's> {
    /// The file.
    pub(crate) source: Source<'s>,
    node: &'n Spanned<Node>,
    what: &'static str,
    entries: &'n [(Spanned<String>, Spanned<Node>)],
}

impl<'n> Fields<'n, '_> {
    /// The value of a key, where it stands.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Spanned<Node>> {
        self.entries.iter().find(|(other, _)| other.value == key).map(|(_, value)| value)
    }

    /// Key and value.
    pub(crate) fn entry(&self, key: &str) -> Option<&'n (Spanned<String>, Spanned<Node>)> {
        self.entries.iter().find(|(other, _)| other.value == key)
    }

    /// The value of a key that must stand.
    pub(crate) fn needed(&self, key: &str) -> Result<&'n Spanned<Node>, ClaimError> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing in {}", self.what)))
    }

    /// An error about the mapping as a whole.
    pub(crate) fn error(&self, reason: impl Into<String>) -> ClaimError {
        self.source.at(self.node, reason)
    }

    /// A text, where it stands.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, ClaimError> {
        self.get(key).map(|node| self.source.text(node)).transpose()
    }

    /// A list of what `read` reads, empty where the key does not stand.
    pub(crate) fn list<T>(
        &self,
        key: &str,
        mut read: impl FnMut(&'n Spanned<Node>) -> Result<T, ClaimError>,
    ) -> Result<Vec<T>, ClaimError> {
        let nodes = self.get(key).map(|node| self.source.list(node)).transpose()?.unwrap_or_default();
        nodes.into_iter().map(&mut read).collect()
    }
}
