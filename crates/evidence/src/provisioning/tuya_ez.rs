//! Tuya's EZ mode, by broadcast.
//!
//! Source: the MIT-licensed `TuyaAPI/link` and `tuya-convert`. After the guide, four lengths say the length of
//! all data with its CRC. Data are: length of the password, password, length of the token, token, SSID, in
//! blocks of four bytes. The token is two letters for the cloud's region, eight bytes that name the attempt and
//! four that prove that the device has them from the app.

use super::Fields;
use super::blocks::{Blocks, nibbles};
use super::votes::crc8;

/// What the app begins with.
pub(super) const GUIDE: [u16; 4] = [1, 3, 6, 10];

/// Region, token, secret.
const TOKEN: usize = 14;

/// Reads lengths from which what the air adds was taken off.
pub(super) fn decode(lengths: &[u16]) -> Option<Fields> {
    let [length, crc] = nibbles(lengths, [1, 2, 3, 4])?;
    let total = usize::from(length);
    if crc8([length]) != crc || total <= 2 + TOKEN {
        return None;
    }
    let data = Blocks::listen(lengths, total).read(total, true)?;
    let (password, rest) = data.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))?;
    let (token_length, rest) = rest.split_first()?;
    let (token, ssid) = rest.split_at_checked(TOKEN)?;
    let (region, token) = token.split_at_checked(2)?;
    let (token, secret) = token.split_at_checked(8)?;
    let is_region = region.iter().all(u8::is_ascii_alphanumeric);
    if usize::from(*token_length) != TOKEN || password.len() > 64 || !(1..=32).contains(&ssid.len()) || !is_region {
        return None;
    }
    let mut fields = Fields::default();
    fields.add("ssid", Some(ssid));
    fields.add("password", Some(password));
    fields.add("region", Some(region));
    fields.add("token", Some(token));
    fields.add("secret", Some(secret));
    Some(fields)
}
