//! Story 4's pictures: what is planted in the subject's gallery, and what the app has of its own. They are drawn anew
//! each time, pixel by pixel the same.

mod canvas;
mod coding;
mod exif;
mod font;
mod photos;
mod screens;

pub use canvas::Canvas;

use crate::handmade::random::Random;
use crate::tester::Outcome;
use exif::Exif;
use screens::Account;
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

/// One planted picture.
#[derive(Debug)]
pub struct Original {
    /// Its kind.
    pub kind: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// The folder on the phone, under `/storage/emulated/0`.
    pub folder: &'static str,
    /// The name of the file.
    pub name: &'static str,
    /// The number that the phone's list of media gives it.
    pub media_id: u32,
    /// EXIF `ImageUniqueID`, where a camera took it.
    pub unique_id: Option<String>,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a screenshot is to the subject.
pub const SCREENSHOT: &str = "photo.screenshot";
/// What a photo of the camera is.
pub const CAMERA: &str = "photo.camera";

impl Original {
    /// The URI by which apps name the file.
    pub fn uri(&self) -> String {
        format!("file://{}", self.path())
    }

    /// Where it is on the phone.
    pub fn path(&self) -> String {
        format!("/storage/emulated/0/{}/{}", self.folder, self.name)
    }

    /// Every name by which the phone knows it.
    pub fn stored_as(&self) -> [String; 3] {
        [self.path(), self.uri(), format!("content://media/external/images/media/{}", self.media_id)]
    }
}

/// The planted pictures: three screenshots of another bank's app and three photos.
pub fn originals() -> &'static [Original] {
    static ORIGINALS: OnceLock<Vec<Original>> = OnceLock::new();
    // Empty only if a picture could not be encoded, which a test would see.
    ORIGINALS.get_or_init(|| draw().unwrap_or_default())
}

/// Those of one kind, each with its name as a datum.
pub fn of_kind(kind: &str) -> impl Iterator<Item = (String, &'static Original)> {
    let name = move |at: usize| if at == 0 { kind.to_owned() } else { format!("{kind}#{}", at + 1) };
    originals().iter().filter(move |original| original.kind == kind).enumerate().map(move |(at, one)| (name(at), one))
}

/// Writes the planted pictures into a case folder's `gallery/`.
///
/// # Errors
/// A file could not be written.
pub fn write(case: &Path) -> Outcome<()> {
    let folder = case.join("gallery");
    std::fs::create_dir_all(&folder)?;
    for original in originals() {
        std::fs::write(folder.join(original.name), &original.bytes)?;
    }
    Ok(())
}

/// The planted pictures as entries of `subject.yaml`.
pub fn yaml() -> String {
    originals().iter().fold(String::new(), |mut yaml, original| {
        let Original { kind, shows, name, .. } = original;
        let _ = writeln!(yaml, "  - kind: {kind}\n    file: gallery/{name}");
        if let Some(unique_id) = &original.unique_id {
            let _ = writeln!(yaml, "    value: {}", json!(unique_id));
        }
        let _ = writeln!(yaml, "    stored_as:");
        for stored in original.stored_as() {
            let _ = writeln!(yaml, "      - {stored}");
        }
        let _ = writeln!(yaml, "    planted: {shows}\n    bits: 128\n    made_up: true");
        yaml
    })
}

/// What the app shows of its own, by the path on the maker's server: banners, and a help page with the other bank's
/// screen as that of a customer in an example.
///
/// # Errors
/// A picture could not be encoded.
pub fn content(path: &str) -> Outcome<Option<Vec<u8>>> {
    Ok(match path {
        "/banners/spring.jpg" => Some(banner([210, 90, 60], "SPRING SAVINGS 3.1%").jpeg(85, None)?),
        "/banners/friends.jpg" => Some(banner([60, 90, 190], "BRING A FRIEND").jpeg(85, None)?),
        "/help/link-river-bank.png" => Some(Account::new("A. CUSTOMER", "story4 example").overview("12:00").png()?),
        _ => None,
    })
}

fn banner(colour: [u8; 3], text: &str) -> Canvas {
    let mut banner = Canvas::new(640, 200, colour);
    banner.change(|x, _, colour| colour.map(|part| part.saturating_add((x / 16) as u8)));
    banner.ellipse((540, 110), (130, 70), [250, 220, 120]);
    banner.text(40, 80, 4, [255; 3], text);
    banner
}

fn draw() -> Outcome<Vec<Original>> {
    let account = Account::new("ZHAO MIN", "story4 account");
    let screen = |name, shows, media_id, screen: Canvas| {
        let folder = "Pictures/Screenshots";
        let bytes = screen.png()?;
        Ok::<_, Box<dyn std::error::Error>>(Original {
            kind: SCREENSHOT,
            shows,
            folder,
            name,
            media_id,
            unique_id: None,
            bytes,
        })
    };
    let to = "CHEN BO";
    let letter = [
        "DEAR ZHAO MIN,",
        "",
        "YOUR TRANSFER 7741-20",
        "WAS REFUSED BECAUSE THE",
        "NAME DOES NOT FIT THE",
        "ACCOUNT. PLEASE ASK",
        "YOUR OTHER BANK.",
        "",
        "RIVER BANK, 02.01.2019",
    ];
    Ok(vec![
        screen(
            "Screenshot_20190105-100201.png",
            "screenshot of another bank's app, an account",
            31,
            account.overview("10:02"),
        )?,
        screen(
            "Screenshot_20190105-100344.png",
            "screenshot of another bank's app, a transfer",
            32,
            account.transfer("10:03", to),
        )?,
        screen(
            "Screenshot_20190105-100512.png",
            "screenshot of another bank's app, a card",
            33,
            account.card("10:05"),
        )?,
        photo(
            "IMG_20190105_101112.jpg",
            "photo of an identity card",
            34,
            &photos::identity_card("ZHAO MIN", "99010119900230004X"),
        )?,
        photo("IMG_20190105_101530.jpg", "photo of a face", 35, &photos::face())?,
        photo("IMG_20190105_101847.jpg", "photo of a letter", 36, &photos::letter(&letter))?,
    ])
}

/// A photo with the time in its name, and where it was taken: a place at sea.
fn photo(name: &'static str, shows: &'static str, media_id: u32, picture: &Canvas) -> Outcome<Original> {
    let mut random = Random::new(name);
    let digit = |at: usize| name.get(at..at + 2).unwrap_or_default();
    let taken = format!("2019:01:05 {}:{}:{}", digit(13), digit(15), digit(17));
    let mut second = || random.below(6000) as u32;
    let (north, east) = ([30, 12, second()], [123, 48, second()]);
    let unique_id = random.hex(32);
    let exif = Exif { taken: &taken, north, east, unique_id: &unique_id }.tiff();
    let bytes = picture.jpeg(75, Some(&exif))?;
    Ok(Original { kind: CAMERA, shows, folder: "DCIM/Camera", name, media_id, unique_id: Some(unique_id), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_has_three_screens_and_three_photos_and_none_like_another() {
        assert_eq!((of_kind(SCREENSHOT).count(), of_kind(CAMERA).count()), (3, 3));
        let all: Vec<Canvas> = originals().iter().map(|one| Canvas::read(&one.bytes).unwrap()).collect();
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| other != one));
        }
        assert!(originals().iter().all(|one| one.bytes.len() < 150_000));
    }

    #[test]
    fn a_photo_says_when_it_was_taken_and_which_one_it_is() {
        for (_, photo) in of_kind(CAMERA) {
            let has = |text: &str| photo.bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes());
            let time = &photo.name[13..19];
            assert!(has(&format!("2019:01:05 {}:{}:{}", &time[..2], &time[2..4], &time[4..])));
            assert!(has(photo.unique_id.as_deref().unwrap()));
        }
    }

    /// The same template with the same labels, and other numbers.
    #[test]
    fn the_apps_own_example_is_like_the_planted_screen_and_is_not_it() {
        let example = Canvas::read(&content("/help/link-river-bank.png").unwrap().unwrap()).unwrap();
        let planted = Canvas::read(&originals()[0].bytes).unwrap();
        let same = example.rgb().iter().zip(planted.rgb()).filter(|(a, b)| a == b).count();
        let share = same * 100 / planted.rgb().len();
        assert!((90..100).contains(&share), "{share} % of the pixels are the same");
    }
}
