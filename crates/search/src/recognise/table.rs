//! What the recognisers do, as a table for people.

/// One recogniser: what it takes, what it checks, and how often chance passes.
#[derive(Debug, Clone, Copy)]
pub struct Recogniser {
    /// The kind it reports, as planted kinds are named.
    pub kind: &'static str,
    /// What it recognises.
    pub what: &'static str,
    /// What it checks.
    pub checks: &'static str,
    /// How many random candidates pass without a field name, or that there must be one.
    pub by_chance: &'static str,
}

const fn row(kind: &'static str, what: &'static str, checks: &'static str, by_chance: &'static str) -> Recogniser {
    Recogniser { kind, what, checks, by_chance }
}

const NAMED: &str = "needs a field name";

/// Every recogniser.
pub const RECOGNISERS: &[Recogniser] = &[
    row(
        "id.cn",
        "Chinese resident identity number, 18 characters",
        "province in use, numbers of prefecture and county, date of birth from 1900, check digit (GB 11643-1999)",
        "1 in 112,000 numbers of 18 digits",
    ),
    row(
        "id.cn",
        "its form of 15 digits; mode *historical* only",
        "province, date of birth; there is no check digit",
        "1 in 90 numbers of 15 digits",
    ),
    row(
        "id.cn.permit",
        "residence permits for people of Hong Kong, Macao and Taiwan, residence card for foreigners; mode *permit* only",
        "prefix, date of birth, check digit",
        "1 in 50,000 numbers of 18 digits",
    ),
    row(
        "phone",
        "Chinese mobile number, 11 digits, also behind 86, 0086 or +86, also grouped 3-4-4",
        "assigned prefix",
        "1 in 18 numbers of 11 digits; 1 in 1,700 of 13",
    ),
    row(
        "phone",
        "telephone number with + and country code",
        "the code is assigned and numbers of that length exist behind it",
        "about 1 in 2 numbers behind a plus sign",
    ),
    row(
        "card",
        "payment card, 14 to 19 digits, also in groups",
        "range of a scheme (UnionPay, Visa, Mastercard, American Express, JCB, Diners Club, Discover, Maestro, Mir), length, Luhn's check digit",
        "1 in 38 numbers of 16 digits; 1 in 500 of 15; 1 in 290 of 14; 1 in 900 of 19",
    ),
    row(
        "iban",
        "international bank account number",
        "country, structure and length, check digits modulo 97 (ISO 13616)",
        "under 1 in 1,000,000 texts of capitals and digits",
    ),
    row(
        "company.cn",
        "unified social credit code, 18 characters",
        "registration, province, check character modulo 31 (GB 32100-2015)",
        "under 1 in 1,000,000 texts of its alphabet",
    ),
    row(
        "imei",
        "IMEI, 15 digits, also grouped 2-6-6-1",
        "reporting body, Luhn's check digit",
        "1 in 59 numbers of 15 digits",
    ),
    row(
        "imsi",
        "IMSI of a Chinese network, 15 digits",
        "460 and a network code in use; of other countries behind a field name",
        "1 in 5,900 numbers of 15 digits",
    ),
    row(
        "iccid",
        "number of a Chinese SIM card, 19 or 20 digits",
        "8986, Luhn's check digit; of other countries behind a field name",
        "1 in 100,000 numbers of 19 or 20 digits",
    ),
    row("meid", "MEID, 14 hex digits or 18 digits", "first digit A to F", NAMED),
    row(
        "mac",
        "MAC address, six pairs of hex digits with colons or dashes; other spellings behind a field name",
        "not of a group, not zero, not the address Android shows instead",
        "1 in 2 texts of that shape",
    ),
    row("advertising-id", "IDFA, GAID, OAID, VAID", "UUID or 16, 32, 64 hex digits, not zero", NAMED),
    row("device-id", "Android ID, IDFV, UDID", "UUID or 16, 32, 64 hex digits, not zero", NAMED),
    row(
        "email",
        "e-mail address in ASCII",
        "characters and lengths of RFC 5321, a domain that ends in letters and in no file name's ending",
        "every text of that shape",
    ),
    row("jwt", "JSON web token, three parts", "the first is a JSON object with `alg`", "none"),
    row(
        "password.hash",
        "stored password: bcrypt, yescrypt, md5-crypt, sha-crypt, argon2, scrypt, PBKDF2 (Django, passlib, Werkzeug), phpass, Drupal, LDAP schemes, SCRAM, MySQL",
        "prefix, characters, lengths; digests in plain hex only behind a field name (`password`, `ntlm` …)",
        "none",
    ),
    row(
        "gps",
        "latitude and longitude, or the other way round, with four decimals or more",
        "on the globe, 2 degrees or more, not in a longer list of numbers; single coordinates and fewer decimals behind a field name",
        "about 2 in 3 pairs of that shape",
    ),
    row(
        "plate.cn",
        "Chinese number plate, in UTF-8",
        "province, letter, five or (new energy) six characters without I and O",
        "every text of that shape",
    ),
    row(
        "passport.cn",
        "Chinese passport or Hong Kong and Macao permit",
        "letters in use and seven or eight digits",
        NAMED,
    ),
    row("name", "Chinese name of two to four characters, in UTF-8", "a family name of the commonest 400", NAMED),
    row("birth-date", "date of birth", "a day from 1900", NAMED),
    row("qq", "QQ number", "5 to 11 digits, not from 0", NAMED),
    row("ip", "internet address, IPv4 or IPv6", "reached from the internet", NAMED),
    row("wifi.ssid", "name of a Wi-Fi network", "1 to 32 bytes, no word for none", NAMED),
    row("wifi.password", "Wi-Fi password", "8 to 63 printable characters or 64 hex digits", NAMED),
];
