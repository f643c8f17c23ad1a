//! Bytes as rows of hexadecimal and text, with stars for what is hidden.

use std::fmt::Write as _;
use std::ops::Range;

/// Bytes shown before and after the value.
const CONTEXT: usize = 32;
/// Bytes in one row.
const ROW: usize = 16;
/// Most bytes shown at once; of more, both ends.
const MOST: usize = 192;

/// Rows of the bytes around `value`. `hidden` says which bytes are shown as stars.
pub(super) fn rows(bytes: &[u8], value: &Range<usize>, hidden: &dyn Fn(usize) -> bool) -> String {
    let start = value.start.saturating_sub(CONTEXT).min(bytes.len());
    let end = value.end.saturating_add(CONTEXT).min(bytes.len()).max(start);
    let mut out = String::new();
    if end - start <= MOST {
        some(bytes, start..end, hidden, &mut out);
    } else {
        some(bytes, start..start + MOST / 2, hidden, &mut out);
        out.push_str("      …\n");
        some(bytes, end - MOST / 2..end, hidden, &mut out);
    }
    out
}

fn some(bytes: &[u8], range: Range<usize>, hidden: &dyn Fn(usize) -> bool, out: &mut String) {
    for from in range.clone().step_by(ROW) {
        row(bytes, from..range.end.min(from + ROW), hidden, out);
    }
}

fn row(bytes: &[u8], range: Range<usize>, hidden: &dyn Fn(usize) -> bool, out: &mut String) {
    let (mut hex, mut text) = (String::new(), String::new());
    for at in range.clone() {
        match bytes.get(at) {
            Some(_) if hidden(at) => {
                hex.push_str("** ");
                text.push('*');
            }
            Some(byte) => {
                let _ = write!(hex, "{byte:02x} ");
                text.push(if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' });
            }
            None => {}
        }
    }
    let _ = writeln!(out, "    {:>8}  {hex:<48} {text}", range.start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_bytes_are_stars_in_both_columns() {
        let shown = rows(b"tel=13800000427&x", &(4..15), &|at| (4..15).contains(&at));
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0].join(" "), "0 74 65 6c 3d ** ** ** ** ** ** ** ** ** ** ** 26 tel=***********&");
        assert_eq!(lines[1].join(" "), "16 78 x");
    }

    #[test]
    fn of_long_values_both_ends_are_shown() {
        let shown = rows(&[b'a'; 10_000], &(100..9000), &|_| false);
        assert_eq!(shown.lines().count(), MOST / ROW + 1);
        assert!(shown.contains('…') && shown.lines().last().unwrap().trim_start().starts_with("9016"));
    }
}
