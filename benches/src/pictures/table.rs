//! The tables: what was found of each transformation, and what was said wrongly.

use super::set::Class;
use super::tally::Tally;
use std::fmt::Write as _;

/// What is asked of transformations whose names start so, or are so: the least share found of every class in the
/// list (published with the project's aims; the other rows are there to be known).
const GOALS: &[(&str, f64, &[Class])] = &[
    ("unchanged", 1.0, &Class::ALL),
    ("EXIF", 0.99, &Class::ALL),
    ("JPEG", 0.99, &Class::ALL),
    ("WebP", 0.99, &Class::ALL),
    ("1280 wide", 0.99, &Class::ALL),
    ("640 wide", 0.99, &Class::ALL),
    ("320 wide", 0.99, &Class::ALL),
    ("crop", 0.95, &Class::ALL),
    ("quarter", 0.95, &Class::ALL),
    ("half", 0.95, &Class::ALL),
    ("mirrored", 0.95, &Class::ALL),
    ("tilted", 0.95, &Class::ALL),
    ("viewer", 0.95, &Class::ALL),
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
        let Some((_, least, classes)) = GOALS.iter().find(|(start, _, _)| row.transformation.starts_with(start)) else {
            continue;
        };
        for (class, tally) in Class::ALL.iter().zip(&row.tallies).filter(|(class, _)| classes.contains(class)) {
            if tally.asked > 0 && tally.recall() < *least {
                lines.push(format!("{} of {}: {}, not {}", row.transformation, class.name(), share(tally), percent(*least)));
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
    format!(" {} | {} | {} |", share(tally), if tally.cannot_tell == 0 { "–" } else { &cannot }, number(tally.false_matches))
}

fn by_class(rows: &[Row]) -> String {
    let mut text = String::from(
        "| class | queries that show an original | found | pairs with others | false matches | in 10,000 | pairs of one template | \
         false matches | in 10,000 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (class, tally) in Class::ALL.iter().zip(sums(rows)) {
        let (rate, in_template) = (tally.false_rate(), tally.false_rate_in_template());
        let counts = format!("{} | {} | {} | {}", tally.asked, percent(tally.recall()), tally.pairs, tally.false_matches);
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
