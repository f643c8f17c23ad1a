//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::luma::WORKING_PIXELS;
use crate::{Gallery, Limits, decode as decode_file, exif};

/// A picture file as somebody wrote it: what is read of it is no larger than a picture at working size, and can be
/// looked at.
pub fn decode(data: &[u8]) {
    let _ = exif(data);
    for found in crate::notes(data).asked {
        assert!(found.range.end <= data.len() && found.notes.iter().all(|note| note.range.end <= data.len()));
    }
    let limits = Limits { pixels: 1 << 21, memory: 16 << 20 };
    let Ok(luma) = decode_file(data, &limits) else { return };
    assert_eq!(luma.pixels().len(), luma.width() * luma.height());
    assert!(luma.pixels().len() as u64 <= 2 * WORKING_PIXELS, "reduced while it is read");
    if luma.pixels().len() < 1 << 14 {
        let mut gallery = Gallery::new();
        gallery.add_luma(1, luma.clone());
        assert!(gallery.look(&luma).iter().all(|found| found.original == 1 && found.bad_tiles.is_finite()));
    }
}
