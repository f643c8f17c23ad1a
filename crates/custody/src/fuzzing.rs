//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::name::shown;
use crate::timestamp::{Reply, Request};
use crate::zip::{Archive, Writer};
use crate::{digest, log};
use dyetrace_case::{ExhibitId, Manifest};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Take};
use std::path::{Component, Path};

/// An archive from anybody: names stay inside, no file is longer than the archive, and what was read is written and
/// read again as the same.
pub fn archive(data: &[u8]) {
    let Ok(mut archive) = Archive::open(Cursor::new(data)) else { return };
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut total = 0;
    for entry in archive.entries().to_vec() {
        let inside = Path::new(&entry.name).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(inside && !entry.name.contains('\\'), "a name leads out of its folder");
        let Ok(content) = archive.reader(&entry).and_then(whole) else { continue };
        total += content.len();
        assert!(total <= data.len(), "more was read than there is");
        files.insert(entry.name, content);
    }
    assert_eq!(read_again(&write(&files)), files, "what is written is read back");
}

fn whole<R: Read>(mut reader: Take<R>) -> Result<Vec<u8>, crate::zip::ZipError> {
    let mut content = Vec::new();
    reader.read_to_end(&mut content)?;
    Ok(content)
}

fn write(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (name, content) in files {
        let measured = digest::measure(&mut content.as_slice(), &mut |_| Ok(())).expect("memory is read");
        writer.add(name, &measured, &mut content.as_slice()).expect("memory is written");
    }
    writer.finish().expect("memory is written")
}

fn read_again(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = Archive::open(Cursor::new(bytes)).expect("our own archives are read");
    let entries = archive.entries().to_vec();
    let content =
        |archive: &mut Archive<Cursor<&[u8]>>, entry| archive.reader(entry).and_then(whole).expect("it is there");
    entries.iter().map(|entry| (entry.name.clone(), content(&mut archive, entry))).collect()
}

/// What bundles hold as text: manifests and custody logs.
pub fn bag(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(manifest) = Manifest::parse(&text) {
        for path in manifest.0.keys() {
            assert!(!shown(path).contains(char::is_control), "a name steers a terminal");
        }
    }
    let log = log::Log::parse(data);
    for (path, _) in log.last_digests() {
        assert!(!shown(path).contains(char::is_control), "a name steers a terminal");
    }
}

/// What a time-stamping authority answered, or anybody else, and the request.
pub fn reply(data: &[u8]) {
    let request = Request::new(ExhibitId([7; 32]), [9; 16]);
    if let Ok(reply) = Reply::parse(data) {
        assert!(
            reply.misfits(&request).iter().all(|line| !line.contains(char::is_control)),
            "a reason steers a terminal"
        );
    }
    if let Ok(request) = Request::parse(data) {
        assert_eq!(Request::parse(&request.to_der()), Ok(request), "what is written is read back");
    }
}
