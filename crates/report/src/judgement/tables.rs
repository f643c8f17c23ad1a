//! A judged case as two tables: what each column is called and holds, and the rows. How a table is written
//! is another matter ([`super::csv`], `super::parquet`).

use super::results::{Row, rows};
use super::{Standing, actions, consent, said};
use crate::text::clean;
use crate::words::Lang;
use dyetrace_case::{ConsentState, Country, Judgement, Practice, Recipient, Time};
use std::collections::BTreeSet;
use std::fmt::Display;

/// A cell. What is not known or does not apply is an empty text or `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Text without characters that steer a terminal or reorder text.
    Text(String),
    /// How many.
    Count(Option<u64>),
    /// Whether.
    Flag(Option<bool>),
    /// When.
    Time(Option<Time>),
}

/// What the cells of a column hold: the variant of [`Cell`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Count,
    Flag,
    Time,
}

/// A column's name and what it holds.
pub(super) type Column = (&'static str, Holds);

const fn text(name: &'static str) -> Column {
    (name, Holds::Text)
}

/// One row for each claim, datum and recipient.
pub(super) const VERDICTS: [Column; 25] = [
    text("claim"),
    text("kind"),
    text("pack"),
    text("says"),
    text("labels"),
    text("standing"),
    text("verdict"),
    text("datum"),
    text("recipient"),
    text("domain"),
    text("owner"),
    text("role"),
    text("scope"),
    text("server_country"),
    text("operator_country"),
    text("forms"),
    text("protection"),
    text("channel"),
    text("transfer"),
    ("sightings", Holds::Count),
    text("suppressed"),
    text("expires"),
    ("new", Holds::Flag),
    text("reasons"),
    text("fingerprints"),
];

/// One row for each practice.
pub(super) const PRACTICES: [Column; 24] = [
    text("run"),
    text("datum"),
    text("recipient"),
    text("address"),
    text("domain"),
    text("owner"),
    text("role"),
    text("scope"),
    text("server_country"),
    text("operator_country"),
    text("side"),
    text("form"),
    text("protection"),
    text("channel"),
    text("transfer"),
    ("hint", Holds::Flag),
    text("app"),
    text("consent"),
    text("actions"),
    ("sightings", Holds::Count),
    ("first", Holds::Time),
    ("last", Holds::Time),
    text("witness_of"),
    text("trails"),
];

/// The rows of [`VERDICTS`], most severe first.
pub(super) fn verdicts(judgement: &Judgement, lang: Lang) -> impl Iterator<Item = [Cell; 25]> {
    rows(judgement).into_iter().map(move |row| verdict(judgement, &row, lang))
}

/// The rows of [`PRACTICES`], in the order of the judgement.
pub(super) fn practices(judgement: &Judgement) -> impl Iterator<Item = [Cell; 24]> {
    let numbered = judgement.practices.iter().zip(witness_of(judgement));
    numbered.map(|(one, claims)| practice(judgement, one, &claims))
}

fn verdict(judgement: &Judgement, row: &Row<'_>, lang: Lang) -> [Cell; 25] {
    let statement = &row.claim.statement;
    let labels = row.finding.labels.iter().map(|(name, value)| format!("{name}={value}"));
    let [recipient, _, domain, owner, role, scope, server, operator] = of_recipient(row.recipient(judgement));
    let word = |of: &dyn Fn(&Practice) -> String| {
        let words: BTreeSet<String> = row.practices(judgement).map(of).collect();
        joined(words, ", ")
    };
    let practices = !row.finding.practices.is_empty();
    [
        cell(&statement.id),
        cell(statement.kind),
        perhaps(statement.pack.as_ref()),
        cell(said(statement, lang)),
        joined(labels, ", "),
        cell(Standing::of_part(row.claim, row.finding.verdict).name()),
        cell(row.finding.verdict.name()),
        perhaps(row.finding.about.as_ref().map(|(datum, _)| &datum.0)),
        recipient,
        domain,
        owner,
        role,
        scope,
        server,
        operator,
        word(&|one| one.key.form.name().to_owned()),
        word(&|one| one.key.protection.name().to_owned()),
        word(&|one| one.key.channel.clone()),
        word(&|one| one.key.transfer.name().to_owned()),
        Cell::Count(practices.then(|| row.sightings(judgement))),
        perhaps(row.suppression.map(|one| &one.reason)),
        perhaps(row.suppression.map(|one| one.expires)),
        Cell::Flag(row.new),
        joined(row.reasons(lang), "; "),
        joined(row.finding.fingerprints.values().map(ToString::to_string), " "),
    ]
}

/// Ids of the claims that each practice contradicts.
fn witness_of(judgement: &Judgement) -> Vec<Vec<&str>> {
    let mut claims: Vec<Vec<&str>> = vec![Vec::new(); judgement.practices.len()];
    for claim in &judgement.claims {
        let id = claim.statement.id.as_str();
        for index in claim.parts.iter().flat_map(|part| &part.witnesses) {
            if let Some(of) = claims.get_mut(*index).filter(|of| of.last() != Some(&id)) {
                of.push(id);
            }
        }
    }
    claims
}

fn practice(judgement: &Judgement, practice: &Practice, claims: &[&str]) -> [Cell; 24] {
    let key = &practice.key;
    let consent = consent(judgement, practice).0.into_iter().map(|state| ConsentState::name(state).to_owned());
    let certain = |(name, certainly): (&str, bool)| format!("{name}{}", if certainly { "" } else { " (perhaps)" });
    let actions = actions(judgement, practice).into_iter().map(certain);
    let [recipient, address, domain, owner, role, scope, server, operator] =
        of_recipient(judgement.recipients.get(key.recipient));
    [
        perhaps(judgement.runs.get(key.run).map(|run| &run.id)),
        cell(&key.datum.0),
        recipient,
        address,
        domain,
        owner,
        role,
        scope,
        server,
        operator,
        cell(key.side.name()),
        cell(key.form.name()),
        cell(key.protection.name()),
        cell(&key.channel),
        cell(key.transfer.name()),
        Cell::Flag(Some(key.hint)),
        perhaps(key.app.as_ref()),
        joined(consent, ", "),
        joined(actions, ", "),
        Cell::Count(Some(practice.count)),
        Cell::Time(practice.first),
        Cell::Time(practice.last),
        joined(claims.iter().map(|id| (*id).to_owned()), ", "),
        joined(practice.trails().into_iter().map(str::to_owned), " | "),
    ]
}

/// Name, address, domain, owner, role, scope, country of the server, country of the owner.
fn of_recipient(recipient: Option<&Recipient>) -> [Cell; 8] {
    let Some(recipient) = recipient else { return [const { Cell::Text(String::new()) }; 8] };
    let country = |country: Option<Country>| perhaps(country.as_ref());
    [
        cell(&recipient.shown()),
        perhaps(recipient.address),
        perhaps(recipient.domain.as_ref()),
        perhaps(recipient.owner.as_ref()),
        cell(recipient.role.name()),
        cell(recipient.scope.name()),
        country(recipient.server_country),
        country(recipient.operator_country),
    ]
}

fn cell(text: &str) -> Cell {
    Cell::Text(clean(text))
}

fn perhaps(text: Option<impl Display>) -> Cell {
    cell(&text.map(|text| text.to_string()).unwrap_or_default())
}

fn joined(texts: impl IntoIterator<Item = String>, between: &str) -> Cell {
    cell(&texts.into_iter().collect::<Vec<_>>().join(between))
}
