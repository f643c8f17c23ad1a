//! The phone's disk: the pictures that every app with the permission may read, and the folder that is the app's own.

use super::owner;
use crate::gallery::Original;
use crate::tester::Outcome;
use std::fs;
use std::path::{Path, PathBuf};

/// The app's data in an SQLite database, as its first start makes it. It was made once, with the `sqlite3` program and
/// the statements in `finance.sql`.
const DATABASE: &[u8] = include_bytes!("finance.db");

/// Where pictures are on the phone, under the storage that apps share.
const PICTURES: [&str; 2] = ["DCIM/Camera", "Pictures/Screenshots"];

/// The phone's disk.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// A new phone with the app installed. It has no pictures.
    ///
    /// # Errors
    /// The folders cannot be made.
    pub fn new(root: &Path) -> Outcome<Self> {
        let disk = Self { root: root.to_owned() };
        PICTURES.iter().try_for_each(|folder| fs::create_dir_all(disk.shared().join(folder)))?;
        ["cache", "databases", "files", "shared_prefs"]
            .iter()
            .try_for_each(|folder| fs::create_dir_all(disk.app().join(folder)))?;
        Ok(disk)
    }

    /// The app's own folder, `/data/data/com.example.finance` on the phone.
    pub fn app(&self) -> PathBuf {
        self.root.join("data/data/com.example.finance")
    }

    /// What apps share, `/storage/emulated/0` on the phone.
    fn shared(&self) -> PathBuf {
        self.root.join("storage/emulated/0")
    }

    /// Where a picture lies. Its name on the phone is below the disk's root.
    pub fn place_of(&self, original: &Original) -> PathBuf {
        self.shared().join(original.folder).join(original.name)
    }

    /// A picture is taken. It appears at once as a whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn take(&self, original: &Original) -> Outcome<()> {
        let half = self.root.join("half-written");
        fs::write(&half, &original.bytes)?;
        fs::rename(half, self.place_of(original))?;
        Ok(())
    }

    /// Every picture that is there, with its URI, in order of the names.
    ///
    /// # Errors
    /// The folders cannot be read.
    pub fn pictures(&self) -> std::io::Result<Vec<(String, PathBuf)>> {
        let mut pictures = Vec::new();
        for folder in PICTURES {
            for file in fs::read_dir(self.shared().join(folder))? {
                let name = file?.file_name();
                let uri = format!("file:///storage/emulated/0/{folder}/{}", name.to_string_lossy());
                pictures.push((uri, self.shared().join(folder).join(name)));
            }
        }
        pictures.sort();
        Ok(pictures)
    }

    /// What the app writes once the user has logged in.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember_log_in(&self) -> Outcome<()> {
        let preferences = format!(
            "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n    \
             <string name=\"phone\">{}</string>\n    <boolean name=\"support_helper\" value=\"true\" />\n    \
             <int name=\"starts\" value=\"1\" />\n</map>\n",
            owner::PHONE
        );
        fs::write(self.app().join("shared_prefs/com.example.finance_preferences.xml"), preferences)?;
        fs::write(self.app().join("databases/finance.db"), DATABASE)?;
        Ok(())
    }

    /// Keeps bytes in a folder of the app. As the image loader does it: the name appears with the whole content.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn keep(&self, folder: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let folder = self.app().join(folder);
        fs::create_dir_all(&folder)?;
        let half = folder.join(format!("{name}.tmp"));
        fs::write(&half, bytes)?;
        fs::rename(half, folder.join(name))
    }

    /// "Clear cache" in the system's settings.
    ///
    /// # Errors
    /// The folder cannot be emptied.
    pub fn clear_cache(&self) -> Outcome<()> {
        fs::remove_dir_all(self.app().join("cache"))?;
        fs::create_dir(self.app().join("cache"))?;
        Ok(())
    }
}
