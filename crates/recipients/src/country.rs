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
