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
                spans
                    .push(field.as_ref().map_or(Span::NULL, |field| Span::new(bytes.len() as u32, field.len() as u32)));
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
fn values_only_are_counted_as_with_all_the_rest() {
    let spoilt = |(number, mut row): (usize, Vec<Option<String>>)| {
        for field in row.iter_mut().flatten().filter(|_| number % 7 == 0) {
            let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).filter(|_| letter.is_ascii_digit());
            *field = match number % 3 {
                0 => field.chars().map(|letter| wide(letter).unwrap_or(letter)).collect(),
                1 => field.replace('2', "3"),
                _ => format!(" {field}"),
            };
        }
        row
    };
    let rows: Vec<_> = members(6000).into_iter().enumerate().map(spoilt).collect();
    let counted = |only_valid| {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions { only_valid, ..ScanOptions::default() });
        feed(&mut scan, &table(&MEMBER), &rows);
        scan.finish().tables
    };
    let (all, only) = (counted(false), counted(true));
    for (all, only) in all[0].columns.iter().zip(&only[0].columns) {
        assert_eq!((all.kind, all.null, all.empty, all.filled), (only.kind, only.null, only.empty, only.filled));
        assert_eq!((all.valid, all.lengths), (only.valid, only.lengths), "{}", all.kind.name());
    }
    assert!(all[0].columns.iter().any(|column| column.valid < column.filled));
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
