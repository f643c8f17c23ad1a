//! E-mail addresses.

use super::list::{List, Spelling};
use crate::bits;

/// Shortest local part of an e-mail address that stands for the address.
const SHORTEST_LOCAL_PART: usize = 6;

/// Bits of a domain in a mask: it is one of about a thousand that most people use.
const BITS_OF_DOMAIN: f64 = 10.0;

/// The address, the addresses that reach the same mailbox, its local part and its masks.
pub(super) fn push(text: &str, list: &mut List) {
    let Some((local, domain)) = text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty())
    else {
        return;
    };
    let (mailbox, tag) = local.split_once('+').unwrap_or((local, ""));
    if !tag.is_empty() && !mailbox.is_empty() {
        list.push("without tag", format!("{mailbox}@{domain}"));
    }
    // Gmail ignores dots; other providers do not.
    if ["gmail.com", "googlemail.com"].into_iter().any(|name| domain.eq_ignore_ascii_case(name)) {
        list.push("without dots", format!("{}@{domain}", mailbox.replace('.', "")));
    }
    for (form, at) in [("with at in words", " at "), ("with at in brackets", "[at]"), ("with at in brackets", " [at] ")]
    {
        list.push(form, format!("{local}{at}{domain}"));
    }
    for (form, part) in [("local part", local), ("local part without tag", mailbox)] {
        if part.len() >= SHORTEST_LOCAL_PART {
            list.part(form, part);
        }
    }
    masks(local, domain, list);
}

fn masks(local: &str, domain: &str, list: &mut List) {
    let chars: Vec<char> = local.chars().collect();
    for head in 1..=3 {
        let Some(start) = chars.get(..head).filter(|_| chars.len() > head + 1) else { return };
        let start: String = start.iter().collect();
        let carried = BITS_OF_DOMAIN + bits::of_value(start.as_bytes(), None);
        for stars in ["***".to_owned(), "****".to_owned(), "*".repeat(chars.len() - head)] {
            let text = format!("{start}{stars}@{domain}");
            let spelling = Spelling::text(format!("partial, first {head}"), text).any_case(true);
            list.insert(spelling.derived().carrying(carried));
        }
    }
    if let [first, .., last] = &chars[..] {
        let carried = BITS_OF_DOMAIN + bits::of_value(format!("{first}{last}").as_bytes(), None);
        let spelling = Spelling::text("partial, first and last", format!("{first}***{last}@{domain}")).any_case(true);
        list.insert(spelling.derived().carrying(carried));
    }
}
