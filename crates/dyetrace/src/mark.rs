//! `dyetrace mark`: what happens now, written down while a run is being recorded.

use crate::exit::{Exit, Fault, say};
use crate::{custody, output};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use dyetrace_case::{ActionOutcome, Canary, ConsentChange, Event, Mark, Phase, Time, append_mark};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments of `mark`.
#[derive(Debug, Args)]
#[command(
    after_help = "The mark gets the time of now and is added to the run's marks file: the one that case.yaml names, or
evidence/marks/RUN.jsonl. The run stands in case.yaml; its recording need not be there yet.

Examples:
  dyetrace mark my-case first phase recording-began
  dyetrace mark my-case first consent given --purpose cloud
  dyetrace mark my-case first planted wifi.password wifi.ssid
  dyetrace mark my-case first action provision-device began --variant softap
  dyetrace mark my-case first action provision-device ended succeeded
  dyetrace mark my-case first canary example.com/canary-7f3a
  dyetrace mark my-case first phase quiet-began"
)]
pub(crate) struct MarkArguments {
    /// The case folder
    case: PathBuf,
    /// The run's id in case.yaml
    run: String,
    /// How far the time may be off, in seconds, where it is not what the run's clock says
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    error: Option<u64>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The user was asked for consent, or answered
    Consent {
        /// What changed
        #[arg(value_parser = change())]
        change: ConsentChange,
        /// What for, where the product asks purpose by purpose
        #[arg(long)]
        purpose: Option<String>,
    },
    /// The user did something
    Action {
        /// Its name, as claims name it
        name: String,
        #[command(subcommand)]
        stage: Stage,
    },
    /// The product was given planted values
    Planted {
        /// Kinds or names of data, as in wifi.password; never the values
        #[arg(required = true)]
        data: Vec<String>,
    },
    /// A request was made on purpose, now: where the recording has it, the recording works
    Canary {
        /// Host in lower case and the beginning of the path, as in example.com/canary-7f3a
        request: Canary,
    },
    /// The recording enters a phase
    Phase {
        /// Which
        #[arg(value_parser = phase())]
        phase: Phase,
    },
}

#[derive(Debug, Subcommand)]
enum Stage {
    /// It begins
    Began {
        /// Which way of doing it, where there are several
        #[arg(long)]
        variant: Option<String>,
        /// A circumstance that holds while it lasts, as in wan-blocked
        #[arg(long)]
        condition: Vec<String>,
    },
    /// It is over
    Ended {
        /// How it went
        #[arg(value_parser = outcome())]
        outcome: ActionOutcome,
    },
}

/// Adds the mark and shows it.
pub(crate) fn run(arguments: &MarkArguments) -> Result<Exit, Fault> {
    let mark = Mark { at: now()?, error: arguments.error, event: event(&arguments.what) };
    let marked = append_mark(&arguments.case, &arguments.run, &mark).map_err(Fault::new)?;
    output::print(format!("{}\nadded to {}\n", marked.line, marked.path.display()).as_bytes())?;
    if let Err(fault) = write_down(arguments, &marked.path) {
        say(&fault);
    }
    for remark in marked.remarks {
        say(&format!("dyetrace: note: {remark}"));
    }
    Ok(Exit::Fine)
}

/// A case that has a custody log gets an entry. The mark stands whether or not that can be written.
fn write_down(arguments: &MarkArguments, path: &Path) -> Result<(), Fault> {
    let case = &arguments.case;
    if !case.join(dyetrace_custody::log::FILE).is_file() {
        return Ok(());
    }
    let path = path.strip_prefix(case).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let digests = [(path.clone(), custody::digest_of(case, &path)?)].into();
    custody::note(case, None, format!("marked run {}", arguments.run), digests)?;
    Ok(())
}

/// To the millisecond: nobody types faster.
pub(crate) fn now() -> Result<Time, Fault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let time = since.and_then(|since| Time::from_parts(since.as_secs() as i64, since.subsec_millis() * 1_000_000));
    time.ok_or_else(|| Fault::new("this computer's clock is not set").hint("set it and mark again"))
}

fn event(what: &What) -> Event {
    match what {
        What::Consent { change, purpose } => Event::Consent { change: *change, purpose: purpose.clone() },
        What::Action { name, stage: Stage::Began { variant, condition } } => {
            Event::ActionBegan { action: name.clone(), variant: variant.clone(), conditions: condition.clone() }
        }
        What::Action { name, stage: Stage::Ended { outcome } } => {
            Event::ActionEnded { action: name.clone(), outcome: *outcome }
        }
        What::Planted { data } => Event::Planted { data: data.clone() },
        What::Canary { request } => Event::Canary(request.clone()),
        What::Phase { phase } => Event::Phase(*phase),
    }
}

fn change() -> impl TypedValueParser<Value = ConsentChange> {
    one_of(ConsentChange::ALL.map(|change| (change.name(), change)))
}

fn outcome() -> impl TypedValueParser<Value = ActionOutcome> {
    one_of(ActionOutcome::ALL.map(|outcome| (outcome.name(), outcome)))
}

fn phase() -> impl TypedValueParser<Value = Phase> {
    one_of(Phase::ALL.map(|phase| (phase.name(), phase)))
}

fn one_of<T: Copy + Send + Sync + 'static, const N: usize>(
    words: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words.map(|(name, _)| name)).try_map(move |word| {
        let found = words.iter().find(|(name, _)| *name == word);
        found.map(|(_, value)| *value).ok_or("not one of the words")
    })
}

/// Nanoseconds.
fn seconds(text: &str) -> Result<u64, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(|seconds: f64| (seconds * 1e9).round() as u64).ok_or("not 0 to 86400 seconds")
}
