//! What was typed, for whoever repeats it: as words that a shell reads as they were.

use std::path::Path;

/// The command with its arguments. Values of `--find` are left out. Of absolute paths only the last part is kept:
/// where a folder lies on somebody's computer is nobody else's concern.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os().skip(1);
    of(arguments.map(|word| word.to_string_lossy().into_owned()))
}

fn of(arguments: impl IntoIterator<Item = String>) -> String {
    let mut words = vec!["dyetrace".to_owned()];
    let mut hidden = false;
    for word in arguments {
        let shown = match (hidden, word.strip_prefix("--find=")) {
            (true, _) => "…".to_owned(),
            (_, Some(_)) => "--find=…".to_owned(),
            _ => quoted(&short(&word)),
        };
        hidden = word == "--find";
        words.push(shown);
    }
    words.join(" ")
}

/// A path that stands alone, or behind `--output=` or `--also html=`.
fn short(word: &str) -> String {
    let path_at = if word.starts_with('/') { Some(0) } else { word.find("=/").map(|at| at + 1) };
    let (before, path) = word.split_at(path_at.unwrap_or(word.len()));
    let name = Path::new(path).file_name().map_or(path.into(), std::ffi::OsStr::to_string_lossy);
    format!("{before}{name}")
}

/// In single quotes where a shell (POSIX.1-2024, volume XCU, section 2.2) would take the word for something else.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%…".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn typed(words: &[&str]) -> String {
        of(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn where_a_case_lies_on_somebodys_computer_is_left_out() {
        let words =
            ["judge", "/home/lin/cases/my case/", "--output=/home/lin/report.html", "--also", "html=/srv/a.html"];
        assert_eq!(typed(&words), "dyetrace judge 'my case' --output=report.html --also html=a.html");
        assert_eq!(typed(&["judge", "cases/mine", "/"]), "dyetrace judge cases/mine /");
    }

    #[test]
    fn values_that_were_looked_for_are_left_out() {
        assert_eq!(typed(&["audit", "--find", "phone=1", "--find=x=/y"]), "dyetrace audit --find … --find=…");
    }

    proptest! {
        /// A blank in a path once made two words of it, and the command could not be repeated.
        #[test]
        fn a_shell_reads_the_words_as_they_were_typed(words in proptest::collection::vec("[^\0/]{0,12}", 1..4)) {
            let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let script = format!("printf '%s\\0' {}", line.join(" "));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            let read: Vec<String> =
                output.stdout.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            prop_assert_eq!(&read[..read.len() - 1], words.as_slice());
        }
    }
}
