//! Addresses of network interfaces: EUI-48, and the EUI-64 that IPv6 makes of one.

use super::list::{List, Spelling};
use super::number::bits_of_digits;

/// Six octets in every usual dress.
pub(super) fn push(text: &str, list: &mut List) {
    let Some(octets) = octets(text) else { return };
    let hex = dyetrace_case::hex(&octets);
    let joined =
        |size: usize, gap: &str| hex.as_bytes().chunks(size).map(String::from_utf8_lossy).collect::<Vec<_>>().join(gap);
    list.push("with colons", joined(2, ":"));
    list.push("without separators", &hex);
    list.push("with dashes", joined(2, "-"));
    list.push("with dots", joined(4, "."));
    list.push("with spaces", joined(2, " "));
    list.push("in groups of 4 with dashes", joined(4, "-"));
    let short: Vec<_> = octets.iter().map(|octet| format!("{octet:x}")).collect();
    list.push("without leading zeros", short.join(":"));
    machine(octets, list);
    interface_identifier(octets, list);
    last_three(octets, list);
}

/// The octets of an address, whatever stands between them; `None` where it is no EUI-48.
pub(super) fn octets(text: &str) -> Option<[u8; 6]> {
    if text.chars().any(|c| !c.is_ascii_hexdigit() && !matches!(c, ':' | '-' | '.' | ' ')) {
        return None;
    }
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let number = u64::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 12)?;
    number.to_be_bytes()[2..].try_into().ok()
}

fn machine(octets: [u8; 6], list: &mut List) {
    let mut backwards = octets;
    backwards.reverse();
    for (form, bytes) in [("six bytes", &octets), ("six bytes, backwards", &backwards)] {
        list.raw(form, bytes, 48.0);
        let number = bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        list.integer(&form.replace("six bytes", "integer"), i128::from(number), 48.0);
        let digits = number.to_string();
        if digits.len() >= 10 {
            let bits = bits_of_digits(digits.len()).min(48.0);
            list.insert(Spelling::text(form.replace("six bytes", "decimal"), digits).bounded().carrying(bits));
        }
    }
}

/// Modified EUI-64 (RFC 4291 appendix A): FF FE in the middle, the bit *universal/local* turned.
fn interface_identifier(octets: [u8; 6], list: &mut List) {
    let eui = [octets[0] ^ 2, octets[1], octets[2], 0xFF, 0xFE, octets[3], octets[4], octets[5]];
    let pairs: Vec<u16> = eui.chunks_exact(2).map(|pair| u16::from(pair[0]) << 8 | u16::from(pair[1])).collect();
    let text = |form: fn(&u16) -> String| pairs.iter().map(form).collect::<Vec<_>>().join(":");
    for text in [text(|pair| format!("{pair:04x}")), text(|pair| format!("{pair:x}"))] {
        list.insert(Spelling::text("in an IPv6 address", text).any_case(true).carrying(48.0));
    }
    list.raw("EUI-64", eui, 48.0);
}

/// What tells one device of a maker from another. Too few bits to accuse anybody.
fn last_three(octets: [u8; 6], list: &mut List) {
    let texts: Vec<_> = octets[3..].iter().map(|octet| format!("{octet:02x}")).collect();
    for gap in [":", "-", ""] {
        let spelling = Spelling::text("last three octets", texts.join(gap)).any_case(true).bounded();
        list.insert(spelling.derived().carrying(24.0));
    }
}
