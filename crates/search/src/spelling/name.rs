//! Names of people, and other words.

use super::list::{List, Spelling};

/// `Lin Mei` also as `Mei Lin`, `Lin, Mei`, `LinMei` and with other marks between.
pub(super) fn push(text: &str, list: &mut List) {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() >= 2 {
        let swapped: Vec<&str> = words[1..].iter().chain(&words[..1]).copied().collect();
        let back: Vec<&str> = words[words.len() - 1..].iter().chain(&words[..words.len() - 1]).copied().collect();
        list.push("parts swapped", swapped.join(" "));
        list.push("parts swapped", back.join(" "));
        list.push("parts swapped, with comma", format!("{}, {}", words[0], words[1..].join(" ")));
        list.push("parts swapped, with comma", format!("{}, {}", back[0], back[1..].join(" ")));
        for (form, gap) in [("without spaces", ""), ("with dots", "."), ("with underscores", "_"), ("with dashes", "-")]
        {
            list.push(form, words.join(gap));
            list.push(&format!("parts swapped, {form}"), swapped.join(gap));
        }
    }
    let wide: String = text.chars().map(full_width).collect();
    if text.is_ascii() {
        list.insert(Spelling::text("full-width letters", wide));
    }
}

/// U+FF01 to U+FF5E are ASCII in the width of a Chinese character; the space is U+3000.
fn full_width(c: char) -> char {
    match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        _ => c,
    }
}
