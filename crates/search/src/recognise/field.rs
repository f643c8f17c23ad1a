//! Names of fields, and where the value of a named field lies in text.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// What a field's name says that its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    AdvertisingId,
    BirthDate,
    Card,
    Company,
    DeviceId,
    Email,
    Iban,
    Iccid,
    Imei,
    Imsi,
    InternetAddress,
    Latitude,
    Longitude,
    Mac,
    Meid,
    Name,
    Passport,
    PasswordHash,
    Phone,
    Plate,
    Position,
    Qq,
    ResidentId,
    Ssid,
    WifiPassword,
}

impl Meaning {
    /// As planted kinds are named.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::AdvertisingId => "advertising-id",
            Self::BirthDate => "birth-date",
            Self::Card => "card",
            Self::Company => "company.cn",
            Self::DeviceId => "device-id",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Iccid => "iccid",
            Self::Imei => "imei",
            Self::Imsi => "imsi",
            Self::InternetAddress => "ip",
            Self::Latitude | Self::Longitude | Self::Position => "gps",
            Self::Mac => "mac",
            Self::Meid => "meid",
            Self::Name => "name",
            Self::Passport => "passport.cn",
            Self::PasswordHash => "password.hash",
            Self::Phone => "phone",
            Self::Plate => "plate.cn",
            Self::Qq => "qq",
            Self::ResidentId => "id.cn",
            Self::Ssid => "wifi.ssid",
            Self::WifiPassword => "wifi.password",
        }
    }

    /// Longest value, with the sign behind it.
    fn longest(self) -> usize {
        if matches!(self, Self::Email | Self::PasswordHash) { LONG_VALUE } else { VALUE }
    }
}

/// Names, in lower case without signs between words, that mean something also as the last words of
/// a longer name (`user_phone`, `deviceImei`).
const ANYWHERE: &[(Meaning, &[&str])] = &[
    (
        Meaning::AdvertisingId,
        &["idfa", "gaid", "oaid", "vaid", "aaid", "adid", "advertisingid", "googleaid", "gpsadid"],
    ),
    (Meaning::BirthDate, &["birthday", "birthdate", "dateofbirth", "dob", "bday", "出生日期", "生日"]),
    (Meaning::Card, &["cardno", "cardnum", "cardnumber", "bankcard", "creditcard", "bankaccount", "银行卡号", "卡号"]),
    (Meaning::Company, &["uscc", "creditcode", "socialcreditcode", "统一社会信用代码"]),
    (Meaning::DeviceId, &["idfv", "androidid", "udid", "deviceid", "deviceuuid", "openudid"]),
    (Meaning::Email, &["email", "mail", "emailaddress", "mailaddress", "邮箱", "电子邮件"]),
    (Meaning::Iban, &["iban"]),
    (Meaning::Iccid, &["iccid", "simserial", "simserialnumber"]),
    (Meaning::Imei, &["imei", "imei1", "imei2"]),
    (Meaning::Imsi, &["imsi", "subscriberid"]),
    (Meaning::InternetAddress, &["clientip", "userip", "remoteip", "ipaddress", "ipaddr", "ipv4", "ipv6", "publicip"]),
    (Meaning::Latitude, &["lat", "latitude", "纬度"]),
    (Meaning::Longitude, &["lng", "lon", "longitude", "经度"]),
    (Meaning::Mac, &["mac", "macaddress", "macaddr", "wifimac", "bssid", "btmac", "bluetoothaddress"]),
    (Meaning::Meid, &["meid", "esn"]),
    (
        Meaning::Name,
        &[
            "realname",
            "truename",
            "fullname",
            "xingming",
            "contactname",
            "receivername",
            "consignee",
            "姓名",
            "收货人",
            "联系人",
        ],
    ),
    (Meaning::Passport, &["passport", "passportno", "passportnumber", "护照", "护照号"]),
    (
        Meaning::PasswordHash,
        &[
            "password",
            "passwd",
            "pwd",
            "passwordhash",
            "pwdhash",
            "passwordmd5",
            "md5password",
            "md5pwd",
            "ntlm",
            "nthash",
            "密码",
        ],
    ),
    (
        Meaning::Phone,
        &[
            "phone",
            "mobile",
            "phonenumber",
            "phonenum",
            "phoneno",
            "mobileno",
            "mobilenumber",
            "mobilephone",
            "msisdn",
            "tel",
            "telephone",
            "cellphone",
            "shouji",
            "手机",
            "手机号",
            "手机号码",
            "电话",
            "联系电话",
        ],
    ),
    (Meaning::Plate, &["plate", "plateno", "platenumber", "licenseplate", "carno", "车牌", "车牌号"]),
    (
        Meaning::Position,
        &["latlng", "latlon", "lnglat", "lonlat", "gps", "coordinate", "coordinates", "location", "geopoint"],
    ),
    (Meaning::Qq, &["qq", "qqno", "qqnumber", "uin", "qq号"]),
    (
        Meaning::ResidentId,
        &[
            "idcard",
            "idcardno",
            "idcardnum",
            "idcardnumber",
            "idno",
            "idnumber",
            "certno",
            "identityno",
            "identitycard",
            "sfzh",
            "shenfenzheng",
            "身份证",
            "身份证号",
            "身份证号码",
            "证件号",
        ],
    ),
    (Meaning::Ssid, &["ssid", "wifiname", "wifissid"]),
    (
        Meaning::WifiPassword,
        &["psk", "wifipassword", "wifipwd", "wifipass", "wpapsk", "presharedkey", "wifipsk", "ssidpassword"],
    ),
];

/// Names that mean something only alone: `event_name` is no person's.
const ALONE: &[(Meaning, &[&str])] = &[
    (Meaning::Name, &["name", "username", "nickname", "xm"]),
    (Meaning::InternetAddress, &["ip"]),
    (Meaning::Card, &["card", "pan"]),
    (Meaning::Phone, &["sj", "number"]),
];

/// Longest name looked at, in bytes from its end.
const NAME: usize = 48;
/// Most words of a name looked at, from its end.
const WORDS: usize = 6;
/// Longest value of a named field with the sign behind it, in bytes.
const VALUE: usize = 72;
/// The same for e-mail addresses and stored passwords.
const LONG_VALUE: usize = 256;

/// All names that mean something.
pub(super) struct Names {
    known: HashMap<&'static [u8], (Meaning, bool), FixedState>,
    /// One bit for the last letters of each name: most names end otherwise.
    endings: Vec<u64>,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Names({})", self.known.len())
    }
}

impl Names {
    /// The names this program knows, sorted into tables when first asked for.
    pub(super) fn known() -> &'static Self {
        static NAMES: LazyLock<Names> = LazyLock::new(Names::new);
        &NAMES
    }

    fn new() -> Self {
        let mut names = Self { known: HashMap::default(), endings: vec![0; 512] };
        for (list, alone) in [(ANYWHERE, false), (ALONE, true)] {
            for (meaning, spellings) in list {
                for spelling in *spellings {
                    names.add(spelling.as_bytes(), *meaning, alone);
                }
            }
        }
        names
    }

    fn add(&mut self, name: &'static [u8], meaning: Meaning, alone: bool) {
        self.known.insert(name, (meaning, alone));
        // A name of two letters may stand behind any third.
        let letters = last_letters(name);
        let thirds = if name.len() == 2 { 0..=255 } else { letters >> 16..=letters >> 16 };
        for third in thirds {
            let (word, bit) = bit(letters & 0xffff | third << 16);
            if let Some(word) = self.endings.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// False where no known name ends before the separator at that place.
    pub(super) fn may_end(&self, bytes: &[u8], separator: usize) -> bool {
        before_separator(bytes, separator).is_some_and(|name| self.may_be(name))
    }

    fn may_be(&self, name: &[u8]) -> bool {
        let (word, bit) = bit(last_letters(name));
        self.endings.get(word).is_some_and(|word| word & bit != 0)
    }

    /// What the name says, by as many of its last words as are known together.
    pub(super) fn meaning(&self, name: &[u8]) -> Option<Meaning> {
        let name = name.get(name.len().saturating_sub(NAME)..)?;
        if !self.may_be(name) {
            return None;
        }
        if name.last()? >= &0x80 {
            return self.chinese(name);
        }
        let mut letters = [0u8; NAME];
        let mut count = 0;
        let mut starts = [0usize; WORDS];
        let mut words = 0;
        let mut before = b'_';
        for byte in name {
            let sign = !byte.is_ascii_alphanumeric();
            let starts_word =
                !before.is_ascii_alphanumeric() || (byte.is_ascii_uppercase() && !before.is_ascii_uppercase());
            if !sign {
                if starts_word {
                    starts[words % WORDS] = count;
                    words += 1;
                }
                *letters.get_mut(count)? = byte.to_ascii_lowercase();
                count += 1;
            }
            before = *byte;
        }
        let first = words.saturating_sub(WORDS);
        (first..words).find_map(|word| {
            let start = *starts.get(word % WORDS)?;
            let (meaning, alone) = self.known.get(letters.get(start..count)?)?;
            (!alone || (start == 0 && words <= WORDS)).then_some(*meaning)
        })
    }

    /// Chinese has no signs between words.
    fn chinese(&self, name: &[u8]) -> Option<Meaning> {
        let known = |length: usize| self.known.get(name.get(name.len().checked_sub(length)?..)?);
        [24, 21, 18, 15, 12, 9, 6, 5].into_iter().find_map(known).map(|(meaning, _)| *meaning)
    }
}

/// The last three letters of a name in lower case, signs left out, of a name that ends there; the
/// first of them in the lowest byte, 0 where there is none.
fn last_letters(name: &[u8]) -> u32 {
    let mut key = 0;
    let mut count = 0;
    for byte in name.iter().rev().take(8) {
        if byte.is_ascii_alphanumeric() || *byte >= 0x80 {
            key |= u32::from(byte.to_ascii_lowercase()) << (8 * count);
            count += 1;
        }
        if count == 3 || !is_name(*byte) {
            break;
        }
    }
    key
}

/// Which bit stands for such letters (Fibonacci hashing, Knuth, The Art of Computer Programming 6.4).
fn bit(key: u32) -> (usize, u64) {
    let hash = key.wrapping_mul(0x9E37_79B1) >> 17;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

/// The name before the `:`, `=` or `：` at that place, without quotes.
pub(super) fn name_before(bytes: &[u8], separator: usize) -> Option<&[u8]> {
    let before = before_separator(bytes, separator)?;
    let length = before.iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    before.get(before.len() - length..).filter(|name| name.len() >= 2)
}

/// What may end in a name, without the blanks, quotes and backslashes behind it.
fn before_separator(bytes: &[u8], separator: usize) -> Option<&[u8]> {
    let before = bytes.get(separator.saturating_sub(NAME + 6)..separator)?;
    let trimmed = |text: &[u8], signs: &[u8], most: usize| {
        text.len() - text.iter().rev().take(most).take_while(|byte| signs.contains(byte)).count()
    };
    let before = before.get(..trimmed(before, b" ", 2))?;
    let before = before.get(..trimmed(before, b"\"'", 1))?;
    before.get(..trimmed(before, b"\\", 3))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']') || byte >= 0x80
}

/// The value that starts at that place, without quotes: to the closing quote, or to the next sign
/// that ends values in forms, headers, lists and text. A pair may hold commas.
pub(super) fn value_at(bytes: &[u8], from: usize, meaning: Meaning) -> Option<Range<usize>> {
    let pair = meaning == Meaning::Position;
    let most = meaning.longest();
    let skip = |at: usize, signs: &[u8], most: usize| {
        at + bytes.get(at..).unwrap_or_default().iter().take(most).take_while(|byte| signs.contains(byte)).count()
    };
    let at = skip(skip(from, b" \t\r\n", 8), b"\\", 3);
    let quote = bytes.get(at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let start = at + usize::from(quote.is_some());
    let rest = bytes.get(start..)?;
    let rest = rest.get(..rest.len().min(most))?;
    let length = match (quote, rest.first()) {
        (Some(quote), _) => rest.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n')),
        (None, Some(b'[')) if pair => rest.iter().position(|byte| *byte == b']').map(|at| at + 1),
        (None, Some(b'(')) if pair => rest.iter().position(|byte| *byte == b')').map(|at| at + 1),
        (None, _) => end_of_value(rest, pair),
    };
    // Without an end in sight, what is there is the value only if the bytes end there too.
    let length = length.or((rest.len() < most && quote.is_none()).then_some(rest.len()))?;
    (length > 0).then_some(start..start + length)
}

fn end_of_value(rest: &[u8], pair: bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + rest.get(from..)?.iter().position(|byte| MAY_END[usize::from(*byte)])?;
        if ends_value(rest.get(at + 1), *rest.get(at)?, pair) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Bytes that may end a value, whatever follows.
const MAY_END: [bool; 256] = {
    let mut table = [false; 256];
    let members = b", &;}])<>\"'|\\\t\n\x0c\r\xef\xe3";
    let mut index = 0;
    while index < members.len() {
        table[members[index] as usize] = true;
        index += 1;
    }
    table
};

fn ends_value(next: Option<&u8>, byte: u8, pair: bool) -> bool {
    match byte {
        b',' | b' ' => !pair || next.is_none_or(|next| !(next.is_ascii_digit() || matches!(next, b'-' | b'+' | b' '))),
        b'&' | b';' | b'}' | b']' | b')' | b'<' | b'>' | b'"' | b'\'' | b'|' | b'\\' => true,
        // Full-width punctuation.
        0xef => matches!(next, Some(0xbc)),
        0xe3 => matches!(next, Some(0x80)),
        _ => byte.is_ascii_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_last_words() {
        let names = Names::new();
        for (name, meaning) in [
            ("phone", Some(Meaning::Phone)),
            ("user_phone_number", Some(Meaning::Phone)),
            ("deviceImei", Some(Meaning::Imei)),
            ("X-Device-MAC", Some(Meaning::Mac)),
            ("user[phone]", Some(Meaning::Phone)),
            ("我的手机号", Some(Meaning::Phone)),
            ("name", Some(Meaning::Name)),
            ("event_name", None),
            ("microphone", None),
            ("platform", None),
            ("", None),
        ] {
            assert_eq!(names.meaning(name.as_bytes()), meaning, "{name}");
        }
    }

    #[test]
    fn every_known_name_is_found_by_itself() {
        let names = Names::new();
        for (list, meaning) in ANYWHERE.iter().chain(ALONE).map(|(meaning, list)| (list, meaning)) {
            for name in *list {
                assert_eq!(names.meaning(name.as_bytes()), Some(*meaning), "{name}");
            }
        }
    }

    #[test]
    fn values_of_the_usual_notations() {
        for (text, name, value) in [
            ("{\"qq\": \"12345\"}", "qq", "12345"),
            ("{\\\"qq\\\":\\\"12345\\\"}", "qq", "12345"),
            ("a=1&qq=12345&b=2", "qq", "12345"),
            ("{\"qq\":12345}", "qq", "12345"),
            ("qq：12345，", "qq", "12345"),
        ] {
            let separator = text.find(name).unwrap()
                + name.len()
                + text[text.find(name).unwrap()..].find([':', '=', '：']).unwrap()
                - name.len();
            assert_eq!(name_before(text.as_bytes(), separator), Some(name.as_bytes()), "{text}");
            let width = text[separator..].chars().next().unwrap().len_utf8();
            let range = value_at(text.as_bytes(), separator + width, Meaning::Qq).unwrap();
            assert_eq!(&text[range], value, "{text}");
        }
    }
}
