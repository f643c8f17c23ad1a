//! 7z: LZMA and LZMA2, solid or not, one file after the other as they come out of the unpacker.

use std::io::{self, Read, Seek, SeekFrom};

use sevenz_rust2::{ArchiveEntry, ArchiveReader, Error, Password};

use super::bounded::Bounded;
use super::{Content, Here, MOST_IN_MEMORY, SeekRead, Source, Visit, walk_at};

/// How much memory the unpacker may use, in KiB: a dictionary of 64 MiB is the most that 7-Zip takes
/// short of its highest settings.
const MOST_MEMORY: usize = 256 << 10;

/// Walks an archive of which `head` has been read from `source`.
pub(super) fn walk(here: &Here, head: &[u8], source: Source<'_>, visit: Visit<'_>) {
    match source {
        Source::File(file) => walk_file(here, file, visit),
        Source::Stream(stream) => {
            let mut bytes = Vec::new();
            let mut whole = head.chain(stream).take(MOST_IN_MEMORY + 1);
            if whole.read_to_end(&mut bytes).is_err() {
                return here.unreadable("the archive is cut short", visit);
            }
            if bytes.len() as u64 > MOST_IN_MEMORY {
                return here
                    .unreadable("a 7z archive of more than 64 MiB within another archive: unpack it first", visit);
            }
            walk_file(here, &mut io::Cursor::new(bytes), visit);
        }
    }
}

fn walk_file(here: &Here, file: &mut dyn SeekRead, visit: Visit<'_>) {
    if file.seek(SeekFrom::Start(0)).is_err() {
        return here.unreadable("the archive cannot be read from its beginning", visit);
    }
    let mut archive = match ArchiveReader::new_with_memory_limit(Plain(file), Password::empty(), MOST_MEMORY) {
        Ok(archive) => archive,
        Err(error) => return here.unreadable(why(&error), visit),
    };
    archive.set_thread_count(1);
    let walked = archive.for_each_entries(|entry: &ArchiveEntry, content: &mut dyn Read| {
        if !entry.is_directory() {
            let inner = here.inside(entry.name(), Some(entry.size()));
            walk_at(&inner, Source::Stream(&mut Bounded::new(content, &here.budget)), visit);
        }
        Ok(true)
    });
    if let Err(error) = walked {
        here.inside("?", None).tell(Content::Unreadable(why(&error)), visit);
    }
}

/// A seekable reader of known type.
struct Plain<'f>(&'f mut dyn SeekRead);

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Plain<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fn why(error: &Error) -> &'static str {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => "the archive is encrypted",
        Error::MaxMemLimited { .. } => "the archive needs more memory to unpack than a triage may take",
        Error::UnsupportedCompressionMethod(_) => "the archive is packed by a method that is not read",
        _ => "the archive is damaged from here on",
    }
}
