//! A judged case as JUnit XML, which every build server shows: one suite for each claim, one test case
//! for each part of it.
//!
//! A contradicted part failed. One that was not exercised, waits for a person or is out of scope was
//! skipped, with the reasons: no build server must show green for what was not tested. So was one whose
//! contradictions are all suppressed or all known from the baseline.

use super::results::{ResultKind, Row, rows};
use super::{MachineLook, Standing, questions};
use crate::audit::Audit;
use crate::text::clean;
use crate::words::{Lang, term};
use dyetrace_case::{JudgedPart, Judgement, Suppression};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Lines about single recipients in one test case.
const LINES: usize = 100;

/// Writes the document.
///
/// # Errors
/// Writing failed.
pub fn write_junit(judgement: &Judgement, audit: &Audit, look: MachineLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let suites = suites(judgement);
    let name = audit.case.as_ref().map_or(audit.tool.name, |case| case.title.as_str());
    let all: Vec<&Vec<Row<'_>>> = suites.values().flat_map(BTreeMap::values).collect();
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    writeln!(out, "<testsuites name=\"{}\" {}>", escaped(name), counts(&all))?;
    for (claim, parts) in &suites {
        out.write_all(suite(judgement, *claim, parts, look.lang).as_bytes())?;
    }
    out.write_all(b"</testsuites>\n")
}

/// Findings by claim and part, each with the witnesses of that part alone.
fn suites(judgement: &Judgement) -> BTreeMap<usize, BTreeMap<usize, Vec<Row<'_>>>> {
    let parts = judgement.claims.iter().map(|claim| {
        let witnesses = |part: &JudgedPart| part.witnesses.iter().copied().collect::<BTreeSet<usize>>();
        claim.parts.iter().map(witnesses).collect::<Vec<_>>()
    });
    let witnesses: Vec<Vec<BTreeSet<usize>>> = parts.collect();
    let mut suites: BTreeMap<usize, BTreeMap<usize, Vec<Row<'_>>>> = BTreeMap::new();
    for row in rows(judgement) {
        for part in &row.finding.parts {
            let of_part = witnesses.get(row.finding.claim).and_then(|parts| parts.get(*part));
            let row = row.only(judgement, |practice| of_part.is_some_and(|of_part| of_part.contains(&practice)));
            suites.entry(row.finding.claim).or_default().entry(*part).or_default().push(row);
        }
    }
    suites
}

fn suite(judgement: &Judgement, claim: usize, parts: &BTreeMap<usize, Vec<Row<'_>>>, lang: Lang) -> String {
    let Some(claim) = judgement.claims.get(claim) else { return String::new() };
    let id = escaped(&claim.statement.id);
    let cases: Vec<&Vec<Row<'_>>> = parts.values().collect();
    let mut text = format!("  <testsuite name=\"{id}\" {}>\n", counts(&cases));
    for (number, rows) in parts {
        let part = claim.parts.get(*number);
        let name = part.map(|part| super::labels(part, lang)).unwrap_or_default();
        let _ = writeln!(text, "    <testcase classname=\"{id}\" name=\"{}\">", escaped(&name));
        text.push_str(&outcome(judgement, rows, lang));
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n");
    text
}

/// What became of a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Skipped,
    Passed,
}

impl Outcome {
    fn of(rows: &[Row<'_>]) -> Self {
        let fails = |row: &Row<'_>| row.kind == ResultKind::Fail && row.suppression.is_none() && row.new != Some(false);
        match () {
            () if rows.iter().any(fails) => Self::Failed,
            () if rows.iter().all(|row| row.kind == ResultKind::Pass) => Self::Passed,
            () => Self::Skipped,
        }
    }
}

fn counts(cases: &[&Vec<Row<'_>>]) -> String {
    let of = |wanted: Outcome| cases.iter().filter(|rows| Outcome::of(rows) == wanted).count();
    let (failed, skipped) = (of(Outcome::Failed), of(Outcome::Skipped));
    format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\"", cases.len())
}

fn outcome(judgement: &Judgement, rows: &[Row<'_>], lang: Lang) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let standing = term(Standing::of_part(first.claim, first.finding.verdict).name(), lang);
    let mut lines = vec![format!("“{}”", first.says(lang))];
    lines.extend(first.reasons(lang));
    lines.extend(questions(first.claim, lang).map(clean));
    let about = rows.iter().filter(|row| row.finding.about.is_some());
    lines.extend(about.clone().take(LINES).map(|row| format!("→ {}", line(judgement, row, lang))));
    let more = about.count().saturating_sub(LINES);
    lines.extend((more > 0).then(|| format!("→ … {more}")));
    let (message, text) = (escaped(standing), escaped_lines(&lines));
    match Outcome::of(rows) {
        Outcome::Failed => format!("      <failure message=\"{message}\" type=\"contradicted\">{text}</failure>\n"),
        Outcome::Skipped => format!(
            "      <skipped message=\"{}\"/>\n      <system-out>{text}</system-out>\n",
            escaped(&why(rows, standing, lang))
        ),
        Outcome::Passed => format!("      <system-out>{text}</system-out>\n"),
    }
}

fn line(judgement: &Judgement, row: &Row<'_>, lang: Lang) -> String {
    let known = if row.new == Some(false) { lang.pick(" (in the baseline)", "（基线中已有）") } else { "" };
    let reason = row.suppression.map(|one| format!(" ({})", suppressed(one, lang)));
    format!("{}{known}{}", row.summary(judgement, lang), reason.unwrap_or_default())
}

/// Until when, why, and who answers for it.
fn suppressed(one: &Suppression, lang: Lang) -> String {
    let who = one.who.as_deref().map(|who| format!("{}{}", lang.comma(), clean(who))).unwrap_or_default();
    format!("{} {}: {}{who}", lang.pick("suppressed until", "例外至"), one.expires, clean(&one.reason))
}

/// Why a case was skipped: for build servers that show only this.
fn why(rows: &[Row<'_>], standing: &str, lang: Lang) -> String {
    let mut reasons = vec![standing.to_owned()];
    let first = rows.first();
    let suppression = first.and_then(|row| row.suppression);
    reasons.extend(suppression.map(|one| suppressed(one, lang)));
    reasons.extend(first.into_iter().flat_map(|row| row.reasons(lang)));
    reasons.join("; ")
}

fn escaped_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
}

/// Text or attribute of XML 1.0. Characters that the standard does not allow at all (section 2.2) are
/// replaced: [`clean`] takes controls, the two noncharacters are left.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('·'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_an_element_or_breaks_the_document() {
        assert_eq!(escaped("]]></failure>\u{0}\u{1b}\u{fffe}\"\u{202e}"), "]]&gt;&lt;/failure&gt;···&quot;·");
    }
}
