//! The comparison for a terminal.

use super::compare::{OverlapReport, PairReport};
use crate::text::{clean, number};
use std::fmt::{self, Display, Formatter};

impl Display for OverlapReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, dump) in self.dumps.iter().enumerate() {
            writeln!(f, "{}  {}", letter(index), clean(&dump.name))?;
            let kinds: Vec<&str> = dump.kinds.iter().map(|kind| kind.name()).collect();
            writeln!(f, "   {} rows; {}", number(dump.rows), kinds.join(", "))?;
            if dump.passwords_typed + dump.passwords_stored > 0 {
                let (typed, stored) = (number(dump.passwords_typed), number(dump.passwords_stored));
                writeln!(f, "   passwords: {typed} as typed, {stored} in a stored form")?;
            }
            if dump.damages > 0 {
                writeln!(f, "   {} parts could not be read", number(dump.damages))?;
            }
        }
        if self.one_of > 1 {
            writeln!(f, "\n1 of {} identifiers was compared; counts are what that stands for", number(self.one_of))?;
        }
        self.pairs.iter().try_for_each(|pair| write_pair(f, pair))?;
        writeln!(f, "\nMade from one another, most likely")?;
        if self.family.is_empty() {
            writeln!(f, "   no dump shares half of what is in it with another")?;
        }
        for copied in &self.family {
            writeln!(f, "   {} from {}: {}", letter(copied.copy), letter(copied.of), copied.because.join("; "))?;
        }
        Ok(())
    }
}

fn write_pair(f: &mut Formatter<'_>, pair: &PairReport) -> fmt::Result {
    let (a, b) = (letter(pair.a), letter(pair.b));
    writeln!(f, "\n{a} and {b}")?;
    if pair.shared.is_empty() {
        writeln!(f, "   have no kind of identifier in common")?;
    }
    for shared in &pair.shared {
        let Some(both) = shared.in_both else {
            writeln!(f, "   {}: too few in both to be told", shared.kind.name())?;
            continue;
        };
        writeln!(
            f,
            "   {}: {} in both; {:.1} % of {a}'s {} are in {b}, {:.1} % of {b}'s {} are in {a}",
            shared.kind.name(),
            number(both),
            shared.a_in_b * 100.0,
            number(shared.in_a),
            shared.b_in_a * 100.0,
            number(shared.in_b),
        )?;
    }
    let told = [
        (pair.passwords.same, "are the same".to_owned()),
        (pair.passwords.cracked_in_a, format!("were cracked: as typed in {a}, MD5 in {b}")),
        (pair.passwords.cracked_in_b, format!("were cracked: as typed in {b}, MD5 in {a}")),
        (pair.passwords.differ, "differ (a stored form with a salt differs by itself)".to_owned()),
    ];
    for (count, what) in told {
        if let Some(count @ 1..) = count {
            writeln!(f, "   passwords of the same person: {} {what}", number(count))?;
        }
    }
    Ok(())
}

/// A, B, … Z, then 27, 28, …
fn letter(index: usize) -> String {
    match u8::try_from(index) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => (index + 1).to_string(),
    }
}
