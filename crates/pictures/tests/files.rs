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

/// libaom wrote them, by libavif.
#[cfg(feature = "avif")]
#[test]
fn pictures_of_the_web_are_read() {
    assert!(difference(&read("colour.png"), &read("colour.avif")) < 12.0);
    assert!(difference(&read("colour.png"), &read("limited.avif")) < 12.0, "brightness from 16 to 235");
    assert!(read("palette.png") == read("grey.avif"), "nothing is lost without colours and quantiser");
    assert!(difference(&read("colour.png"), &read("turned.avif")) < 12.0, "turned as the file says, once");
    let (tile, tiles) = (read("tile.avif"), read("tiles.avif"));
    assert_eq!((tiles.width(), tiles.height()), (128, 64));
    assert!((0..64).all(|y| tiles.row(y) == [tile.row(y), tile.row(y)].concat()), "two of the same beside each other");
}

/// By libaom with matrices, with changes of quantiser and filter, with palettes and with copied blocks, by rav1e with segments, 10
/// bits and half the columns of colours, and by SVT-AV1; one has sides that are no multiple of 8.
/// The digests (FNV-1a) are those of what rav1d makes of them with its deblocking filter and none of the later ones.
#[cfg(feature = "avif")]
#[test]
fn every_sample_of_av1_is_that_of_another_decoder() {
    for (name, digest) in [
        ("colour.avif", 0xbe2e_9d21_621b_ee69),
        ("matrices.avif", 0x652f_c653_ae25_7781),
        ("changes.avif", 0x9499_a886_6368_b955),
        ("uneven.avif", 0x8adf_eb16_b991_681a),
        ("deep.avif", 0xb232_8aca_807c_67c7),
        ("svt.avif", 0xb137_58b1_b354_159e),
        ("palette.avif", 0xdb1f_8db9_6131_0d3b),
        ("copied.avif", 0x09e4_0272_7474_948f),
        ("tile.avif", 0xdfd7_248e_779d_31da_u64),
    ] {
        let add = |hash: u64, sample: &u8| (hash ^ u64::from(*sample)).wrapping_mul(0x0000_0100_0000_01B3);
        let found = read(name).pixels().iter().fold(0xcbf2_9ce4_8422_2325, add);
        assert_eq!(found, digest, "{name}");
    }
}

#[cfg(feature = "avif")]
#[test]
fn a_stream_of_av1_that_is_larger_than_its_file_says_is_not_decoded() {
    let mut file = seed("colour.avif");
    let size = [56_u32, 40].map(u32::to_be_bytes).concat();
    let at = file.windows(8).position(|bytes| bytes == size).unwrap();
    file[at..at + 8].copy_from_slice(&[40_u32, 40].map(u32::to_be_bytes).concat());
    assert_eq!(decode(&file, &Limits::default()), Err(Unreadable::TooLarge));
    assert_eq!(
        decode(&seed("colour.avif"), &Limits { memory: 20_000, ..Limits::default() }),
        Err(Unreadable::TooLarge)
    );
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
