//! `dyetrace records`: prints everything that was read.

use crate::cli::{RecordsArguments, RecordsFormat};
use crate::exit::{Exit, Fault};
use crate::history::History;
use crate::intake;
use crate::output;
use crate::pipeline::PassOn;
use dyetrace_case::{Item, Stop};
use dyetrace_report::records::{RecordFormat, RecordWriter};

/// Opens, reads, writes.
pub(crate) fn run(arguments: &RecordsArguments) -> Result<Exit, Fault> {
    let mut intake = intake::open(&arguments.inputs, &arguments.reading)?;
    let format = match arguments.format {
        RecordsFormat::Jsonl => RecordFormat::JsonLines,
        RecordsFormat::Har => RecordFormat::Har,
    };
    let (mut records, mut damages) = (0u64, 0u64);
    output::write(arguments.output.as_deref(), |out| {
        let mut writer = RecordWriter::new(format, out);
        let mut failure = None;
        let mut history = History::new(intake.case.as_ref());
        for opened in &intake.exhibits {
            intake.progress.begin("reading", &opened.exhibit().path);
            let mut sink = PassOn(|item: &Item| {
                records += u64::from(matches!(item, Item::Record(_)));
                damages += u64::from(matches!(item, Item::Damage(_)));
                writer.item(item).map_err(|error| {
                    failure = Some(error);
                    Stop
                })
            });
            let mut at = |bytes| intake.progress.at(bytes);
            history.read(opened, &mut intake.tls, &mut sink, &mut at);
            if let Some(error) = failure.take() {
                return Err(error.into());
            }
        }
        Ok(writer.finish()?)
    })?;
    intake.progress.done();
    Ok(match () {
        () if intake.refused > 0 || damages > 0 => Exit::PartlyRead,
        () if records == 0 => Exit::NothingRead,
        () => Exit::Fine,
    })
}
