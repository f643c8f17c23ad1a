//! Numbers of telephones and SIM cards: IMEI, MEID, IMSI, ICCID.

use super::list::List;
use super::number::{eight_bytes, grouped, in_fours, integer, luhn, mobile_identity, number, packed};

/// IMEI of 15 digits, its 14 digits without the check digit, or IMEISV of 16 (3GPP TS 23.003
/// section 6.2). A MEID with letters is a hexadecimal identifier instead.
pub(super) fn imei(text: &str, list: &mut List) {
    let Some(digits) = number(text) else { return };
    list.push("digits only", &digits);
    let body = digits.get(..14).unwrap_or(&digits).to_owned();
    let with_check = format!("{body}{}", luhn(body.as_bytes()));
    match digits.len() {
        15 => list.push("without check digit", &body),
        14 => list.push("with check digit", &with_check),
        16 => {
            list.push("without software version", &body);
            list.push("with check digit", &with_check);
        }
        _ => {}
    }
    if digits.len() >= 14 {
        for (form, gap) in [("with spaces", " "), ("with dashes", "-")] {
            list.push(form, grouped(&digits, &[2, 6, 6], gap));
            list.push(form, grouped(&digits, &[6, 2, 6], gap));
        }
        list.push("with slash", format!("{}/{}", &digits[..14], &digits[14..]));
        machine(&digits, 2, list);
        if digits.len() == 15 {
            // Networks carry the IMEI with 0 in the place of the check digit.
            packed("without check digit", &format!("{body}0"), list);
        }
    }
}

/// IMSI (3GPP TS 23.003 section 2.2): country of 3 digits, network of 2 or 3, subscriber.
pub(super) fn imsi(text: &str, list: &mut List) {
    let Some(digits) = number(text) else { return };
    list.push("digits only", &digits);
    for (form, sizes) in [("with spaces", [3, 2, 10]), ("with spaces", [3, 3, 9])] {
        list.push(form, grouped(&digits, &sizes, " "));
    }
    list.push("with dashes", grouped(&digits, &[3, 2, 10], "-"));
    machine(&digits, 1, list);
}

/// ICCID (ITU-T E.118): up to 19 digits with the check digit, of which some writers drop the last.
pub(super) fn iccid(text: &str, list: &mut List) {
    let Some(digits) = number(text.trim_end_matches(['F', 'f'])) else { return };
    list.push("digits only", &digits);
    if digits.len() >= 19 {
        list.push("without check digit", &digits[..digits.len() - 1]);
    }
    if digits.len() % 2 == 1 {
        list.push("with filler F", format!("{digits}F"));
    }
    list.push("in groups of four", in_fours(&digits, " "));
    list.push("in groups of four", in_fours(&digits, "-"));
    integer("integer", &digits, list);
    packed("digits only", &digits, list);
}

fn machine(digits: &str, identity: u8, list: &mut List) {
    integer("integer", digits, list);
    eight_bytes("digits only", digits, list);
    packed("digits only", digits, list);
    mobile_identity(identity, digits, list);
}
