//! The side-by-side harness: builds an input, runs peers and us on it, checks equal results first,
//! then prints CPU seconds, peak memory and ratios. README.md says what each row means.

#[cfg(feature = "breach")]
mod breach;
#[cfg(feature = "breach")]
mod check;
mod content;
mod expected;
#[cfg(feature = "faces")]
mod faces;
mod generate;
mod judge;
mod live;
mod measure;
mod packets;
mod pcapng;
mod peers;
#[cfg(feature = "pictures")]
mod pictures;
mod provisioning;
mod python;
mod random;
mod results;
mod session;
mod snapshot;
#[cfg(feature = "pictures")]
mod text;
mod values;
#[cfg(feature = "wrapped")]
mod wrapped;

use expected::Expected;
use generate::Size;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "say: dyetrace-benches capture [--size full|small] [--only dyetrace|tshark] \
                     [--generate-only] [--folder FOLDER]";

/// The program's own: what is measured in this process allocates as it does there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((word, command)) if word == measure::WORD => measure::child(command),
        Some((word, options)) if word == "capture" => Options::of(options).and_then(|options| capture(&options)),
        Some((word, [])) if word == "judge" => judge::run(),
        Some((word, options)) if word == "live" => live::run(options),
        Some((word, options)) if word == "snapshot" => snapshot::run(options),
        Some((word, [])) if word == "provisioning" => provisioning::run(),
        #[cfg(feature = "breach")]
        Some((word, options)) if word == "breach" => breach::run(options),
        #[cfg(feature = "breach")]
        Some((word, paths)) if [breach::SCAN, breach::VALIDATE, breach::OVERLAP].contains(&word.as_str()) => {
            breach::child_of(word, paths)
        }
        #[cfg(feature = "breach")]
        Some((word, options)) if word == "check" => check::run(options),
        #[cfg(feature = "breach")]
        Some((word, index)) if word == check::SERVE => check::child(index),
        #[cfg(not(feature = "breach"))]
        Some((word, _)) if ["breach", "check"].contains(&word.as_str()) => Err("add --features breach".into()),
        #[cfg(feature = "wrapped")]
        Some((word, options)) if word == "wrapped" => wrapped::run(options),
        #[cfg(not(feature = "wrapped"))]
        Some((word, _)) if word == "wrapped" => {
            Err("add --features wrapped: other people's encoders take a while to build".into())
        }
        #[cfg(feature = "pictures")]
        Some((word, options)) if word == "pictures" => pictures::run(options),
        #[cfg(feature = "pictures")]
        Some((word, options)) if word == "text" => text::run(options),
        #[cfg(feature = "pictures")]
        Some((word, lists)) if word == pictures::speed::WORD => pictures::speed::find(lists),
        #[cfg(feature = "faces")]
        Some((word, options)) if word == "faces" => faces::run(options),
        #[cfg(not(feature = "faces"))]
        Some((word, _)) if word == "faces" => Err("add --features faces: the peer takes a while to build".into()),
        #[cfg(not(feature = "pictures"))]
        Some((word, _)) if ["pictures", "text"].contains(&word.as_str()) => {
            Err("add --features pictures: the matcher takes a while to build".into())
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("dyetrace-benches: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Options {
    small: bool,
    only: Option<String>,
    generate_only: bool,
    folder: PathBuf,
}

impl Options {
    fn of(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options =
            Self { small: false, only: None, generate_only: false, folder: PathBuf::from("target/benches") };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--generate-only" => options.generate_only = true,
                "--size" => options.small = one_of(words.next(), &["full", "small"])? == "small",
                "--only" => options.only = Some(one_of(words.next(), &["dyetrace", "tshark"])?.to_owned()),
                "--folder" => options.folder = words.next().ok_or(USAGE)?.into(),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    fn size(&self) -> Size {
        if self.small { Size::SMALL } else { Size::FULL }
    }

    fn wants(&self, peer: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == peer)
    }
}

fn one_of<'a>(word: Option<&'a str>, allowed: &[&str]) -> Result<&'a str, Box<dyn Error>> {
    Ok(word.filter(|word| allowed.contains(word)).ok_or(USAGE)?)
}

fn capture(options: &Options) -> Result<(), Box<dyn Error>> {
    let input = made(options)?;
    if options.generate_only {
        return Ok(());
    }
    let expected = Expected::read(&input)?;
    let mut rows = Vec::new();
    if options.wants("dyetrace") {
        rows.extend(peers::dyetrace::run(&input, &expected)?);
    }
    if options.wants("tshark") {
        rows.extend(peers::tshark::run(&input, &expected)?);
    }
    results::report(&input, &rows)
}

/// The capture, made at the first call and kept.
fn made(options: &Options) -> Result<PathBuf, Box<dyn Error>> {
    let name = if options.small { "capture-10.pcapng" } else { "capture-400.pcapng" };
    let path = options.folder.join(name);
    if !Expected::beside(&path).exists() {
        fs::create_dir_all(&options.folder)?;
        say(&format!("making {}", path.display()));
        generate::generate(&path, options.size())?;
    }
    say(&format!("{}: {} bytes", path.display(), length(&path)?));
    Ok(path)
}

fn length(path: &Path) -> std::io::Result<u64> {
    Ok(fs::metadata(path)?.len())
}

/// Prints results.
fn print(text: &str) {
    // A closed pipe wants no more results.
    drop(std::io::stdout().write_all(text.as_bytes()));
}

/// Speaks to the person at the terminal.
fn say(text: &str) {
    // Somebody who has closed the terminal does not want to hear that either.
    drop(writeln!(std::io::stderr(), "{text}"));
}
