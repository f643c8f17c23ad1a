//! Who is behind an endpoint, as far as dated lists say; unknown stays unknown.

use std::fmt;
use std::net::IpAddr;

/// How far a destination lies from the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The same machine (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    Loopback,
    /// The same link: link-local addresses (RFC 3927, RFC 4291 section 2.5.6) and multicast and broadcast on it.
    Link,
    /// The home's or company's own network: private addresses (RFC 1918, RFC 4193), names under `.local` and `.lan`.
    Lan,
    /// Anywhere else.
    Wan,
    /// Nobody received it: it lies in files that the product keeps.
    Storage,
    /// The evidence has neither an address nor a name.
    Unknown,
}

impl Scope {
    /// The name used in claims and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Link => "link",
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Storage => "storage",
            Self::Unknown => "unknown",
        }
    }
}

/// What the recipient is to the maker (`dpv:Recipient` and below).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The maker itself.
    First,
    /// A company of the same group.
    Affiliate,
    /// Whoever works for the maker and on its word: a cloud, a delivery network.
    Processor,
    /// Anyone else with an interest of its own: advertising, analytics.
    Third,
    /// No list says.
    Unknown,
}

impl Role {
    /// The name used in claims, lists and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Affiliate => "affiliate",
            Self::Processor => "processor",
            Self::Third => "third",
            Self::Unknown => "unknown",
        }
    }

    /// The role of that name.
    pub fn of(name: &str) -> Option<Self> {
        let roles = [Self::First, Self::Affiliate, Self::Processor, Self::Third, Self::Unknown];
        roles.into_iter().find(|role| role.name() == name)
    }
}

/// An ISO 3166-1 alpha-2 code in upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// From two letters of either case; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One statement of a list about a recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// What it is about: `name` (how the name became known), `scope`, `owner`, `group`, `role`, `what`
    /// (what the server is there for), `server country`, `operator country`.
    pub about: &'static str,
    /// What it says.
    pub value: String,
    /// Which list: `case.yaml`, `recipients/tuya.yaml`, `iptoasn-country`.
    pub list: String,
    /// The date of the list or of its line, as it is written there.
    pub dated: Option<String>,
    /// Where the list has it from: an address, a title.
    pub source: Option<String>,
    /// True where it was read in that source rather than written from memory.
    pub confirmed: bool,
}

/// A dated list that statements about recipients come from, so that a report can say which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Snapshot {
    /// Its name, as [`Said::list`] has it.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// Its date, as it is written there.
    pub dated: Option<String>,
    /// Its licence.
    pub licence: Option<String>,
    /// SHA-256 of the file in hexadecimal; absent for what is compiled in from another crate.
    pub sha256: Option<String>,
    /// Where it is from: a package, an address.
    pub from: Option<String>,
    /// What a reader must know of it: that it says itself that it contains errors.
    pub note: Option<String>,
}

/// The entity behind an endpoint. Texts are redacted by whoever filled this in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Host name, where known.
    pub name: Option<String>,
    /// Address: of a nameless endpoint, or the smallest one seen under the name.
    pub address: Option<IpAddr>,
    /// How far away it is.
    pub scope: Scope,
    /// The registrable domain of the name (public suffix and one label).
    pub domain: Option<String>,
    /// Who owns it; absent where no list says or lists disagree.
    pub owner: Option<String>,
    /// What the owner is to the maker.
    pub role: Role,
    /// Where the server's address is registered or announced. Weak evidence of where the machine stands. Absent
    /// where the name was met at addresses in different countries, or at more than were looked up.
    pub server_country: Option<Country>,
    /// Where the owner is at home.
    pub operator_country: Option<Country>,
    /// Everything that lists say of it, also where they disagree.
    pub said: Vec<Said>,
}

impl Recipient {
    /// A recipient of which nothing but its scope is known.
    pub fn unknown(name: Option<String>, address: Option<IpAddr>, scope: Scope) -> Self {
        Self {
            name,
            address,
            scope,
            domain: None,
            owner: None,
            role: Role::Unknown,
            server_country: None,
            operator_country: None,
            said: Vec::new(),
        }
    }

    /// Name, else address, else `unknown`.
    pub fn shown(&self) -> String {
        if self.scope == Scope::Storage {
            return "stored files".to_owned();
        }
        let address = || self.address.map(|address| address.to_string());
        self.name.clone().or_else(address).unwrap_or_else(|| "unknown".to_owned())
    }
}
