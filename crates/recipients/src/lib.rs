//! Who is behind an endpoint, as far as dated lists say.
//!
//! What the wire shows of a server is a name and an address. From those, and from lists that each
//! have a date, this crate tells how far away it is ([`dyetrace_case::Scope`]), which domain somebody
//! registered, who owns that, what the owner is to the maker, and in which country server and owner
//! are. It opens no file and asks no network: whoever calls it brings the lists.
//!
//! Two rules keep it honest. What no list says is unknown, and stays in every count as such. And
//! where lists that speak of the same name disagree, the answer is unknown as well; every statement
//! is kept in [`dyetrace_case::Recipient::said`] with its list, date and source.

mod attribute;
mod country;
mod entities;
mod entity;
mod installed;
mod list;
mod name;
mod parties;
mod resolve;
mod scope;
mod statement;

pub use country::CountryTable;
pub use installed::{Holds, Index, IndexedFile, IndexedPackage, Known, PACKAGES, Package, WantedFile};
pub use list::{ListError, OwnerList};
pub use resolve::{Recipients, Seen};
