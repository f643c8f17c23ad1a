//! Planted values as `subject.yaml`.

use serde_json::json;
use std::fmt::Write as _;

/// One planted value. Every one was made for this lab and belongs to nobody.
pub struct Planted {
    /// Its kind.
    pub kind: &'static str,
    /// The value as typed.
    pub value: &'static str,
    /// Where it was typed or kept.
    pub how: &'static str,
    /// Random bits in it.
    pub bits: u32,
}

/// The file of one made-up person.
pub fn yaml(person: &str, data: &[Planted]) -> String {
    let mut yaml = format!("subject: {person} (made up)\ndata:\n");
    for Planted { kind, value, how, bits } in data {
        let value = json!(value);
        let _ = writeln!(yaml, "  - kind: {kind}\n    value: {value}\n    planted: {how}");
        let _ = writeln!(yaml, "    bits: {bits}\n    made_up: true");
    }
    yaml
}
