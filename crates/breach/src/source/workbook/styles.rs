//! Which styles show a number as a date (ECMA-376 part 1, 18.8.30 and 18.8.31).

use std::collections::HashSet;
use std::io::Read;

use super::xml::{Item, Xml, attribute};

/// Excel has at most 65,490 formats of cells.
const MOST: usize = 65_536;

/// Whether each format of cells is one of dates.
#[derive(Default)]
pub(super) struct Styles(Vec<bool>);

impl Styles {
    pub(super) fn is_date(&self, style: usize) -> bool {
        self.0.get(style).copied().unwrap_or(false)
    }

    /// What is damaged leaves numbers as they are: no row is lost with it.
    pub(super) fn read(source: &mut dyn Read) -> Self {
        let mut xml = Xml::new(source);
        let (mut custom, mut dates, mut inside) = (HashSet::new(), Vec::new(), false);
        while let Ok(item) = xml.next() {
            let Item::Open(start) = item else {
                if matches!(item, Item::End) {
                    break;
                }
                continue;
            };
            let number = || attribute(&start, "numFmtId").and_then(|id| id.parse::<u32>().ok());
            match start.local_name().as_ref() {
                "numFmt" if custom.len() < MOST => {
                    let shows_date = attribute(&start, "formatCode").is_some_and(|code| is_date_code(&code));
                    custom.extend(number().filter(|_| shows_date));
                }
                "cellXfs" => inside = true,
                "cellStyles" | "dxfs" => inside = false,
                "xf" if inside && dates.len() < MOST => {
                    dates.push(number().is_some_and(|id| is_date_number(id) || custom.contains(&id)));
                }
                _ => {}
            }
        }
        Self(dates)
    }
}

/// The formats that need not be written out: of all languages, then of Chinese, Japanese and Korean.
fn is_date_number(id: u32) -> bool {
    matches!(id, 14..=17 | 22 | 27..=36 | 50..=58)
}

/// Whether a format shows a day or a year, outside of quotes, brackets and escapes.
fn is_date_code(code: &str) -> bool {
    let code = code.replace("&quot;", "\"");
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    code.chars().any(|letter| {
        let counts = !quoted && !bracketed && !escaped;
        escaped = counts && matches!(letter, '\\' | '_' | '*');
        match letter {
            '"' if counts || quoted => quoted = !quoted,
            '[' if counts => bracketed = true,
            ']' if !quoted => bracketed = false,
            _ => {}
        }
        counts && matches!(letter.to_ascii_lowercase(), 'y' | 'd')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_dates() {
        for code in ["yyyy-mm-dd", "d/m/yy", "yyyy&quot;年&quot;m&quot;月&quot;", "[$-804]yyyy"] {
            assert!(is_date_code(code), "{code}");
        }
        for code in ["0.00", "[Red]0", "\"day\" 0", "0 \\d", "#,##0", "h:mm"] {
            assert!(!is_date_code(code), "{code}");
        }
    }
}
