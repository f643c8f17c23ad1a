//! Numbers and texts as people read them, safe for a terminal.

pub(crate) use dyetrace_case::grouped as count;
use unicode_width::UnicodeWidthStr;

/// Replaces characters that could steer a terminal or reorder text (controls, escapes, bidirectional
/// marks): evidence is written by strangers.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '·' } else { c }).collect()
}

/// Could it steer a terminal or reorder text?
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `12.4 kB`, in powers of 1000.
pub(crate) fn bytes(amount: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if amount < 1000 {
        return format!("{amount} B");
    }
    let mut value = amount as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `11.8 %`; `0 %` of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 { "0 %".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// Fills up with blanks to a width in terminal columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\nd"), "a·[31mb·c·d");
        for mark in ['\u{61c}', '\u{180e}', '\u{200f}', '\u{2060}', '\u{2067}', '\u{206f}', '\u{feff}'] {
            assert_eq!(clean(&mark.to_string()), "·", "{mark:?}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [bytes(999), bytes(1000), bytes(999_999), bytes(12_345_678)],
            ["999 B", "1.0 kB", "1.0 MB", "12.3 MB"]
        );
        assert_eq!(percent(1, 8), "12.5 %");
    }
}
