//! What is told of a column.

use super::Column;
use crate::kind::Kind;
use crate::password::StorageReport;
use serde::Serialize;

/// Most shapes told.
const SHAPES: usize = 5;

/// What is told of a column. No value is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnReport {
    /// Its header, from the schema, the header line or the keys.
    pub header: Option<String>,
    /// What its values are.
    pub kind: Kind,
    /// Fields that are not there.
    pub null: u64,
    /// Fields that are there and empty.
    pub empty: u64,
    /// Fields with a value.
    pub filled: u64,
    /// Values that are of the kind, with check digits and dates right where it has them.
    pub valid: u64,
    /// Different values.
    pub distinct: DistinctReport,
    /// Shortest and longest value in bytes.
    pub lengths: Option<(usize, usize)>,
    /// The most repeated shapes of a sample.
    pub shapes: Vec<ShapeShare>,
    /// What other values of the sample are, as an estimate for the column.
    pub others: Vec<KindRows>,
    /// Oldest and newest moment, in seconds since 1970.
    pub moments: Option<(i64, i64)>,
    /// How passwords are stored.
    pub storage: Option<StorageReport>,
}

/// How many different values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DistinctReport {
    /// How many.
    pub values: u64,
    /// Standard error as a share; 0 where all were counted.
    pub standard_error: f64,
}

/// A shape and its share of the sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShapeShare {
    /// `#` a digit, `a` and `A` letters, `x` digits and letters that change places often and all of
    /// a digest, `字` another character, `{n}` that many of it.
    pub shape: String,
    /// Its share.
    pub share: f64,
}

/// Values of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KindRows {
    /// The kind.
    pub kind: Kind,
    /// How many, estimated from the sample.
    pub about: u64,
}

impl Column {
    /// What is told. Shapes of fewer than `k` values of the sample are not.
    pub(crate) fn report(&self, salt_column: bool, k: u64) -> ColumnReport {
        let (values, exact) = self.distinct.count();
        let shapes = self.shapes.most(SHAPES, k);
        ColumnReport {
            header: self.header.clone(),
            kind: self.kind,
            null: self.null,
            empty: self.empty,
            filled: self.filled,
            valid: self.valid,
            distinct: DistinctReport {
                values: values.min(self.filled),
                standard_error: if exact { 0.0 } else { 0.0081 },
            },
            lengths: (self.filled > 0).then_some((self.shortest, self.longest)),
            shapes: shapes.into_iter().map(|(shape, share)| ShapeShare { shape, share }).collect(),
            others: self.others(k),
            moments: (self.newest != i64::MIN).then_some((self.oldest, self.newest)),
            storage: self.stored.as_ref().map(|stored| stored.report(salt_column)),
        }
    }

    fn others(&self, k: u64) -> Vec<KindRows> {
        let scale = self.filled as f64 / self.looked_at.max(1) as f64;
        let told = Kind::ALL.into_iter().zip(self.others).filter(|(_, count)| *count >= k.max(1));
        told.map(|(kind, count)| KindRows { kind, about: (count as f64 * scale).round() as u64 }).collect()
    }
}
