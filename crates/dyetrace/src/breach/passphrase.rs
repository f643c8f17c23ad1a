//! A passphrase typed on the terminal, which does not show it.

use crate::exit::Fault;
use age::secrecy::zeroize::Zeroize as _;
use age::secrecy::{ExposeSecret as _, SecretString};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Keys as a terminal sends them.
const CANCELLED: [u8; 2] = [0x03, 0x1C];
const BACKSPACE: [u8; 2] = [0x08, 0x7F];
const LINE_AWAY: u8 = 0x15;
const END: [u8; 3] = [b'\r', b'\n', 0x04];
/// Longer lines are nobody's passphrase.
const LONGEST: usize = 4096;

/// The terminal that this program was started from; `None` where there is none.
pub(super) fn terminal() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}

/// Asks for the passphrase of a key file: twice where the file is to be made, because a mistake would lock it for ever.
///
/// # Errors
/// Nothing was typed, or two different lines, or the terminal went away.
pub(super) fn ask(terminal: &File, key: &Path, is_new: bool) -> Result<SecretString, Fault> {
    let failed = |error: io::Error| Fault::new(format!("no passphrase was read: {error}"));
    let what = if is_new { "Passphrase for the new key" } else { "Passphrase of" };
    let typed = SecretString::from(line(terminal, &format!("{what} {}: ", key.display())).map_err(failed)?);
    if is_new {
        let again = SecretString::from(line(terminal, "The same again: ").map_err(failed)?);
        if again.expose_secret() != typed.expose_secret() {
            return Err(Fault::new("the two passphrases differ; no key was made"));
        }
    }
    Ok(typed)
}

/// One line that is not shown. The terminal is as it was afterwards.
fn line(mut terminal: &File, prompt: &str) -> io::Result<String> {
    let silent = Silent::begin(terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    let mut bytes = Vec::with_capacity(LONGEST);
    let read = keys(terminal, &mut bytes);
    drop(silent);
    terminal.write_all(b"\n")?;
    let typed = read.and_then(|()| match std::str::from_utf8(&bytes) {
        Ok("") => Err(io::Error::other("the line is empty")),
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(io::Error::other("the line is no UTF-8")),
    });
    bytes.zeroize();
    typed
}

/// What is typed until the line ends.
fn keys(mut terminal: &File, line: &mut Vec<u8>) -> io::Result<()> {
    let mut key = [0];
    loop {
        if terminal.read(&mut key)? == 0 || CANCELLED.contains(&key[0]) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match key[0] {
            key if END.contains(&key) => return Ok(()),
            key if BACKSPACE.contains(&key) => {
                // The bytes of a character that follow its first one, and that one.
                while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
            }
            LINE_AWAY => line.clear(),
            key if line.len() < LONGEST => line.push(key),
            _ => return Err(io::Error::other("the line is too long")),
        }
    }
}

/// A terminal that shows nothing and gives each key as it is typed, also those that would end the program: it would
/// leave the terminal silent. It is as before when this is dropped.
struct Silent<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Silent<'t> {
    fn begin(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        silent.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        silent.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // Where that fails the terminal is gone.
        let _ = tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::{OpenptyResult, openpty};

    /// Types lines at a terminal, each when it is asked for; gives what was read and all that the terminal showed.
    fn typed(lines: &[&[u8]], is_new: bool) -> (Result<String, String>, String) {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let (mut master, slave) = (File::from(master), File::from(slave));
        let asking = std::thread::spawn(move || {
            let asked = ask(&slave, Path::new("case.key"), is_new);
            let echoes = tcgetattr(&slave).unwrap().local_flags.contains(LocalFlags::ECHO | LocalFlags::ISIG);
            assert!(echoes, "the terminal is as before");
            asked.map(|typed| typed.expose_secret().to_owned()).map_err(|fault| fault.to_string())
        });
        let mut shown = String::new();
        for line in lines {
            let mut bytes = [0; 1024];
            while !shown.ends_with(": ") {
                let length = master.read(&mut bytes).unwrap();
                shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
            master.write_all(line).unwrap();
            shown.push('|');
        }
        let asked = asking.join().unwrap();
        let mut rest = Vec::new();
        // The other end is closed: after what is left comes an error.
        let _ = master.read_to_end(&mut rest);
        (asked, shown + &String::from_utf8_lossy(&rest))
    }

    #[test]
    fn what_is_typed_is_read_and_not_shown() {
        let (asked, shown) = typed(&["correct hörse\x7f\x7f\x7f\x7f\u{f6}rse\r".as_bytes()], false);
        assert_eq!(asked.as_deref(), Ok("correct h\u{f6}rse"));
        assert!(shown.contains("case.key") && !shown.contains("corr") && !shown.contains('\u{f6}'), "{shown}");
    }

    #[test]
    fn a_new_key_is_asked_for_twice_and_nothing_is_no_passphrase() {
        assert_eq!(typed(&[b"one two\n", b"one two\n"], true).0.as_deref(), Ok("one two"));
        let (differ, shown) = typed(&[b"one two\n", b"one too\n"], true);
        assert!(differ.unwrap_err().contains("differ") && !shown.contains("one"));
        assert!(typed(&[b"abc\x15\r"], false).0.is_err(), "the line was taken away");
        assert!(typed(&[b"abc\x03"], false).0.is_err(), "cancelled");
    }
}
