//! The table of wrappings that can be undone, as the documentation prints it.

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The name in trails.
    pub name: &'static str,
    /// What it is and in which variants it is recognised, in one line.
    pub undoes: &'static str,
    /// Where it is recognised: anywhere in text, at the start of a field, whole fields.
    pub place: &'static str,
    /// True where a sighting's place is exact to the byte; false where it is the whole encoding.
    pub exact: bool,
    /// The standard or program that defines it.
    pub source: &'static str,
}

/// Every wrapping, by name.
pub fn wrappings() -> Vec<About> {
    let mut all: Vec<About> = vec![
        super::brotli::ABOUT,
        super::bson::ABOUT,
        super::cbor::ABOUT,
        super::embedded::ABOUT_ZIP,
        super::grpc::ABOUT,
        super::jwt::ABOUT,
        super::lz4::ABOUT,
        super::msgpack::ABOUT,
        super::plist::ABOUT,
        super::protobuf::ABOUT,
        super::snappy::ABOUT,
        super::xml::ABOUT,
        super::zstd::ABOUT,
    ];
    all.sort_by_key(|row| row.name);
    all
}
