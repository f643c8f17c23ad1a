//! `dyetrace breach index`: dumps, or lists of canonical identifiers, become the file that `serve` answers from.

use super::columns::{self, Chosen};
use super::keys;
use crate::exit::{Exit, Fault, say};
use crate::output;
use clap::Args;
use dyetrace_breach::{Batch, Damage, Options, Row, Sink, Table, TableId};
use dyetrace_check::evaluate::Key;
use dyetrace_check::index::{Builder, NotBuilt, Person, Plan};
use dyetrace_check::record::MOST_FIELDS;
use dyetrace_check::{Identifier, Kind, Source, to_hex};
use ed25519_dalek::SigningKey;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `breach index`.
#[derive(Debug, Args)]
#[command(
    after_help = "Dumps are read as breach scan reads them; - is the standard input, for example a CSV or JSON lines. Columns that are
called email, phone, id.cn, qq or the like hold identifiers; every other column is a field, of which only whether
it is filled is kept. Both key files are made where there are none. Whoever has the first can ask the index for
anybody; once it is destroyed, the index is noise. See docs/check.md.

Example:
  dyetrace breach index dump.sql --name 'Example shop' --date 2013 --key shop.key --signer operator.key -o shop.index"
)]
pub(crate) struct IndexArguments {
    /// Dumps, or - for the standard input
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// What the dump is called towards the affected
    #[arg(long)]
    name: String,
    /// Of when it is
    #[arg(long)]
    date: Option<String>,
    /// Which column holds identifiers, by its name or number, where it has no usual name: email, phone, id.cn or qq
    #[arg(long, value_name = "KIND=COLUMN")]
    column: Vec<Chosen>,
    /// The key of the function, made where there is none
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The key that signs, made where there is none
    #[arg(long, value_name = "FILE")]
    signer: PathBuf,
    /// Identifiers in each bucket, at least
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    k: u32,
    /// Bits of a bucket's number (default: as many as k allows, up to 20)
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=20))]
    bits: Option<u32>,
    /// The index
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Runs `breach index`.
pub(super) fn run(arguments: &IndexArguments) -> Result<Exit, Fault> {
    let (key, _) =
        keys::read_or_make(&arguments.key, |seed| Some(Key::derive(&seed, b"dyetrace-check/1")?.to_bytes()))?;
    let key = Key::from_bytes(key).ok_or_else(|| Fault::new(format!("{}: this is no key", arguments.key.display())))?;
    let (signer, _) = keys::read_or_make(&arguments.signer, Some)?;
    let signer = SigningKey::from_bytes(&signer);
    let source = Source { name: arguments.name.clone(), date: arguments.date.clone() };
    let plan = Plan { sources: vec![source], k: arguments.k, bits: arguments.bits };
    let folder = arguments.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let builder = Builder::new(plan, &key, folder).map_err(Fault::new)?;
    let mut rows = Rows::new(builder, &arguments.column);
    for dump in &arguments.dumps {
        read(dump, &mut rows)?;
    }
    let Rows { builder, fields, counts, fault, .. } = rows;
    if let Some(fault) = fault {
        return Err(Fault::new(fault));
    }
    if counts.people == 0 {
        return Err(no_identifiers(&counts));
    }
    say(&format!("Everybody reads these names of fields: {}.", fields.join(", ")));
    let manifest = builder.finish(fields, &signer, &arguments.output).map_err(|error| refused(&error))?;
    let mut text = counts.told();
    let _ = writeln!(text, "{} identifiers of {} rows are in the index.", manifest.identifiers, manifest.people);
    let _ = writeln!(
        text,
        "{} buckets of {} bytes, each with at least {} identifiers and padded to {}.",
        manifest.buckets(),
        manifest.frame_bytes(),
        manifest.k,
        manifest.capacity
    );
    let _ = writeln!(text, "Signed by {}.", to_hex(signer.verifying_key().as_bytes()));
    output::print(text.as_bytes())?;
    Ok(if counts.damages > 0 { Exit::PartlyRead } else { Exit::Fine })
}

fn read(dump: &Path, rows: &mut Rows<'_>) -> Result<(), Fault> {
    if dump == Path::new("-") {
        dyetrace_breach::read_from("standard input", &mut std::io::stdin().lock(), &Options::default(), rows);
        return Ok(());
    }
    dyetrace_breach::read(&[dump.to_owned()], &Options::default(), rows).map_err(|error| Fault::file(dump, &error))
}

fn no_identifiers(counts: &Counts) -> Fault {
    let fault = Fault::new(format!("no identifier was found in {} rows", counts.rows));
    fault.hint("say which column holds them: --column email=mail_addr, or --column phone=3")
}

fn refused(error: &NotBuilt) -> Fault {
    let fault = Fault::new(error);
    match error {
        NotBuilt::TooFew(_) => fault.hint("allow fewer bits, or a smaller --k"),
        _ => fault,
    }
}

/// What was read, in numbers.
#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    people: u64,
    /// Filled fields of identifier columns that are no identifiers.
    unread: u64,
    damages: u64,
}

impl Counts {
    fn told(&self) -> String {
        let mut text = format!("{} rows were read.\n", self.rows);
        let without = self.rows - self.people;
        if without > 0 {
            let _ = writeln!(text, "{without} of them have no identifier: those people cannot find themselves.");
        }
        if self.unread > 0 {
            let _ = writeln!(text, "{} fields of identifier columns have not the form of one.", self.unread);
        }
        if self.damages > 0 {
            let _ = writeln!(text, "{} parts could not be read: see breach scan.", self.damages);
        }
        text
    }
}

/// A column: whether it holds identifiers, and its bit.
#[derive(Clone, Copy)]
struct Column {
    kind: Option<Kind>,
    bit: u64,
}

/// Takes rows, and gives people.
struct Rows<'a> {
    builder: Builder<'a>,
    chosen: &'a [Chosen],
    tables: Vec<(Table, Vec<Column>)>,
    fields: Vec<String>,
    counts: Counts,
    fault: Option<NotBuilt>,
}

impl<'a> Rows<'a> {
    fn new(builder: Builder<'a>, chosen: &'a [Chosen]) -> Self {
        Self { builder, chosen, tables: Vec::new(), fields: Vec::new(), counts: Counts::default(), fault: None }
    }

    fn column(&mut self, place: usize, name: Option<&str>) -> Column {
        let field = columns::field(place, name);
        let known = self.fields.iter().position(|known| *known == field);
        let bit = known.unwrap_or_else(|| {
            // Beyond what a record can say, fields have no bit; who is found is found all the same.
            if self.fields.len() < MOST_FIELDS {
                self.fields.push(field);
                self.fields.len() - 1
            } else {
                MOST_FIELDS
            }
        });
        Column { kind: columns::kind(self.chosen, place, name), bit: if bit < MOST_FIELDS { 1 << bit } else { 0 } }
    }

    fn row(&mut self, columns: &[Column], row: &Row<'_>) -> Result<(), NotBuilt> {
        self.counts.rows += 1;
        let mut person = Person { identifiers: Vec::new(), source: 0, fields: 0 };
        for (place, column) in columns.iter().enumerate() {
            let Some(value) = row.field(place).filter(|value| !value.is_empty()) else { continue };
            person.fields |= column.bit;
            let Some(kind) = column.kind else { continue };
            match std::str::from_utf8(value).map(|value| Identifier::new(kind, value)) {
                Ok(Ok(identifier)) => person.identifiers.push(identifier),
                _ => self.counts.unread += 1,
            }
        }
        if person.identifiers.is_empty() {
            return Ok(());
        }
        self.counts.people += 1;
        self.builder.add(person)
    }
}

impl Sink for Rows<'_> {
    fn table(&mut self, table: &Table) -> TableId {
        let known = self.tables.iter().position(|(known, _)| known == table);
        let place = known.unwrap_or_else(|| {
            let columns =
                table.columns.iter().enumerate().map(|(place, name)| self.column(place, name.as_deref())).collect();
            self.tables.push((table.clone(), columns));
            self.tables.len() - 1
        });
        TableId(u32::try_from(place).unwrap_or(u32::MAX))
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let Some((_, columns)) = self.tables.get(table.0 as usize) else { return };
        let columns = columns.clone();
        for row in batch.rows() {
            if self.fault.is_some() {
                return;
            }
            self.fault = self.row(&columns, &row).err();
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.counts.damages += 1;
        if self.counts.damages == 1 {
            say(&format!("at byte {} of entry {}: {}", damage.place.offset, damage.place.entry, damage.what));
        }
    }
}
