//! Reading measured numbers: `measured:` with samples or intervals.

use super::error::ClaimError;
use super::node::{Node, Source};
use super::words;
use crate::{Measured, Number};
use serde_saphyr::Spanned;

/// Reads a file of measured numbers.
///
/// # Errors
/// As [`read_claims`](super::read_claims).
pub fn read_measured(file: &str, text: &str) -> Result<Vec<Measured>, ClaimError> {
    let source = Source { file, text, rules: false };
    let root = source.parse()?;
    let fields = source.fields(&root, "a file of measured numbers", words::MEASURED_FILE)?;
    fields.needed("measured")?;
    fields.list("measured", |node| measured(source, node))
}

pub(crate) fn measured(source: Source<'_>, node: &Spanned<Node>) -> Result<Measured, ClaimError> {
    let fields = source.fields(node, "a measured number", words::MEASURED)?;
    let whole = |key: &str| fields.get(key).map(|node| source.whole(node)).transpose();
    let number = |key: &str| fields.get(key).map(|node| source.number(node, 0.0, f64::INFINITY)).transpose();
    let number = match (whole("hits")?, whole("of")?, number("low")?, number("high")?) {
        (Some(hits), Some(of), None, None) if hits <= of => Number::Sample { hits, of },
        (None, None, Some(low), high) if high.is_none_or(|high| low <= high) => Number::Interval { low, high },
        _ => return Err(fields.error("write `hits` and `of` (not more hits than looked at), or `low` and `high`")),
    };
    let name = source.name(fields.needed("name")?)?;
    Ok(Measured { name, number, how: fields.text("how")?, place: source.place(node) })
}
