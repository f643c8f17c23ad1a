//! The value of a field whose name says what it is.

use super::field::Meaning;
use super::{
    Pass, RecogniseOptions, bank, card, company, device, email, password, person, phone, plate, position, resident,
};

/// Checks a whole value against what its name says.
pub(super) fn check(meaning: Meaning, value: &[u8], options: RecogniseOptions) -> Option<Pass> {
    match meaning {
        Meaning::AdvertisingId => device::identifier(value, "advertising-id"),
        Meaning::BirthDate => person::birth_date(value, options),
        Meaning::Card => card::named(value),
        Meaning::Company => company::check(value),
        Meaning::DeviceId => device::named_imei(value).or_else(|| device::identifier(value, "device-id")),
        Meaning::Email => whole_email(value),
        Meaning::Iban => bank::iban(value).filter(|account| account.length == value.len()).map(|account| account.pass),
        Meaning::Iccid => device::named_iccid(value),
        Meaning::Imei => device::named_imei(value).or_else(|| device::meid(value)),
        Meaning::Imsi => device::named_imsi(value),
        Meaning::InternetAddress => person::internet_address(value),
        Meaning::Latitude => position::named_coordinate(value, 90.0),
        Meaning::Longitude => position::named_coordinate(value, 180.0),
        Meaning::Mac => device::named_mac(value),
        Meaning::Meid => device::meid(value),
        Meaning::Name => person::name(value),
        Meaning::Passport => plate::passport(value),
        Meaning::PasswordHash => password::named(value),
        Meaning::Phone => phone::named(value),
        Meaning::Plate => plate::plate(value).filter(|(length, _)| *length == value.len()).map(|(_, pass)| pass),
        Meaning::Position => position::named_pair(value),
        Meaning::Qq => person::qq(value),
        Meaning::ResidentId => resident::check(value, options),
        Meaning::Ssid => person::ssid(value),
        Meaning::WifiPassword => person::wifi_password(value),
    }
}

fn whole_email(value: &[u8]) -> Option<Pass> {
    let at = memchr::memchr(b'@', value)?;
    email::around(value, at).filter(|(range, _)| *range == (0..value.len())).map(|(_, pass)| pass)
}
