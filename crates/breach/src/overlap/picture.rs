//! The family tree as a picture: one file of SVG that needs nothing else.

use super::compare::{DumpReport, OverlapReport};
use std::fmt::Write as _;

/// Sizes in pixels.
const WIDTH: usize = 260;
const HEIGHT: usize = 64;
const ACROSS: usize = 40;
const DOWN: usize = 60;

/// Draws the tree: originals above, copies below them, with the share of each copy that its original has.
pub fn svg(report: &OverlapReport) -> String {
    let places = places(report);
    let columns = places.iter().map(|(column, _)| column + 1).max().unwrap_or(1);
    let rows = places.iter().map(|(_, row)| row + 1).max().unwrap_or(1);
    let (width, height) = (columns * (WIDTH + ACROSS) + ACROSS, rows * (HEIGHT + DOWN) + DOWN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"title\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title id=\"title\">Which dump was most likely made from which</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for copied in &report.family {
        let (Some(from), Some(to)) = (places.get(copied.of), places.get(copied.copy)) else { continue };
        let (x1, y1) = (middle(from.0), top(from.1) + HEIGHT);
        let (x2, y2) = (middle(to.0), top(to.1));
        let _ = writeln!(
            svg,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#444\"/>\n\
             <text x=\"{}\" y=\"{}\" fill=\"#222\">{:.1} %</text>",
            usize::midpoint(x1, x2) + 6,
            usize::midpoint(y1, y2),
            copied.share * 100.0
        );
    }
    for (dump, place) in report.dumps.iter().zip(&places) {
        node(dump, *place, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn node(dump: &DumpReport, (column, row): (usize, usize), svg: &mut String) {
    let (x, y) = (middle(column) - WIDTH / 2, top(row));
    let shown: String = if dump.name.chars().count() > 34 {
        dump.name.chars().take(33).chain(['…']).collect()
    } else {
        dump.name.clone()
    };
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"#eef3f8\" \
         stroke=\"#345\"/><text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\
         <text x=\"{}\" y=\"{}\">{} rows, {} kinds of data</text></g>",
        escaped(&dump.name),
        x + 12,
        y + 26,
        escaped(&shown),
        x + 12,
        y + 48,
        dump.rows,
        dump.kinds.len()
    );
}

/// Column and row of each dump: a copy stands one row below its original, and in the next free column of that row.
fn places(report: &OverlapReport) -> Vec<(usize, usize)> {
    let original = |dump: usize| report.family.iter().find(|copied| copied.copy == dump).map(|copied| copied.of);
    let depth = |mut dump: usize| {
        let mut depth = 0;
        while let Some(of) = original(dump).filter(|_| depth < report.dumps.len()) {
            (dump, depth) = (of, depth + 1);
        }
        depth
    };
    let mut taken = vec![0; report.dumps.len() + 1];
    let place = |dump: usize| {
        let row = depth(dump);
        let column = taken.get_mut(row).map_or(0, |next| {
            *next += 1;
            *next - 1
        });
        (column, row)
    };
    (0..report.dumps.len()).map(place).collect()
}

fn middle(column: usize) -> usize {
    ACROSS + column * (WIDTH + ACROSS) + WIDTH / 2
}

fn top(row: usize) -> usize {
    DOWN / 2 + row * (HEIGHT + DOWN)
}

fn escaped(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control());
    clean.fold(String::new(), |mut escaped, c| {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
        escaped
    })
}
