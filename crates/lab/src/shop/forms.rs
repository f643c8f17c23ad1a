//! A dump of customers in the forms in which dumps are passed on, and what is in each column.

use super::customers::{Customer, Customers, Random};
use encoding_rs::GBK;
use md5::{Digest as _, Md5};
use std::fmt::Write as _;
use std::io::{self, Write};

/// How a dump is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As `mysqldump` writes a table: its definition, then `INSERT` lines of a mebibyte.
    Sql,
    /// RFC 4180 with a header line.
    Csv,
    /// `name----password----mail----…` in GBK with CRLF: how Chinese lists are resold.
    Dashes,
    /// One object a line.
    JsonLines,
    /// `mail:password`, of which the commonest are in clear: made from an older copy, with lines of other lists between.
    Resold,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sql, Self::Csv, Self::Dashes, Self::JsonLines, Self::Resold];

    /// What a file of this form is called.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Sql => "shop.sql",
            Self::Csv => "shop.csv",
            Self::Dashes => "shop-gbk.txt",
            Self::JsonLines => "shop.jsonl",
            Self::Resold => "resold.txt",
        }
    }

    /// What its columns hold, in their order, by the words for kinds of data that cases use.
    pub fn columns(self) -> &'static [(&'static str, Holds)] {
        match self {
            Self::Sql | Self::Csv | Self::JsonLines => &FULL,
            Self::Dashes => &LIST,
            Self::Resold => &PAIRS,
        }
    }

    /// Writes customers `1..=count` and counts what was written.
    ///
    /// # Errors
    /// The output could not be written.
    pub fn write(self, customers: &Customers, count: u64, out: &mut dyn Write) -> io::Result<Written> {
        let mut written = Written { rows: 0, bytes: 0, filled: vec![0; self.columns().len()] };
        let mut text = String::new();
        self.begin(&mut text);
        for number in 1..=count {
            let customer = customers.get(number);
            for row in self.rows(&customer) {
                self.row(&row, &mut text, number == count, &mut written);
            }
            if text.len() >= 1 << 20 {
                self.flush(&mut text, out, &mut written)?;
            }
        }
        if self == Self::Sql && count > 0 {
            text.push_str(";\nUNLOCK TABLES;\n-- Dump completed on 2013-08-01 12:00:00\n");
        }
        self.flush(&mut text, out, &mut written)?;
        Ok(written)
    }

    fn begin(self, text: &mut String) {
        let names = || self.columns().iter().map(|(name, _)| *name);
        match self {
            Self::Sql => {
                text.push_str("-- MySQL dump 10.13  Distrib 5.1.61\n--\n-- Host: db1    Database: shop\n\n");
                text.push_str("DROP TABLE IF EXISTS `customer`;\nCREATE TABLE `customer` (\n");
                for name in names() {
                    let _ = writeln!(text, "  `{name}` varchar(255) DEFAULT NULL,");
                }
                text.push_str("  PRIMARY KEY (`user_id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8;\n\n");
                text.push_str("LOCK TABLES `customer` WRITE;\n");
            }
            Self::Csv => {
                text.push_str(&names().collect::<Vec<_>>().join(","));
                text.push_str("\r\n");
            }
            Self::Dashes | Self::JsonLines | Self::Resold => {}
        }
    }

    /// The fields of a customer's rows: of a resold copy some customers are missing, and others stand beside strangers.
    fn rows(self, customer: &Customer) -> Vec<Vec<Option<String>>> {
        match self {
            Self::Sql | Self::Csv | Self::JsonLines => vec![full(customer)],
            Self::Dashes => vec![vec![
                Some(customer.account.clone()),
                Some(customer.password.clone()),
                Some(customer.email.clone()),
                Some(customer.mobile.clone()),
                Some(customer.resident_id.clone().unwrap_or_default()),
            ]],
            Self::Resold => resold(customer),
        }
    }

    fn row(self, fields: &[Option<String>], text: &mut String, is_last: bool, written: &mut Written) {
        written.rows += 1;
        for (count, field) in written.filled.iter_mut().zip(fields) {
            *count += u64::from(field.as_ref().is_some_and(|field| !field.is_empty()));
        }
        match self {
            Self::Sql => sql(fields, text, is_last),
            Self::Csv => line(fields, ",", quoted, text),
            Self::Dashes => line(fields, "----", str::to_owned, text),
            Self::Resold => line(fields, ":", str::to_owned, text),
            Self::JsonLines => {
                let names = self.columns().iter().map(|(name, _)| (*name).to_owned());
                let object: serde_json::Map<_, _> =
                    names.zip(fields.iter().map(|field| serde_json::json!(field))).collect();
                let _ = writeln!(text, "{}", serde_json::Value::Object(object));
            }
        }
    }

    fn flush(self, text: &mut String, out: &mut dyn Write, written: &mut Written) -> io::Result<()> {
        let bytes = if self == Self::Dashes { GBK.encode(text).0 } else { text.as_bytes().into() };
        out.write_all(&bytes)?;
        written.bytes += bytes.len() as u64;
        text.clear();
        Ok(())
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Data of a person, by the word for it in cases.
    Personal(&'static str),
    /// What looks like data of a person and is none.
    Decoy,
    /// Anything else.
    Other,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes, encoded.
    pub bytes: u64,
    /// Of each column, the fields that are there and not empty.
    pub filled: Vec<u64>,
}

use Holds::{Decoy, Other, Personal};

const FULL: [(&str, Holds); 14] = [
    ("user_id", Other),
    ("username", Personal("account.name")),
    ("password", Personal("account.password")),
    ("real_name", Personal("person.name")),
    ("email", Personal("email")),
    ("mobile", Personal("phone")),
    ("id_card", Personal("id.cn")),
    ("qq", Personal("account.qq")),
    ("bank_card", Personal("bank.card")),
    ("reg_time", Other),
    ("last_visit", Decoy),
    ("order_no", Decoy),
    ("batch_no", Decoy),
    ("address", Personal("address")),
];

const LIST: [(&str, Holds); 5] = [
    ("username", Personal("account.name")),
    ("password", Personal("account.password")),
    ("email", Personal("email")),
    ("mobile", Personal("phone")),
    ("id_card", Personal("id.cn")),
];

const PAIRS: [(&str, Holds); 2] = [("email", Personal("email")), ("password", Personal("account.password"))];

fn full(customer: &Customer) -> Vec<Option<String>> {
    vec![
        Some(customer.number.to_string()),
        Some(customer.account.clone()),
        Some(md5_hex(&customer.password)),
        Some(customer.name.clone()),
        Some(customer.email.clone()),
        Some(customer.mobile.clone()),
        customer.resident_id.clone(),
        customer.qq.clone(),
        customer.card.clone(),
        Some(date_and_time(customer.opened)),
        Some(customer.visited.to_string()),
        Some(customer.order.clone()),
        Some(impossible_id(customer.number)),
        Some(customer.address.clone()),
    ]
}

/// Eighteen digits that begin like an identity number and have a month that does not exist.
fn impossible_id(number: u64) -> String {
    format!("440305{}13{:02}{:04}", 1950 + number % 40, 1 + number % 28, number % 10_000)
}

/// Every fifth customer is missing; every tenth row is a stranger's. Passwords of the commonest kind are cracked.
fn resold(customer: &Customer) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut random = Random(customer.number ^ 0x7265_736f_6c64);
    if !customer.number.is_multiple_of(5) {
        let is_cracked = customer.password.len() < 11;
        let password = if is_cracked { customer.password.clone() } else { md5_hex(&customer.password) };
        rows.push(vec![Some(customer.email.clone()), Some(password)]);
    }
    if random.below(10) == 0 {
        let stranger = Customers::new(0x7374_7261_6e67_6572).get(customer.number);
        rows.push(vec![Some(stranger.email), Some(stranger.password)]);
    }
    rows
}

/// MD5 (RFC 1321) in lower-case hexadecimal digits, without salt: how the shop kept passwords.
pub fn md5_hex(password: &str) -> String {
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(password.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn sql(fields: &[Option<String>], text: &mut String, is_last: bool) {
    // About as many bytes has a statement (mysqldump's `net_buffer_length`); it is flushed when it has ended.
    const STATEMENT: usize = 1 << 20;
    if text.is_empty() || text.ends_with('\n') {
        text.push_str("INSERT INTO `customer` VALUES ");
    } else {
        text.push(',');
    }
    text.push('(');
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        match field {
            None => text.push_str("NULL"),
            Some(number) if at == 0 => text.push_str(number),
            Some(field) => {
                let _ = write!(text, "'{}'", field.replace('\\', "\\\\").replace('\'', "\\'"));
            }
        }
    }
    text.push(')');
    if !is_last && text.len() >= STATEMENT {
        text.push_str(";\n");
    }
}

fn line(fields: &[Option<String>], between: &str, write: fn(&str) -> String, text: &mut String) {
    let fields: Vec<String> = fields.iter().map(|field| write(field.as_deref().unwrap_or_default())).collect();
    text.push_str(&fields.join(between));
    text.push_str("\r\n");
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// `2011-06-15 08:00:00`, as MySQL writes it (days to a date: Hinnant, "chrono-compatible low-level date algorithms", 2013).
fn date_and_time(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(form: Form, count: u64) -> (Vec<u8>, Written) {
        let mut out = Vec::new();
        let written = form.write(&Customers::new(3), count, &mut out).unwrap();
        (out, written)
    }

    #[test]
    fn a_dump_has_as_many_rows_as_it_says_and_statements_of_at_most_a_little_over_a_mebibyte() {
        let (sql, written) = made(Form::Sql, 20_000);
        let sql = String::from_utf8(sql).unwrap();
        assert_eq!((written.rows, written.bytes), (20_000, sql.len() as u64));
        let inserts: Vec<&str> = sql.lines().filter(|line| line.starts_with("INSERT INTO")).collect();
        assert!(inserts.len() > 2 && inserts.iter().all(|line| line.len() < 1_100_000 && line.ends_with(");")));
        let rows: usize = inserts.iter().map(|line| line.matches("),(").count() + 1).sum();
        assert_eq!(rows, 20_000);
    }

    #[test]
    fn a_list_for_resale_is_in_gbk_and_of_a_copy_some_customers_are_missing() {
        let (list, _) = made(Form::Dashes, 100);
        assert!(list.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).all(|line| line.ends_with(b"\r")));
        let (_, copy) = made(Form::Resold, 10_000);
        assert!((8_800..9_200).contains(&copy.rows), "{}", copy.rows);
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(date_and_time(0), "1970-01-01 00:00:00");
        assert_eq!(date_and_time(1_330_473_600), "2012-02-29 00:00:00");
    }

    #[test]
    fn json_lines_have_null_where_nothing_was_given() {
        let (lines, written) = made(Form::JsonLines, 1_000);
        let lines = String::from_utf8(lines).unwrap();
        let rows: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let cards = rows.iter().filter(|row| !row["bank_card"].is_null()).count() as u64;
        assert_eq!(cards, written.filled[8]);
        assert!((50..150).contains(&cards));
    }
}
