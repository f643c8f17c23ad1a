//! `dyetrace breach scan --checkpoint` and `stale --checkpoint`, killed again and again, and the end of a case's key.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped part must say so")]

mod common;

use common::{dyetrace, stderr};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Of `age-keygen`.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("me.txt"), IDENTITY).unwrap();
    folder
}

/// A dump of some tens of megabytes with several tables, the last of them begun late.
fn dump(path: &Path, rows: u64) {
    let mut text = String::from("CREATE TABLE `users` (`id` int, `mail` text, `password` text, `tel` text);\n");
    for n in 0..rows {
        let r = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let (phone, mail) = (13_800_000_000 + r % 90_000_000, r % (rows / 2));
        let _ = writeln!(text, "INSERT INTO `users` VALUES ({n},'u{mail}@mail.test','{:032x}','{phone}');", r % 1000);
        if n > rows / 2 && n % 50 == 0 {
            let _ = writeln!(text, "INSERT INTO `orders` VALUES ({n},'{phone}','2014-02-03 04:05:06');");
        }
        if n % 5000 == 7 {
            text.push_str("INSERT INTO `users` VALUES (1,'broken\n\n");
        }
    }
    std::fs::write(path, text).unwrap();
}

struct Scan {
    folder: PathBuf,
}

impl Scan {
    fn command(&self, output: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.current_dir(&self.folder).args(["breach", "scan", "dump.sql", "--format", "json", "--output", output]);
        command.args(["--key", "case.key", "--identity", "me.txt"]).args(more).stderr(Stdio::piped());
        command
    }

    fn report(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }
}

/// Starts a command and kills it after some time. True where it came to its end before.
fn killed_after(mut command: Command, time: Duration) -> bool {
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < time {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0..=2)), "{status}");
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Kills a command again and again, after between a tenth and six tenths of the time that it takes undisturbed, and in
/// the end leaves it alone. How often it was killed, and how often it went on from the checkpoint.
fn killed_again_and_again(command: impl Fn() -> Command, time: Duration, checkpoint: &Path) -> (u32, u32) {
    let (mut kills, mut went_on, mut seed) = (0, 0, 12345u32);
    loop {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let share = if kills < 12 { 100 + seed / 65_536 % 500 } else { 100_000 };
        went_on += u32::from(checkpoint.exists());
        if killed_after(command(), time * share / 1000) {
            return (kills, went_on);
        }
        kills += 1;
    }
}

#[test]
fn a_scan_that_is_killed_again_and_again_tells_what_an_undisturbed_one_tells() {
    let scan = Scan { folder: folder("breach-killed") };
    dump(&scan.folder.join("dump.sql"), 400_000);
    let begin = Instant::now();
    let whole = scan.command("whole.json", &["--cores", "1"]).output().unwrap();
    assert!(matches!(whole.status.code(), Some(0 | 2)), "{}", stderr(&whole));
    let time = begin.elapsed();
    let more = ["--checkpoint", "scan.checkpoint", "--every", "8MB", "--cores", "2"];
    let checkpoint = scan.folder.join("scan.checkpoint");
    let (kills, went_on) = killed_again_and_again(|| scan.command("stopped.json", &more), time, &checkpoint);
    assert!(kills >= 2 && went_on >= 1, "killed {kills} times, went on {went_on} times");
    assert!(scan.report("stopped.json") == scan.report("whole.json"), "killed {kills} times, went on {went_on} times");
    let left: Vec<_> = std::fs::read_dir(&scan.folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "scan.checkpoint"), "{left:?}");
    std::fs::remove_dir_all(&scan.folder).unwrap();
}

/// A list of accounts whose passwords are stored with bcrypt, and a dump that gives some of them away as they were typed.
fn accounts(folder: &Path, count: usize) {
    let password = |n: usize| format!("typed-{n}");
    let mut list = String::from("mail,password\n");
    let mut leaked = String::from("mail,password\n");
    for n in 0..count {
        let stored = bcrypt::hash_with_salt(password(n), 8, [n as u8; 16]).unwrap();
        let _ = writeln!(list, "u{n}@mail.test,{}", stored.format_for_version(bcrypt::Version::TwoB));
        // Two wrong ones, and for every third the right one.
        for tried in [n + 1000, n + 2000, if n.is_multiple_of(3) { n } else { n + 3000 }] {
            let _ = writeln!(leaked, "u{n}@mail.test,{}", password(tried));
        }
    }
    std::fs::write(folder.join("accounts.csv"), list).unwrap();
    std::fs::write(folder.join("leaked.csv"), leaked).unwrap();
}

#[test]
fn a_comparison_that_is_killed_again_and_again_tells_what_an_undisturbed_one_tells() {
    let folder = folder("breach-stale-killed");
    accounts(&folder, 60);
    let command = |output: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.current_dir(&folder).args(["breach", "stale", "leaked.csv", "--accounts", "accounts.csv"]);
        command.args(["--format", "json", "--output", output, "--key", "case.key", "--identity", "me.txt"]);
        command.args(more).stderr(Stdio::piped());
        command
    };
    let begin = Instant::now();
    let whole = command("whole.json", &[]).output().unwrap();
    assert_eq!(whole.status.code(), Some(1), "{}", stderr(&whole));
    let time = begin.elapsed();
    let more = ["--checkpoint", "stale.checkpoint", "--every", "0"];
    let checkpoint = folder.join("stale.checkpoint");
    let (kills, went_on) = killed_again_and_again(|| command("stopped.json", &more), time, &checkpoint);
    assert!(kills >= 2 && went_on >= 1, "killed {kills} times, went on {went_on} times");
    let report = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(report("stopped.json"), report("whole.json"), "killed {kills} times, went on {went_on} times");
    let told: serde_json::Value = serde_json::from_str(&report("whole.json")).unwrap();
    assert_eq!((&told["unchanged"], &told["changed"]), (&20.into(), &40.into()));
    assert!(!checkpoint.exists(), "done, so removed");

    // Of other accounts, and of a scan.
    assert!(!killed_after(command("stopped.json", &more), time / 2) && checkpoint.exists());
    let list = report("accounts.csv");
    std::fs::write(folder.join("accounts.csv"), list.replace("u1@", "u100@")).unwrap();
    let refused = command("other.json", &more).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("of other files") && stderr(&refused).contains("--restart"),
        "{}",
        stderr(&refused)
    );
    assert!(!folder.join("other.json").exists());
    let anew = command("other.json", &[&more[..], &["--restart"]].concat()).output().unwrap();
    assert_eq!(anew.status.code(), Some(1), "{}", stderr(&anew));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_foreign_checkpoint_is_refused_until_the_scan_is_told_to_begin_anew() {
    let scan = Scan { folder: folder("breach-foreign") };
    dump(&scan.folder.join("dump.sql"), 3000);
    std::fs::write(scan.folder.join("scan.checkpoint"), "something else").unwrap();
    let refused = scan.command("report.json", &["--checkpoint", "scan.checkpoint"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("scan.checkpoint: it is no checkpoint"), "{}", stderr(&refused));
    assert!(!scan.folder.join("report.json").exists());
    // Nor may it be replaced, whatever it is: the dump itself, or the key.
    for other in ["scan.checkpoint", "dump.sql"] {
        let before = std::fs::read(scan.folder.join(other)).unwrap();
        let refused = scan.command("report.json", &["--checkpoint", other, "--restart"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert_eq!(std::fs::read(scan.folder.join(other)).unwrap(), before, "{other} stays");
    }
    std::fs::write(scan.folder.join("scan.checkpoint"), "dyetrace breach checkpoint 1\nof another version").unwrap();
    let refused = scan.command("report.json", &["--checkpoint", "scan.checkpoint"]).output().unwrap();
    assert!(stderr(&refused).contains("--restart"), "{}", stderr(&refused));
    let anew = scan.command("report.json", &["--checkpoint", "scan.checkpoint", "--restart"]).output().unwrap();
    assert!(scan.folder.join("report.json").exists(), "{}", stderr(&anew));
    assert!(!scan.folder.join("scan.checkpoint").exists(), "done, so removed");
}

#[test]
fn a_burnt_key_is_gone_and_the_custody_log_says_so() {
    let folder = folder("breach-burn");
    std::fs::write(folder.join("custody.log"), "").unwrap();
    let scan = Scan { folder: folder.clone() };
    dump(&folder.join("dump.sql"), 2000);
    scan.command("report.json", &[]).output().unwrap();
    let key = folder.join("case.key");
    assert!(std::fs::read(&key).unwrap().starts_with(b"age-encryption.org/v1"));
    // A second name of the file shows what became of its bytes.
    std::fs::hard_link(&key, folder.join("other")).unwrap();
    let burnt = dyetrace(&["breach", "burn", key.to_str().unwrap()]);
    assert_eq!(burnt.status.code(), Some(0), "{}", stderr(&burnt));
    assert!(stderr(&burnt).contains("backups") && stderr(&burnt).contains("2 names"), "{}", stderr(&burnt));
    assert!(!key.exists() && std::fs::read(folder.join("other")).unwrap().iter().all(|byte| *byte == 0));
    assert!(std::fs::read_to_string(folder.join("custody.log")).unwrap().contains("destroyed the key file case.key"));
}

#[test]
fn what_is_no_key_file_is_not_burnt() {
    let folder = folder("breach-burn-other");
    let path = folder.join("precious.txt");
    std::fs::write(&path, "precious").unwrap();
    std::os::unix::fs::symlink(folder.join("me.txt"), folder.join("link")).unwrap();
    for file in ["precious.txt", "link", "missing"] {
        assert_eq!(dyetrace(&["breach", "burn", folder.join(file).to_str().unwrap()]).status.code(), Some(2), "{file}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(std::fs::read_to_string(folder.join("me.txt")).unwrap(), IDENTITY);
}

#[test]
fn the_age_program_opens_the_key_file_and_the_other_way_round() {
    let folder = folder("breach-age");
    if Command::new("age").arg("--version").output().is_err() {
        println!("skipped: the program age is not installed");
        return;
    }
    let scan = Scan { folder: folder.clone() };
    dump(&folder.join("dump.sql"), 2000);
    scan.command("first.json", &[]).output().unwrap();
    let age = |arguments: &[&str]| Command::new("age").current_dir(&folder).args(arguments).output().unwrap();
    let opened = age(&["--decrypt", "--identity", "me.txt", "case.key"]);
    assert!(opened.status.success(), "{}", stderr(&opened));
    assert!(opened.stdout.len() == 65 && opened.stdout[..64].iter().all(u8::is_ascii_hexdigit));
    std::fs::write(folder.join("plain"), &opened.stdout).unwrap();
    std::fs::remove_file(folder.join("case.key")).unwrap();
    let sealed = age(&["--encrypt", "--identity", "me.txt", "--output", "case.key", "plain"]);
    assert!(sealed.status.success(), "{}", stderr(&sealed));
    let again = scan.command("second.json", &[]).output().unwrap();
    assert!(scan.report("first.json") == scan.report("second.json"), "{}", stderr(&again));
}
