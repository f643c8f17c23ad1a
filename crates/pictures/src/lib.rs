//! Finds a subject's pictures again: re-encoded, resized, cropped, turned, mirrored, brightened, watermarked or shown
//! inside another picture.
//!
//! A [`Gallery`] is given the subject's **originals**. Each is remembered by corners and what is around them (which
//! finds it in crops, turned, and inside a viewer's screenshot), by PDQ hashes of the whole and of its parts (which find
//! it where it is too smooth or too blurred for corners), and as a copy of at most 262,144 bytes. [`Gallery::look`] takes
//! another picture, collects originals that it may show, lays it on each of them, and compares tile by tile.
//!
//! A match says [`Likeness::Same`] where the original's contents are there. It says [`Likeness::SameTemplate`] where the
//! pattern is the same and the contents are not, or where too little is there to tell: screens of one app, cards of one
//! country. *Same template is no accusation.* In what is drawn (screens) one tile with other letters makes another
//! screen; of a part that several originals show alike none is named as the same; and a screen that is less than 300
//! pixels wide is never told from others of its template.
//!
//! What it does not find: a tenth of a picture in which there is next to nothing (sky, a blurred background); pictures
//! taken of a picture from the side; screens on which something opaque was written over letters are *same template*.
//!
//! ```
//! use dyetrace_pictures::{Gallery, Luma};
//!
//! let picture = Luma::new(64, 64, (0..4096_u32).map(|at| (at * at >> 7) as u8).collect()).unwrap();
//! let mut gallery = Gallery::new();
//! gallery.add_luma(7, picture);
//! assert_eq!(gallery.len(), 1);
//! ```
//!
//! A [`Finder`] adds what needs no eyes: files, and pieces of them, that lie in any bytes as they are or under a
//! repeating key.
//!
//! [`notes`] tells what picture files say beside the picture (EXIF, XMP): place, time, device, names, and the small
//! picture inside that survives cropping.
//!
//! Formats: JPEG, PNG, WebP, the first frame of GIF, uncompressed BMP, HEIF with HEVC with the feature `heif`, and with AV1
//! (AVIF) with `avif`; by content, never by name.
//!
//! Nothing here reads a clock, a file, the network or the environment, and the same picture gives the same answer.

mod decode;
#[cfg(test)]
mod drawings;
mod embedded;
mod exif;
mod extent;
mod features;
mod finder;
#[doc(hidden)]
pub mod fuzzing;
mod gallery;
mod geometry;
mod index;
mod luma;
mod notes;
mod packed;
mod pdq;
mod pieces;
mod size;
mod thumbnail;
mod tiff;
mod tiles;
mod views;
mod wide;
mod xmp;

pub use decode::{Format, Limits, Unreadable, decode, decode_counted};
pub use embedded::{Embedded, Shows, shows};
pub use exif::{Exif, exif};
pub use finder::{Finder, Found, Piece, SHORTEST, Sight, What};
pub use gallery::{Gallery, Likeness, Match, View};
pub use luma::Luma;
pub use notes::{Files, Note, Notes, notes};
pub use pdq::{Hash, Laid, Spectrum};
pub use thumbnail::thumbnail;
