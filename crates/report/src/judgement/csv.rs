//! A judged case as tables for spreadsheets and data frames: comma-separated values (RFC 4180), UTF-8.

use super::results::{Row, rows};
use super::{Standing, actions, consent, said};
use crate::text::clean;
use crate::words::Lang;
use dyetrace_case::{ConsentState, Country, Judgement, Practice, Recipient, Time};
use std::collections::BTreeSet;
use std::io::{self, Write};

const VERDICTS: [&str; 25] = [
    "claim",
    "kind",
    "pack",
    "says",
    "labels",
    "standing",
    "verdict",
    "datum",
    "recipient",
    "domain",
    "owner",
    "role",
    "scope",
    "server_country",
    "operator_country",
    "forms",
    "protection",
    "channel",
    "transfer",
    "sightings",
    "suppressed",
    "expires",
    "new",
    "reasons",
    "fingerprints",
];

const PRACTICES: [&str; 24] = [
    "run",
    "datum",
    "recipient",
    "address",
    "domain",
    "owner",
    "role",
    "scope",
    "server_country",
    "operator_country",
    "side",
    "form",
    "protection",
    "channel",
    "transfer",
    "hint",
    "app",
    "consent",
    "actions",
    "sightings",
    "first",
    "last",
    "witness_of",
    "trails",
];

/// Writes one line for each claim, datum and recipient, most severe first. `lang` is the language of the
/// columns `says` and `reasons`.
///
/// # Errors
/// Writing failed.
pub fn write_csv_verdicts(judgement: &Judgement, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    line(out, &VERDICTS.map(str::to_owned))?;
    rows(judgement).iter().try_for_each(|row| line(out, &verdict(judgement, row, lang)))
}

/// Writes one line for each practice, in the order of the judgement.
///
/// # Errors
/// Writing failed.
pub fn write_csv_practices(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    line(out, &PRACTICES.map(str::to_owned))?;
    let witness_of = witness_of(judgement);
    let numbered = judgement.practices.iter().zip(witness_of);
    numbered.into_iter().try_for_each(|(one, claims)| line(out, &practice(judgement, one, &claims)))
}

fn verdict(judgement: &Judgement, row: &Row<'_>, lang: Lang) -> [String; 25] {
    let statement = &row.claim.statement;
    let labels = row.finding.labels.iter().map(|(name, value)| format!("{name}={value}"));
    let [recipient, _, domain, owner, role, scope, server, operator] = of_recipient(row.recipient(judgement));
    let word = |of: &dyn Fn(&Practice) -> String| -> String {
        let words: BTreeSet<String> = row.practices(judgement).map(of).collect();
        words.into_iter().collect::<Vec<_>>().join(", ")
    };
    let practices = !row.finding.practices.is_empty();
    [
        statement.id.clone(),
        statement.kind.to_owned(),
        statement.pack.clone().unwrap_or_default(),
        said(statement, lang).to_owned(),
        labels.collect::<Vec<_>>().join(", "),
        Standing::of_part(row.claim, row.finding.verdict).name().to_owned(),
        row.finding.verdict.name().to_owned(),
        row.finding.about.as_ref().map(|(datum, _)| datum.0.clone()).unwrap_or_default(),
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
        if practices { row.sightings(judgement).to_string() } else { String::new() },
        row.suppression.map(|one| one.reason.clone()).unwrap_or_default(),
        row.suppression.map(|one| one.expires.to_string()).unwrap_or_default(),
        row.new.map(|new| new.to_string()).unwrap_or_default(),
        row.reasons(lang).join("; "),
        row.finding.fingerprints.values().map(ToString::to_string).collect::<Vec<_>>().join(" "),
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

fn practice(judgement: &Judgement, practice: &Practice, claims: &[&str]) -> [String; 24] {
    let key = &practice.key;
    let time = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
    let consent = consent(judgement, practice).0.into_iter().map(ConsentState::name).collect::<Vec<_>>();
    let perhaps = |(name, certainly): (&str, bool)| format!("{name}{}", if certainly { "" } else { " (perhaps)" });
    let actions: Vec<String> = actions(judgement, practice).into_iter().map(perhaps).collect();
    let [recipient, address, domain, owner, role, scope, server, operator] =
        of_recipient(judgement.recipients.get(key.recipient));
    [
        judgement.runs.get(key.run).map(|run| run.id.clone()).unwrap_or_default(),
        key.datum.0.clone(),
        recipient,
        address,
        domain,
        owner,
        role,
        scope,
        server,
        operator,
        key.side.name().to_owned(),
        key.form.name().to_owned(),
        key.protection.name().to_owned(),
        key.channel.clone(),
        key.transfer.name().to_owned(),
        key.hint.to_string(),
        key.app.clone().unwrap_or_default(),
        consent.join(", "),
        actions.join(", "),
        practice.count.to_string(),
        time(practice.first),
        time(practice.last),
        claims.join(", "),
        practice.trails().into_iter().collect::<Vec<_>>().join(" | "),
    ]
}

/// Name, address, domain, owner, role, scope, country of the server, country of the owner.
fn of_recipient(recipient: Option<&Recipient>) -> [String; 8] {
    let Some(recipient) = recipient else { return Default::default() };
    let country = |country: Option<Country>| country.map(|country| country.to_string()).unwrap_or_default();
    [
        recipient.shown(),
        recipient.address.map(|address| address.to_string()).unwrap_or_default(),
        recipient.domain.clone().unwrap_or_default(),
        recipient.owner.clone().unwrap_or_default(),
        recipient.role.name().to_owned(),
        recipient.scope.name().to_owned(),
        country(recipient.server_country),
        country(recipient.operator_country),
    ]
}

fn line(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// A cell in quotes. A text that a spreadsheet would take for a formula gets an apostrophe in front, by
/// which spreadsheets know texts (OWASP, "CSV Injection"); full-width signs count as formulas in East Asian ones.
fn cell(text: &str) -> String {
    let text = clean(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        assert_eq!(cell("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
        for text in ["+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "＝1"] {
            let cell = cell(text);
            assert!(cell.starts_with("\"'") || cell.starts_with("\"·"), "{cell}");
        }
        assert_eq!(cell("a,b\r\nc"), "\"a,b··c\"");
        assert_eq!(cell(""), "\"\"");
    }
}
