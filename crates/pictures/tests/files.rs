//! Files of every format, and files that lie.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use dyetrace_pictures::{Format, Limits, Luma, Unreadable, decode, exif};

fn seed(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/pictures_decode/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn read(name: &str) -> Luma {
    decode(&seed(name), &Limits::default()).unwrap()
}

/// Mean difference of two pictures of one size.
fn difference(left: &Luma, right: &Luma) -> f64 {
    assert_eq!((left.width(), left.height()), (right.width(), right.height()));
    let sum: u32 = left.pixels().iter().zip(right.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / left.pixels().len() as f64
}

#[test]
fn one_picture_is_the_same_from_every_format() {
    let colour = read("colour.png");
    assert_eq!((colour.width(), colour.height()), (56, 40));
    assert!(colour == read("colour.bmp"));
    assert!(colour == read("lossless.webp"));
    assert!(difference(&colour, &read("progressive.jpg")) < 12.0);
    let grey = read("palette.png");
    assert!(grey == read("palette.bmp"));
    assert!(grey == read("frame.gif"));
    assert!(grey == read("opacity.png"), "the colour behind is taken as it is written");
    assert!(difference(&grey, &read("grey.jpg")) < 12.0);
}

/// x265 wrote them, by libheif.
#[cfg(feature = "heif")]
#[test]
fn pictures_of_telephones_are_read() {
    assert!(difference(&read("colour.png"), &read("colour.heic")) < 12.0);
    assert!(difference(&read("palette.png"), &read("grey.heic")) < 12.0);
    let turned = read("turned.heic");
    assert!(difference(&read("colour.png"), &turned) < 12.0, "turned as the file says, once");
}

#[test]
fn a_camera_that_was_held_on_its_side_gives_an_upright_picture() {
    for name in ["baseline.jpg", "lossy.webp"] {
        let notes = exif(&seed(name)).unwrap();
        assert_eq!((notes.orientation, notes.make.as_deref()), (Some(6), Some("Maker")), "{name}");
        assert!((notes.longitude.unwrap() + 4.0 + 5.0 / 60.0 + 6.0 / 3600.0).abs() < 1e-6);
        let luma = read(name);
        assert_eq!((luma.width(), luma.height()), (40, 56), "{name}");
    }
}

#[test]
fn a_file_that_ends_early_is_read_from_its_half_on_or_refused() {
    for name in ["colour.png", "colour.bmp", "baseline.jpg", "lossless.webp", "frame.gif"] {
        let file = seed(name);
        for end in 0..file.len() {
            match decode(&file[..end], &Limits::default()) {
                Ok(luma) => assert_eq!(luma.pixels().len(), 56 * 40),
                Err(error) => {
                    assert!(matches!(error, Unreadable::Damaged | Unreadable::NotAPicture), "{name} at {end}");
                }
            }
        }
    }
}

#[test]
fn a_header_that_says_four_thousand_megapixels_costs_nothing() {
    let mut png = seed("colour.png");
    png[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    let mut bmp = seed("colour.bmp");
    bmp[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
    let mut jpeg = seed("progressive.jpg");
    let frame = jpeg.windows(2).position(|bytes| bytes == [0xFF, 0xC2]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xFF);
    let mut gif = seed("frame.gif");
    gif[6..10].fill(0xFF);
    for (file, format) in [(png, Format::Png), (bmp, Format::Bmp), (jpeg, Format::Jpeg), (gif, Format::Gif)] {
        assert_eq!(Format::of(&file), Some(format));
        assert_eq!(decode(&file, &Limits::default()), Err(Unreadable::TooLarge), "{format:?}");
    }
}

#[test]
fn what_is_no_picture_is_said_to_be_none() {
    for file in [&b""[..], b"BM", b"PK\x03\x04", b"\xFF\xD8", b"GIF88a", &[0; 64]] {
        assert_eq!(decode(file, &Limits::default()), Err(Unreadable::NotAPicture));
    }
}
