//! The page of wrappings says what the code undoes. `DYETRACE_BLESS=1` writes it anew.

use dyetrace_search::wrappings;
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wrappings.md");

#[test]
fn the_page_lists_every_wrapping() {
    let page = page();
    if std::env::var_os("DYETRACE_BLESS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "docs/wrappings.md is out of date: run this test with DYETRACE_BLESS=1");
}

#[test]
fn every_row_has_a_name_of_its_own_and_says_something() {
    let rows = wrappings();
    assert!(rows.windows(2).all(|pair| pair[0].name < pair[1].name), "a name twice");
    for row in rows {
        assert!(![row.name, row.undoes, row.place, row.source].contains(&""), "{}", row.name);
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Wrappings that are undone\n\n\
         Made from the code (`crates/search/src/codec/table.rs`). Wrappings are undone inside each other, to the depth\n\
         and within the work that the options allow. *Exact* places point at the encoded bytes of the value alone;\n\
         the others at the whole encoding.\n\n\
         | Name in trails | What is undone | Where | Place | Source |\n|---|---|---|---|---|\n",
    );
    for row in wrappings() {
        let place = if row.exact { "exact" } else { "whole" };
        let cells = [row.name, row.undoes, row.place, place, row.source].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page
}
