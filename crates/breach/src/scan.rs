//! Triage of a dump: rows in, counts out.

use crate::column::{Column, ColumnReport, Digests, Place, ShapeRoom};
use crate::hosts::Hosts;
use crate::key::Key;
use crate::kind::{self, Checker, Day, Kind, Verdict};
use crate::law::{self, Indication};
use crate::password::Owner;
use crate::people::{Facts, People, PeopleReport};
use crate::read::Checkpoint;
use crate::rows::{Batch, Damage, Dialect, Entry, Row, Sink, Table, TableId};
use crate::sample::{Held, Sample};
use dyetrace_search::{RecogniseOptions, ResidentIdMode};
use serde::Serialize;
use std::collections::HashMap;

/// Most tables, and most columns of all of them, counted one by one.
const MOST_TABLES: usize = 4096;
const MOST_COLUMNS: usize = 16_384;
/// Damages kept one by one.
const MOST_DAMAGES: usize = 1000;
/// Rows counted together, column by column.
const CHUNK: usize = 256;
/// Of so many rows, the stored password of one is tried against the fields of its row; of the first, all.
const EXAMINED: u64 = 1024;

/// How a dump is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScanOptions {
    /// Which identity numbers count.
    pub resident_ids: ResidentIdMode,
    /// The latest year of birth.
    pub year: u16,
    /// Groups of people smaller than this are not told.
    pub k: u64,
    /// The day for which minors are counted, as year, month and day. `None`: the newest moment in the dump.
    pub minors_on: Option<(u16, u16, u16)>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { resident_ids: ResidentIdMode::Historical, year: 2026, k: 10, minors_on: None }
    }
}

/// What is told of a dump. No value of it is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The files, and files inside of containers, in the order they were read.
    pub entries: Vec<EntryReport>,
    /// Its tables.
    pub tables: Vec<TableReport>,
    /// Tables that were too many to be counted one by one.
    pub further_tables: u64,
    /// How many people, and of which groups.
    pub people: PeopleReport,
    /// The newest moment in the dump, in seconds since 1970.
    pub newest: Option<i64>,
    /// Whether the counts reach thresholds of the law.
    pub indications: Vec<Indication>,
    /// Parts that were skipped, the first thousand.
    pub damages: Vec<DamageReport>,
    /// How many more were skipped.
    pub further_damages: u64,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryReport {
    /// Its number, from 0.
    pub index: u32,
    /// Its path as given; a path inside a container follows after `!`.
    pub path: String,
}

/// What is told of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// Which entry of the containers it is in.
    pub entry: u32,
    /// Its name.
    pub name: Option<String>,
    /// How its rows are written.
    pub dialect: String,
    /// Its encoding.
    pub encoding: &'static str,
    /// Its rows.
    pub rows: u64,
    /// Rows with more fields than the table has columns.
    pub longer_rows: u64,
    /// Its columns.
    pub columns: Vec<ColumnReport>,
}

/// A part that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamageReport {
    /// Which entry.
    pub entry: u32,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes.
    pub bytes: Option<u64>,
    /// What was wrong.
    pub what: String,
}

/// Counts what is read of a dump.
pub struct Scan {
    options: ScanOptions,
    digests: Digests,
    checker: Checker,
    entries: Vec<EntryReport>,
    progress: Box<dyn FnMut(u64) + Send>,
    tables: Vec<Counting>,
    /// Tables by a digest of what makes them the same.
    known: HashMap<u64, u32>,
    columns: usize,
    held: Held,
    room: ShapeRoom,
    further_tables: u64,
    people: People,
    hosts: Hosts,
    facts: Vec<Facts>,
    damages: Vec<DamageReport>,
    further_damages: u64,
}

/// A table while it is counted.
struct Counting {
    table: Table,
    rows: u64,
    longer_rows: u64,
    /// The first rows, until columns are typed.
    sample: Option<Sample>,
    columns: Vec<Column>,
}

impl Scan {
    /// Nothing counted yet. All digests are under the key.
    pub fn new(key: &Key, options: ScanOptions) -> Self {
        let recognise = RecogniseOptions { resident_ids: options.resident_ids, year: options.year, least_bits: 0.0 };
        Self {
            options,
            digests: Digests::new(key),
            checker: Checker::new(recognise),
            entries: Vec::new(),
            progress: Box::new(|_| ()),
            tables: Vec::new(),
            known: HashMap::new(),
            columns: 0,
            held: Held::default(),
            room: ShapeRoom::default(),
            further_tables: 0,
            people: People::new(),
            hosts: Hosts::new(key),
            facts: Vec::new(),
            damages: Vec::new(),
            further_damages: 0,
        }
    }

    /// Also tells how many bytes of the files have been read, now and then.
    #[must_use]
    pub fn with_progress(self, progress: impl FnMut(u64) + Send + 'static) -> Self {
        Self { progress: Box::new(progress), ..self }
    }

    /// What was counted.
    pub fn finish(mut self) -> Report {
        for index in 0..self.tables.len() {
            self.type_columns(index);
        }
        let newest = self.tables.iter().flat_map(|table| &table.columns).filter_map(Column::newest).max();
        let given = self.options.minors_on.and_then(|(year, month, day)| Day::new(year, month, day));
        let on = given.or_else(|| newest.and_then(Day::of_moment));
        let people = self.people.report(self.hosts.names(), on, self.options.k);
        let indications = law::indications(|kinds| self.people.with(kinds));
        Report {
            entries: self.entries,
            tables: self.tables.iter().map(|table| table.report(self.options.k)).collect(),
            further_tables: self.further_tables,
            people,
            newest,
            indications,
            damages: self.damages,
            further_damages: self.further_damages,
        }
    }

    /// Types the columns of a table by the rows held, and counts these.
    fn type_columns(&mut self, index: usize) {
        let Some(table) = self.tables.get_mut(index) else { return };
        let Some(sample) = table.sample.take() else { return };
        self.held.change(sample.held() + table.table.held(), 0);
        let width = sample.width(table.table.columns.len()).min(MOST_COLUMNS.saturating_sub(self.columns));
        // A statement whose quotes slipped may name a value.
        let name = table.table.name.take();
        table.table.name = name.filter(|name| is_header(name, &mut self.checker));
        let mut headers = std::mem::take(&mut table.table.columns);
        for header in &mut headers {
            *header = header.take().filter(|header| is_header(header, &mut self.checker));
        }
        let kinds = sample.kinds(width, &headers, &mut self.checker);
        let headers = headers.into_iter().chain(std::iter::repeat(None));
        for (column, (header, (kind, sampled))) in headers.zip(kinds).enumerate() {
            let place = Place { before: self.columns + column, room: self.room.clone() };
            table.columns.push(Column::new(header, kind, sampled, place));
        }
        self.columns += width;
        let batch = sample.batch();
        self.count(index, &batch);
    }

    /// Counts rows of a table whose columns are typed.
    fn count(&mut self, index: usize, batch: &Batch<'_>) {
        let Some(table) = self.tables.get_mut(index) else { return };
        let mut from = 0;
        while from + 1 < batch.starts.len() {
            let to = (from + CHUNK).min(batch.starts.len() - 1);
            let Some(starts) = batch.starts.get(from..=to) else { return };
            let chunk = Batch { starts, ..*batch };
            self.facts.clear();
            self.facts.resize(chunk.len(), Facts::NONE);
            for column in &mut table.columns.iter_mut().enumerate() {
                let tools = Tools { checker: &mut self.checker, digests: &self.digests, hosts: &mut self.hosts };
                count_column(column, &chunk, &mut self.facts, tools);
            }
            table.examine(&chunk);
            table.rows += chunk.len() as u64;
            let width = table.columns.len();
            table.longer_rows += chunk.rows().filter(|row| row.len() > width).count() as u64;
            self.people.add(&self.facts);
            from = to;
        }
    }
}

/// What counting a column needs beside it.
struct Tools<'a> {
    checker: &'a mut Checker,
    digests: &'a Digests,
    hosts: &'a mut Hosts,
}

/// Counts one column of some rows.
fn count_column((index, column): (usize, &mut Column), chunk: &Batch<'_>, facts: &mut [Facts], tools: Tools<'_>) {
    let Tools { checker, digests, hosts } = tools;
    for (row, facts) in chunk.rows().zip(facts) {
        let Some(value) = row.field(index) else {
            column.add_null();
            continue;
        };
        let Some(seen) = column.add(value, checker, digests) else { continue };
        if seen.verdict == Verdict::Invalid {
            continue;
        }
        let kind = column.kind;
        facts.kinds |= kind.bit();
        if seen.verdict == Verdict::Canonical {
            learn_identifier(kind, seen.digest, checker.canonical(), facts, digests, hosts);
            continue;
        }
        match kind {
            Kind::Time => column.add_moment(kind::moment(value).unwrap_or_default()),
            Kind::BirthDate => facts.birth = kind::birth(value).or(facts.birth),
            Kind::Province if facts.province == 0 => facts.province = province(value),
            Kind::Address if facts.province == 0 => facts.province = kind::province_of_text(value).unwrap_or(0),
            _ => {}
        }
    }
}

/// False for what is no name of a column but looks like a value of a dump, so that it must not be shown.
pub fn is_column_name(name: &str) -> bool {
    let recognise = RecogniseOptions { least_bits: 0.0, ..RecogniseOptions::default() };
    is_header(name, &mut Checker::new(recognise))
}

/// False for what is no name of a column but a value: a first line taken for a header would be shown.
fn is_header(header: &str, checker: &mut Checker) -> bool {
    let digits = header.chars().filter(|letter| letter.is_numeric()).count();
    digits < 5 && header.len() <= 64 && kind::kinds_of(header.as_bytes(), checker) == 0
}

fn province(value: &[u8]) -> u8 {
    kind::province_of_text(value).or_else(|| kind::province_of_id(value)).unwrap_or(0)
}

/// What an identifier in canonical form says of its person.
#[inline]
fn learn_identifier(
    kind: Kind,
    digest: u64,
    canonical: &[u8],
    facts: &mut Facts,
    digests: &Digests,
    hosts: &mut Hosts,
) {
    if !kind.joins() || is_placeholder(kind, canonical) {
        return;
    }
    facts.add_key(kind, digest);
    match kind {
        Kind::ResidentId => {
            facts.birth = canonical.get(6..14).and_then(kind::birth).or(facts.birth);
            facts.province = kind::province_of_id(canonical).unwrap_or(facts.province);
        }
        Kind::Email => {
            let at = memchr::memrchr(b'@', canonical).unwrap_or(canonical.len());
            let host = canonical.get(at + 1..).unwrap_or_default();
            facts.host = hosts.number(host);
            // The address of a QQ number is made of it.
            let local = canonical.get(..at).unwrap_or_default();
            if host == b"qq.com" && (5..=11).contains(&at) && local.iter().all(u8::is_ascii_digit) {
                facts.add_key(Kind::Qq, digests.of(Kind::Qq, local));
            }
        }
        _ => {}
    }
}

/// Numbers and addresses that stand for "none" and are nobody's.
fn is_placeholder(kind: Kind, canonical: &[u8]) -> bool {
    match kind {
        Kind::Phone => matches!(
            canonical,
            b"8613800138000" | b"8613800000000" | b"8613000000000" | b"8613888888888" | b"8618888888888"
        ),
        Kind::Email => {
            matches!(canonical, b"test@test.com" | b"a@a.com" | b"123@qq.com" | b"123456@qq.com" | b"admin@admin.com")
        }
        Kind::Qq => matches!(
            canonical,
            b"10000" | b"12345" | b"123456" | b"1234567" | b"12345678" | b"123456789" | b"1234567890"
        ),
        _ => false,
    }
}

impl Counting {
    /// Tries, of some rows, what a stored password is a digest of.
    fn examine(&mut self, chunk: &Batch<'_>) {
        let secret = |column: &Column| matches!(column.kind, Kind::PasswordHash | Kind::Digest);
        if !self.columns.iter().any(secret) {
            return;
        }
        let salt = self.columns.iter().position(|column| column.kind == Kind::Salt);
        let known = |column: &Column| column.kind.joins() || column.kind == Kind::Username;
        let fields: Vec<(usize, Kind)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| known(column))
            .map(|(index, column)| (index, column.kind))
            .take(8)
            .collect();
        for (row, _) in chunk.rows().zip(self.rows..).filter(|(_, number)| *number < 128 || number % EXAMINED == 0) {
            let of_row = |(index, kind): &(usize, Kind)| {
                Some((*kind, row.field(*index).filter(|field| (1..=128).contains(&field.len()))?))
            };
            let fields: Vec<(Kind, &[u8])> = fields.iter().filter_map(of_row).collect();
            let owner = Owner { salt: salt.and_then(|salt| row.field(salt)), fields: &fields };
            for (index, column) in self.columns.iter_mut().enumerate() {
                if let (Some(stored), Some(value)) = (&mut column.stored, filled(&row, index)) {
                    stored.examine(value, &owner);
                }
            }
        }
    }

    fn report(&self, k: u64) -> TableReport {
        let salt = self.columns.iter().any(|column| column.kind == Kind::Salt && column.valid() > 0);
        TableReport {
            entry: self.table.entry,
            name: self.table.name.clone(),
            dialect: dialect(self.table.dialect),
            encoding: self.table.encoding,
            rows: self.rows,
            longer_rows: self.longer_rows,
            columns: self.columns.iter().map(|column| column.report(salt, k)).collect(),
        }
    }
}

/// Entry, name and columns of a table, each part with its length.
fn identity(table: &Table) -> Vec<u8> {
    let mut bytes = table.entry.to_le_bytes().to_vec();
    for part in std::iter::once(&table.name).chain(&table.columns) {
        let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
        bytes.extend(length.to_le_bytes());
        bytes.extend(part.iter().flat_map(|part| part.bytes()));
    }
    bytes
}

fn filled<'a>(row: &Row<'a>, column: usize) -> Option<&'a [u8]> {
    row.field(column).filter(|value| !value.is_empty())
}

/// A dialect in words.
fn dialect(dialect: Dialect) -> String {
    match dialect {
        Dialect::SqlInsert => "SQL INSERT".to_owned(),
        Dialect::SqlCopy => "SQL COPY".to_owned(),
        Dialect::Csv(separator) => format!("CSV with {:?}", char::from(separator)),
        Dialect::Separated(separator) => format!("lines parted by {separator:?}"),
        Dialect::JsonLines => "JSON objects".to_owned(),
        Dialect::PhpSerialized => "PHP serialize".to_owned(),
        Dialect::Worksheet => "worksheet".to_owned(),
    }
}

impl Sink for Scan {
    fn entry(&mut self, index: u32, entry: &Entry) {
        if self.entries.len() < MOST_TABLES {
            self.entries.push(EntryReport { index, path: entry.path.clone() });
        }
    }

    fn checkpoint(&mut self, _: &Checkpoint, read: u64) {
        (self.progress)(read);
    }

    fn table(&mut self, table: &Table) -> TableId {
        let identity = self.digests.of(Kind::Text, &identity(table));
        if let Some(index) = self.known.get(&identity) {
            return TableId(*index);
        }
        if self.tables.len() >= MOST_TABLES {
            self.further_tables += 1;
            return TableId(u32::MAX);
        }
        self.held.change(0, table.held());
        let sample = Some(Sample::default());
        self.tables.push(Counting { table: table.clone(), rows: 0, longer_rows: 0, sample, columns: Vec::new() });
        let index = self.tables.len() as u32 - 1;
        self.known.insert(identity, index);
        if self.held.is_full() {
            self.type_columns(index as usize);
        }
        TableId(index)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let index = table.0 as usize;
        let Some(counting) = self.tables.get_mut(index) else { return };
        let mut taken = 0;
        if let Some(sample) = &mut counting.sample {
            let before = sample.held();
            taken = sample.take(batch);
            self.held.change(before, sample.held());
            if !sample.is_full() && !self.held.is_full() {
                return;
            }
            self.type_columns(index);
        }
        if let Some(starts) = batch.starts.get(taken..) {
            self.count(index, &Batch { starts, ..*batch });
        }
    }

    fn damage(&mut self, damage: Damage) {
        if self.damages.len() >= MOST_DAMAGES {
            self.further_damages += 1;
            return;
        }
        let Damage { place, bytes, what } = damage;
        self.damages.push(DamageReport { entry: place.entry, offset: place.offset, bytes, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Place, Span};
    use Kind::{Email, Number, PasswordHash, Phone, ResidentId, Time, Username};

    /// Rows as a reader gives them.
    fn feed(scan: &mut Scan, table: &Table, rows: &[Vec<Option<String>>]) {
        let id = scan.table(table);
        for chunk in rows.chunks(700) {
            let (mut bytes, mut spans, mut starts) = (Vec::new(), Vec::new(), vec![0]);
            for row in chunk {
                for field in row {
                    spans.push(
                        field.as_ref().map_or(Span::NULL, |field| Span::new(bytes.len() as u32, field.len() as u32)),
                    );
                    bytes.extend(field.iter().flat_map(|field| field.bytes()));
                }
                starts.push(spans.len() as u32);
            }
            let place = Place { entry: 0, offset: 0 };
            scan.batch(id, &Batch { bytes: &bytes, spans: &spans, starts: &starts, place });
        }
    }

    fn table(columns: &[&str]) -> Table {
        Table {
            entry: 0,
            name: Some("member".to_owned()),
            columns: columns.iter().map(|column| Some((*column).to_owned())).collect(),
            dialect: Dialect::SqlInsert,
            encoding: "UTF-8",
        }
    }

    /// An identity number with the right check character.
    fn id(n: u64) -> String {
        let body = format!(
            "{}19{:02}{:02}{:02}{:03}",
            [110_105, 440_301][(n % 2) as usize],
            50 + n % 50,
            n % 12 + 1,
            n % 28 + 1,
            n % 1000
        );
        let check = dyetrace_search::whole::resident_check_character(body.as_bytes());
        format!("{body}{check}")
    }

    fn members(count: u64) -> Vec<Vec<Option<String>>> {
        let md5 = |text: &str| {
            use md5::Digest;
            String::from_utf8(crate::password::hex(&md5::Md5::digest(text))).unwrap()
        };
        let row = |n: u64| {
            let password = if n.is_multiple_of(5) { "123456".to_owned() } else { format!("secret{n}") };
            vec![
                Some(n.to_string()),
                Some(format!("user{n}")),
                Some(md5(&password)),
                Some(format!("u{n}@{}", ["qq.com", "163.com"][(n % 2) as usize])),
                (!n.is_multiple_of(3)).then(|| {
                    format!("1{}{:08}", [38, 39, 50, 77, 86][(n % 5) as usize], n.wrapping_mul(7_654_321) % 100_000_000)
                }),
                if n.is_multiple_of(4) { Some(String::new()) } else { Some(id(n)) },
                Some(format!("2013-{:02}-{:02} 10:20:30", n % 12 + 1, n % 28 + 1)),
            ]
        };
        (0..count).map(row).collect()
    }

    const MEMBER: [&str; 7] = ["id", "username", "password", "email", "mobile", "idcard", "reg_time"];

    fn scanned(rows: &[Vec<Option<String>>]) -> Report {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        feed(&mut scan, &table(&MEMBER), rows);
        scan.finish()
    }

    #[test]
    fn a_table_that_is_named_like_a_value_is_not_named() {
        let mut scan = Scan::new(&Key::from_bytes([7; 32]), ScanOptions::default());
        let dump = "INSERT INTO `li.lei@example.com` VALUES (1,'a');\nINSERT INTO `users` VALUES (1,'a');\n";
        crate::read_from("dump.sql", &mut dump.as_bytes(), &crate::Options::default(), &mut scan);
        let report = scan.finish();
        let names: Vec<_> = report.tables.iter().map(|table| table.name.as_deref()).collect();
        assert_eq!(names, [None, Some("users")]);
    }

    #[test]
    fn a_table_is_counted_as_it_was_made() {
        let report = scanned(&members(6000));
        let columns = &report.tables[0].columns;
        let kinds: Vec<Kind> = columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [Number, Username, PasswordHash, Email, Phone, ResidentId, Time]);
        assert_eq!((columns[4].null, columns[4].filled, columns[4].valid), (2000, 4000, 4000));
        assert_eq!((columns[5].empty, columns[5].filled, columns[5].valid), (1500, 4500, 4500));
        assert_eq!(columns[3].distinct.values, 6000);
        assert_eq!(report.tables[0].rows, 6000);
        let storage = columns[2].storage.as_ref().unwrap();
        assert_eq!(storage.commonest_unsalted[0].rows, 1200);
        assert!(storage.repeated_rows_at_least >= 1100);
        assert_eq!(report.newest, kind::moment(b"2013-12-28 10:20:30"));
    }

    #[test]
    fn people_are_joined_over_tables_and_small_groups_are_not_told() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        feed(&mut scan, &table(&MEMBER), &members(6000));
        let orders: Vec<_> =
            members(6000).into_iter().filter_map(|row| Some(vec![row[0].clone(), Some(row[4].clone()?)])).collect();
        feed(&mut scan, &Table { name: Some("orders".to_owned()), ..table(&["order_no", "tel"]) }, &orders);
        let report = scan.finish();
        // Identity numbers of the lab's rows repeat, so people are fewer than rows; orders add none.
        let alone = scanned(&members(6000)).people.people;
        assert_eq!(report.people.people, alone);
        assert!(report.people.provinces.told.iter().all(|group| group.people >= Some(10)));
        assert!(report.indications.iter().all(|indication| indication.source.contains("2017")));
    }

    #[test]
    fn no_value_of_the_dump_is_in_the_report() {
        let rows = members(3000);
        let report = serde_json::to_string(&scanned(&rows)).unwrap();
        for value in rows.iter().flatten().flatten().filter(|value| value.len() >= 8) {
            assert!(!report.contains(value.as_str()));
        }
    }

    #[test]
    fn a_first_line_taken_for_a_header_is_not_shown() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        let columns = ["li.lei@example.com", "13812345678", "mobile"];
        feed(&mut scan, &table(&columns), &[vec![Some("x".to_owned()); 3]]);
        let report = scan.finish();
        let headers: Vec<_> = report.tables[0].columns.iter().map(|column| column.header.as_deref()).collect();
        assert_eq!(headers, [None, None, Some("mobile")]);
    }

    #[test]
    fn the_same_rows_give_the_same_report() {
        let rows = members(3000);
        assert_eq!(scanned(&rows), scanned(&rows));
    }

    #[test]
    fn a_digest_of_the_rows_own_number_is_named() {
        use sha2::Digest;
        let rows: Vec<_> = members(300)
            .into_iter()
            .filter_map(|row| {
                let phone = row[4].clone()?;
                let digest = String::from_utf8(crate::password::hex(&sha2::Sha256::digest(&phone))).unwrap();
                Some(vec![Some(phone), Some(digest)])
            })
            .collect();
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        feed(&mut scan, &table(&["mobile", "phone_hash"]), &rows);
        let report = scan.finish();
        let storage = report.tables[0].columns[1].storage.as_ref().unwrap();
        assert_eq!(storage.digest_of[0].kind, Phone);
        assert_eq!((storage.digest_of[0].digest, storage.digest_of[0].rows), ("SHA-256", storage.tried));
    }

    #[test]
    fn rows_of_any_width_and_tables_without_end_are_counted() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        let wide = vec![vec![Some("x".to_owned()); 3000], vec![], vec![None]];
        feed(&mut scan, &table(&["a"]), &wide);
        for n in 0..5000 {
            let id = scan.table(&Table { name: Some(n.to_string()), ..table(&["a"]) });
            assert_eq!(id.0 == u32::MAX, n >= 4095);
        }
        let report = scan.finish();
        assert_eq!((report.tables[0].rows, report.tables[0].columns.len()), (3, crate::sample::MOST_COLUMNS));
        assert_eq!(report.further_tables, 905);
    }

    #[test]
    fn samples_of_very_many_tables_are_held_no_longer_than_there_is_room() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        let (bytes, spans) = (vec![b'x'; 4 << 20], [0, 1, 2, 3].map(|column| Span::new(column << 20, 1 << 20)));
        let batch = Batch { bytes: &bytes, spans: &spans, starts: &[0, 4], place: Place { entry: 0, offset: 0 } };
        for n in 0..100 {
            let id = scan.table(&Table { name: Some(format!("t{n}")), ..table(&["a"]) });
            scan.batch(id, &batch);
            assert!(scan.held.bytes() <= 264 << 20, "{} bytes are held", scan.held.bytes());
        }
        let typed = scan.tables.iter().filter(|table| table.sample.is_none()).count();
        assert!((20..60).contains(&typed), "{typed} were typed early");
        let report = scan.finish();
        assert!(report.tables.iter().all(|table| table.rows == 1 && table.columns.len() == 4));
    }

    #[test]
    fn a_header_is_told_also_of_columns_beyond_the_rows() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        feed(&mut scan, &table(&["mobile", "email"]), &[vec![Some("x".to_owned())]]);
        let report = scan.finish();
        let headers: Vec<_> = report.tables[0].columns.iter().map(|column| column.header.as_deref()).collect();
        assert_eq!(headers, [Some("mobile"), Some("email")]);
        assert_eq!(report.tables.len(), 1);
    }
}
