//! A judged case as tables for spreadsheets and data frames: comma-separated values (RFC 4180), UTF-8.

use super::tables::{Cell, Column, PRACTICES, VERDICTS, practices, verdicts};
use crate::words::Lang;
use dyetrace_case::Judgement;
use std::io::{self, Write};

/// Writes one line for each claim, datum and recipient, most severe first. `lang` is the language of the
/// columns `says` and `reasons`.
///
/// # Errors
/// Writing failed.
pub fn write_csv_verdicts(judgement: &Judgement, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    head(out, &VERDICTS)?;
    verdicts(judgement, lang).try_for_each(|row| line(out, &row))
}

/// Writes one line for each practice, in the order of the judgement.
///
/// # Errors
/// Writing failed.
pub fn write_csv_practices(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    head(out, &PRACTICES)?;
    practices(judgement).try_for_each(|row| line(out, &row))
}

fn head(out: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    write!(out, "{}\r\n", names.join(","))
}

fn line(out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&shown(cell))).collect();
    write!(out, "{}\r\n", cells.join(","))
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => count.map(|count| count.to_string()).unwrap_or_default(),
        Cell::Flag(flag) => flag.map(|flag| flag.to_string()).unwrap_or_default(),
        Cell::Time(time) => time.map(|time| time.to_string()).unwrap_or_default(),
    }
}

/// A cell in quotes. A text that a spreadsheet would take for a formula gets an apostrophe in front, by
/// which spreadsheets know texts (OWASP, "CSV Injection"); full-width signs count as formulas in East Asian ones.
fn quoted(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::clean;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        assert_eq!(quoted("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
        for text in ["+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "＝1"] {
            let cell = quoted(&clean(text));
            assert!(cell.starts_with("\"'") || cell.starts_with("\"·"), "{cell}");
        }
        assert_eq!(quoted(&clean("a,b\r\nc")), "\"a,b··c\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
