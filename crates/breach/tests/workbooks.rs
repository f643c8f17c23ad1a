//! Workbooks give the rows that their sheets show, and say what they could not give.

mod common;

use std::fmt::Write as _;

use common::{Kept, gz};
use dyetrace_breach::{
    Batch, Damage, Dialect, Key, Options, Report, Scan, ScanOptions, Sink, Table, TableId, read, read_from,
};
use proptest::prelude::*;

/// A zip of deflated files of text.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    common::zip(&files, common::Packing::Deflated)
}

fn kept(book: &[u8]) -> Kept {
    Kept::of("x", book)
}

const TYPES: (&str, &str) = ("[Content_Types].xml", "<Types/>");
const SHEET: &str = "xl/worksheets/sheet1.xml";
const STRINGS: &str = "xl/sharedStrings.xml";

fn sheet(rows: &str) -> String {
    format!("<?xml version=\"1.0\"?><worksheet><sheetData>{rows}</sheetData></worksheet>")
}

fn strings(strings: &[&str]) -> String {
    format!("<sst><si>{}</si></sst>", strings.join("</si><si>"))
}

/// Rows of text cells, all of them shared strings.
fn shared(rows: &[Vec<String>]) -> (String, String) {
    let (mut all, mut cells) = (Vec::new(), String::new());
    for (number, row) in (1..).zip(rows) {
        let _ = write!(cells, "<row r=\"{number}\">");
        for (letter, text) in ('A'..='Z').zip(row) {
            let _ = write!(cells, "<c r=\"{letter}{number}\" t=\"s\"><v>{}</v></c>", all.len());
            all.push(format!("<t>{text}</t>"));
        }
        cells.push_str("</row>");
    }
    (sheet(&cells), strings(&all.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn people() -> Vec<Vec<String>> {
    let header = ["email", "mobile", "name"].map(str::to_owned).to_vec();
    let person = |number: u32| {
        vec![
            format!("user{number}@b.test"),
            format!("{}", 13_800_130_000_u64 + u64::from(number) * 7),
            "张三".to_owned(),
        ]
    };
    std::iter::once(header).chain((0..300).map(person)).collect()
}

#[test]
fn cells_of_every_kind() {
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>1</v></c><c r=\"B1\" t=\"inlineStr\"><is><r><t>in</t></r><r><t>line</t></r></is></c>\
        <c r=\"C1\"><v>1.3800138E+10</v></c><c r=\"D1\" s=\"1\"><v>32874</v></c><c r=\"E1\" t=\"b\"><v>1</v></c>\
        <c r=\"F1\" t=\"str\"><f>A1&amp;B1</f><v>a &lt; b&#33;</v></c></row>\
        <row/><row><c/><c t=\"s\"><v>0</v></c><c s=\"2\"><v>0.5</v></c></row>\
        <row r=\"9\"><c r=\"B9\"><f>A1</f><v></v></c><c r=\"C9\"><v>13800138000</v></c></row>";
    let names = strings(&[
        "<r><t>Zhang </t></r><r><rPr/><t xml:space=\"preserve\">San</t></r><rPh><t>hint</t></rPh>",
        "<t>a@b.test</t>",
    ]);
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"0.0&quot;d&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>\
        <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/></cellXfs></styleSheet>";
    let expected =
        ["a@b.test|inline|13800138000|1990-01-01|TRUE|a < b!", "NULL|Zhang San|0.5", "NULL|NULL|13800138000"];
    let sheet = sheet(rows);
    let orders: [[(&str, &str); 4]; 2] = [
        [TYPES, (STRINGS, &names), ("xl/styles.xml", styles), (SHEET, &sheet)],
        [(SHEET, &sheet), ("xl/styles.xml", styles), (STRINGS, &names), TYPES],
    ];
    for files in orders {
        let kept = kept(&zip(&files));
        assert_eq!(kept.joined(), expected);
        assert_eq!(kept.whats(), [""; 0]);
        assert_eq!(kept.entries, ["x!xl/worksheets/sheet1.xml"]);
        assert_eq!((kept.tables[0].dialect, kept.tables[0].name.as_deref()), (Dialect::Worksheet, Some("sheet 1")));
    }
}

#[test]
fn what_xml_cannot_hold_is_undone_in_shared_and_inline_strings() {
    let rows = "<row><c t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is><t>b_x000D_</t></is></c><c t=\"str\"><v>_x005F_x41</v></c></row>";
    let strings = strings(&["<r><t>u_x0031_</t></r><r><t>@b.te_x0073</t></r><r><t>_t</t></r>"]);
    let kept = kept(&zip(&[TYPES, (SHEET, &sheet(rows)), (STRINGS, &strings)]));
    // Runs are undone one by one: what two of them make together is none.
    assert_eq!(kept.joined(), ["u1@b.te_x0073_t|b\r|_x41"]);
}

#[test]
fn a_first_row_names_columns_by_the_rule_of_lists_and_sheets_are_tables() {
    let (with, texts) = shared(&people());
    let without =
        sheet(&"<row><c><v>13800138000</v></c><c t=\"inlineStr\"><is><t>a@b.test</t></is></c></row>".repeat(20));
    let files = [TYPES, (SHEET, &*with), ("xl/worksheets/sheet12.xml", &*without), (STRINGS, &*texts)];
    let kept = kept(&zip(&files));
    assert_eq!(kept.whats(), [""; 0]);
    let names: Vec<_> = kept.tables.iter().map(|table| table.name.as_deref()).collect();
    assert_eq!(names, [Some("sheet 1"), Some("sheet 12")]);
    let columns: Vec<_> = kept.tables[0].columns.iter().map(Option::as_deref).collect();
    assert_eq!(columns, [Some("email"), Some("mobile"), Some("name")]);
    assert_eq!(kept.tables[1].columns, [None, None]);
    assert_eq!((kept.rows.len(), kept.joined()[0].as_str()), (320, "user0@b.test|13800130000|张三"));
}

fn scanned(mut bytes: &[u8]) -> Report {
    let mut scan = Scan::new(&Key::from_bytes([7; 32]), ScanOptions::default());
    read_from("x", &mut bytes, &Options::default(), &mut scan);
    scan.finish()
}

#[test]
fn the_same_people_as_in_the_list() {
    let rows = people();
    let (sheet, strings) = shared(&rows);
    let book = scanned(&zip(&[TYPES, (SHEET, &sheet), (STRINGS, &strings)]));
    let list: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    let list = scanned(list.as_bytes());
    assert_eq!(book.people, list.people);
    assert_eq!((book.tables[0].rows, &book.tables[0].columns), (300, &list.tables[0].columns));
    assert_eq!(book.tables[0].name.as_deref(), Some("sheet 1"));
}

#[test]
fn from_a_file_and_within_other_archives() {
    let (sheet, strings) = shared(&people());
    let book = zip(&[TYPES, (SHEET, &sheet), (STRINGS, &strings)]);
    let path = std::env::temp_dir().join(format!("dyetrace-breach-{}.xlsx", std::process::id()));
    std::fs::write(&path, &book).expect("written");
    let mut from_file = Kept::default();
    read(std::slice::from_ref(&path), &Options::default(), &mut from_file).expect("opened");
    std::fs::remove_file(&path).expect("removed");
    let from_gz = kept(&gz(&book));
    assert_eq!((from_file.rows.len(), from_gz.entries[0].as_str()), (300, "x!x!xl/worksheets/sheet1.xml"));
    assert_eq!(from_file.joined(), from_gz.joined());
    assert_eq!([from_file.damages, from_gz.damages].concat(), []);
}

#[test]
fn digits_that_are_lost_are_said() {
    let kept = kept(&zip(&[TYPES, (SHEET, &sheet("<row><c><v>1.10105199003074E+17</v></c><c><v>7</v></c></row>"))]));
    assert_eq!(kept.joined(), ["NULL|7"]);
    assert!(kept.damaged("more than 15 digits"));
}

#[test]
fn what_is_wrong_in_a_sheet_is_said_and_the_rest_read() {
    let good = "<row><c><v>1</v></c><c><v>2</v></c></row>";
    let long = "x".repeat(2 << 20);
    let deep = "<a>".repeat(100);
    for (rows, what) in [
        ("<row><c t=\"s\"><v>9</v></c></row>", "shared strings that are not there"),
        (
            "<row><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c><c r=\"ZZZZ1\"><v>1</v></c></row>",
            "not in their order",
        ),
        ("<row><c><v>&unknown;</v></c></row>", "no XML"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]>", "no XML"),
        ("</row>", "no XML"),
        (&*long, "no XML"),
        (&*deep, "no XML"),
    ] {
        let kept = kept(&zip(&[TYPES, (SHEET, &sheet(&format!("{good}{rows}")))]));
        assert_eq!(kept.joined().first().map(String::as_str), Some("1|2"), "{what}");
        assert!(kept.damaged(what), "{what}: {:?}", kept.damages);
    }
}

#[test]
fn cut_anywhere_no_row_is_invented() {
    let (sheet, strings) = shared(&people());
    for files in [[(STRINGS, &*strings), (SHEET, &*sheet), TYPES], [TYPES, (SHEET, &sheet), (STRINGS, &strings)]] {
        let book = zip(&files);
        let whole = kept(&book).joined();
        for length in (60..book.len() - 16).step_by(23) {
            let cut = kept(&book[..length]);
            assert!(!cut.damages.is_empty(), "{length}");
            for (number, row) in cut.joined().iter().enumerate() {
                let is_known = row.split('|').all(|field| field == "NULL") || whole.contains(row);
                assert!(is_known || number == 0 || row.contains("NULL"), "a row no one wrote: {row}");
            }
        }
    }
}

#[test]
fn strings_named_again_and_again_are_a_bomb() {
    let text = format!("<t>{}</t>", "x".repeat(32_000));
    let cells = "<row><c t=\"s\"><v>0</v></c></row>".repeat(40_000);
    let book = zip(&[TYPES, (SHEET, &sheet(&cells)), (STRINGS, &strings(&[&text]))]);
    let kept = Counted::of(&book);
    assert!(kept.damaged, "1.2 GB come out of {} bytes", book.len());
    assert!(kept.bytes < 400 << 20);
}

/// Keeps no values.
#[derive(Default)]
struct Counted {
    bytes: usize,
    damaged: bool,
}

impl Counted {
    fn of(mut bytes: &[u8]) -> Self {
        let mut counted = Self::default();
        read_from("x", &mut bytes, &Options::default(), &mut counted);
        counted
    }
}

impl Sink for Counted {
    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        self.bytes += batch.rows().map(|row| row.field(0).map_or(0, <[u8]>::len)).sum::<usize>();
    }

    fn damage(&mut self, damage: Damage) {
        self.damaged |= damage.what.contains("far more than a dump does");
    }
}

#[test]
fn what_is_not_read_is_refused_with_its_reason() {
    for (bytes, why) in [
        (zip(&[TYPES, ("xl/workbook.bin", "x")]), ".xlsb"),
        (zip(&[TYPES, ("word/document.xml", "<x/>")]), "only workbooks"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and so on".to_vec(), "password"),
    ] {
        let kept = kept(&bytes);
        assert_eq!((kept.rows.len(), kept.damages.len()), (0, 1), "{why}");
        assert!(kept.damaged(why), "{why}: {:?}", kept.damages);
    }
}

#[test]
fn a_folder_called_xl_makes_no_workbook() {
    let lines: Vec<_> = (0..20).map(|number| format!("user{number}----{number}@b.test\n")).collect();
    let list = lines.concat();
    let kept = kept(&zip(&[("xl/list.txt", &list)]));
    assert_eq!((kept.rows.len(), kept.damages.len()), (20, 0));
}

fn pieces() -> impl Strategy<Value = String> {
    let known = vec![
        "<row>",
        "</row>",
        "<c>",
        "<c t=\"s\">",
        "<c r=\"XFD1\">",
        "<c r=\"B2\" s=\"1\">",
        "</c>",
        "<v>",
        "</v>",
        "0",
        "1E9",
        "9e999",
        "<is><t>",
        "</t></is>",
        "<si>",
        "</si>",
        "<t>",
        "</t>",
        "<rPh>",
        "</rPh>",
        "&amp;",
        "&#x1F;",
        "&#1114112;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<sheetData>",
        "</sheetData>",
        "<?x",
        "\n",
        "\"",
        "\u{1E}",
        "\u{1F}",
        "\u{1D}",
        "张三",
        "<cellXfs><xf numFmtId=\"14\"/>",
    ];
    let piece = prop_oneof![9 => proptest::sample::select(known).prop_map(str::to_owned), 1 => ".{0,6}"];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_parts_are_read(rows in pieces(), texts in pieces(), styles in pieces(), framed in any::<bool>(), flip in any::<(u16, u8)>()) {
        let (rows, texts) = if framed { (sheet(&rows), strings(&[&texts])) } else { (rows, texts) };
        let mut book = zip(&[TYPES, (SHEET, &rows), ("xl/styles.xml", &styles), (STRINGS, &texts)]);
        kept(&book);
        let at = usize::from(flip.0) % book.len();
        book[at] = flip.1;
        kept(&book);
        dyetrace_breach::fuzzing::scan(&book);
    }
}
