//! Numbers of bank cards, accounts and companies, which are printed in groups of four.

use super::list::List;
use super::mask::{self, Joined};
use super::number::{in_fours, integer, number};

/// A payment card (ISO/IEC 7812-1).
pub(super) fn push(text: &str, list: &mut List) {
    let Some(digits) = number(text) else { return };
    list.push("digits only", &digits);
    list.push("with spaces", in_fours(&digits, " "));
    list.push("with dashes", in_fours(&digits, "-"));
    integer("integer", &digits, list);
    for joined in [Joined::Closely, Joined::InFours] {
        mask::push(&digits, 6, 4, joined, list);
        mask::push(&digits, 4, 4, joined, list);
    }
}

/// IBAN, account, unified social credit code: letters and digits.
pub(super) fn account(text: &str, list: &mut List) {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    list.push("without separators", &plain);
    list.push("with spaces", in_fours(&plain, " "));
    list.push("with dashes", in_fours(&plain, "-"));
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        integer("integer", &plain, list);
    }
    mask::push(&plain, 4, 4, Joined::Closely, list);
}
