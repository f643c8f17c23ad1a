//! The table: equal results first, then costs.

use crate::peers::{Check, Row};
use crate::{length, say};
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Prints the table and keeps it beside the input.
pub(crate) fn report(input: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let megabytes = length(input)? as f64 / 1e6;
    let mut text = heading(input, megabytes);
    text += &equality(rows);
    text += &costs(rows, megabytes);
    std::io::stdout().write_all(text.as_bytes())?;
    let kept = input.with_extension("results.md");
    std::fs::write(&kept, text)?;
    say(&format!("kept in {}; copy it to benches/results/{}-….md if it is to stay", kept.display(), today()));
    let equal = rows.iter().flat_map(|row| &row.checked).all(Check::equal);
    if equal { Ok(()) } else { Err("the results are not equal: the costs above prove nothing".into()) }
}

fn heading(input: &Path, megabytes: f64) -> String {
    let name = input.file_name().unwrap_or_default().display();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("# {}, {name} ({megabytes:.1} MB), {cores} cores\n\n", today())
}

fn equality(rows: &[Row]) -> String {
    equality_of(rows.iter().flat_map(|row| row.checked.iter().map(move |check| (row.name, check))))
}

/// Who gave which results, and whether they are as they should be.
pub(crate) fn equality_of<'c>(checks: impl Iterator<Item = (&'c str, &'c Check)>) -> String {
    let mut text = String::from("| who | compared | wanted | found | extra | equal |\n|---|---|---:|---:|---:|---|\n");
    for (who, check) in checks {
        let equal = if check.equal() { "yes" } else { "**NO**" };
        let numbers = format!("{} | {} | {}", check.wanted, check.found, check.extra);
        text += &[who, check.what, &numbers, equal].map(|cell| format!("| {cell} ")).concat();
        text += "|\n";
    }
    text + "\n"
}

fn costs(rows: &[Row], megabytes: f64) -> String {
    let least = rows.iter().map(|row| row.cost.cpu).fold(f64::INFINITY, f64::min);
    let mut text = String::from(
        "| who | CPU s | wall s | MB per CPU s | peak MiB | CPU as a multiple of the least | exit |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let cost = row.cost;
        let numbers = [cost.cpu, cost.wall, megabytes / cost.cpu, cost.peak_kib as f64 / 1024.0, cost.cpu / least];
        let numbers = numbers.map(|number| format!("| {number:.2} ")).concat();
        text.extend(["| ", row.name, " ", &numbers, &format!("| {} |\n", cost.code)]);
    }
    text
}

/// Today in UTC as `YYYY-MM-DD` (civil-from-days; Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + carry)
}
