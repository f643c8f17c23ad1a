//! `faces`: how many faces in pictures are found, what else is taken for one, and what looking costs; beside it the crate
//! `rustface`, from which the model is, with the same pictures in the same sizes.

use crate::pictures::SCRIPTS;
use crate::print;
use crate::python;
use crate::say;
use dyetrace_faces::{Detector, Limits};
use dyetrace_pictures::Luma;
use nix::sys::resource::{UsageWho, getrusage};
use serde::Deserialize;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How to call it.
pub(crate) const USAGE: &str = "faces MODEL [--folder FOLDER]";

/// One picture, as `make/faces.py` lists it.
#[derive(Debug, Deserialize)]
struct Picture {
    kind: String,
    file: String,
    /// Left, top, right and bottom of each face.
    faces: Vec<[f64; 4]>,
}

/// A place that was said to be a face, as [`Picture::faces`].
type Place = [f64; 4];

/// What became of the faces of one kind of pictures.
#[derive(Debug, Default)]
struct Row {
    pictures: usize,
    faces: usize,
    ours: Tally,
    theirs: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    found: usize,
    /// Places that are none.
    wrong: usize,
    /// CPU seconds.
    cpu: f64,
}

/// Makes the pictures, looks at all of them, prints the table.
pub(crate) fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let (model, folder) = match words {
        [model] => (model, PathBuf::from("target/benches/pictures")),
        [model, option, folder] if option == "--folder" => (model, folder.into()),
        _ => return Err(USAGE.into()),
    };
    let set = folder.join("faces");
    if !set.join("set.jsonl").exists() {
        say("making the pictures");
        python::script(&folder, SCRIPTS, "faces.py", &[set.display().to_string()])?;
    }
    let model = std::fs::read(model)?;
    let listed = std::fs::read_to_string(set.join("set.jsonl"))?;
    let pictures: Vec<Picture> = listed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut rows: Vec<(&str, Row)> = Vec::new();
    let (ours, mut theirs) = (Detector::new(&model, Limits::default())?, peer(&model)?);
    for picture in &pictures {
        let at = rows.iter().position(|(kind, _)| *kind == picture.kind).unwrap_or_else(|| {
            rows.push((&picture.kind, Row::default()));
            rows.len() - 1
        });
        look(&set, picture, (&ours, &mut *theirs), &mut rows[at].1)?;
    }
    print(&table(&rows)?);
    Ok(())
}

fn peer(model: &[u8]) -> Result<Box<dyn rustface::Detector>, Box<dyn Error>> {
    let mut peer = rustface::create_detector_with_model(rustface::read_model(model)?);
    peer.set_score_thresh(f64::from(Limits::default().score));
    Ok(peer)
}

/// Both look at one picture, in the pixels that the audit gives to its model.
fn look(
    set: &Path,
    picture: &Picture,
    (ours, theirs): (&Detector, &mut dyn rustface::Detector),
    row: &mut Row,
) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(set.join(&picture.file))?;
    let notes = dyetrace_pictures::notes(&bytes);
    let (width, height) = notes.asked.first().and_then(|notes| notes.size).ok_or("no size")?;
    let luma = dyetrace_pictures::decode(&bytes, &dyetrace_pictures::Limits::default())
        .map_err(|why| format!("{}: {why:?}", picture.file))?;
    let scale = f64::from(width.max(height)) / luma.width().max(luma.height()) as f64;
    row.pictures += 1;
    row.faces += picture.faces.len();
    let start = cpu()?;
    let found = ours.find(luma.width(), luma.height(), luma.pixels())?;
    row.ours.cpu += cpu()? - start;
    let places = found.faces.iter().map(|face| {
        let (left, top) = (f64::from(face.left), f64::from(face.top));
        [left, top, left + f64::from(face.width), top + f64::from(face.height)]
    });
    row.ours.add(picture, places, scale);
    let start = cpu()?;
    let found = theirs.detect(&as_theirs(&luma));
    row.theirs.cpu += cpu()? - start;
    let places = found.iter().map(|face| {
        let (left, top) = (f64::from(face.bbox().x()), f64::from(face.bbox().y()));
        [left, top, left + f64::from(face.bbox().width()), top + f64::from(face.bbox().height())]
    });
    row.theirs.add(picture, places, scale);
    Ok(())
}

fn as_theirs(luma: &Luma) -> rustface::ImageData<'_> {
    rustface::ImageData::new(luma.pixels(), luma.width() as u32, luma.height() as u32)
}

impl Tally {
    /// A face counts once. A place is a face's where its middle lies in the face and it is half to twice as wide.
    fn add(&mut self, picture: &Picture, places: impl Iterator<Item = Place>, scale: f64) {
        let mut is_found = vec![false; picture.faces.len()];
        for place in places {
            let [left, top, right, bottom] = place.map(|edge| edge * scale);
            let (x, y, side) =
                (f64::midpoint(left, right), f64::midpoint(top, bottom), (right - left).max(bottom - top));
            let is_it = |face: &[f64; 4]| {
                let [left, top, right, bottom] = *face;
                let share = side / (right - left).max(bottom - top);
                (left..=right).contains(&x) && (top..=bottom).contains(&y) && (0.5..=2.0).contains(&share)
            };
            match picture.faces.iter().position(is_it) {
                Some(face) => is_found[face] = true,
                None => self.wrong += 1,
            }
        }
        self.found += is_found.iter().filter(|is_found| **is_found).count();
    }
}

/// CPU seconds of this process.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn table(rows: &[(&str, Row)]) -> Result<String, std::fmt::Error> {
    let mut text =
        "| pictures | | faces found | places that are none | CPU s a picture | rustface: found | none | CPU s |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for (kind, row) in rows {
        let found = |tally: &Tally| match row.faces {
            0 => "–".to_owned(),
            faces => format!("{} of {faces}", tally.found),
        };
        let Row { pictures, ours, theirs, .. } = row;
        let each = |tally: &Tally| tally.cpu / *pictures as f64;
        writeln!(
            text,
            "| {kind} | {pictures} | {} | {} | {:.3} | {} | {} | {:.3} |",
            found(ours),
            ours.wrong,
            each(ours),
            found(theirs),
            theirs.wrong,
            each(theirs),
        )?;
    }
    Ok(text)
}
