//! The ways in which one value is commonly written. What kind of value it is decides.
//!
//! One file for each family of kinds adds its spellings to a list, most usual first: the first few
//! are also digested and encoded in other character sets. A value has 20 to 120 spellings, because
//! the filter slows down with their number.

mod card;
mod charset;
mod coordinates;
pub(crate) mod date;
mod device;
mod digested;
mod email;
mod geohash;
pub(crate) mod identifier;
mod ip;
mod list;
mod mac;
mod mask;
mod name;
pub(crate) mod number;
pub(crate) mod phone;
pub(crate) mod resident_id;
mod shifted;
#[cfg(test)]
mod tests;
mod wifi;

pub(crate) use digested::digested;
use dyetrace_case::Datum;
use identifier::is_hex_id;
use list::List;
pub(crate) use list::{Spelling, What};
pub(crate) use wifi::{QUOTED, psk_forms};

/// Values longer than this (files) are searched for as they are only.
const LONGEST_SPELLED: usize = 4096;

/// All spellings of a datum, `as typed` first, each once.
pub(crate) fn spellings(datum: &Datum) -> Vec<Spelling> {
    let mut list = List::default();
    let value = datum.value.reveal();
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST_SPELLED);
    list.any_case = text.is_some_and(|text| is_caseless(datum, text));
    list.push("as typed", value);
    let Some(text) = text else { return list.all };
    let trimmed = text.trim();
    list.push("trimmed", trimmed);
    for part in datum.kind.as_str().split('.') {
        of_kind(part, trimmed, &mut list);
    }
    if is_resident_id(datum) {
        resident_id::push(trimmed, &mut list);
    }
    if is_hex_id(trimmed) && trimmed.bytes().any(|b| b.is_ascii_alphabetic() || b == b'-') {
        identifier::push(trimmed, &mut list);
    }
    if trimmed.bytes().all(|b| b.is_ascii_digit()) {
        number::integer("integer", trimmed, &mut list);
        number::eight_bytes("integer", trimmed, &mut list);
    }
    charset::push(&mut list);
    list.all
}

fn of_kind(part: &str, text: &str, list: &mut List) {
    match part {
        "phone" | "msisdn" | "mobile" | "tel" => phone::push(text, list),
        "mac" | "bssid" | "bluetooth" => mac::push(text, list),
        "imei" | "imeisv" | "meid" => device::imei(text, list),
        "imsi" => device::imsi(text, list),
        "iccid" => device::iccid(text, list),
        "email" => email::push(text, list),
        "gps" | "location" | "coordinates" => coordinates::push(text, list),
        "card" | "pan" => card::push(text, list),
        "account" | "bank-account" | "iban" | "uscc" | "company" => card::account(text, list),
        "name" => name::push(text, list),
        "ssid" => wifi::ssid(text, list),
        "birthday" | "birth-date" | "date" => date::push(text, list),
        "ip" | "ipv4" | "ipv6" => ip::push(text, list),
        "plate" | "passport" | "address" | "postcode" => spaceless(text, list),
        _ => {}
    }
}

/// Plates and passports are also written with a dash or a dot where others put a space.
fn spaceless(text: &str, list: &mut List) {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    list.push("without spaces", &plain);
    let bare: String = plain.chars().filter(|c| !matches!(c, '-' | '.' | '·' | '•')).collect();
    list.push("without separators", bare);
}

fn is_resident_id(datum: &Datum) -> bool {
    let kind = datum.kind.as_str();
    kind == "id.cn" || kind.starts_with("id.cn.") || kind.split('.').any(|part| part == "resident-id")
}

/// Letters of these values carry nothing in their case.
fn is_caseless(datum: &Datum, text: &str) -> bool {
    const KINDS: [&str; 14] = [
        "email",
        "mac",
        "bssid",
        "bluetooth",
        "imei",
        "meid",
        "name",
        "plate",
        "passport",
        "iban",
        "uscc",
        "company",
        "ipv6",
        "ip",
    ];
    let named = datum.kind.as_str().split('.').any(|part| KINDS.contains(&part));
    named || datum.kind.as_str().starts_with("id.") || is_resident_id(datum) || is_hex_id(text.trim())
}
