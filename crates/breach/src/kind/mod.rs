//! Kinds of fields: what a column's values are, and whether one of them is valid.
//!
//! A column is typed on a sample, by what share of its values each kind takes and by its header ([`decide`]); from then
//! on every value is checked by the validator of that one kind ([`check`]), which also gives the canonical form that
//! digests are taken of.

mod account;
mod canonical;
mod check;
mod date;
mod decide;
mod email;
mod header;
mod person;
mod phone;
mod place;
mod plain;

pub(crate) use account::column_of_names;
pub(crate) use canonical::Canonical;
pub(crate) use check::{Checker, Verdict};
pub(crate) use date::{Day, civil_from_days, day as birth, moment};
pub(crate) use decide::{Column, decide, kinds_of};
pub(crate) use place::{PROVINCES, province_of_id, province_of_text};
pub(crate) use plain::{Test, Value, tests_of};

use serde::{Serialize, Serializer};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// E-mail address.
    Email,
    /// Mobile number of China, or any number with its country's code (E.164).
    Phone,
    /// Fixed line of China, with its area code.
    Landline,
    /// Resident identity number of China (GB 11643-1999), also the form of 15 digits.
    ResidentId,
    /// Permit of residents of Hong Kong, Macao and Taiwan, in the form of an identity number or of the travel permit.
    Permit,
    /// Passport.
    Passport,
    /// Payment card.
    Card,
    /// QQ number.
    Qq,
    /// Unified social credit code (GB 32100-2015).
    Company,
    /// Number plate.
    Plate,
    /// Internet address.
    Ip,
    /// MAC address.
    Mac,
    /// IMEI.
    Imei,
    /// A moment: seconds or milliseconds since 1970, or a date with a time of day.
    Time,
    /// Date of birth.
    BirthDate,
    /// Gender.
    Gender,
    /// Province.
    Province,
    /// Postal address.
    Address,
    /// Name of a person.
    Name,
    /// Name of an account.
    Username,
    /// Password as typed.
    Password,
    /// Password in a stored form.
    PasswordHash,
    /// What was mixed into a stored password.
    Salt,
    /// Hex digits as long as a digest, not known to be of a password.
    Digest,
    /// Digits that are nothing of the above.
    Number,
    /// Anything else.
    Text,
}

impl Kind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 26] = [
        Self::Email,
        Self::Phone,
        Self::Landline,
        Self::ResidentId,
        Self::Permit,
        Self::Passport,
        Self::Card,
        Self::Qq,
        Self::Company,
        Self::Plate,
        Self::Ip,
        Self::Mac,
        Self::Imei,
        Self::Time,
        Self::BirthDate,
        Self::Gender,
        Self::Province,
        Self::Address,
        Self::Name,
        Self::Username,
        Self::Password,
        Self::PasswordHash,
        Self::Salt,
        Self::Digest,
        Self::Number,
        Self::Text,
    ];

    /// The kind of a discriminant.
    pub(crate) fn of_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The kind's name, as planted kinds are named where there is one of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Landline => "phone.landline",
            Self::ResidentId => "id.cn",
            Self::Permit => "id.cn.permit",
            Self::Passport => "passport.cn",
            Self::Card => "card",
            Self::Qq => "qq",
            Self::Company => "company.cn",
            Self::Plate => "plate.cn",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::Imei => "imei",
            Self::Time => "time",
            Self::BirthDate => "birth-date",
            Self::Gender => "gender",
            Self::Province => "province",
            Self::Address => "address",
            Self::Name => "name",
            Self::Username => "username",
            Self::Password => "password",
            Self::PasswordHash => "password.hash",
            Self::Salt => "password.salt",
            Self::Digest => "digest",
            Self::Number => "number",
            Self::Text => "text",
        }
    }

    /// True where a value is one person's or nearly so, and rows with the same value are joined.
    pub fn joins(self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::ResidentId | Self::Permit | Self::Qq)
    }

    /// True for what says something of a person. Times, numbers, digests and text do not by themselves.
    pub fn is_personal(self) -> bool {
        !matches!(self, Self::Time | Self::Company | Self::Salt | Self::Digest | Self::Number | Self::Text)
    }

    /// The kind as one bit.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_the_order_of_their_bits_and_their_names_differ() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        let names: std::collections::BTreeSet<_> = Kind::ALL.into_iter().map(Kind::name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
