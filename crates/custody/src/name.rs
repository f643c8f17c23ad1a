//! Which names files may have in a bundle.

/// Longest path in bytes.
const LONGEST: usize = 1024;

/// Says why a relative path may not stand in a bundle.
///
/// A path that passes stays inside the folder it is joined to, on every system, and stands in manifests as it is:
/// RFC 8493 section 2.1.3 would have `%` and line ends encoded, which `sha256sum` does not undo.
///
/// # Errors
/// The reason.
pub fn check(path: &str) -> Result<(), &'static str> {
    let bytes = path.as_bytes();
    match () {
        () if path.is_empty() => Err("is empty"),
        () if bytes.len() > LONGEST => Err("is longer than 1024 bytes"),
        () if bytes.first() == Some(&b'/') || bytes.get(1) == Some(&b':') => Err("is absolute"),
        () if path.contains('\\') => Err("has a backslash"),
        () if path.contains('%') => Err("has a percent sign"),
        () if path.chars().any(char::is_control) => Err("has a control character"),
        () if path.split('/').any(|part| matches!(part, "" | "." | "..")) => Err("goes up or has an empty part"),
        () => Ok(()),
    }
}

/// A path that nobody vouches for, so that it cannot steer a terminal.
pub fn shown(path: &str) -> String {
    path.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for name in
            ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "C:x", "a\\..\\b", "a\nb", "a%0Ab", "a/"]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["a", "data/evidence/app 1.pcapng", "数据/..a", "a:b/c".replacen(':', "..", 1).as_str()] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(shown("a\u{1b}[2J"), "a\u{fffd}[2J");
    }
}
