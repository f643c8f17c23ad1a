//! Reading a rule pack.

use super::example;
use super::model::{Basis, NormKind, Pack, Question, Rule, SensitiveList, Text};
use crate::claims::error::ClaimError;
use crate::claims::file::{applies_to, date, document, readings};
use crate::claims::node::{Fields, Node, Source};
use crate::claims::{AppliesTo, words};
use dyetrace_case::{Citation, Kind};
use serde_saphyr::Spanned;

/// Keys of a rule pack.
pub(crate) const PACK: &[&str] = &["pack", "title", "source", "note", "applies_to", "sensitive", "rules"];
/// Keys of a rule.
pub(crate) const RULE: &[&str] = &[
    "id",
    "title",
    "reason",
    "norm",
    "applies_to",
    "definitions",
    "variants",
    "human",
    "tests",
    "own_claims",
    "readings",
    "exercise",
    "never",
    "works",
    "needs",
    "discloses",
    "count",
    "ratio",
    "retention",
    "purpose",
    "server_side",
];
const TEXT: &[&str] = &["en", "zh"];
const NORM: &[&str] = &["kind", "cites"];
const CITE: &[&str] = &["text", "from", "to", "confirmed"];
const SENSITIVE: &[&str] = &["text", "from", "to", "confirmed", "data"];
const QUESTION: &[&str] = &["id", "en", "zh", "applies_if"];

/// Reads a rule pack. `file` is its name in errors and reports.
///
/// # Errors
/// As [`read_claims`](crate::read_claims): the first thing that is not of the form, with its place and what may stand
/// there.
pub fn read_pack(file: &str, text: &str) -> Result<Pack, ClaimError> {
    let source = Source { file, text, rules: true };
    let root = source.parse()?;
    let fields = source.fields(&root, "a rule pack", PACK)?;
    let id = source.name(fields.needed("pack")?)?;
    let shared = fields.get("applies_to").map(|node| applies_to(source, node)).transpose()?.unwrap_or_default();
    let sensitive = fields.list("sensitive", |node| sensitive(source, node))?;
    let Node::List(nodes) = &fields.needed("rules")?.value else {
        return Err(fields.error("`rules` must be a list"));
    };
    let mut rules: Vec<Rule> = Vec::new();
    for node in nodes {
        let rule = rule(source, node, &id, &shared, &sensitive)?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(source.at(node, format!("another rule has the id `{}`", rule.id)));
        }
        rules.push(rule);
    }
    Ok(Pack {
        title: texts(source, fields.needed("title")?)?,
        source: fields.get("source").map(|node| document(source, node)).transpose()?,
        note: fields.get("note").map(|node| texts(source, node)).transpose()?,
        id,
        rules,
    })
}

fn texts(source: Source<'_>, node: &Spanned<Node>) -> Result<Text, ClaimError> {
    let fields = source.fields(node, "a text in two languages", TEXT)?;
    Ok(Text { en: source.text(fields.needed("en")?)?, zh: source.text(fields.needed("zh")?)? })
}

fn rule(
    source: Source<'_>,
    node: &Spanned<Node>,
    pack: &str,
    shared: &AppliesTo,
    sensitive: &[SensitiveList],
) -> Result<Rule, ClaimError> {
    let fields = source.fields(node, "a rule", RULE)?;
    let id_node = fields.needed("id")?;
    let id = source.name(id_node)?;
    if !id.strip_prefix(pack).is_some_and(|rest| rest.starts_with('/')) {
        return Err(source.at(id_node, format!("the id of a rule begins with its pack: {pack}/…")));
    }
    let definitions = fields.get("definitions").map(|node| source.word(node, "definition", words::DEFINITIONS));
    let definitions = definitions.transpose()?.unwrap_or_default();
    let own = fields.get("applies_to").map(|node| applies_to(source, node)).transpose()?;
    let (kind, cites) = norm(source, fields.needed("norm")?)?;
    let rule = Rule {
        title: texts(source, fields.needed("title")?)?,
        reason: texts(source, fields.needed("reason")?)?,
        kind,
        cites,
        applies_to: own.unwrap_or_else(|| shared.clone()),
        human: fields.list("human", |node| question(source, node))?,
        tests: fields.list("tests", |node| example::read(source, node))?,
        place: source.place(node),
        definitions,
        variants: fields.list("variants", |node| source.name(node))?,
        basis: basis(&fields, definitions)?,
        sensitive: sensitive.to_vec(),
        pack: pack.to_owned(),
        id,
    };
    if rule.sensitive.is_empty() && rule.is_about_sensitive() {
        return Err(source.at(id_node, "this rule says `sensitive`, and the pack does not say what that is"));
    }
    Ok(rule)
}

fn basis(fields: &Fields<'_, '_>, definitions: crate::Definitions) -> Result<Basis, ClaimError> {
    if fields.get("own_claims").is_none() {
        return Ok(Basis::Readings(readings(fields, definitions)?));
    }
    if let Some((key, _)) = words::KINDS.iter().chain(&["readings"]).find_map(|kind| fields.entry(kind)) {
        return Err(fields.source.at(key, "a rule on the maker's own claims checks nothing else"));
    }
    let kinds: Vec<(&'static str, &'static str)> = words::KINDS.iter().map(|kind| (*kind, *kind)).collect();
    Ok(Basis::OwnClaims(fields.list("own_claims", |node| fields.source.word(node, "kind of claim", &kinds))?))
}

fn norm(source: Source<'_>, node: &Spanned<Node>) -> Result<(NormKind, Vec<Citation>), ClaimError> {
    let fields = source.fields(node, "norm", NORM)?;
    let kind = source.word(fields.needed("kind")?, "kind of norm", &NormKind::WORDS)?;
    fields.needed("cites")?;
    let cites = fields.list("cites", |node| cite(&source.fields(node, "a citation", CITE)?))?;
    Ok((kind, cites))
}

fn cite(fields: &Fields<'_, '_>) -> Result<Citation, ClaimError> {
    let source = fields.source;
    let from = fields.get("from").map(|node| day(source, node)).transpose()?;
    let to = fields.get("to").map(|node| day(source, node)).transpose()?;
    if let (Some(from), Some(to)) = (&from, &to)
        && from > to
    {
        return Err(fields.error("`from` is after `to`"));
    }
    let confirmed = source.truth(fields.needed("confirmed")?)?;
    Ok(Citation { text: source.text(fields.needed("text")?)?, from, to, confirmed })
}

/// A day: when a text is in force must be known to the day.
fn day(source: Source<'_>, node: &Spanned<Node>) -> Result<String, ClaimError> {
    let text = date(source, node)?;
    if text.len() == 10 { Ok(text) } else { Err(source.at(node, "a day is written as in 2016-07-01")) }
}

fn sensitive(source: Source<'_>, node: &Spanned<Node>) -> Result<SensitiveList, ClaimError> {
    let fields = source.fields(node, "a list of what is sensitive", SENSITIVE)?;
    fields.needed("data")?;
    let kind = |node| {
        let text = source.text(node)?;
        text.parse::<Kind>().map(|_| text.clone()).map_err(|error| source.at(node, error.to_string()))
    };
    Ok(SensitiveList { cite: cite(&fields)?, kinds: fields.list("data", kind)? })
}

fn question(source: Source<'_>, node: &Spanned<Node>) -> Result<Question, ClaimError> {
    let fields = source.fields(node, "a question", QUESTION)?;
    Ok(Question {
        id: source.name(fields.needed("id")?)?,
        text: Text { en: source.text(fields.needed("en")?)?, zh: source.text(fields.needed("zh")?)? },
        applies_if: source.truth(fields.needed("applies_if")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// The JSON Schema for editors has the keys and words of the parser, and what claims and rules share is the same.
    #[test]
    fn the_schema_has_the_keys_and_words_of_the_parser() {
        let of = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let schema = of(include_str!("../../../../docs/rules.schema.json"));
        let keys =
            |value: &Value| -> BTreeSet<String> { value["properties"].as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys(&schema), PACK.iter().map(|&key| key.to_owned()).collect());
        let own = [
            ("text", TEXT),
            ("rule", RULE),
            ("norm", NORM),
            ("citation", CITE),
            ("sensitive", SENSITIVE),
            ("question", QUESTION),
            ("rule_applies_to", words::RULE_APPLIES_TO),
            ("measured", words::MEASURED),
        ];
        for (name, expected) in own.into_iter().chain(example::KEYS) {
            let definition = &schema["$defs"][name];
            assert_eq!(keys(definition), expected.iter().map(|&key| key.to_owned()).collect(), "{name}");
            assert_eq!(definition["additionalProperties"], Value::Bool(false), "{name}");
        }
        let kinds = NormKind::WORDS.map(|(word, _)| word);
        assert_eq!(schema["$defs"]["norm"]["properties"]["kind"]["enum"], Value::from(kinds.to_vec()));
        let verdicts = super::super::Expected::WORDS.map(|(word, _)| word);
        assert_eq!(schema["$defs"]["example"]["properties"]["expect"]["enum"], Value::from(verdicts.to_vec()));
        let claims = of(include_str!("../../../../docs/claims.schema.json"));
        for (name, definition) in claims["$defs"].as_object().unwrap() {
            assert_eq!(&schema["$defs"][name], definition, "{name}");
        }
    }
}
