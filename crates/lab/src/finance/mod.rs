//! Story 4: a finance app that helps its users to send pictures to support, in three editions.

pub mod app;
pub mod cloud;
pub mod disk;
pub mod helper;
pub mod multipart;
pub mod names;
pub mod owner;

/// Which version of the app is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// The helper copies every new picture on the phone, also in the background; the copies outlive the cache. What is
    /// sent, the user chose.
    Reported,
    /// The same, and a smaller picture of each copy is sent to the maker without a question.
    Silent,
    /// The user picks one picture; it is read, sent, and nothing is kept.
    Promised,
}

impl Edition {
    /// By the name that `record.sh` gives it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "reported" => Some(Self::Reported),
            "silent" => Some(Self::Silent),
            "promised" => Some(Self::Promised),
            _ => None,
        }
    }

    /// `User-Agent` of the app.
    pub fn agent(self) -> &'static str {
        match self {
            Self::Reported => "ExampleFinance/5.2.0 (Android 8.1)",
            Self::Silent => "ExampleFinance/5.3.0 (Android 8.1)",
            Self::Promised => "ExampleFinance/5.4.0 (Android 8.1)",
        }
    }

    /// The name under which the app's image loader keeps what it got from a URI.
    pub fn cache_name(self, uri: &str) -> String {
        if self == Self::Silent { names::md5_base36(uri) } else { names::hash_code(uri) }
    }
}
