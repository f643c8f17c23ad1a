//! How apps spell the path of a picture when they ask for it.

/// The usual spellings of a path on a device: as it is, as a `file:` address with and without escapes, under the other
/// names of Android's shared storage. A text that is an address already stands alone.
pub fn sources(path: &str) -> Vec<String> {
    if path.contains("://") {
        return vec![path.to_owned()];
    }
    let mut found = Vec::new();
    for path in under_other_names(path) {
        let escaped = escape(&path);
        for spelt in [format!("file://{path}"), format!("file://{escaped}"), format!("file:{path}"), path.clone()] {
            if !found.contains(&spelt) {
                found.push(spelt);
            }
        }
    }
    found
}

/// Names of the first user's shared storage, of which all but the first are links to it.
const SHARED: [&str; 4] = ["/storage/emulated/0", "/sdcard", "/mnt/sdcard", "/storage/self/primary"];

fn under_other_names(path: &str) -> Vec<String> {
    let rest = SHARED.iter().find_map(|root| path.strip_prefix(root).filter(|rest| rest.starts_with('/')));
    match rest {
        Some(rest) => SHARED.iter().map(|root| format!("{root}{rest}")).collect(),
        None => vec![path.to_owned()],
    }
}

/// As Android's `Uri.fromFile` escapes: all but letters, digits, `_-!.~'()*` and slashes, in UTF-8.
fn escape(path: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"_-!.~'()*/".contains(&byte);
    let mut escaped = String::new();
    for byte in path.bytes() {
        if kept(byte) {
            escaped.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache_names::{Scheme, names};

    #[test]
    fn a_path_is_tried_under_all_its_names() {
        let found = sources("/sdcard/DCIM/my photo.jpg");
        for expected in [
            "file:///storage/emulated/0/DCIM/my%20photo.jpg",
            "file:///sdcard/DCIM/my photo.jpg",
            "/mnt/sdcard/DCIM/my photo.jpg",
        ] {
            assert!(found.iter().any(|source| source == expected), "{expected} in {found:?}");
        }
        let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len());
        assert_eq!(sources("content://media/external/images/media/17"), ["content://media/external/images/media/17"]);
    }

    #[test]
    fn a_file_of_a_cache_is_told_by_its_name() {
        let source = "file:///storage/emulated/0/DCIM/Camera/IMG_20260102_030405.jpg";
        let names = names(source);
        let of = |file: &str| names.iter().filter(|name| name.is_of(file)).map(|name| name.scheme).collect::<Vec<_>>();
        assert_eq!(of("-416593913"), [Scheme::UniversalImageLoader]);
        assert_eq!(of("-4165939130"), []);
        assert_eq!(of("6hjkpjr7q7f6if08daxi6aowb.0"), [Scheme::UniversalImageLoaderMd5]);
    }
}
