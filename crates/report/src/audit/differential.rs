//! Fields that follow a planted value from run to run: their section of the report.

use super::terminal::Page;
use crate::text::clean;
use dyetrace_case::{Alternative, Differential, Follows};
use serde_json::{Value, json};
use std::io;

/// What comparing the runs of a case gave. Texts of the evidence were redacted.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// Fields that follow a datum.
    pub findings: Vec<Differential>,
    /// What the plan of the runs allows, in words.
    pub notes: Vec<String>,
}

/// The section at a terminal. Fields in which ordinary search sees a planted value are only counted:
/// they stand above already.
pub(super) fn section(compared: &Compared, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Fields that follow a planted value")?;
    let (known, new): (Vec<&Differential>, Vec<_>) = compared.findings.iter().partition(|finding| finding.also_seen);
    if new.is_empty() {
        page.line("  No field was found to follow beyond those in which a value was seen.")?;
    }
    let mut last = None;
    for finding in new.iter().take(page.limit()) {
        let who = (subject(finding), recipient(finding));
        if last.as_ref() != Some(&who) {
            let name = page.styled("1;31", &who.0);
            page.line(&format!("\n  {name}"))?;
            page.line(&format!("    to {}", who.1))?;
            last = Some(who);
        }
        lines(finding, page)?;
    }
    page.rest(new.len())?;
    if !known.is_empty() {
        page.line(&format!("\n  {} more follow in which ordinary search sees a planted value too.", known.len()))?;
    }
    compared.notes.iter().try_for_each(|note| page.line(&format!("  {}", clean(note))))
}

/// What is followed: `phone`, `one of email, phone`, `email, phone together`.
pub(crate) fn subject(finding: &Differential) -> String {
    let names = finding.data.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", ");
    match finding.data.len() {
        _ if finding.together => format!("{names} together"),
        0 | 1 => names,
        _ => format!("one of {names}"),
    }
}

/// Host, method and path of the field's requests.
pub(crate) fn recipient(finding: &Differential) -> String {
    let shape = &finding.shape;
    clean(&format!("{}, {} {}", shape.host, shape.method, shape.path)).trim_end().to_owned()
}

fn lines(finding: &Differential, page: &mut Page<'_>) -> io::Result<()> {
    let (shortest, longest) = finding.lengths;
    let size = if shortest == longest { format!("{shortest}") } else { format!("{shortest}–{longest}") };
    let what = match finding.follows {
        Follows::Value => format!("{}, {size} bytes", finding.class),
        Follows::Length => format!("only its length follows, {size} bytes"),
    };
    let field = page.styled("33", &clean(&finding.field));
    page.line(&format!("      {field}  ({what})"))?;
    let blocks: Vec<String> = finding.blocks.iter().map(|block| clean(&block.join(", "))).collect();
    let equal = page.styled("2", &format!("equal within, different between: {}", blocks.join(" | ")));
    page.line(&format!("        {equal}"))?;
    let hint = if finding.is_hint() { ": a hint, further runs would tell" } else { "" };
    page.line(&format!("        chance {}, {:.1} bits{hint}", chance(finding.chance_of_any), finding.bits()))?;
    for (head, alternatives) in [("ruled out", &finding.excluded), ("left open", &finding.open)] {
        if !alternatives.is_empty() {
            page.line(&format!("        {head}: {}", clean(&in_words(alternatives))))?;
        }
    }
    Ok(())
}

/// A probability as people read it.
pub(crate) fn chance(probability: f64) -> String {
    if probability >= 0.001 { format!("{probability:.3}") } else { format!("{probability:.1e}") }
}

fn in_words(alternatives: &[Alternative]) -> String {
    alternatives.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The section in JSON; null where runs were not compared.
pub(super) fn json(compared: Option<&Compared>) -> Value {
    compared.map_or(Value::Null, |compared| {
        json!({
            "findings": compared.findings.iter().map(finding_json).collect::<Vec<_>>(),
            "notes": compared.notes,
        })
    })
}

fn finding_json(finding: &Differential) -> Value {
    json!({
        "data": finding.data.iter().map(|id| &id.0).collect::<Vec<_>>(),
        "together": finding.together,
        "strength": dyetrace_case::Strength::Differential.name(),
        "follows": finding.follows.name(),
        "host": finding.shape.host,
        "method": finding.shape.method,
        "path": finding.shape.path,
        "field": finding.field,
        "class": finding.class,
        "lengths": [finding.lengths.0, finding.lengths.1],
        "content_bits": (finding.content_bits * 10.0).round() / 10.0,
        "runs": finding.blocks,
        "chance": finding.chance,
        "chance_of_any": finding.chance_of_any,
        "bits": (finding.bits() * 10.0).round() / 10.0,
        "hint": finding.is_hint(),
        "ruled_out": finding.excluded.iter().map(alternative).collect::<Vec<_>>(),
        "left_open": finding.open.iter().map(alternative).collect::<Vec<_>>(),
        "also_seen": finding.also_seen,
    })
}

fn alternative(alternative: &Alternative) -> Value {
    match alternative {
        Alternative::Time => json!("time"),
        Alternative::Subject => json!("subject"),
        Alternative::Condition(name) => json!({"condition": name}),
    }
}
