//! Internet addresses.

use super::list::{List, Spelling};
use super::number::bits_of_digits;
use core::net::IpAddr;

/// Text and machine forms of an IPv4 or IPv6 address (RFC 5952 and RFC 4291 for the latter).
pub(super) fn push(text: &str, list: &mut List) {
    match text.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => {
            list.number("dotted", address.to_string());
            let number = u32::from(address);
            for (form, number) in [("integer", number), ("integer, backwards", number.swap_bytes())] {
                list.integer(form, i128::from(number), 32.0);
                let digits = number.to_string();
                let bits = bits_of_digits(digits.len()).min(32.0);
                list.insert(Spelling::text(form.replace("integer", "decimal"), digits).bounded().carrying(bits));
            }
            list.insert(Spelling::text("hexadecimal", format!("{number:08x}")).any_case(true).carrying(32.0));
        }
        Ok(IpAddr::V6(address)) => {
            list.insert(Spelling::text("compressed", address.to_string()).any_case(true));
            let groups = address.segments();
            let joined = |form: fn(&u16) -> String| groups.iter().map(form).collect::<Vec<_>>().join(":");
            list.insert(Spelling::text("expanded", joined(|group| format!("{group:04x}"))).any_case(true));
            list.insert(Spelling::text("not compressed", joined(|group| format!("{group:x}"))).any_case(true));
            list.raw("raw bytes", address.octets(), 128.0);
        }
        Err(_) => {}
    }
}
