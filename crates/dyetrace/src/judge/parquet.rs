//! Parquet, where dyetrace was built with it; else what to type.

use crate::cli::JudgeFormat;
use crate::exit::Fault;
use crate::output::WriteError;
use dyetrace_case::Judgement;
use dyetrace_report::words::Lang;
use std::io::Write;

/// Refuses a form that this build cannot write.
pub(super) fn is_there(format: JudgeFormat) -> Result<(), Fault> {
    let wanted = matches!(format, JudgeFormat::Parquet | JudgeFormat::ParquetPractices);
    if cfg!(feature = "parquet") || !wanted { Ok(()) } else { Err(missing()) }
}

fn missing() -> Fault {
    let fault = Fault::new("this dyetrace was built without Parquet");
    fault.hint("type `cargo install --path crates/dyetrace --features parquet`, or take csv: it has the same columns")
}

#[cfg(feature = "parquet")]
pub(super) fn write_verdicts(judgement: &Judgement, lang: Lang, out: &mut dyn Write) -> Result<(), WriteError> {
    Ok(dyetrace_report::judgement::write_parquet_verdicts(judgement, lang, out)?)
}

#[cfg(feature = "parquet")]
pub(super) fn write_practices(judgement: &Judgement, out: &mut dyn Write) -> Result<(), WriteError> {
    Ok(dyetrace_report::judgement::write_parquet_practices(judgement, out)?)
}

#[cfg(not(feature = "parquet"))]
pub(super) fn write_verdicts(_: &Judgement, _: Lang, _: &mut dyn Write) -> Result<(), WriteError> {
    Err(missing().into())
}

#[cfg(not(feature = "parquet"))]
pub(super) fn write_practices(_: &Judgement, _: &mut dyn Write) -> Result<(), WriteError> {
    Err(missing().into())
}
