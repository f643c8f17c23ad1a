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
        super::embedded_json::ABOUT,
        super::grpc::ABOUT,
        super::jwt::ABOUT,
        super::cipher::ABOUT,
        super::lz4::ABOUT,
        super::lz_string::ABOUT,
        super::msgpack::ABOUT,
        super::plist::ABOUT,
        super::protobuf::ABOUT,
        super::snappy::ABOUT,
        super::thrift::ABOUT,
        super::xml::ABOUT,
        super::zstd::ABOUT,
        super::base64::ABOUT,
        super::base32::ABOUT,
        super::character_codes::ABOUT,
        super::cookie::ABOUT,
        super::custom_base64::ABOUT,
        super::deflate::DEFLATE,
        super::deflate::GZIP,
        super::deflate::ZLIB,
        super::entity::ABOUT,
        super::escape::ABOUT,
        super::form::ABOUT,
        super::hex::ABOUT,
        super::indexed_bytes::ABOUT,
        super::json::ABOUT,
        super::multipart::ABOUT,
        super::percent::ABOUT,
        super::quoted_printable::ABOUT,
        super::separated_hex::ABOUT,
        super::url::FRAGMENT,
        super::url::PATH,
        super::url::QUERY,
        super::utf7::ABOUT,
    ];
    all.extend(super::base58::ABOUT);
    all.extend(super::base85::ABOUT);
    all.extend(super::utf16::ABOUT);
    all.extend(crate::needles::ABOUT);
    all.extend(crate::beside::ABOUT);
    all.push(crate::split::ABOUT);
    all.sort_by_key(|row| row.name);
    all
}
