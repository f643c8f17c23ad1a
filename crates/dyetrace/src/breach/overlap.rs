//! `dyetrace breach overlap`: which dump is a copy of which.

use super::case_key::CaseKey;
use super::confine::confined;
use super::measured::{Labels, MeasuredFile, of_overlap};
use super::scan::{Format, cores, opened, say_nothing_else};
use crate::exit::{Exit, Fault, say};
use crate::output;
use clap::Args;
use dyetrace_breach::{Dump, Options, OverlapOptions, OverlapReport, overlap, svg};
use std::path::PathBuf;

/// Arguments of `breach overlap`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each file is a dump of its own. Rows are compared by digests of e-mail addresses, telephone, identity and QQ numbers under a
key that is forgotten at the end, or kept (--key), so that of very many the same are compared again; of passwords it is told
whether they are the same, were cracked in between, or differ. The family tree says which dump was most likely made from
which, and why. See docs/breach.md.

Examples:
  dyetrace breach overlap shop.sql resold.txt
  dyetrace breach overlap 2013.sql.gz 2016.txt list.csv --picture family.svg
  dyetrace breach overlap a.sql b.txt --format json --output overlap.json
  dyetrace breach overlap shop.sql resold.txt --measured my-case/measured.yaml && dyetrace judge my-case"
)]
pub(crate) struct OverlapArguments {
    /// Two dumps or more; - is the standard input
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    dumps: Vec<PathBuf>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the family tree into this file (SVG)
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Write the numbers for `dyetrace judge` into this file; only one that dyetrace breach wrote is changed, name by name
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    /// Counts of people smaller than this are not told
    #[arg(long, default_value_t = 10, value_name = "N")]
    k: u64,
    /// Read on so many cores, at most 16 (default: all there are)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    cores: Option<u16>,
    #[command(flatten)]
    case_key: CaseKey,
}

/// Runs `breach overlap`.
pub(crate) fn run(arguments: &OverlapArguments) -> Result<Exit, Fault> {
    let streams = opened(&arguments.dumps)?;
    let measured = match &arguments.measured {
        Some(file) => Some((Labels::of(&arguments.dumps)?, MeasuredFile::open(file)?)),
        None => None,
    };
    say_nothing_else();
    let key = arguments.case_key.key()?;
    let name = |path: &PathBuf| Dump { name: path.display().to_string(), paths: vec![path.clone()] };
    let dumps: Vec<Dump> = arguments.dumps.iter().map(name).collect();
    let k = arguments.k;
    let options = OverlapOptions { k, cores: cores(arguments.cores), reading: Options::default(), streams };
    let compared = confined(|confinement| (confinement, overlap(&dumps, &key, options)));
    let (confinement, report) = compared.ok_or_else(|| Fault::new("the comparison ended by a fault of its own"))?;
    if let Some(missing) = confinement.missing() {
        say(&format!("dyetrace: note: {missing}"));
    }
    let report: OverlapReport = report.map_err(|error| Fault::new(format!("a file could not be read: {error}")))?;
    let text = match arguments.format {
        Format::Terminal => report.to_string().into_bytes(),
        Format::Json => serde_json::to_vec_pretty(&report).map_err(Fault::new)?,
    };
    output::write(arguments.output.as_deref(), |out| Ok(out.write_all(&text)?))?;
    if let Some(picture) = &arguments.picture {
        output::write(Some(picture), |out| Ok(out.write_all(svg(&report).as_bytes())?))?;
    }
    if let Some((labels, file)) = measured {
        file.replace(|name| labels.is_of(name), of_overlap(&report, &labels, k))?;
    }
    let unread = report.dumps.iter().any(|dump| dump.damages > 0);
    let empty = report.dumps.iter().find(|dump| dump.rows == 0);
    if let Some(empty) = empty {
        say(&format!("dyetrace: no rows were read of {}", empty.name));
        return Ok(Exit::NothingRead);
    }
    Ok(if unread { Exit::PartlyRead } else { Exit::Fine })
}
