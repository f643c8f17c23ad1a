//! What picture files tell beside the picture: where, when and with what it was taken, by whom, and the small picture
//! inside that survives cropping.

use crate::decode::Format;
use crate::embedded::{Embedded, embedded};
use crate::exif;
use crate::extent::{Steps, extent, starts};
use crate::size::size;
use crate::tiff::{EXIF_DIRECTORY, Entry, GPS_DIRECTORY, Tiff};
use crate::xmp;
use memchr::memmem;
use std::ops::Range;

/// Pictures of one buffer that are asked what they tell.
const MOST_PICTURES: usize = 64;
/// Decimals in which a position is written out, the usual ones first. A planted position has some number of them, and
/// fractions of degrees come back to it only when they are rounded to the same.
const DECIMALS: [usize; 5] = [6, 5, 4, 7, 3];

/// The picture files in some bytes. One inside another is not among them: see [`Notes::embedded`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Files {
    /// The first 64, in order, each with what it tells.
    pub asked: Vec<Notes>,
    /// Where those behind them lie.
    pub left: Vec<Range<usize>>,
    /// Whether there may be more that were not looked for: their ends would have cost too much.
    pub is_cut: bool,
}

/// A picture file inside other bytes, and what it tells.
#[derive(Clone, PartialEq)]
pub struct Notes {
    /// Where in the bytes. These bytes alone tell the same.
    pub range: Range<usize>,
    /// `jpeg`, `png`, `webp`, `gif`, `bmp`, `tiff`, `heif`.
    pub format: &'static str,
    /// Width and height in pixels as its head says, before any turning.
    pub size: Option<(u32, u32)>,
    /// What is written in it.
    pub notes: Vec<Note>,
    /// The small picture inside.
    pub embedded: Option<Embedded>,
}

/// One thing that is written in a picture file.
#[derive(Clone, PartialEq)]
pub struct Note {
    /// Where it stands: `exif` or `xmp`.
    pub block: &'static str,
    /// Its name there: `Model`; `GPSPosition` is latitude and longitude together.
    pub name: &'static str,
    /// The bytes that say it.
    pub range: Range<usize>,
    /// The value: texts as they stand, positions as `latitude,longitude` in degrees.
    pub text: String,
    /// Other ways to write the same.
    pub also: Vec<String>,
}

impl std::fmt::Debug for Notes {
    /// Names and no values: they may be planted, or somebody's.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.notes.iter().map(|note| (note.block, note.name));
        out.debug_list().entry(&self.format).entry(&self.range).entries(names).finish()
    }
}

/// All picture files in the bytes, and what the first of them tell.
pub fn notes(bytes: &[u8]) -> Files {
    if let Some(whole) = of_container(bytes) {
        return Files { asked: vec![whole], ..Files::default() };
    }
    let (starts, are_more) = starts(bytes);
    let (mut files, mut done, mut steps) = (Files::default(), 0, Steps::of(bytes.len()));
    for start in starts {
        if start < done {
            continue;
        }
        let Some(picture) = extent(bytes, start, &mut steps) else { continue };
        done = picture.whole.end;
        if files.asked.len() < MOST_PICTURES {
            files.asked.extend(of_picture(bytes, picture.whole));
        } else {
            files.left.push(picture.whole);
        }
    }
    files.is_cut = are_more || steps.are_spent();
    files
}

fn of_picture(bytes: &[u8], range: Range<usize>) -> Option<Notes> {
    let file = bytes.get(range.clone())?;
    let format = match Format::of(file)? {
        Format::Jpeg => "jpeg",
        Format::Png => "png",
        Format::WebP => "webp",
        Format::Gif => "gif",
        Format::Bmp => "bmp",
        Format::Heif => "heif",
    };
    let block = if format == "heif" { in_heif(file) } else { exif::block(file) };
    let mut told = told(file, block.clone());
    let embedded = block.and_then(|block| embedded(file, block));
    let moved = |range: &mut Range<usize>, by: usize| *range = range.start + by..range.end + by;
    for note in &mut told {
        moved(&mut note.range, range.start);
    }
    let embedded = embedded.map(|mut small| {
        moved(&mut small.range, range.start);
        small
    });
    Some(Notes { format, size: size(file), notes: told, embedded, range })
}

/// The kind of a file whose pixels are not read here and whose notes are.
fn container(bytes: &[u8]) -> Option<&'static str> {
    const BRANDS: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1", b"avif", b"avis"];
    let is_heif = || bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|brand| BRANDS.contains(&brand));
    match bytes {
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("tiff"),
        _ if is_heif() => Some("heif"),
        _ => None,
    }
}

fn of_container(bytes: &[u8]) -> Option<Notes> {
    let format = container(bytes)?;
    let block = if format == "tiff" { Some(0..bytes.len()) } else { in_heif(bytes) };
    let mut size = None;
    if format == "tiff" {
        // Two bytes and a number are little; what has a size is a picture.
        let tiff = Tiff::new(bytes)?;
        let main = tiff.main();
        size = Some((tiff.whole(&main, 0x0100)?, tiff.whole(&main, 0x0101)?));
    }
    let notes = told(bytes, block);
    Some(Notes { range: 0..bytes.len(), format, size, notes, embedded: None })
}

/// The item of notes in a HEIF or AVIF file (ISO/IEC 23008-12, annex A), found by how it begins: its place is in tables
/// that are as often wrong as not after editing.
fn in_heif(bytes: &[u8]) -> Option<Range<usize>> {
    const BEGINS: [&[u8]; 2] = [b"Exif\0\0II*\0", b"Exif\0\0MM\0*"];
    let at = BEGINS.into_iter().filter_map(|head| memmem::find(bytes, head)).min()?;
    Some(at + 6..bytes.len())
}

/// Notes of both kinds, places counted from the file's start.
fn told(file: &[u8], block: Option<Range<usize>>) -> Vec<Note> {
    let of_camera = block.and_then(|block| {
        let tiff = Tiff::new(file.get(block.clone())?)?;
        Some(in_tiff(&tiff, block.start))
    });
    let mut all = of_camera.unwrap_or_default();
    if let Some((position, range)) = xmp::position(file) {
        all.push(placed("xmp", position, range));
    }
    let property = |(name, text, range)| Note { block: "xmp", name, range, text, also: Vec::new() };
    all.extend(xmp::properties(file).into_iter().map(property));
    all
}

/// Texts of the main directory and of what the camera did (EXIF 2.32, sections 4.6.4 and 4.6.5).
const TEXTS: [(bool, u16, &str); 18] = [
    (true, 0x010F, "Make"),
    (true, 0x0110, "Model"),
    (true, 0x0131, "Software"),
    (true, 0x013C, "HostComputer"),
    (true, 0x010E, "ImageDescription"),
    (true, 0x013B, "Artist"),
    (true, 0x8298, "Copyright"),
    (true, 0x0132, "DateTime"),
    (false, 0x9003, "DateTimeOriginal"),
    (false, 0x9004, "DateTimeDigitized"),
    (false, 0x9011, "OffsetTimeOriginal"),
    (false, 0xA420, "ImageUniqueID"),
    (false, 0xA430, "CameraOwnerName"),
    (false, 0xA431, "BodySerialNumber"),
    (false, 0xA433, "LensMake"),
    (false, 0xA434, "LensModel"),
    (false, 0xA435, "LensSerialNumber"),
    (false, 0xA40B, "DeviceSettingDescription"),
];
const USER_COMMENT: u16 = 0x9286;
const GPS_ALTITUDE: u16 = 6;
const GPS_AREA: u16 = 0x1C;
const GPS_DATE: u16 = 0x1D;

fn in_tiff(tiff: &Tiff<'_>, start: usize) -> Vec<Note> {
    let main = tiff.main();
    let inner = |tag| tiff.pointed(&main, tag).unwrap_or_default();
    let (details, place) = (inner(EXIF_DIRECTORY), inner(GPS_DIRECTORY));
    let note = |name, (text, range): (String, Range<usize>)| Note {
        block: "exif",
        name,
        range: range.start + start..range.end + start,
        text,
        also: Vec::new(),
    };
    let mut all: Vec<Note> = position(tiff, &place, start).into_iter().collect();
    for (in_main, tag, name) in TEXTS {
        all.extend(tiff.text(if in_main { &main } else { &details }, tag).map(|text| note(name, text)));
    }
    all.extend(tiff.comment(&details, USER_COMMENT).map(|text| note("UserComment", text)));
    all.extend(tiff.comment(&place, GPS_AREA).map(|text| note("GPSAreaInformation", text)));
    all.extend(tiff.text(&place, GPS_DATE).map(|text| note("GPSDateStamp", text)));
    let altitude = tiff.fraction(&place, GPS_ALTITUDE);
    all.extend(altitude.map(|(metres, range)| note("GPSAltitude", (format!("{metres:.1}"), range))));
    for note in all.iter_mut().filter(|note| note.name.starts_with("DateTime")) {
        note.also.extend(iso(&note.text));
    }
    all
}

fn position(tiff: &Tiff<'_>, place: &[Entry], start: usize) -> Option<Note> {
    let (north, at) = tiff.degrees(place, 2, 1, "S").filter(|(degrees, _)| degrees.abs() <= 90.0)?;
    let (east, also_at) = tiff.degrees(place, 4, 3, "W").filter(|(degrees, _)| degrees.abs() <= 180.0)?;
    let range = start + at.start.min(also_at.start)..start + at.end.max(also_at.end);
    Some(placed("exif", (north, east), range))
}

fn placed(block: &'static str, (north, east): (f64, f64), range: Range<usize>) -> Note {
    let mut ways = DECIMALS.map(|decimals| format!("{north:.decimals$},{east:.decimals$}")).into_iter();
    let text = ways.next().unwrap_or_default();
    Note { block, name: "GPSPosition", range, text, also: ways.collect() }
}

/// `2024:05:06 07:08:09` as ISO 8601 has the day and the time.
fn iso(text: &str) -> Option<String> {
    let (day, time) = text.split_once(' ')?;
    let is_day = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    is_day.then(|| format!("{}T{time}", day.replace(':', "-")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exif::tests::{in_a_jpeg, written};
    use proptest::prelude::*;

    /// A picture of one grey with a camera's notes.
    fn picture(block: &[u8]) -> Vec<u8> {
        let mut file = in_a_jpeg(block);
        let mut plain = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut plain, 50);
        encoder.encode(&[128; 64 * 32], 64, 32, jpeg_encoder::ColorType::Luma).unwrap();
        file.extend(&plain[2..]);
        file
    }

    #[test]
    fn notes_are_named_and_point_to_the_bytes_that_say_them() {
        for big in [false, true] {
            let file = [b"before".as_slice(), &picture(&written(big)), b"behind"].concat();
            let found = notes(&file).asked;
            let [found] = &found[..] else { panic!("one picture") };
            assert_eq!((found.format, found.size), ("jpeg", Some((64, 32))));
            assert_eq!(found.range, 6..file.len() - 6);
            let told: Vec<_> = found.notes.iter().map(|note| (note.name, note.text.as_str())).collect();
            let expected = [
                ("GPSPosition", "-33.510000,151.250000"),
                ("Make", "Abc"),
                ("Model", "Model 1"),
                ("DateTime", "2024:05:06 07:08:09"),
            ];
            assert_eq!(told, expected);
            assert_eq!(found.notes[0].range.len(), 48, "two times three fractions");
            assert_eq!(&file[found.notes[2].range.clone()], b"Model 1");
            assert_eq!(found.notes[3].also, ["2024-05-06T07:08:09"]);
            assert!(found.notes[0].also.contains(&"-33.5100,151.2500".to_owned()));
            assert!(!format!("{found:?}").contains("Model 1"), "values are not shown");
        }
    }

    #[test]
    fn the_bytes_of_a_picture_alone_tell_the_same() {
        let file = [b"before".as_slice(), &picture(&written(true)), b"behind"].concat();
        let inside = notes(&file).asked.remove(0);
        let alone = notes(&file[inside.range.clone()]).asked.remove(0);
        assert_eq!(
            alone.notes.iter().map(|note| &note.text).collect::<Vec<_>>(),
            inside.notes.iter().map(|note| &note.text).collect::<Vec<_>>()
        );
    }

    #[test]
    fn files_whose_pixels_are_not_read_tell_all_the_same() {
        let mut heif = b"\0\0\0\x18ftypheic\0\0\0\0mif1heicjunk\0\0\0\x06Exif\0\0".to_vec();
        heif.extend(written(false));
        let found = notes(&heif).asked;
        assert_eq!(found[0].format, "heif");
        assert!(found[0].notes.iter().any(|note| note.text == "-33.510000,151.250000"));
        assert_eq!(notes(&written(false)), Files::default(), "a block of notes alone is no picture");
        assert_eq!(notes(b"II*\0"), Files::default());
    }

    #[test]
    fn pictures_behind_the_sixty_fourth_are_not_asked_and_not_forgotten() {
        let one = picture(&written(false));
        let found = notes(&one.repeat(67));
        assert_eq!((found.asked.len(), found.is_cut), (64, false));
        assert_eq!(found.left, [64, 65, 66].map(|number| number * one.len()..(number + 1) * one.len()));
        let found = notes(&one.repeat(64));
        assert_eq!((found.asked.len(), found.left.len(), found.is_cut), (64, 0, false));
    }

    #[test]
    fn bytes_in_which_ends_of_pictures_cost_too_much_say_so() {
        let beginning = b"\xFF\xD8\xFF\xC0\x00\x02\xFF\xDA\x00\x02\xFF\x00";
        assert!(!notes(&beginning.repeat(2)).is_cut);
        assert!(notes(&b"RIFF".repeat(100_001)).is_cut);
    }

    proptest! {
        #[test]
        fn hostile_files_neither_panic_nor_point_outside(at in 0_usize..400, value in any::<u8>(), end in 0_usize..900, big in any::<bool>()) {
            let mut file = picture(&written(big));
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
            file.truncate(end);
            for found in notes(&file).asked {
                for note in &found.notes {
                    prop_assert!(note.range.start <= note.range.end && note.range.end <= file.len());
                }
            }
        }
    }
}
