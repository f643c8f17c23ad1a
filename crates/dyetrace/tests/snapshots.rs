//! A product's files: collected, compared, searched, judged.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PHONE: &str = "13800000427";

struct Bench(PathBuf);

impl Bench {
    /// A case with one run, and an app's folder with a preference and a picture's name.
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-snapshots-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("app/shared_prefs")).unwrap();
        std::fs::create_dir_all(folder.join("case")).unwrap();
        let bench = Self(folder);
        bench.write("case/case.yaml", "format: 1\ntitle: Kept\nruns: [{ id: first }]\n");
        bench.write("case/subject.yaml", &format!("data: [{{ kind: phone, value: \"{PHONE}\", bits: 60 }}]\n"));
        bench.write("app/shared_prefs/a.xml", "<map><string name=\"theme\">dark</string></map>");
        bench
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn case(&self) -> String {
        self.path("case").to_str().unwrap().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn snapshot(&self) -> String {
        let output = dyetrace(&["snapshot", &self.case(), self.path("app").to_str().unwrap()]);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database as an app would make it: by SQLite itself where Python has it.
fn database(path: &Path) -> bool {
    let path = path.display();
    let script = format!(
        "import sqlite3; c = sqlite3.connect('{path}'); c.execute('create table users(name, phone)'); \
         c.execute('insert into users values (?, ?)', ('lin', '{PHONE}')); c.commit()"
    );
    Command::new("python3").args(["-c", &script]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn what_became_of_files_is_told_between_the_marks() {
    let bench = Bench::new("changes");
    bench.snapshot();
    bench.write("app/files/copy.xml", "<map><string name=\"theme\">dark</string></map>");
    bench.write("app/shared_prefs/a.xml", "<map><string name=\"theme\">light</string></map>");
    bench.write("app/files/b.txt", "new");
    let second = bench.snapshot();
    for said in ["created: 2", "files/b.txt  3 bytes", "changed: 1", "shared_prefs/a.xml"] {
        assert!(second.contains(said), "{said}: {second}");
    }
    std::fs::remove_file(bench.path("app/files/b.txt")).unwrap();
    std::fs::copy(bench.path("app/files/copy.xml"), bench.path("app/files/again.xml")).unwrap();
    let third = bench.snapshot();
    assert!(third.contains("deleted: 1") && third.contains("unchanged: 2"), "{third}");
    assert!(third.contains("same bytes as another file: 1"), "{third}");
    // An ordinary tar reads the exhibit.
    let exhibit = bench.path("case/evidence/first-files-03.tar");
    let listed = Command::new("tar").arg("-tf").arg(&exhibit).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("files/again.xml"));
}

#[test]
fn a_value_in_a_database_is_named_by_table_row_and_column() {
    let bench = Bench::new("database");
    std::fs::create_dir_all(bench.path("app/databases")).unwrap();
    if !database(&bench.path("app/databases/users.db")) {
        println!("skipped: no python3 with sqlite3 here");
        return;
    }
    bench.snapshot();
    let audit = stdout(&dyetrace(&["audit", &bench.case()]));
    assert!(audit.contains("What is kept in files") && audit.contains("databases/users.db"), "{audit}");
    assert!(audit.contains("table users, row 1, column phone (page 2, offset "), "{audit}");
    assert!(!audit.contains(PHONE), "{audit}");
}

#[test]
fn nothing_is_kept_is_supported_only_by_files_that_were_collected_when_all_was_done() {
    let bench = Bench::new("judged");
    let claims = "vendor: Example\nsource: { title: Answer, date: \"2026-01-31\" }\nclaims:\n  - id: keeps-no-phone\n    \
        says: The number is not kept.\n    never: { data: [phone], reaches: [storage] }\n";
    bench.write("case/claims/a.yaml", claims);
    let mark = |words: &[&str]| {
        let output = dyetrace(&[&["mark", &bench.case(), "first"], words].concat());
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let verdict = || stdout(&dyetrace(&["judge", &bench.case()]));
    mark(&["planted", "phone"]);
    bench.snapshot();
    mark(&["action", "log-in", "began"]);
    mark(&["action", "log-in", "ended", "succeeded"]);
    assert!(verdict().contains("no stored file of first was read"), "{}", verdict());
    bench.write("app/shared_prefs/a.xml", &format!("<map><string name=\"phone\">{PHONE}</string></map>"));
    bench.snapshot();
    let contradicted = verdict();
    assert!(contradicted.contains("contradicted"), "{contradicted}");
}

#[test]
fn a_watched_file_that_is_deleted_again_was_seen() {
    let bench = Bench::new("watch");
    let mut watch = Command::new(env!("CARGO_BIN_EXE_dyetrace"))
        .args(["watch", &bench.case(), bench.path("app").to_str().unwrap(), "--seconds", "3"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let exhibit = bench.path("case/evidence/first-watched-01.tar");
    wait_for(|| std::fs::metadata(&exhibit).is_ok_and(|data| data.len() > 0));
    bench.write("app/new/folder/brief.txt", &format!("phone {PHONE}"));
    std::thread::sleep(Duration::from_millis(700));
    std::fs::remove_file(bench.path("app/new/folder/brief.txt")).unwrap();
    assert!(watch.wait().unwrap().success());
    let listed = stdout(&dyetrace(&["snapshot", &bench.case()]));
    assert!(listed.contains("new/folder/brief.txt") && listed.contains("deleted: 1"), "{listed}");
    let audit = stdout(&dyetrace(&["audit", &bench.case()]));
    assert!(audit.contains("CREATED") && audit.contains("new/folder/brief.txt"), "{audit}");
}

#[test]
fn an_archive_is_taken_as_it_is_and_needs_a_time() {
    let bench = Bench::new("archive");
    let archive = bench.path("pulled.tar");
    let made = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(bench.path("app")).arg(".").status();
    assert!(made.unwrap().success());
    let source = archive.to_str().unwrap();
    let taken = ["snapshot", &bench.case(), source, "--taken", "2026-01-31T12:00:00Z"];
    let output = dyetrace(&taken);
    assert!(output.status.success(), "{}", stderr(&output));
    let exhibit = bench.path("case/evidence/first-files-01.tar");
    assert_eq!(std::fs::read(exhibit).unwrap(), std::fs::read(&archive).unwrap());
    assert!(stdout(&output).contains("2026-01-31T12:00:00Z  files collected"), "{}", stdout(&output));
    bench.write("pulled.rar", "Rar!\u{1a}");
    let refused = dyetrace(&["snapshot", &bench.case(), bench.path("pulled.rar").to_str().unwrap()]);
    assert!(stderr(&refused).contains("neither a folder nor an archive"), "{}", stderr(&refused));
}

#[test]
fn an_encrypted_backup_is_read_with_the_password_of_the_case() {
    let bench = Bench::new("backup");
    let backup = concat!(env!("CARGO_MANIFEST_DIR"), "/../stores/tests/data/password.ab");
    let output = dyetrace(&["snapshot", &bench.case(), backup, "--taken", "2026-01-31T12:00:00Z"]);
    assert!(stderr(&output).contains("keys/backup.password"), "{}", stderr(&output));
    bench.write("case/keys/backup.password", "not this\n");
    let wrong = dyetrace(&["snapshot", &bench.case()]);
    assert!(stderr(&wrong).contains("the password does not open"), "{}", stderr(&wrong));
    bench.write("case/keys/backup.password", "pass密码\n");
    let opened = dyetrace(&["snapshot", &bench.case()]);
    assert!(opened.status.success() && stdout(&opened).contains(" files, "), "{}", stderr(&opened));
}

/// A compressed archive that would fill the disk is read as far as is reasonable.
#[test]
fn an_archive_that_inflates_beyond_reason_is_cut_and_that_is_said() {
    let bench = Bench::new("bomb");
    let file = std::fs::File::create(bench.path("big")).unwrap();
    file.set_len(400 << 20).unwrap();
    let archive = bench.path("bomb.tar.gz");
    let made = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&bench.0).arg("big").status();
    assert!(made.unwrap().success());
    let output = dyetrace(&["snapshot", &bench.case(), archive.to_str().unwrap(), "--taken", "2026-01-31T12:00:00Z"]);
    assert!(stderr(&output).contains("inflates beyond all reason"), "{}", stderr(&output));
}

#[test]
fn records_of_files_say_what_the_file_system_says() {
    let bench = Bench::new("records");
    bench.snapshot();
    let records = common::records(&bench.path("case"), None);
    let file = &records[0]["request"]["file"];
    assert_eq!((records[0]["protocol"].as_str(), file["size"].as_u64()), (Some("file"), Some(45)), "{records:?}");
    assert!(file["modified"].is_string() && file["sha256"].as_str().is_some_and(|digest| digest.len() == 64));
}

#[test]
fn a_folder_in_which_nothing_changed_is_an_exhibit_of_its_own() {
    let bench = Bench::new("unchanged");
    bench.snapshot();
    let second = bench.snapshot();
    assert!(second.contains("unchanged: 1"), "{second}");
    let audit = dyetrace(&["audit", &bench.case()]);
    assert!(!stderr(&audit).contains("same bytes"), "{}", stderr(&audit));
    let third =
        dyetrace(&["snapshot", &bench.case(), bench.path("case/evidence/first-files-02.tar").to_str().unwrap()]);
    assert!(stderr(&third).contains("has the same bytes as evidence/first-files-02.tar"), "{}", stderr(&third));
}

/// What an audit counts: records and bytes that are kept, sightings, damages.
fn counted(words: &[&str]) -> [u64; 4] {
    let audit = dyetrace(&[&["audit"], words, &["--format", "json"]].concat());
    let audit: serde_json::Value = serde_json::from_str(&stdout(&audit)).unwrap();
    let kept = &audit["recipients"][0];
    let list = |name: &str| audit[name].as_array().unwrap().len() as u64;
    [kept["records"].as_u64().unwrap(), kept["bytes_sent"].as_u64().unwrap(), list("sightings"), list("damages")]
}

#[test]
fn a_store_that_is_the_same_again_is_counted_again_and_what_is_in_it_told_again() {
    let bench = Bench::new("same-stores");
    let preferences = |value: &str| {
        let mut strings: Vec<_> =
            (0..60).map(|n| format!("<string name=\"s{n}\">value {n} of many</string>")).collect();
        strings.push(format!("<string name=\"last\">{value}</string>"));
        format!("<map>{}</map>", strings.concat())
    };
    bench.write("app/shared_prefs/calm.xml", &preferences("nothing"));
    bench.write("app/shared_prefs/known.xml", &preferences(PHONE));
    bench.write("app/files/broken.plist", "bplist00 and no more of it, and nothing that is one");
    // A store that is damaged is said to be so by each snapshot.
    let snapshot = || {
        let output = dyetrace(&["snapshot", &bench.case(), bench.path("app").to_str().unwrap()]);
        assert!(stderr(&output).contains("evidence/first-files-01.tar: file:"), "{}", stderr(&output));
        stdout(&output)
    };
    snapshot();
    bench.write("app/shared_prefs/later.xml", &preferences(PHONE));
    bench.write("app/shared_prefs/changed.xml", &preferences("something"));
    let second = snapshot();
    assert!(second.contains("created: 2") && second.contains("unchanged: 4"), "{second}");
    snapshot();
    let subject = bench.path("case/subject.yaml").to_str().unwrap().to_owned();
    let alone = |number: u32| {
        let exhibit = bench.path(&format!("case/evidence/first-files-0{number}.tar"));
        counted(&[exhibit.to_str().unwrap(), "--subject", &subject])
    };
    let each = [alone(1), alone(2), alone(3)];
    let sum = |at: usize| each.iter().map(|counts| counts[at]).sum::<u64>();
    assert_eq!(counted(&[&bench.case()]), [sum(0), sum(1), sum(2), sum(3)]);
    assert_eq!([each[0][2], each[1][2], each[2][2]], [1, 2, 2]);
    assert!(each[0][3] > 0, "a store that ends early is damaged");
}

#[test]
fn an_archive_that_ends_early_tells_of_no_deleted_file() {
    let bench = Bench::new("cut");
    for number in 0..4 {
        bench.write(&format!("app/files/{number}.txt"), &format!("{number:2000}"));
    }
    bench.snapshot();
    bench.write("app/files/9.txt", "new");
    bench.snapshot();
    let exhibit = bench.path("case/evidence/first-files-02.tar");
    let bytes = std::fs::read(&exhibit).unwrap();
    std::fs::write(&exhibit, &bytes[..bytes.len() / 2 + 7]).unwrap();
    let listed = dyetrace(&["snapshot", &bench.case()]);
    assert!(!stdout(&listed).contains("deleted"), "{}", stdout(&listed));
    assert!(stderr(&listed).contains("cannot be read"), "{}", stderr(&listed));
}

#[test]
fn a_folder_that_holds_the_case_is_refused() {
    let bench = Bench::new("own");
    for command in ["snapshot", "watch"] {
        let refused = dyetrace(&[command, &bench.case(), bench.0.to_str().unwrap()]);
        assert!(stderr(&refused).contains("holds the case"), "{command}: {}", stderr(&refused));
    }
}

/// Opening a pipe for reading waits for whoever writes.
#[test]
fn a_pipe_in_a_watched_folder_holds_nothing_up() {
    let bench = Bench::new("pipe");
    let watch = Command::new(env!("CARGO_BIN_EXE_dyetrace"))
        .args(["watch", &bench.case(), bench.path("app").to_str().unwrap(), "--seconds", "2"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let exhibit = bench.path("case/evidence/first-watched-01.tar");
    wait_for(|| std::fs::metadata(&exhibit).is_ok_and(|data| data.len() > 0));
    assert!(Command::new("mkfifo").arg(bench.path("app/pipe")).status().unwrap().success());
    bench.write("app/after.txt", "after the pipe");
    let ended = watch.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Took 2 contents"), "{}", stderr(&ended));
}

/// The values of a large store come in several records; what became of the file is the same in each.
#[test]
fn all_records_of_a_watched_store_say_that_it_was_created() {
    let bench = Bench::new("batches");
    let mut watch = Command::new(env!("CARGO_BIN_EXE_dyetrace"))
        .args(["watch", &bench.case(), bench.path("app").to_str().unwrap(), "--seconds", "3"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let exhibit = bench.path("case/evidence/first-watched-01.tar");
    wait_for(|| std::fs::metadata(&exhibit).is_ok_and(|data| data.len() > 0));
    let script = format!(
        "import sqlite3; c = sqlite3.connect('{}'); c.execute('create table t(a)'); \
         c.executemany('insert into t values (?)', [(str(n),) for n in range(25000)]); c.commit()",
        bench.path("app/big.db").display()
    );
    let made = Command::new("python3").args(["-c", &script]).stderr(Stdio::null()).status();
    assert!(watch.wait().unwrap().success());
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no python3 with sqlite3 here");
        return;
    }
    let records = common::records(&bench.path("case"), None);
    let of = |record: &&serde_json::Value| record["request"]["target"] == "big.db";
    let changes: Vec<_> = records.iter().filter(of).map(|record| record["request"]["method"].clone()).collect();
    let last = changes.iter().rev().take(3).collect::<Vec<_>>();
    assert!(last.len() == 3 && last.iter().all(|change| *change == last[0]), "{changes:?}");
    assert!(!changes.iter().any(|change| change == "UNCHANGED"), "{changes:?}");
}

fn wait_for(is_there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_there() && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A tar archive of files, as `tar` would make it.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        builder.append_data(&mut header(tar::EntryType::Regular, bytes.len() as u64), name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

#[test]
fn nothing_is_kept_is_not_supported_by_a_snapshot_of_which_a_part_is_missing() {
    let bench = Bench::new("partly");
    let claims = "vendor: Example\nsource: { title: Answer, date: \"2026-01-31\" }\nclaims:\n  - id: keeps-no-phone\n    \
        says: The number is not kept.\n    never: { data: [phone], reaches: [storage] }\n";
    bench.write("case/claims/a.yaml", claims);
    for words in
        [&["planted", "phone"][..], &["action", "log-in", "began"], &["action", "log-in", "ended", "succeeded"]]
    {
        assert!(dyetrace(&[&["mark", &bench.case(), "first"], words].concat()).status.success());
    }
    let verdict = || stdout(&dyetrace(&["judge", &bench.case(), "--format", "json"]));
    bench.snapshot();
    let whole: serde_json::Value = serde_json::from_str(&verdict()).unwrap();
    let undamaged = |judgement: &serde_json::Value| {
        let lines = judgement["claims"][0]["parts"][0]["coverage"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["requirement"] == "undamaged").unwrap()["met"] == "yes"
    };
    assert!(undamaged(&whole), "{whole}");
    let exhibit = bench.path("case/evidence/first-files-01.tar");
    let mut bytes = std::fs::read(&exhibit).unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes.extend([b'x'; 512]);
    std::fs::write(&exhibit, &bytes).unwrap();
    let cut: serde_json::Value = serde_json::from_str(&verdict()).unwrap();
    assert!(!undamaged(&cut), "{cut}");
}

#[test]
fn what_could_not_be_collected_is_said_in_the_exhibit() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new("forbidden");
    bench.write("app/secret/a.txt", "nobody reads this");
    let everybody = std::fs::Permissions::from_mode(0o777);
    for folder in ["", "case", "case/evidence", "app"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
        std::fs::set_permissions(bench.path(folder), everybody.clone()).unwrap();
    }
    std::fs::set_permissions(bench.path("app/secret"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let program = bench.path("dyetrace");
    std::fs::copy(env!("CARGO_BIN_EXE_dyetrace"), &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    let ran = command.arg("snapshot").arg(bench.case()).arg(bench.path("app")).output();
    std::fs::set_permissions(bench.path("app/secret"), everybody).unwrap();
    let Ok(ran) = ran.filter_ran() else {
        println!("skipped: nobody cannot be asked to run a program here");
        return;
    };
    assert_eq!(ran.status.code(), Some(2), "{}", stderr(&ran));
    assert!(stderr(&ran).contains("not every file of the folder could be read"), "{}", stderr(&ran));
}

trait FilterRan {
    fn filter_ran(self) -> Result<std::process::Output, ()>;
}

impl FilterRan for std::io::Result<std::process::Output> {
    /// The output of what was run, not of what could not run it.
    fn filter_ran(self) -> Result<std::process::Output, ()> {
        self.ok().filter(|ran| !stderr(ran).starts_with("setpriv:")).ok_or(())
    }
}

#[test]
fn a_watched_exhibit_enters_the_custody_log_when_it_is_whole() {
    let bench = Bench::new("custody");
    bench.snapshot();
    assert!(dyetrace(&["custody", "add", "--who", "A. Tester", &bench.case(), "collected"]).status.success());
    let watched = dyetrace(&["watch", &bench.case(), bench.path("app").to_str().unwrap(), "--seconds", "1"]);
    assert!(watched.status.success(), "{}", stderr(&watched));
    let verified = dyetrace(&["verify", &bench.case()]);
    let said = format!("{}{}", stdout(&verified), stderr(&verified));
    assert!(!said.contains("was changed since"), "{said}");
}

#[test]
fn files_of_two_places_are_not_told_as_deleted_and_created() {
    let bench = Bench::new("places");
    bench.snapshot();
    bench.write("shared/Pictures/a.txt", "kept");
    let take = |folder: &str| {
        let output = dyetrace(&["snapshot", &bench.case(), bench.path(folder).to_str().unwrap()]);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let second = take("shared");
    assert!(!second.contains("deleted") && !second.contains("created"), "{second}");
    bench.write("shared/Pictures/b.txt", "new");
    let third = take("shared");
    assert!(third.contains("created: 1") && !third.contains("deleted"), "{third}");
    std::fs::remove_file(bench.path("app/shared_prefs/a.xml")).unwrap();
    bench.write("app/shared_prefs/b.xml", "<map/>");
    // Nothing is left by which the place would be known: it is a place of its own.
    assert!(!take("app").contains("deleted"));
}

#[test]
fn what_was_there_when_the_watching_began_was_not_created() {
    let bench = Bench::new("present");
    let watched = dyetrace(&["watch", &bench.case(), bench.path("app").to_str().unwrap(), "--seconds", "1"]);
    assert!(watched.status.success(), "{}", stderr(&watched));
    let listed = stdout(&dyetrace(&["snapshot", &bench.case()]));
    assert!(!listed.contains("created"), "{listed}");
}

/// Long names are kept in memory whole; a small archive may say that one has gigabytes.
#[test]
fn an_archive_whose_names_fill_the_memory_is_not_read() {
    let bench = Bench::new("names");
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let size = 300 << 20;
    builder
        .append(&header(tar::EntryType::GNULongName, size), std::io::Read::take(std::io::repeat(b'a'), size))
        .unwrap();
    std::fs::write(bench.path("names.tar.gz"), builder.into_inner().unwrap().finish().unwrap()).unwrap();
    let taken = ["--taken", "2026-01-31T12:00:00Z"];
    let source = bench.path("names.tar.gz");
    let output = dyetrace(&[&["snapshot", &bench.case(), source.to_str().unwrap()], &taken[..]].concat());
    assert!(stderr(&output).contains("cannot be read"), "{}", stderr(&output));
}

#[test]
fn a_name_in_a_broken_archive_is_not_shown() {
    let bench = Bench::new("redacted");
    let mut bytes = archive(&[("first.txt", b"one"), (&format!("{PHONE}.jpg"), b"two")]);
    bytes[1024 + 124..1024 + 130].copy_from_slice(b"zzzzzz");
    std::fs::create_dir_all(bench.path("case/evidence")).unwrap();
    std::fs::write(bench.path("case/evidence/a.tar"), bytes).unwrap();
    for command in ["audit", "snapshot", "judge"] {
        let output = dyetrace(&[command, &bench.case()]);
        assert!(!stdout(&output).contains(PHONE) && !stderr(&output).contains(PHONE), "{command}");
    }
}

#[test]
fn what_an_archive_holds_beside_ordinary_files_is_told() {
    let bench = Bench::new("beside");
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header(tar::EntryType::Regular, 3), "a.txt", &b"one"[..]).unwrap();
    builder.append_data(&mut header(tar::EntryType::new(b'Z'), 11), "odd.txt", PHONE.as_bytes()).unwrap();
    builder.append_link(&mut header(tar::EntryType::Link, 0), "b.txt", "a.txt").unwrap();
    let mut bytes = builder.into_inner().unwrap();
    bytes.extend(archive(&[("behind.txt", b"more")]));
    std::fs::create_dir_all(bench.path("case/evidence")).unwrap();
    std::fs::write(bench.path("case/evidence/a.tar"), bytes).unwrap();
    let audit = dyetrace(&["audit", &bench.case()]);
    assert!(stdout(&audit).contains("odd.txt"), "{}", stdout(&audit));
    assert!(stdout(&audit).contains("what follows the end of the archive is not read"), "{}", stdout(&audit));
    let records = common::records(&bench.path("case"), None);
    let link = records.iter().find(|record| record["request"]["target"] == "b.txt").unwrap();
    assert_eq!(link["request"]["file"]["same_as"], "a.txt");
}

/// SQLite keeps the pages as they were in a journal; what was deleted stands there with its table.
#[test]
fn a_rollback_journal_is_read_with_its_database() {
    let bench = Bench::new("journal");
    std::fs::create_dir_all(bench.path("app/databases")).unwrap();
    if !database(&bench.path("app/databases/users.db")) {
        println!("skipped: no python3 with sqlite3 here");
        return;
    }
    let path = bench.path("app/databases/users.db");
    // Killed between writing and committing: the journal stays.
    let script = format!(
        "import os, sqlite3; c = sqlite3.connect('{}', isolation_level=None); c.execute('pragma cache_size=1'); \
         c.execute('begin immediate'); c.execute(\"update users set phone = 'nobody'\"); \
         c.execute('create table filler(a)'); c.executemany('insert into filler values (?)', [('x' * 4000,)] * 50); os._exit(0)",
        path.display()
    );
    assert!(Command::new("python3").args(["-c", &script]).status().unwrap().success());
    assert!(std::fs::metadata(bench.path("app/databases/users.db-journal")).is_ok_and(|data| data.len() > 512));
    // The journal ends within a page, and that is said.
    dyetrace(&["snapshot", &bench.case(), bench.path("app").to_str().unwrap()]);
    let audit = stdout(&dyetrace(&["audit", &bench.case()]));
    assert!(audit.contains("users.db") && audit.contains("table users"), "{audit}");
}
