//! In which country an address is announced, from a MaxMind DB file.

use crate::list::ListError;
use dyetrace_case::{Country, Snapshot};
use maxminddb::{PathElement, Reader};
use std::fmt;
use std::net::IpAddr;

/// Where databases keep the country's code: `country_code` (ip-location-db), `country.iso_code` (GeoIP2).
const PLACES: [&[PathElement<'static>]; 2] =
    [&[PathElement::Key("country_code")], &[PathElement::Key("country"), PathElement::Key("iso_code")]];

/// A table of addresses and countries (MaxMind DB file format specification, version 2.0).
pub struct CountryTable {
    reader: Reader<Vec<u8>>,
    snapshot: Snapshot,
}

impl fmt::Debug for CountryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountryTable").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl CountryTable {
    /// Reads a whole MMDB file.
    ///
    /// # Errors
    /// It is not of that format.
    pub fn new(file: Vec<u8>, snapshot: Snapshot) -> Result<Self, ListError> {
        let reader = Reader::from_source(file).map_err(|error| ListError::new(&snapshot.name, error))?;
        Ok(Self { reader, snapshot })
    }

    /// Which table this is.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The country of an address; `None` where the table does not have it or is damaged there.
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let code = |place: &[PathElement<'_>]| found.decode_path::<String>(place).ok().flatten();
        // ZZ and XX are user-assigned codes (ISO 3166-1 section 8.1.3) that tables write for "not known".
        PLACES
            .iter()
            .find_map(|place| code(place))
            .filter(|code| code != "ZZ" && code != "XX")
            .and_then(|code| Country::new(&code))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn snapshot(name: &str) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            version: None,
            dated: Some("2026-01-02".to_owned()),
            licence: None,
            sha256: None,
            from: None,
            note: None,
        }
    }

    fn text(text: &str) -> Vec<u8> {
        [&[0x40 | text.len() as u8], text.as_bytes()].concat()
    }

    fn uint16(value: u16) -> Vec<u8> {
        [&[0xa2][..], &value.to_be_bytes()].concat()
    }

    /// An MMDB file in which 203.0.113.0/24 is in `country`, by the format's specification, version 2.0.
    pub(crate) fn mmdb(country: &str) -> Vec<u8> {
        let (nodes, bits) = (24_u32, u32::from_be_bytes([203, 0, 113, 0]));
        let mut file = Vec::new();
        for depth in 0..nodes {
            let onward = if depth + 1 == nodes { nodes + 16 } else { depth + 1 };
            let one = bits >> (31 - depth) & 1 == 1;
            let (left, right) = if one { (nodes, onward) } else { (onward, nodes) };
            file.extend_from_slice(&left.to_be_bytes()[1..]);
            file.extend_from_slice(&right.to_be_bytes()[1..]);
        }
        file.extend_from_slice(&[0; 16]);
        file.push(0xe1);
        file.extend([text("country_code"), text(country)].concat());
        file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
        file.push(0xe9);
        let fields = [
            ("node_count", [&[0xc4][..], &nodes.to_be_bytes()].concat()),
            ("record_size", uint16(24)),
            ("ip_version", uint16(4)),
            ("database_type", text("test")),
            ("languages", vec![0x00, 0x04]),
            ("binary_format_major_version", uint16(2)),
            ("binary_format_minor_version", uint16(0)),
            ("build_epoch", vec![0x00, 0x02]),
            ("description", vec![0xe0]),
        ];
        for (name, value) in fields {
            file.extend([text(name), value].concat());
        }
        file
    }

    #[test]
    fn an_address_is_looked_up() {
        let table = CountryTable::new(mmdb("de"), snapshot("t")).unwrap();
        let country = |address: &str| table.country(address.parse().unwrap());
        assert_eq!(country("203.0.113.9"), Country::new("DE"));
        assert_eq!(country("::ffff:203.0.113.9"), Country::new("DE"));
        assert_eq!(country("203.0.114.9"), None);
        assert_eq!(country("2001:db8::1"), None);
    }

    #[test]
    fn codes_that_stand_for_not_known_are_no_countries() {
        for code in ["ZZ", "XX", "", "None"] {
            let table = CountryTable::new(mmdb(code), snapshot("t")).unwrap();
            assert_eq!(table.country("203.0.113.9".parse().unwrap()), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_table_is_refused_or_knows_less(at in 0usize..400, byte: u8, address: IpAddr) {
            let mut file = mmdb("DE");
            let at = at % file.len();
            file[at] = byte;
            if let Ok(table) = CountryTable::new(file, snapshot("t")) {
                table.country(address);
                table.country("203.0.113.9".parse().unwrap());
            }
        }
    }
}
