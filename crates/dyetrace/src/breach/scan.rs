//! `dyetrace breach scan`: triage of a dump.

use super::case_key::CaseKey;
use super::checkpoint;
use super::confine::{Confinement, confined_beside, no_core_dumps};
use super::measured::{MeasuredFile, OF_SCAN, of_scan};
use crate::custody;
use crate::exit::{Exit, Fault, say};
use crate::output;
use crate::progress::Progress;
use clap::{Args, ValueEnum};
use dyetrace_breach::{Job, Keep, Key, Options, Report, ResidentIdMode, ScanOptions, Streams, scan_files};
use dyetrace_case::Time;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments of `breach scan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing of the dump is written anywhere: the report holds counts, shapes and names of columns. Digests are under a
key that is forgotten at the end, or kept encrypted (--key). With --checkpoint a scan that was stopped goes on where it was
when the same command is given again. See docs/breach.md.

Examples:
  dyetrace breach scan dump.sql.gz
  ssh server cat dump.sql.zst | dyetrace breach scan -
  dyetrace breach scan part1.csv part2.txt --format json --output triage.json
  dyetrace breach scan dump.sql --case my-case --minors-on 2014-01-01
  dyetrace breach scan dump.sql --key case.key --identity me.txt --checkpoint dump.checkpoint --every 4GB
  dyetrace breach scan dump.sql --measured my-case/measured.yaml && dyetrace judge my-case"
)]
pub(crate) struct ScanArguments {
    /// Files of the dump; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write report/breach.json into this case folder, and an entry into its custody log
    #[arg(long, value_name = "DIR")]
    case: Option<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the numbers for `dyetrace judge` into this file; only one that dyetrace breach wrote is changed, name by name
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    /// Groups of people smaller than this are not told
    #[arg(long, default_value_t = 10, value_name = "N")]
    k: u64,
    /// Which Chinese identity numbers count
    #[arg(long, value_enum, default_value_t = Mode::Historical, value_name = "MODE")]
    resident_ids: Mode,
    /// Count who was under 18 on this day, as YYYY-MM-DD (default: the newest moment in the dump)
    #[arg(long, value_name = "DAY", value_parser = day)]
    minors_on: Option<(u16, u16, u16)>,
    /// Count on so many cores, at most 16 (default: all there are)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    cores: Option<u16>,
    #[command(flatten)]
    case_key: CaseKey,
    /// Keep checkpoints in this file, and go on from the one that is there; removed when the report is written
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Option<PathBuf>,
    /// Write a checkpoint after so much has been read: bytes, or with KB, MB, GB
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = size, requires = "checkpoint")]
    every: u64,
    /// Begin anew although there is a checkpoint
    #[arg(long, requires = "checkpoint")]
    restart: bool,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Terminal,
    /// For programs, see docs/breach.schema.json
    Json,
}

/// Which identity numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// 18 characters with check digit and a prefecture that can be
    Strict,
    /// Also abolished prefectures, and the form of 15 digits
    Historical,
    /// As strict, and permits of people of Hong Kong, Macao, Taiwan and abroad
    Permit,
}

/// Runs `breach scan`.
pub(crate) fn run(arguments: &ScanArguments) -> Result<Exit, Fault> {
    let streams = opened(&arguments.files)?;
    checkpoint::refuse_streams(&streams, arguments.checkpoint.as_deref())?;
    let measured = arguments.measured.as_deref().map(MeasuredFile::open).transpose()?;
    say_nothing_else();
    let key = arguments.case_key.key()?;
    let report = scan(arguments, streams, &key)?;
    let json = || serde_json::to_vec_pretty(&report).map_err(Fault::new);
    let text = match arguments.format {
        Format::Terminal => report.to_string().into_bytes(),
        Format::Json => json()?,
    };
    output::write(arguments.output.as_deref(), |out| Ok(out.write_all(&text)?))?;
    if let Some(case) = &arguments.case {
        keep(case, &json()?, arguments.files.len())?;
    }
    if let Some(measured) = measured.filter(|_| report.people.rows > 0) {
        measured.write(OF_SCAN, of_scan(&report, &arguments.files))?;
    }
    // Last: until then the scan can go on from it.
    checkpoint::remove(arguments.checkpoint.as_deref())?;
    Ok(exit(&report))
}

fn scan(arguments: &ScanArguments, streams: Streams, key: &Key) -> Result<Report, Fault> {
    let resident_ids = match arguments.resident_ids {
        Mode::Strict => ResidentIdMode::Strict,
        Mode::Historical => ResidentIdMode::Historical,
        Mode::Permit => ResidentIdMode::Permit,
    };
    let options = ScanOptions {
        resident_ids,
        year: this_year(),
        k: arguments.k,
        minors_on: arguments.minors_on,
        only_valid: false,
    };
    let files = &arguments.files;
    let checkpoint = arguments.checkpoint.as_deref();
    let mut from = checkpoint::resumed(checkpoint, arguments.restart)?;
    let (mut sent, writer) = checkpoint.map(checkpoint::pair).transpose()?.unzip();
    let progress = Progress::new(size_of_files(files));
    progress.begin("scanning", &files.first().map_or_else(String::new, |file| file.display().to_string()));
    let bar = progress.clone();
    let every = arguments.every;
    let work = move |confinement: Confinement| {
        let report = scan_files(Job {
            files,
            streams,
            key,
            options,
            reading: Options::default(),
            cores: cores(arguments.cores),
            keep: sent.as_mut().map(|sent| (sent as &mut dyn Keep, every)),
            resume: from.as_mut().map(|from| from as &mut dyn Read),
            progress: Box::new(move |read| bar.at(read)),
        });
        // The writer ends when nothing more can be sent to it.
        drop(sent);
        (confinement, report)
    };
    let (scanned, ()) = confined_beside(work, || writer.into_iter().for_each(checkpoint::Writer::run));
    progress.done();
    let (confinement, report) = scanned.ok_or_else(|| Fault::new("the scan ended by a fault of its own"))?;
    if let Some(missing) = confinement.missing() {
        say(&format!("dyetrace: note: {missing}"));
    }
    report.map_err(|error| checkpoint::fault(&error, checkpoint))
}

/// So many, or all there are.
pub(super) fn cores(asked: Option<u16>) -> usize {
    asked.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from)
}

/// Opens what can be read only once, and says what is missing before anything long begins. To be called before
/// [`say_nothing_else`], after which a process may not open its own descriptors by name.
pub(super) fn opened<'f>(files: impl IntoIterator<Item = &'f PathBuf>) -> Result<Streams, Fault> {
    Streams::open(files).map_err(|(path, error)| Fault::file(&path, &error))
}

/// What a bar goes up to; of pipes nobody knows.
pub(super) fn size_of_files(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|data| data.len()).sum()
}

/// A number of bytes as it is typed.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "KB" => Some(1000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        _ => None,
    };
    let number: Option<u64> = digits.trim().parse().ok();
    let bytes = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.ok_or_else(|| "a size is a number of bytes, or of KB, MB, GB".to_owned())
}

/// The latest year of birth. A clock that is behind the program's own making is not believed.
fn this_year() -> u16 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    year_of(now).max(ScanOptions::default().year)
}

/// The year of a moment in seconds since 1970; after the last that [`Time`] holds (2262), that one's.
pub(super) fn year_of(seconds: u64) -> u16 {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Time::from_parts(seconds, 0));
    u16::try_from(time.unwrap_or(Time(i64::MAX)).year()).unwrap_or(u16::MAX)
}

/// Neither a core dump nor the words of a panic leave anything of a dump behind.
pub(super) fn say_nothing_else() {
    if !no_core_dumps() {
        say(&"dyetrace: note: this computer may write the memory of a program that dies to its disk");
    }
    // What a panic says may quote the text it was at; the place in the program may not.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        say(&format!("dyetrace: the program failed at {place}"));
    }));
}

/// Writes the report into the case, and what was done into its custody log.
fn keep(case: &Path, json: &[u8], files: usize) -> Result<(), Fault> {
    let folder = case.join("report");
    std::fs::create_dir_all(&folder).map_err(|error| Fault::file(&folder, &error))?;
    output::write(Some(&folder.join("breach.json")), |out| Ok(out.write_all(json)?))?;
    if case.join(dyetrace_custody::log::FILE).is_file() {
        let digests = [("report/breach.json".to_owned(), custody::digest_of(case, "report/breach.json")?)].into();
        custody::note(case, None, format!("counted a dump of {files} files; no value of it was kept"), digests)?;
    }
    Ok(())
}

fn exit(report: &Report) -> Exit {
    if report.people.rows == 0 {
        say(&"dyetrace: no rows were read");
        return Exit::NothingRead;
    }
    if report.damages.is_empty() { Exit::Fine } else { Exit::PartlyRead }
}

/// A day that is typed.
fn day(text: &str) -> Result<(u16, u16, u16), String> {
    let mut parts = text.splitn(3, '-').map(str::parse);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(year)), Some(Ok(month @ 1..=12)), Some(Ok(day @ 1..=31))) => Ok((year, month, day)),
        _ => Err("a day is YYYY-MM-DD".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_they_are_typed() {
        assert_eq!(["7", "2KB", "64mb", "1GB"].map(size), [Ok(7), Ok(2000), Ok(64_000_000), Ok(1_000_000_000)]);
        assert!(["", "GB", "1TB", "-1", "99999999999999GB"].iter().all(|text| size(text).is_err()));
    }

    #[test]
    fn years_change_at_the_end_of_december() {
        assert_eq!([0, 31_535_999, 31_536_000].map(year_of), [1970, 1970, 1971]);
        assert_eq!([951_782_400, 1_767_225_599, 1_767_225_600].map(year_of), [2000, 2025, 2026]);
        assert_eq!(year_of(u64::MAX), 2262);
        assert!(this_year() >= 2026);
    }
}
