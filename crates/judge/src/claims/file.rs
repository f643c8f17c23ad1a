//! Reading a claim file.

use super::error::ClaimError;
use super::kinds;
use super::model::{AppliesTo, Claim, ClaimFile, Definitions, Reading};
use super::node::{Fields, Node, Source};
use super::words;
use dyetrace_case::{Source as Document, Statement};
use serde_saphyr::Spanned;

/// Reads a claim file. `file` is its name in errors and reports.
///
/// # Errors
/// The first thing that is not of the form: with file, line, column and what may stand there.
/// A word or key that is not known is always an error.
pub fn read_claims(file: &str, text: &str) -> Result<ClaimFile, ClaimError> {
    let source = Source { file, text, rules: false };
    let root = source.parse()?;
    let fields = source.fields(&root, "a claim file", words::FILE)?;
    let vendor = fields.text("vendor")?;
    let document = fields.get("source").map(|node| document(source, node)).transpose()?;
    let list = fields.needed("claims")?;
    if !matches!(list.value, Node::List(_)) {
        return Err(fields.error("`claims` must be a list"));
    }
    let mut claims: Vec<Claim> = Vec::new();
    for node in claims_of(source, list)? {
        let mut claim = claim(source, node, document.as_ref())?;
        if claims.iter().any(|other| other.statement.id == claim.statement.id) {
            return Err(source.at(node, format!("another claim has the id `{}`", claim.statement.id)));
        }
        claim.statement.vendor.clone_from(&vendor);
        claims.push(claim);
    }
    Ok(ClaimFile { vendor, source: document, claims })
}

/// A file may say that nothing is claimed yet.
fn claims_of<'n>(source: Source<'_>, list: &'n Spanned<Node>) -> Result<Vec<&'n Spanned<Node>>, ClaimError> {
    let is_empty = matches!(&list.value, Node::List(nodes) if nodes.is_empty());
    if is_empty { Ok(Vec::new()) } else { source.list(list) }
}

pub(crate) fn document(source: Source<'_>, node: &Spanned<Node>) -> Result<Document, ClaimError> {
    let fields = source.fields(node, "source", words::SOURCE)?;
    Ok(Document {
        title: source.text(fields.needed("title")?)?,
        date: fields.get("date").map(|node| date(source, node)).transpose()?,
        url: fields.text("url")?,
        archived: fields.text("archived")?,
    })
}

pub(crate) fn claim(
    source: Source<'_>,
    node: &Spanned<Node>,
    document_of_file: Option<&Document>,
) -> Result<Claim, ClaimError> {
    let fields = source.fields(node, "a claim", words::CLAIM)?;
    let definitions = fields.get("definitions").map(|node| source.word(node, "definition", words::DEFINITIONS));
    let definitions = definitions.transpose()?.unwrap_or_default();
    let readings = readings(&fields, definitions)?;
    let own = fields.get("source").map(|node| document(source, node)).transpose()?;
    let statement = Statement {
        id: source.name(fields.needed("id")?)?,
        says: source.text(fields.needed("says")?)?,
        says_zh: fields.text("says_zh")?,
        source: own.or_else(|| document_of_file.cloned()),
        kind: readings.first().map_or("never", |reading| reading.check.kind()),
        place: source.place(node),
        ..Statement::default()
    };
    Ok(Claim {
        statement,
        applies_to: fields.get("applies_to").map(|node| applies_to(source, node)).transpose()?.unwrap_or_default(),
        definitions,
        variants: fields.list("variants", |node| source.name(node))?,
        readings,
        human: fields.list("human", |node| source.text(node))?,
    })
}

/// The readings of a claim; without `readings`, the claim itself is the only one.
pub(crate) fn readings(fields: &Fields<'_, '_>, definitions: Definitions) -> Result<Vec<Reading>, ClaimError> {
    let source = fields.source;
    let Some(list) = fields.get("readings") else {
        return Ok(vec![kinds::reading(fields, None, None, definitions)?]);
    };
    if let Some((key, _)) = words::KINDS.iter().find_map(|kind| fields.entry(kind)) {
        return Err(source.at(key, "with `readings`, each reading says what is checked, and the claim does not"));
    }
    let shared = fields.get("exercise").map(|node| kinds::exercise(source, node)).transpose()?;
    let mut readings: Vec<Reading> = Vec::new();
    for node in source.list(list)? {
        let own = source.fields(node, "a reading", words::READING)?;
        let name = source.name(own.needed("name")?)?;
        if readings.iter().any(|other| other.name.as_ref() == Some(&name)) {
            return Err(source.at(node, format!("another reading is named `{name}`")));
        }
        readings.push(kinds::reading(&own, Some(name), shared.as_ref(), definitions)?);
    }
    Ok(readings)
}

pub(crate) fn applies_to(source: Source<'_>, node: &Spanned<Node>) -> Result<AppliesTo, ClaimError> {
    let keys = if source.rules { words::RULE_APPLIES_TO } else { words::APPLIES_TO };
    let fields = source.fields(node, "applies_to", keys)?;
    let region = |node| Ok(source.text(node)?.to_ascii_uppercase());
    let platform = |node| source.word(node, "platform", words::PLATFORMS).map(str::to_owned);
    Ok(AppliesTo {
        versions: fields.list("versions", |node| version(source, node))?,
        made_from: fields.get("made_from").map(|node| date(source, node)).transpose()?,
        made_to: fields.get("made_to").map(|node| date(source, node)).transpose()?,
        regions: fields.list("regions", region)?,
        platforms: fields.list("platform", platform)?,
        app_types: fields.list("app_type", |node| source.name(node))?,
        recorded_from: None,
        recorded_to: None,
    })
}

fn version(source: Source<'_>, node: &Spanned<Node>) -> Result<String, ClaimError> {
    let text = source.text(node)?;
    let fits = |part: &str| {
        let version = part.trim_start_matches(['<', '>', '=']);
        let operator = &part[..part.len() - version.len()];
        ["", "=", "<", "<=", ">", ">="].contains(&operator) && version.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    if text.split_whitespace().all(fits) {
        return Ok(text);
    }
    Err(source.at(node, "a version is written as in `1.4.2` or `>=2.0 <3`"))
}

/// A year, a month or a day.
pub(crate) fn date(source: Source<'_>, node: &Spanned<Node>) -> Result<String, ClaimError> {
    let text = source.text(node)?;
    if crate::verdict::days(&text).is_some() {
        return Ok(text);
    }
    Err(source.at(node, "a date is written as in 2016, 2016-07 or 2016-07-01"))
}
