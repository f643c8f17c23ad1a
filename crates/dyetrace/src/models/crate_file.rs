//! Packages of Rust: where a registry has them, and single files in them.

use super::package::Package;
use flate2::read::GzDecoder;
use std::io::Read as _;

/// What is unpacked at most; the checksum of the archive is known before.
const LARGEST: u64 = 64 << 20;

/// The address of a package's archive, by the configuration of a registry (The Cargo Book, Registry Index, index
/// configuration).
pub(super) fn address(config: &[u8], package: &Package) -> Option<String> {
    let config: serde_json::Value = serde_json::from_slice(config).ok()?;
    let template = config.get("dl")?.as_str()?;
    let Package { name, version, archive_sha256, .. } = package;
    let prefix = prefix(name);
    let marks = [
        ("{crate}", *name),
        ("{version}", version),
        ("{prefix}", &prefix),
        ("{lowerprefix}", &prefix.to_lowercase()),
        ("{sha256-checksum}", archive_sha256),
    ];
    if !marks.iter().any(|(mark, _)| template.contains(mark)) {
        return Some(format!("{}/{name}/{version}/download", template.trim_end_matches('/')));
    }
    Some(marks.iter().fold(template.to_owned(), |address, (mark, value)| address.replace(mark, value)))
}

/// The folder of a name of ASCII letters in an index.
fn prefix(name: &str) -> String {
    match name.len() {
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", name.get(..1).unwrap_or_default()),
        _ => format!("{}/{}", name.get(..2).unwrap_or_default(), name.get(2..4).unwrap_or_default()),
    }
}

/// One file of an archive.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn entry(archive: &[u8], name: &str) -> Result<Vec<u8>, &'static str> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive).take(LARGEST));
    for entry in archive.entries().map_err(|_| CUT)? {
        let mut entry = entry.map_err(|_| CUT)?;
        if entry.path_bytes() == name.as_bytes() && entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            return entry.read_to_end(&mut bytes).map(|_| bytes).map_err(|_| CUT);
        }
    }
    Err("the archive has no such file")
}

const CUT: &str = "the archive is cut or damaged";

#[cfg(test)]
pub(super) mod tests {
    use super::super::package::SEETA_FACE;
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// An archive of one file.
    pub(in crate::models) fn packed(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn registries_say_where_their_crates_are() {
        let sum = SEETA_FACE.archive_sha256;
        for (template, expected) in [
            ("https://crates.example/api", "https://crates.example/api/rustface/0.1.7/download".to_owned()),
            ("https://a.example/{crate}-{version}.crate", "https://a.example/rustface-0.1.7.crate".to_owned()),
            ("https://a.example/{prefix}/{crate}", "https://a.example/ru/st/rustface".to_owned()),
            ("https://a.example/{lowerprefix}/{sha256-checksum}", format!("https://a.example/ru/st/{sum}")),
        ] {
            let config = format!("{{\"dl\":\"{template}\",\"api\":null}}");
            assert_eq!(address(config.as_bytes(), &SEETA_FACE), Some(expected));
        }
        for config in ["", "[]", "{\"dl\":1}", "<html>"] {
            assert_eq!(address(config.as_bytes(), &SEETA_FACE), None);
        }
    }

    #[test]
    fn a_damaged_crate_is_refused_wherever_it_is_cut_or_changed() {
        let archive = packed("a-1/b.bin", b"contents");
        assert_eq!(entry(&archive, "a-1/b.bin").unwrap(), b"contents");
        assert_eq!(entry(&archive, "a-1/c.bin"), Err("the archive has no such file"));
        for cut in 0..40 {
            assert!(entry(&archive[..cut], "a-1/b.bin").is_err(), "{cut}");
        }
        for at in 0..archive.len() {
            for value in [0, 255] {
                let mut changed = archive.clone();
                changed[at] = value;
                // Nothing but contents or an error: no panic.
                let _ = entry(&changed, "a-1/b.bin");
            }
        }
    }
}
