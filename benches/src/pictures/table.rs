//! The tables: what was found of each transformation, and what was said wrongly.

use super::set::Class;
use super::tally::Tally;
use std::fmt::Write as _;

/// The least share that is to be found of transformations whose names start so. Other transformations, and several
/// one after the other, are there to be known.
const GOALS: &[(&str, f64)] = &[
    ("unchanged", 1.0),
    ("EXIF", 0.99),
    ("JPEG", 0.99),
    ("WebP", 0.99),
    ("1280 wide", 0.99),
    ("640 wide", 0.99),
    ("320 wide", 0.99),
    ("crop", 0.95),
    ("quarter", 0.95),
    ("half", 0.95),
    ("mirrored", 0.95),
    ("tilted", 0.95),
    ("viewer", 0.95),
];
/// False matches allowed in 10,000 pairs of a class.
const FALSE_ALLOWED: f64 = 1.0;

/// Counts of one transformation, by class in the order of [`Class::ALL`].
#[derive(Debug)]
pub(crate) struct Row {
    /// The transformation's name.
    pub(crate) transformation: String,
    /// One for each class.
    pub(crate) tallies: [Tally; 3],
}

/// Both tables in Markdown.
pub(crate) fn tables(rows: &[Row]) -> String {
    by_transformation(rows) + "\n" + &by_class(rows)
}

/// What falls short, one line each.
pub(crate) fn shortfalls(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let name = &row.transformation;
        let several = name.contains(", ") && !name.starts_with("viewer") && !name.starts_with("unchanged");
        let Some((_, least)) = GOALS.iter().find(|(start, _)| name.starts_with(start) && !several) else { continue };
        for (class, tally) in Class::ALL.iter().zip(&row.tallies) {
            if tally.asked > 0 && tally.recall() < *least {
                lines.push(format!("{name} of {}: {}, not {}", class.name(), share(tally), percent(*least)));
            }
        }
    }
    for (class, tally) in Class::ALL.iter().zip(sums(rows)) {
        if tally.false_rate() > FALSE_ALLOWED {
            lines.push(format!("{}: {:.2} false matches in 10,000 pairs", class.name(), tally.false_rate()));
        }
    }
    lines
}

fn by_transformation(rows: &[Row]) -> String {
    let mut text = String::from("| transformation |");
    for class in Class::ALL {
        write!(text, " {0}: found | cannot tell | false |", class.name()).ok();
    }
    text += "\n|---|";
    text += &"---:|---:|---:|".repeat(3);
    text.push('\n');
    for row in rows {
        write!(text, "| {} |", row.transformation).ok();
        for tally in &row.tallies {
            text += &cells(tally);
        }
        text.push('\n');
    }
    text
}

fn cells(tally: &Tally) -> String {
    if tally.asked == 0 {
        return " – | – | – |".to_owned();
    }
    if tally.unreadable == tally.asked {
        return " not read | – | – |".to_owned();
    }
    let cannot = percent(tally.cannot_tell as f64 / tally.asked as f64);
    format!(
        " {} | {} | {} |",
        share(tally),
        if tally.cannot_tell == 0 { "–" } else { &cannot },
        number(tally.false_matches)
    )
}

fn by_class(rows: &[Row]) -> String {
    let mut text = String::from(
        "| class | queries that show an original | found | pairs with others | false matches | in 10,000 | pairs of one template | \
         false matches | in 10,000 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (class, tally) in Class::ALL.iter().zip(sums(rows)) {
        let (rate, in_template) = (tally.false_rate(), tally.false_rate_in_template());
        let counts =
            format!("{} | {} | {} | {}", tally.asked, percent(tally.recall()), tally.pairs, tally.false_matches);
        let template = format!("{} | {}", tally.pairs_of_template, tally.false_in_template);
        writeln!(text, "| {} | {counts} | {rate:.2} | {template} | {in_template:.2} |", class.name()).ok();
    }
    text
}

fn sums(rows: &[Row]) -> [Tally; 3] {
    let mut sums = [Tally::default(); 3];
    for (sum, tally) in rows.iter().flat_map(|row| (0..3).map(move |class| (class, row.tallies[class]))) {
        sums[sum] += tally;
    }
    sums
}

fn share(tally: &Tally) -> String {
    percent(tally.recall())
}

/// Rounded down, so that 100 % means all.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0 + 1e-9).floor() / 10.0)
}

fn number(count: usize) -> String {
    if count == 0 { "–".to_owned() } else { count.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(transformation: &str, found: usize, asked: usize) -> Row {
        let tally = Tally { asked, found, pairs: 10_000, ..Tally::default() };
        Row { transformation: transformation.to_owned(), tallies: [tally, Tally::default(), Tally::default()] }
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert_eq!(percent(9999.0 / 10_000.0), "99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.95), "95.0 %");
    }

    #[test]
    fn aims_hold_for_each_transformation_and_each_class() {
        assert_eq!(
            shortfalls(&[row("JPEG 20", 99, 100), row("crop 10 %", 95, 100), row("watermark", 0, 100)]).len(),
            0
        );
        let short = shortfalls(&[row("JPEG 20", 98, 100), row("crop 10 %", 94, 100)]);
        assert_eq!(short, ["JPEG 20 of photos: 98.0 %, not 99.0 %", "crop 10 % of photos: 94.0 %, not 95.0 %"]);
    }

    #[test]
    fn two_false_matches_in_ten_thousand_pairs_are_too_many() {
        let mut wrong = row("JPEG 20", 100, 100);
        wrong.tallies[0].false_matches = 1;
        assert!(shortfalls(std::slice::from_ref(&wrong)).is_empty());
        wrong.tallies[0].false_matches = 2;
        assert_eq!(shortfalls(&[wrong]), ["photos: 2.00 false matches in 10,000 pairs"]);
    }
}
