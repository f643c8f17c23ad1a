//! Dumps: what the scan says of each form against what was written, and what it costs beside a search by patterns.

use crate::measure::{self, Cost};
use crate::{print, say};
use dyetrace_breach::{Dump, Job, Key, Kind, Options, OverlapOptions, ScanOptions, Streams, overlap, scan_files};
use dyetrace_lab::shop::customers::Customers;
use dyetrace_lab::shop::forms::{Form, Holds, Written};
use serde_json::Value;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The first argument that makes this program count one dump, and what is printed is JSON.
pub(crate) const SCAN: &str = "scan-dump";
/// The same, of which values are valid and nothing else.
pub(crate) const VALIDATE: &str = "validate-dump";
/// The same for two dumps that are compared.
pub(crate) const OVERLAP: &str = "compare-dumps";
/// Times that each command is run: what other work on the machine takes away differs from one to the next.
const ROUNDS: usize = 3;
/// Bytes of one customer in SQL, about.
const OF_ONE: u64 = 270;
/// All e-mail addresses, mobiles and identity numbers of a shop, as a searcher's pattern would have them.
const PATTERN: &str = r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+\.[a-z]+|\b1[3-9][0-9]{9}\b|\b[1-9][0-9]{16}[0-9X]\b";

/// `breach [--megabytes N] [--cores N] [--folder FOLDER] [--form FILE]`: the first is the size of the SQL dump; the others
/// hold the same customers. With `--form shop.sql` only that one is written, and nothing is compared.
pub(crate) fn run(options: &[String]) -> Result<(), Box<dyn Error>> {
    let Choice { megabytes, cores, folder, only } = read_options(options)?;
    fs::create_dir_all(&folder)?;
    let count = megabytes * 1_000_000 / OF_ONE;
    let mut text = format!("{count} customers, scanned on {cores} cores\n\n");
    text += "| form | MB | cells | recall | precision | CPU s | seconds | MB per CPU second | peak MiB | values only: CPU s | MB per CPU second |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for form in Form::ALL.into_iter().filter(|form| only.is_none_or(|only| only == *form)) {
        say(&format!("writing and counting {}", form.file_name()));
        let path = folder.join(form.file_name());
        let written = form.write(&Customers::new(3), count, &mut File::create(&path)?)?;
        let (report, cost) = child(SCAN, &[Path::new(&cores.to_string()), &path], &folder)?;
        let report: Value = serde_json::from_str(&report)?;
        let score = score(form, &written, &report)?;
        let (values, validated) = child(VALIDATE, &[Path::new(&cores.to_string()), &path], &folder)?;
        if !are_valid_alike(&report, &serde_json::from_str(&values)?) {
            say(&format!("{}: VALUES ALONE ARE COUNTED OTHERWISE", form.file_name()));
        }
        let megabytes = written.bytes as f64 / 1e6;
        writeln!(
            text,
            "| {} | {megabytes:.0} | {} | {:.4} | {:.4} | {:.2} | {:.2} | {:.0} | {:.0} | {:.2} | {:.0} |",
            form.file_name(),
            score.wanted,
            score.right as f64 / score.wanted as f64,
            score.right as f64 / (score.right + score.wrong).max(1) as f64,
            cost.cpu,
            cost.wall,
            megabytes / cost.cpu,
            cost.peak_kib as f64 / 1024.0,
            validated.cpu,
            megabytes / validated.cpu
        )?;
        if only.is_some() || form != Form::Sql && form != Form::Resold {
            fs::remove_file(&path)?;
        }
    }
    if only.is_none() {
        text += &peers(&folder)?;
    }
    print(&text);
    Ok(())
}

/// The child's side.
pub(crate) fn child_of(word: &str, paths: &[String]) -> Result<(), Box<dyn Error>> {
    let key = Key::random()?;
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    if word == OVERLAP {
        let dump = |path: &PathBuf| Dump { name: path.display().to_string(), paths: vec![path.clone()] };
        let dumps: Vec<Dump> = paths.iter().map(dump).collect();
        let options = OverlapOptions { k: 10, cores: 1, reading: Options::default(), streams: Streams::default() };
        print(&serde_json::to_string(&overlap(&dumps, &key, options)?)?);
        return Ok(());
    }
    let (cores, files) = paths.split_first().ok_or("no files")?;
    let report = scan_files(Job {
        files,
        streams: Streams::default(),
        key: &key,
        options: ScanOptions { only_valid: word == VALIDATE, ..ScanOptions::default() },
        reading: Options::default(),
        cores: cores.to_string_lossy().parse()?,
        keep: None,
        resume: None,
        progress: Box::new(|_| ()),
    })?;
    print(&serde_json::to_string(&report)?);
    Ok(())
}

/// What was asked for.
struct Choice {
    megabytes: u64,
    cores: usize,
    folder: PathBuf,
    only: Option<Form>,
}

fn read_options(options: &[String]) -> Result<Choice, Box<dyn Error>> {
    const USAGE: &str = "say: breach [--megabytes N] [--cores N] [--folder FOLDER] [--form FILE]";
    let mut choice = Choice { megabytes: 64, cores: 1, folder: "target/benches/breach".into(), only: None };
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        match word.as_str() {
            "--megabytes" => choice.megabytes = value.parse()?,
            "--cores" => choice.cores = value.parse()?,
            "--folder" => choice.folder = value.into(),
            "--form" => choice.only = Some(Form::ALL.into_iter().find(|form| form.file_name() == value).ok_or(USAGE)?),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(choice)
}

/// Runs this program for one part of the work: what it says, the cost of its cheapest round, and the most memory of any.
fn child(word: &str, paths: &[&Path], folder: &Path) -> Result<(String, Cost), Box<dyn Error>> {
    let program = std::env::current_exe()?.display().to_string();
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut command = vec![program.as_str(), word];
    command.extend(paths.iter().map(String::as_str));
    let output = folder.join("output");
    let cost = least(&command, &output)?;
    Ok((fs::read_to_string(&output)?, cost))
}

/// The cost of the cheapest round, and the most memory of any.
fn least(command: &[&str], output: &Path) -> Result<Cost, Box<dyn Error>> {
    let mut least = measure::run(command, output)?;
    for _ in 1..ROUNDS {
        let cost = measure::run(command, output)?;
        let peak_kib = cost.peak_kib.max(least.peak_kib);
        least = Cost { peak_kib, ..if cost.cpu < least.cpu { cost } else { least } };
    }
    Ok(least)
}

/// Cells with personal data that were written, that were counted as what they are, and that were counted as what they
/// are not.
#[derive(Default)]
struct Score {
    wanted: u64,
    right: u64,
    wrong: u64,
}

fn score(form: Form, written: &Written, report: &Value) -> Result<Score, Box<dyn Error>> {
    let tables = report["tables"].as_array().ok_or("no tables")?;
    let table = tables.iter().max_by_key(|table| table["rows"].as_u64()).ok_or("no table")?;
    let columns = table["columns"].as_array().ok_or("no columns")?;
    let mut score = Score::default();
    for (at, ((name, holds), filled)) in form.columns().iter().zip(&written.filled).enumerate() {
        // Objects have names and no order.
        let named = columns.iter().find(|column| column["header"] == *name);
        let Some(column) = named.or_else(|| columns.get(at)) else { continue };
        let (kind, valid) = (column["kind"].as_str().unwrap_or_default(), column["valid"].as_u64().unwrap_or(0));
        match holds {
            Holds::Personal(word) => {
                score.wanted += filled;
                let is_right = is(kind, word);
                score.right += if is_right { valid.min(*filled) } else { 0 };
                let is_other = Kind::ALL.iter().any(|known| known.name() == kind && known.is_personal());
                score.wrong += if !is_right && is_other { valid } else { 0 };
                if !is_right || valid < *filled {
                    say(&format!("{}: {name} is {kind}, {valid} of {filled} valid", form.file_name()));
                }
            }
            Holds::Decoy | Holds::Other => {
                let harmless = ["time", "number", "text", "digest"].contains(&kind);
                score.wrong += if harmless { 0 } else { valid };
                if !harmless {
                    say(&format!("{}: {name} is {kind}, {valid} valid", form.file_name()));
                }
            }
        }
    }
    Ok(score)
}

/// Have all columns the same kind and as many valid values?
fn are_valid_alike(report: &Value, values: &Value) -> bool {
    let columns = |report: &Value| {
        let tables = report["tables"].as_array().into_iter().flatten();
        let columns = tables.flat_map(|table| table["columns"].as_array().into_iter().flatten());
        columns.map(|column| (column["kind"].clone(), column["filled"].clone(), column["valid"].clone())).collect()
    };
    let (one, other): (Vec<_>, Vec<_>) = (columns(report), columns(values));
    one == other
}

/// Is the scan's kind what a column was said to hold?
fn is(kind: &str, word: &str) -> bool {
    match word {
        "account.name" => kind == "username",
        "account.password" => kind.starts_with("password"),
        "person.name" => kind == "name",
        "account.qq" => kind == "qq",
        "bank.card" => kind == "card",
        other => kind == other,
    }
}

/// Comparing two dumps, and ripgrep counting by patterns: it has to see at least what the scan saw, and sees decoys too.
fn peers(folder: &Path) -> Result<String, Box<dyn Error>> {
    let (sql, copy) = (folder.join(Form::Sql.file_name()), folder.join(Form::Resold.file_name()));
    let bytes = fs::metadata(&sql)?.len() + fs::metadata(&copy)?.len();
    let (report, cost) = child(OVERLAP, &[&sql, &copy], folder)?;
    let report: Value = serde_json::from_str(&report)?;
    let made = report["family"][0]["copy"] == 1 && report["family"][0]["of"] == 0;
    let mut text = format!(
        "\nTwo dumps compared ({:.0} MB): {:.2} CPU s, {:.0} MiB; the copy was {}told, 1 of {} identifiers compared\n",
        bytes as f64 / 1e6,
        cost.cpu,
        cost.peak_kib as f64 / 1024.0,
        if made { "" } else { "NOT " },
        report["one_of"]
    );
    let path = sql.display().to_string();
    match least(&["rg", "--count-matches", "--no-mmap", "-e", PATTERN, &path], &folder.join("rg")) {
        Ok(cost) if cost.code == 0 => {
            let matches = fs::read_to_string(folder.join("rg"))?;
            let megabytes = fs::metadata(&sql)?.len() as f64 / 1e6;
            writeln!(
                text,
                "ripgrep, three patterns on the SQL dump: {} matches without a word about columns, check digits or people; {:.2} CPU s, {:.0} MB per CPU second",
                matches.trim(),
                cost.cpu,
                megabytes / cost.cpu
            )?;
        }
        _ => text += "ripgrep is not here\n",
    }
    Ok(text)
}
