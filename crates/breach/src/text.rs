//! The report of a scan for a terminal.

use crate::column::ColumnReport;
use crate::kind::Kind;
use crate::password::{FamilyRows, Guessing, StorageReport};
use crate::people::{Group, Groups, PeopleReport};
use crate::scan::{Report, TableReport};
use std::fmt::{self, Display, Formatter, Write as _};

/// Most columns and damages printed one by one.
const LINES: usize = 60;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        people(f, &self.people)?;
        for indication in &self.indications {
            writeln!(
                f,
                "  {}: {} ({} times {})",
                clean(indication.class),
                indication.says,
                indication.times,
                indication.threshold
            )?;
        }
        if let Some(indication) = self.indications.first() {
            writeln!(f, "  thresholds: {}; what a record is, is a court's to say", indication.source)?;
        }
        for entry in &self.entries {
            writeln!(f, "\n{}", clean(&entry.path))?;
            for table in self.tables.iter().filter(|table| table.entry == entry.index) {
                write_table(f, table)?;
            }
        }
        damages(f, self)
    }
}

fn people(f: &mut Formatter<'_>, people: &PeopleReport) -> fmt::Result {
    write!(f, "People: {}", number(people.people))?;
    if people.one_in > 1 {
        write!(f, " (estimate from 1 in {}, standard error {:.1} %)", people.one_in, people.standard_error * 100.0)?;
    }
    writeln!(f, " in {} rows", number(people.rows))?;
    let without = [
        (
            people.rows_without_identifier,
            "rows without e-mail address, telephone, identity or QQ number: not counted as people",
        ),
        (people.joins_refused, "joins refused: an identifier stood beside too many others, as placeholders do"),
    ];
    for (count, words) in without.iter().filter(|(count, _)| *count > 0) {
        writeln!(f, "  {} {words}", number(*count))?;
    }
    groups(f, "with", &people.fields)?;
    groups(f, "province", &people.provinces)?;
    groups(f, "born", &decades(&people.birth_years))?;
    groups(f, "mail at", &people.mail_hosts)?;
    if let Some(on) = &people.minors_on {
        let minors = people.minors.people.map_or_else(|| format!("fewer than {}", people.k), number);
        writeln!(f, "  under 18 on {on}: {minors}")?;
    }
    Ok(())
}

/// Years of birth by decade, so that a line holds them. Only what is told by year is added up.
fn decades(years: &Groups) -> Groups {
    let mut told: Vec<Group> = Vec::new();
    for year in &years.told {
        let name = format!("{}s", year.name.get(..3).map_or_else(|| year.name.clone(), |decade| format!("{decade}0")));
        match told.last_mut().filter(|group| group.name == name) {
            Some(group) => group.people = group.people.zip(year.people).map(|(sum, people)| sum + people),
            None => told.push(Group { name, people: year.people }),
        }
    }
    Groups { told, hidden: years.hidden }
}

fn groups(f: &mut Formatter<'_>, title: &str, groups: &Groups) -> fmt::Result {
    if groups.told.is_empty() && groups.hidden == 0 {
        return Ok(());
    }
    let mut line = String::new();
    for group in &groups.told {
        let separator = if line.is_empty() { "" } else { ", " };
        let _ =
            write!(line, "{separator}{} {}", clean(&group.name), group.people.map_or_else(|| "few".to_owned(), number));
    }
    if groups.hidden > 0 {
        let _ = write!(line, "{}{} more not told", if line.is_empty() { "" } else { "; " }, groups.hidden);
    }
    writeln!(f, "  {title}: {line}")
}

fn write_table(f: &mut Formatter<'_>, table: &TableReport) -> fmt::Result {
    let name = table.name.as_deref().unwrap_or("(no name)");
    writeln!(f, "  {}: {} rows, {}, {}", clean(name), number(table.rows), clean(&table.dialect), table.encoding)?;
    if table.longer_rows > 0 {
        writeln!(f, "    {} rows have more fields than the table has columns", number(table.longer_rows))?;
    }
    for (index, column) in table.columns.iter().take(LINES).enumerate() {
        write_column(f, index + 1, column)?;
    }
    match table.columns.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(f, "    and {more} more columns"),
    }
}

fn write_column(f: &mut Formatter<'_>, index: usize, column: &ColumnReport) -> fmt::Result {
    let header = column.header.as_deref().map_or_else(|| format!("column {index}"), clean);
    write!(f, "    {header:<20} {:<16} {:>12} filled", column.kind.name(), number(column.filled))?;
    if !matches!(column.kind, Kind::Text | Kind::Password | Kind::Salt) {
        write!(f, ", {} valid", number(column.valid))?;
    }
    let about = if column.distinct.standard_error > 0.0 { "about " } else { "" };
    write!(f, ", {about}{} different", number(column.distinct.values))?;
    for (count, word) in [(column.null, "null"), (column.empty, "empty")] {
        if count > 0 {
            write!(f, ", {} {word}", number(count))?;
        }
    }
    writeln!(f)?;
    if !column.others.is_empty() {
        let others: Vec<String> =
            column.others.iter().map(|other| format!("{} about {}", other.kind.name(), number(other.about))).collect();
        writeln!(f, "      among them: {}", others.join(", "))?;
    }
    column.storage.as_ref().map_or(Ok(()), |storage| write_storage(f, storage, column.filled))
}

fn write_storage(f: &mut Formatter<'_>, storage: &StorageReport, filled: u64) -> fmt::Result {
    for family in storage.families.iter().take(8) {
        writeln!(f, "      {}", family_line(family, storage.salt_column))?;
    }
    if storage.repeated_share >= 0.001 {
        let share = storage.repeated_share * 100.0;
        writeln!(
            f,
            "      the 10 most repeated cover at least {share:.1} %: equal passwords look equal, so there is no salt of each one's own"
        )?;
    }
    for scheme in &storage.commonest_unsalted {
        writeln!(
            f,
            "      {} of {} are the unsalted {} of one of the commonest passwords",
            number(scheme.rows),
            number(filled),
            scheme.scheme
        )?;
    }
    if storage.commonest_typed > 0
        && storage.families.first().is_some_and(|family| family.family.guessing == Guessing::None)
    {
        writeln!(f, "      {} are one of the commonest passwords", number(storage.commonest_typed))?;
    }
    for scheme in &storage.composed {
        writeln!(
            f,
            "      {} of {} rows tried are {} for one of the commonest passwords",
            scheme.rows, storage.tried, scheme.scheme
        )?;
    }
    for digest in &storage.digest_of {
        writeln!(
            f,
            "      {} of {} rows tried are the {} of the row's own {}: no protection, all of them can be tried",
            digest.rows,
            storage.tried,
            digest.digest,
            digest.kind.name()
        )?;
    }
    Ok(())
}

fn family_line(family: &FamilyRows, salt_column: bool) -> String {
    let mut line = format!("{}: {} rows", family.family.name, number(family.rows));
    if !family.family.may_also_be.is_empty() {
        let _ = write!(line, " (looks the same: {})", family.family.may_also_be.join(", "));
    }
    let salt = match (family.family.guessing, family.salted, salt_column) {
        (Guessing::None, ..) => "readable by whoever has the dump",
        (_, 1.., _) => "salt in the form",
        (.., true) => "a column of salts stands beside",
        _ => "no salt seen",
    };
    let cost = match family.family.guessing {
        Guessing::None => "",
        Guessing::Fast => ", fast to guess",
        Guessing::Slow => ", slow to guess",
        Guessing::MemoryHard => ", slow to guess and in need of memory",
    };
    let _ = write!(line, "; {salt}{cost}");
    if let (Some(least), Some(most)) = (family.work.first(), family.work.last()) {
        let works =
            if least.work == most.work { least.work.to_string() } else { format!("{} to {}", least.work, most.work) };
        let _ = write!(line, "; work factor {works}");
    }
    line
}

fn damages(f: &mut Formatter<'_>, report: &Report) -> fmt::Result {
    let all = report.damages.len() as u64 + report.further_damages;
    if all > 0 {
        writeln!(f, "\n{} parts could not be read and were skipped:", number(all))?;
    }
    for damage in report.damages.iter().take(LINES) {
        let bytes = damage.bytes.map_or_else(String::new, |bytes| format!(", {} bytes", number(bytes)));
        writeln!(f, "  entry {} at {}{bytes}: {}", damage.entry, number(damage.offset), clean(&damage.what))?;
    }
    Ok(())
}

/// A number with its thousands parted.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut parted = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// Text of the dump (names of tables, columns, files) without what steers a terminal, and not without end.
pub(crate) fn clean(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().take(80).map(|letter| if steers(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parted_and_text_does_not_steer_the_terminal() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(clean("a\u{1b}[31mb\u{202e}"), "a\u{fffd}[31mb\u{fffd}");
    }
}
