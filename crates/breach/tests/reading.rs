//! Dumps in every form are read into the rows that were written.

use std::io::Read;

use dyetrace_breach::{Batch, Checkpoint, Damage, Dialect, Entry, Options, Sink, Table, TableId, read_from};

/// A row as text; `None` is NULL.
type Row = Vec<Option<String>>;

/// Keeps all it is given.
#[derive(Default)]
struct Kept {
    tables: Vec<Table>,
    rows: Vec<(u32, Row)>,
    damages: Vec<Damage>,
    checkpoints: Vec<(Checkpoint, usize)>,
    entries: Vec<String>,
    places: Vec<u64>,
}

impl Sink for Kept {
    fn entry(&mut self, _: u32, entry: &Entry) {
        self.entries.push(entry.path.clone());
    }

    fn table(&mut self, table: &Table) -> TableId {
        let known = self
            .tables
            .iter()
            .position(|known| (known.entry, &known.name, &known.columns) == (table.entry, &table.name, &table.columns));
        TableId(known.unwrap_or_else(|| {
            self.tables.push(table.clone());
            self.tables.len() - 1
        }) as u32)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        self.places.push(batch.place.offset);
        for row in batch.rows() {
            let field = |column| row.field(column).map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"));
            self.rows.push((table.0, (0..row.len()).map(field).collect()));
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.damages.push(damage);
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint, _: u64) {
        self.checkpoints.push((checkpoint.clone(), self.rows.len()));
    }
}

impl Kept {
    fn of(bytes: &[u8]) -> Self {
        Self::with("dump", bytes, &Options::default())
    }

    fn with(name: &str, mut bytes: &[u8], options: &Options) -> Self {
        let mut kept = Self::default();
        read_from(name, &mut bytes, options, &mut kept);
        kept
    }

    fn rows(&self) -> Vec<Row> {
        self.rows.iter().map(|(_, row)| row.clone()).collect()
    }

    fn columns(&self, table: usize) -> Vec<&str> {
        self.tables[table].columns.iter().map(|name| name.as_deref().unwrap_or("")).collect()
    }
}

fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
    (0..count).map(line).collect()
}

fn row(fields: &[&str]) -> Row {
    fields.iter().map(|field| (*field != "NULL").then(|| (*field).to_owned())).collect()
}

const MYSQLDUMP: &str = r"-- MySQL dump 10.13
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `users`;
CREATE TABLE `users` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(50) DEFAULT '',
  `email` varchar(100) DEFAULT NULL COMMENT 'a, b)',
  `avatar` blob,
  `rate` decimal(5,2),
  PRIMARY KEY (`id`),
  KEY `name` (`name`,`email`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;
LOCK TABLES `users` WRITE;
/*!40000 ALTER TABLE `users` DISABLE KEYS */;
INSERT INTO `users` VALUES (1,'O\'Brien','a@b.test',_binary 'x\0y',-1.50),(2,'it''s \\ fine\n',NULL,0x4869,2),(3,'张三','),(','', 0.0);
INSERT INTO `users` (`id`, `email`) VALUES
(4, 'c@d.test'),
(5, 'e@f.test');
UNLOCK TABLES;
-- Dump completed
";

#[test]
fn mysqldump_with_its_escapes() {
    let kept = Kept::of(MYSQLDUMP.as_bytes());
    let expected = [
        row(&["1", "O'Brien", "a@b.test", "x\0y", "-1.50"]),
        row(&["2", "it's \\ fine\n", "NULL", "Hi", "2"]),
        row(&["3", "张三", "),(", "", "0.0"]),
        row(&["4", "c@d.test"]),
        row(&["5", "e@f.test"]),
    ];
    assert_eq!(kept.rows(), expected);
    assert_eq!(kept.columns(0), ["id", "name", "email", "avatar", "rate"]);
    assert_eq!(kept.columns(1), ["id", "email"]);
    assert_eq!(kept.tables[0].dialect, Dialect::SqlInsert);
    assert_eq!(kept.damages, []);
}

#[test]
fn the_first_row_of_a_batch_is_where_its_place_says() {
    let kept = Kept::of(MYSQLDUMP.as_bytes());
    let begins: Vec<_> = kept.places.iter().map(|&place| &MYSQLDUMP[place as usize..][..3]).collect();
    assert_eq!(begins, ["(1,", "(4,"]);
}

#[test]
fn pg_dump_copy_and_inserts() {
    let dump = "--\n-- PostgreSQL database dump\n--\nSET standard_conforming_strings = on;\n\
        CREATE TABLE public.users (\n    id integer NOT NULL,\n    \"Full name\" text,\n    note text\n);\n\
        COPY public.users (id, \"Full name\", note) FROM stdin;\n\
        1\tAda\\tLovelace\t\\N\n2\t''\tback\\\\slash\n\\.\n\n\
        INSERT INTO public.users VALUES (3, 'C:\\', E'a\\'b');\n\
        INSERT INTO public.users VALUES (4, 'line\nline', now());\n";
    let kept = Kept::of(dump.as_bytes());
    let expected = [
        row(&["1", "Ada\tLovelace", "NULL"]),
        row(&["2", "''", "back\\slash"]),
        row(&["3", "C:\\", "a'b"]),
        row(&["4", "line\nline", "now()"]),
    ];
    assert_eq!(kept.rows(), expected);
    assert_eq!(kept.columns(0), ["id", "Full name", "note"]);
    assert_eq!(kept.damages, []);
}

#[test]
fn sql_server_and_oracle() {
    let dump = "INSERT [dbo].[users] ([id], [name], [made]) VALUES (1, N'李四', CAST(N'2011-12-21' AS DateTime))\nGO\n\
        Insert into APP.USERS (ID,NAME,MADE) values (2,'x',to_date('2011-12-21','yyyy-mm-dd'));\n";
    let kept = Kept::of(dump.as_bytes());
    assert_eq!(kept.rows(), [row(&["1", "李四", "2011-12-21"]), row(&["2", "x", "2011-12-21"])]);
    assert_eq!(kept.columns(0), ["id", "name", "made"]);
    assert_eq!(kept.tables[0].name.as_deref(), Some("users"));
    assert_eq!(kept.damages, []);
}

#[test]
fn csv_with_quotes_and_line_ends_in_them() {
    let dump = "id,name,email\r\n1,\"Ada, \"\"Countess\"\"\",a@b.test\r\n2,\"two\nlines\",\"c@d.test\"\r\n3,,\"\"\r\n";
    let kept = Kept::of(dump.as_bytes());
    let expected =
        [row(&["1", "Ada, \"Countess\"", "a@b.test"]), row(&["2", "two\nlines", "c@d.test"]), row(&["3", "", ""])];
    assert_eq!(kept.rows(), expected);
    assert_eq!(kept.columns(0), ["id", "name", "email"]);
    assert_eq!(kept.tables[0].dialect, Dialect::Csv(b','));
}

#[test]
fn lists_without_quotes_and_without_a_header() {
    for separator in ["----", ":", "|", ";", "\t", "||"] {
        for end in ["\n", "\r\n"] {
            let line = |number: u32| {
                [format!("user-{number}"), format!("p--{number}"), format!("u-{number}@mail-{number}.test")]
                    .join(separator)
            };
            let dump: String = lines(30, |number| line(number) + end);
            let kept = Kept::of(dump.as_bytes());
            assert_eq!(kept.rows().len(), 30, "{separator:?}");
            assert_eq!(kept.rows()[7], row(&["user-7", "p--7", "u-7@mail-7.test"]), "{separator:?}");
            assert_eq!(kept.columns(0), ["", "", ""]);
        }
    }
}

#[test]
fn json_lines_and_arrays() {
    let objects = [
        r#"{"id":1,"name":"\u5f20\u4e09","more":{"email":"a@b.test","tags":["x","}"]}}"#,
        r#"{"id":2,"name":null,"more":{"email":"q\"\\@b.test"},"vip":true}"#,
    ];
    let expected =
        [row(&["1", "张三", "a@b.test", r#"["x","}"]"#, "NULL"]), row(&["2", "NULL", "q\"\\@b.test", "NULL", "true"])];
    for dump in [objects.join("\n"), format!("[\n  {}\n]\n", objects.join(",\n  "))] {
        let kept = Kept::of(dump.as_bytes());
        assert_eq!(kept.rows(), expected);
        assert_eq!(kept.columns(0), ["id", "name", "more.email", "more.tags", "vip"]);
        assert_eq!(kept.tables[0].dialect, Dialect::JsonLines);
        assert_eq!(kept.damages, []);
    }
}

#[test]
fn a_key_seen_late_makes_another_table_and_a_broken_object_costs_its_line() {
    let mut dump = lines(50, |number| format!("{{\"id\":{number},\"qq\":\"1000{number}\"}}\n"));
    dump += "{\"id\":50,\"qq\" \"broken\n{\"id\":51,\"new\":\"x\"}\n";
    let kept = Kept::with("dump", dump.as_bytes(), &Options { sample: 512, ..Options::default() });
    assert_eq!(kept.rows().len(), 51);
    assert_eq!(kept.rows()[50], row(&["51", "NULL", "x"]));
    assert_eq!(kept.columns(1), ["id", "qq", "new"]);
    assert_eq!(kept.damages.len(), 1);
}

#[test]
fn php_serialised_lines() {
    let dump = lines(3, |number| format!("a:2:{{s:4:\"name\";s:6:\"张三\";s:2:\"qq\";i:{number};}}\n"));
    let kept = Kept::of(&encoding_rs::GB18030.encode(&dump).0);
    assert_eq!(kept.rows()[2], row(&["张三", "2"]));
    assert_eq!(kept.columns(0), ["name", "qq"]);
    assert_eq!(kept.tables[0].dialect, Dialect::PhpSerialized);
}

#[test]
fn a_gbk_list_is_given_in_utf8() {
    let dump = lines(50, |number| format!("张三丰{number}----密码诚{number}----user{number}@qq.com\r\n"));
    let kept = Kept::of(&encoding_rs::GB18030.encode(&dump).0);
    assert_eq!(kept.rows()[49], row(&["张三丰49", "密码诚49", "user49@qq.com"]));
    assert_eq!(kept.tables[0].encoding, "gb18030");
    assert_eq!(kept.damages, []);
}

#[test]
fn utf16_with_and_without_a_mark() {
    let dump: String = lines(50, |number| format!("{number}\t王五𠮷\tw{number}@qq.com\r\n"));
    for marked in [true, false] {
        let units = dump.encode_utf16().flat_map(u16::to_le_bytes);
        let bytes: Vec<u8> = if marked { [0xFF, 0xFE].into_iter().chain(units).collect() } else { units.collect() };
        let kept = Kept::of(&bytes);
        assert_eq!(kept.rows()[49], row(&["49", "王五𠮷", "w49@qq.com"]));
        assert_eq!(kept.tables[0].encoding, "UTF-16LE");
    }
}

#[test]
fn a_list_behind_an_sql_dump_is_another_table() {
    let list: String = lines(40, |number| format!("name{number}----{number}@b.test\n"));
    let kept = Kept::with(
        "dump",
        (MYSQLDUMP.to_owned() + &list).as_bytes(),
        &Options { examine_every: 16, ..Options::default() },
    );
    assert_eq!(kept.rows().len(), 45);
    assert_eq!(kept.rows()[44], row(&["name39", "39@b.test"]));
    assert_eq!(kept.tables.last().unwrap().dialect, Dialect::Separated("----"));
}

#[test]
fn a_gzip_that_is_cut_gives_its_rows_and_says_so() {
    let list: String = lines(4000, |number| format!("{},{number}@b.test\n", number * 7919 % 10007));
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(list.as_bytes(), flate2::Compression::default()).read_to_end(&mut packed).unwrap();
    let whole = Kept::with("a.csv.gz", &packed, &Options::default());
    assert_eq!((whole.rows.len(), whole.damages.len()), (4000, 0));
    assert_eq!(whole.entries, ["a.csv.gz!a.csv"]);
    let cut = Kept::with("a.csv.gz", &packed[..packed.len() / 2], &Options::default());
    assert!(cut.rows.len() > 1000 && cut.rows.len() < 4000);
    assert!(cut.damages.iter().any(|damage| damage.what.contains("cut short")));
}

#[test]
fn damage_in_a_statement_costs_its_line_only() {
    let dump = "INSERT INTO `t` VALUES (1,'a'),(2;'b'),(3,'c');\nINSERT INTO `t` VALUES (4,'d');\n";
    let kept = Kept::of(dump.as_bytes());
    assert_eq!(kept.rows(), [row(&["1", "a"]), row(&["4", "d"])]);
    assert_eq!(kept.damages.len(), 1);
}

#[test]
fn an_endless_line_is_passed_over() {
    let mut dump = "a,1\n".repeat(20).into_bytes();
    dump.extend(std::iter::repeat_n(b'x', 3 << 20));
    dump.extend_from_slice(b"\nb,2\n");
    let kept = Kept::with("dump", &dump, &Options { longest_row: 1 << 20, ..Options::default() });
    assert_eq!(kept.rows().len(), 21);
    assert_eq!(kept.damages[0].bytes, Some((3 << 20) + 1));
}

#[test]
fn reading_goes_on_from_every_checkpoint() {
    let list: String = lines(9000, |number| format!("张{number}----{number}@b.test----北京\n"));
    for bytes in [list.clone().into_bytes(), encoding_rs::GB18030.encode(&list).0.into_owned()] {
        let options = Options { block: 16 << 10, ..Options::default() };
        let whole = Kept::with("dump", &bytes, &options);
        assert_eq!(whole.rows.len(), 9000);
        assert!(whole.checkpoints.len() > 10);
        for (checkpoint, before) in &whole.checkpoints {
            let written = serde_json::to_string(checkpoint).unwrap();
            let from = Some(serde_json::from_str(&written).unwrap());
            let rest = Kept::with("dump", &bytes, &Options { from, ..options.clone() });
            assert_eq!(rest.rows()[..], whole.rows()[*before..]);
        }
    }
}

#[test]
fn json_rows_that_are_never_closed_are_looked_at_once() {
    let unclosed = "{\"a\":[\n".repeat(60_000);
    let closed = "{\"a\":[\n".repeat(60_000) + &"]}]".repeat(60_000);
    let long = format!("{{\"a\":[[{}\n", "1,".repeat(20)).repeat(40_000);
    let deep = format!("{{\"a\":[{}\n", "[1],".repeat(5)).repeat(40_000);
    for bad in [unclosed, closed, long, deep] {
        let dump = "{\"a\":1}\n".repeat(20) + &bad + "\n{\"a\":2}\n";
        let options = Options { longest_row: 1 << 18, examine_every: 1 << 40, ..Options::default() };
        let kept = Kept::with("dump", dump.as_bytes(), &options);
        assert_eq!(kept.rows().first(), Some(&row(&["1"])));
        assert_eq!(kept.rows().last(), Some(&row(&["2"])));
    }
}

#[test]
fn an_unclosed_string_or_bracket_in_json_costs_its_own_row() {
    let dump = lines(50, |number| match number {
        20 => "{\"id\":20,\"name\":\"not closed}\n".to_owned(),
        30 => "{\n  \"id\":30,\n  \"name\":[\"a\",\n}\n".to_owned(),
        _ => format!("{{\n  \"id\":{number},\n  \"name\":\"n\"\n}}\n"),
    });
    let kept = Kept::of(dump.as_bytes());
    let ids: Vec<_> = kept.rows().iter().filter_map(|row| row[0].clone()).collect();
    let expected: Vec<_> =
        (0..50).filter(|number| ![20, 30].contains(number)).map(|number| number.to_string()).collect();
    assert_eq!(ids, expected);
}

/// Counts what a dump makes a reader say of its tables.
#[derive(Default)]
struct Names {
    told: usize,
    bytes: usize,
    rows: usize,
}

impl Sink for Names {
    fn table(&mut self, table: &Table) -> TableId {
        self.told += 1;
        self.bytes += table.columns.iter().flatten().map(String::len).sum::<usize>();
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        self.rows += batch.len();
    }

    fn damage(&mut self, _: Damage) {}
}

fn names(dump: &str) -> Names {
    let mut names = Names::default();
    read_from("dump", &mut dump.as_bytes(), &Options::default(), &mut names);
    names
}

#[test]
fn tables_that_take_turns_are_told_once() {
    let columns: Vec<String> = (0..1000).map(|column| format!("`column_{column}` int")).collect();
    let create = |name: &str| format!("CREATE TABLE `{name}` ({});\n", columns.join(","));
    let dump = create("a") + &create("b") + &"INSERT INTO `a` VALUES (1);INSERT INTO `b` VALUES (2);\n".repeat(20_000);
    let names = names(&dump);
    assert_eq!((names.told, names.rows), (2, 40_000));
}

#[test]
fn a_table_of_any_width_names_a_thousand_columns_of_a_few_letters() {
    let columns: Vec<String> = (0..3000).map(|column| format!("c{column} int")).collect();
    let long = "x".repeat(10_000);
    let dump = format!(
        "CREATE TABLE a ({});\nINSERT INTO a VALUES (1);\nINSERT INTO b (`{long}`) VALUES (1);\n",
        columns.join(",")
    );
    let kept = Kept::of(dump.as_bytes());
    assert_eq!((kept.columns(0).len(), kept.columns(1)[0].len(), kept.rows.len()), (1024, 256, 2));
}

#[test]
fn keys_within_a_long_key_are_not_copied_with_it() {
    let (long, inner) = ("k".repeat(1 << 20), lines(900, |number| format!("\"{number}\":1,")));
    let json = format!("{{\"{long}\":{{{inner}\"x\":2}}}}\n");
    let entries = lines(900, |number| format!("i:{number};i:1;"));
    let php = format!("a:1:{{s:{}:\"{long}\";a:900:{{{entries}}}}}\n", long.len());
    for dump in [json, php] {
        let options = Options { sample: 4 << 20, ..Options::default() };
        let kept = Kept::with("dump", dump.as_bytes(), &options);
        assert!(kept.tables.iter().flat_map(|table| &table.columns).flatten().all(|name| name.len() <= 256));
        assert_eq!(kept.rows.len(), 1);
    }
}

#[test]
fn no_name_of_the_dump_is_in_what_debug_shows() {
    let dump = "CREATE TABLE `secret_table` (`secret_column` int);\n".to_owned()
        + &"INSERT INTO `secret_table` VALUES (1);\n".repeat(20_000);
    let kept = Kept::of(dump.as_bytes());
    assert!(!kept.checkpoints.is_empty());
    let shown = format!("{:?} {:?}", kept.checkpoints, kept.tables);
    assert!(!shown.contains("secret"), "{}", shown.len());
}
