//! What can be read only once: pipes, terminals, sockets, and standard input. They are opened before anything else and
//! read as they come.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// How standard input is written where a file is asked for.
const STANDARD_INPUT: &str = "-";

/// Files that were opened already because they can be read only once, by their paths as given.
#[derive(Debug, Default)]
pub struct Streams(BTreeMap<PathBuf, File>);

impl Streams {
    /// Opens those of the paths that are no files on disk, and `-`, which is standard input. What is below `/dev` and
    /// `/proc` is opened too: the process may lose the right to open its own descriptors by name.
    ///
    /// # Errors
    /// With the path: nothing is there or may be opened, or it is given twice.
    pub fn open<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Result<Self, (PathBuf, io::Error)> {
        let mut streams = BTreeMap::new();
        for path in paths {
            let Some(opened) = opened(path).map_err(|error| (path.clone(), error))? else { continue };
            if streams.insert(path.clone(), opened).is_some() {
                return Err((path.clone(), io::Error::other("it is given twice and can be read only once")));
            }
        }
        Ok(Self(streams))
    }

    /// The first of them, by name.
    pub fn first(&self) -> Option<&Path> {
        self.0.keys().next().map(PathBuf::as_path)
    }

    /// The file of that path, if it was opened.
    pub(crate) fn take(&mut self, path: &Path) -> Option<File> {
        self.0.remove(path)
    }
}

fn opened(path: &Path) -> io::Result<Option<File>> {
    if path == Path::new(STANDARD_INPUT) {
        use std::os::fd::AsFd as _;
        return Ok(Some(io::stdin().as_fd().try_clone_to_owned()?.into()));
    }
    let kind = std::fs::metadata(path)?.file_type();
    let by_descriptor = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    let is_stream = !kind.is_file() || by_descriptor;
    if kind.is_dir() || !is_stream { Ok(None) } else { File::open(path).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_opened_when_they_are_read_and_streams_once() {
        let file = std::env::current_exe().unwrap();
        let null = PathBuf::from("/dev/null");
        let mut streams = Streams::open([&file, &null]).unwrap();
        assert!(streams.take(&file).is_none() && streams.first() == Some(null.as_path()));
        assert!(streams.take(&null).is_some() && streams.take(&null).is_none());
        assert_eq!(Streams::open([&null, &null]).unwrap_err().0, null);
        assert_eq!(Streams::open([&PathBuf::from("/no/such/pipe")]).unwrap_err().1.kind(), io::ErrorKind::NotFound);
    }
}
