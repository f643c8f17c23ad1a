//! Which columns of a dump hold identifiers, and what its fields are called towards the affected.

use dyetrace_breach::is_column_name;
use dyetrace_check::Kind;
use std::str::FromStr;

/// Names under which identifiers are usually kept, in lower case without what is no letter or digit.
const USUAL: &[(Kind, &[&str])] = &[
    (Kind::Email, &["email", "mail", "emailaddress", "useremail", "邮箱", "电子邮箱"]),
    (
        Kind::Phone,
        &["phone", "mobile", "tel", "telephone", "cellphone", "phonenumber", "mobilephone", "手机", "手机号", "电话"],
    ),
    (Kind::Resident, &["idcn", "idcard", "idnumber", "residentid", "identitycard", "sfz", "身份证", "身份证号"]),
    (Kind::Qq, &["qq", "qqnumber", "qq号"]),
];

/// What the user says of a column: `email=mail_addr`, or `email=3` for the third column of each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    kind: Kind,
    column: String,
}

impl FromStr for Chosen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, column) = text.split_once('=').ok_or("write KIND=COLUMN, as email=mail_addr or phone=3")?;
        let kind = kind.parse().map_err(|error: dyetrace_check::NotAnIdentifier| error.to_string())?;
        Ok(Self { kind, column: column.to_owned() })
    }
}

/// The kind of identifier that a column holds, counted from 0. What was chosen comes before what is usual.
pub(super) fn kind(chosen: &[Chosen], place: usize, name: Option<&str>) -> Option<Kind> {
    let is_it = |chosen: &&Chosen| name == Some(chosen.column.as_str()) || chosen.column.parse() == Ok(place + 1);
    if let Some(chosen) = chosen.iter().find(is_it) {
        return Some(chosen.kind);
    }
    let bare: String =
        name?.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_unchosen = |kind: Kind| chosen.iter().all(|chosen| chosen.kind != kind);
    USUAL.iter().find(|(kind, names)| is_unchosen(*kind) && names.contains(&bare.as_str())).map(|(kind, _)| *kind)
}

/// What a field is called: its column's name, else its number. Everybody reads it in the manifest, so what looks like a
/// value, as where the first row of a dump is taken for its header, is no name.
pub(super) fn field(place: usize, name: Option<&str>) -> String {
    let is_shown = |name: &&str| !name.is_empty() && !name.chars().any(is_hidden) && is_column_name(name);
    name.map(str::trim).filter(is_shown).map_or_else(|| format!("column {}", place + 1), str::to_owned)
}

/// True for what is not seen in a name, or changes how others of it are seen.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_known_and_a_choice_replaces_them() {
        assert_eq!(kind(&[], 0, Some("E-Mail")), Some(Kind::Email));
        assert_eq!(kind(&[], 0, Some("id_card")), Some(Kind::Resident));
        assert_eq!(kind(&[], 0, Some("password")), None);
        assert_eq!(kind(&[], 0, None), None);
        let chosen: [Chosen; 1] = ["email=3".parse().unwrap()];
        assert_eq!(kind(&chosen, 2, None), Some(Kind::Email));
        assert_eq!(kind(&chosen, 0, Some("email")), None, "another column was chosen");
        assert_eq!(kind(&chosen, 0, Some("qq")), Some(Kind::Qq));
        assert!("mail=3".parse::<Chosen>().is_err() && "email".parse::<Chosen>().is_err());
    }

    #[test]
    fn a_value_taken_for_a_name_is_not_published() {
        for name in ["password", "E-Mail", "手机号", "address_2", "created_at"] {
            assert_eq!(field(0, Some(name)), name);
        }
        let long = "a".repeat(65);
        for value in
            ["lin@example.test", "13800000008", "11010519491231002X", "a12345", "a\u{202E}b", "a\tb", "", &long]
        {
            assert_eq!(field(2, Some(value)), "column 3");
        }
        assert_eq!(field(2, None), "column 3");
    }
}
