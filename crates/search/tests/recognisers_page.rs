//! The page of recognisers says what the code recognises. `DYETRACE_BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use dyetrace_search::RECOGNISERS;
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recognisers.md");

const HEAD: &str = "# Personal data that nobody planted

Made from the code (`crates/search/src/recognise/table.rs`). `dyetrace audit --recognise` looks for personal data that is
not planted: in everything that the search for planted values looks at, through the same [wrappings](wrappings.md).

A recogniser says what a value *looks like*. Whether anybody has that number, nobody checks: examples in documentation and
numbers by chance pass as well, as often as the last column says of random texts of the same form. A value that overlaps a
planted one is not reported here. Values are masked, to three characters at the start and two at the end, unless
`--reveal` is given.

* `--recognise` or `--recognise=strict`: resident identity numbers with a province in use, numbers of prefecture and county
  as they are given out, a date of birth not after the year of the record, and a check digit (GB 11643-1999).
* `--recognise=historical`: also any prefecture and county, and the form of 15 digits issued until 1999, which has no check
  digit and is passed by one random number in 90.
* `--recognise=permit`: as strict, and residence permits (810000, 820000, 830000, and 9… for foreigners).

A field's name (`\"imei\":`, `user_phone=`, `<mac>`, `身份证号：`, a header `X-Device-IMEI`) makes a recogniser less strict,
and is the only way to tell kinds without check digit or telling shape. Values with a letter or digit right beside them
count only where 12 bits or more speak for them.

`--fail-on unplanted` ends with exit code 1 where any of it was *sent*.

| Kind | What | Checks | By chance |
|---|---|---|---|
";

#[test]
fn the_page_lists_every_recogniser() {
    let page = page();
    if std::env::var_os("DYETRACE_BLESS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "docs/recognisers.md is out of date: run this test with DYETRACE_BLESS=1");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in RECOGNISERS {
        let cells = [row.what, row.checks, row.by_chance].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(page, "| `{}` | {} |", row.kind, cells.join(" | "));
    }
    page
}
