//! The same tables as [`super::csv`] in Apache Parquet: columns with types, and null where a cell is empty.
//!
//! Counts are 64-bit integers, flags booleans, times nanoseconds since 1970 in UTC, everything else is UTF-8. Pages
//! are compressed with Snappy, which every reader of Parquet knows.

use super::tables::{Cell, Column, Holds, PRACTICES, VERDICTS, practices, verdicts};
use crate::words::Lang;
use dyetrace_case::{Judgement, Time};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows that are held at a time. Readers skip and spread work by such groups.
const GROUP: usize = 65_536;

/// Writes one row for each claim, datum and recipient, most severe first. `lang` is the language of the
/// columns `says` and `reasons`.
///
/// # Errors
/// Writing failed.
pub fn write_parquet_verdicts(judgement: &Judgement, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    write(&VERDICTS, verdicts(judgement, lang), out)
}

/// Writes one row for each practice, in the order of the judgement.
///
/// # Errors
/// Writing failed.
pub fn write_parquet_practices(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    write(&PRACTICES, practices(judgement), out)
}

/// The writer wants to be sent between threads, which `out` cannot promise; so the file is made in memory. It is
/// smaller than the practices that it shows.
fn write<const N: usize>(
    columns: &[Column; N],
    rows: impl Iterator<Item = [Cell; N]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(&file(columns, rows).map_err(io::Error::other)?)
}

fn file<const N: usize>(
    columns: &[Column; N],
    mut rows: impl Iterator<Item = [Cell; N]>,
) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("dyetrace ", env!("CARGO_PKG_VERSION")).to_owned());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema(columns)?, Arc::new(properties.build()))?;
    loop {
        let group: Vec<[Cell; N]> = rows.by_ref().take(GROUP).collect();
        if group.is_empty() {
            return writer.into_inner();
        }
        let mut row_group = writer.next_row_group()?;
        for (at, (_, holds)) in columns.iter().enumerate() {
            let Some(mut column) = row_group.next_column()? else { break };
            column_of(&mut column, *holds, group.iter().filter_map(|row| row.get(at)))?;
            column.close()?;
        }
        row_group.close()?;
    }
}

fn schema(columns: &[Column]) -> Result<Arc<Type>, ParquetError> {
    let fields = columns.iter().map(|&(name, holds)| Ok(Arc::new(field(name, holds)?)));
    let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder("dyetrace").with_fields(fields).build()?))
}

fn field(name: &str, holds: Holds) -> Result<Type, ParquetError> {
    let (physical, logical) = match holds {
        Holds::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Holds::Count => (Physical::INT64, None),
        Holds::Flag => (Physical::BOOLEAN, None),
        Holds::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
    };
    let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    field.with_logical_type(logical).build()
}

fn column_of<'c>(
    column: &mut SerializedColumnWriter<'_>,
    holds: Holds,
    cells: impl Iterator<Item = &'c Cell>,
) -> Result<(), ParquetError> {
    match holds {
        Holds::Text => values::<ByteArrayType>(column, cells.map(text)),
        Holds::Flag => {
            values::<BoolType>(column, cells.map(|cell| if let Cell::Flag(flag) = cell { *flag } else { None }))
        }
        Holds::Count | Holds::Time => values::<Int64Type>(column, cells.map(number)),
    }
}

/// Null is a definition level of 0 and no value (Parquet, "Nulls").
fn values<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) if !text.is_empty() => Some(ByteArray::from(text.as_str())),
        _ => None,
    }
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Count(count) => count.map(|count| i64::try_from(count).unwrap_or(i64::MAX)),
        Cell::Time(time) => time.map(|Time(nanos)| nanos),
        _ => None,
    }
}
