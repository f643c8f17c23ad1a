//! Plays and records the story again, and reads the recording with tshark.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says why it is skipped")]

use dyetrace_case::{ActionOutcome, Case, Timeline};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the recording goes; taken away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// How often each thing is done.
const TIMES: usize = 1;

fn record(story: &str, edition: &str, run: &str, folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/record.sh");
    let mut command = Command::new(script);
    command.args([story, edition, run]).arg(folder).env("DYETRACE_LAB", env!("CARGO_BIN_EXE_dyetrace-lab"));
    let output = command.env("DYETRACE_LAB_QUIET_S", "1").env("DYETRACE_LAB_TIMES", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What tshark prints of the packets that a filter lets through, with the keys inside the recording.
fn packets(folder: &Path, plug: &str, filter: &str, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(folder.join(format!("evidence/{plug}.pcapng"))).args(["-Y", filter, "-T", "fields"]);
    let output = command.args(fields.iter().flat_map(|field| ["-e", field])).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\t', " ")).collect()
}

/// The timeline of the recorded run.
fn timeline(folder: &Path, plug: &str) -> Timeline {
    let case = format!("format: 1\ntitle: x\nruns: [{{id: {plug}, exhibits: [evidence/{plug}.pcapng]}}]\n");
    std::fs::write(folder.join("case.yaml"), case).unwrap();
    let case = Case::open(folder).unwrap();
    assert_eq!(case.remarks(), [""; 0]);
    assert_eq!(case.changed_marks().count(), 0);
    case.timeline(&case.file.runs[0])
}

#[test]
fn both_builds_are_recorded_with_the_keys_that_open_them_and_with_marks() {
    let no_tshark =
        || Command::new("tshark").arg("--version").output().is_err().then(|| "tshark is not installed".to_owned());
    if let Some(obstacle) = dyetrace_lab::stage::obstacle().or_else(no_tshark) {
        eprintln!("skipped: {obstacle}");
        return;
    }
    for (build, plug, access_point) in
        [("reported", "newer", "192.168.5.1:80"), ("promised", "older", "192.168.4.1:80")]
    {
        let folder = Folder::new(build);
        record("story1", build, plug, &folder.0);
        let fields = ["http.host", "http.request.method", "http.request.uri"];
        let requests = packets(&folder.0, plug, "http.request", &fields);
        let count = |request: &str| requests.iter().filter(|one| **one == request).count();
        assert_eq!(count(&format!("{access_point} POST /provision")), TIMES + 1, "{build}");
        assert_eq!(count("api.smarthome.example POST /v2/device/provision"), TIMES + 1, "{build}: the last one late");
        let timeline = timeline(&folder.0, plug);
        let done = |action: &str| {
            let runs = timeline.actions.iter().filter(|run| run.action == action);
            runs.filter(|run| run.outcome == Some(ActionOutcome::Succeeded)).count()
        };
        assert_eq!(["log-in", "provision-device", "provision-device-wan-blocked"].map(done), [1, TIMES, 1], "{build}");
        let mut listed = Command::new("sha256sum");
        let listed = listed.args(["-c", "manifest-sha256.txt"]).current_dir(&folder.0).output();
        assert!(listed.is_ok_and(|output| output.status.success()), "{build}: the manifest");
        cut_off_means_cut_off(&folder.0, plug, &timeline);
    }
}

/// While the Internet was cut off, the phone asked for its maker and nothing came from there.
fn cut_off_means_cut_off(folder: &Path, plug: &str, timeline: &Timeline) {
    let cut_off = timeline.actions.iter().find(|run| run.conditions == ["wan-blocked"]).unwrap();
    let [began, ended] = [cut_off.began, cut_off.ended.unwrap()].map(|time| format!("\"{time}\""));
    let then = format!("frame.time >= {began} && frame.time <= {ended}");
    let of_the_internet = "{198.51.100.0/24, 203.0.113.0/24}";
    let came = packets(folder, plug, &format!("{then} && ip.src in {of_the_internet}"), &["frame.number"]);
    assert_eq!(came, [""; 0]);
    let asked = packets(folder, plug, &format!("{then} && ip.dst in {of_the_internet} && dns"), &["dns.qry.name"]);
    assert!(asked.contains(&"api.smarthome.example".to_owned()), "{asked:?}");
}

/// One screenshot and one photo were taken, and the photo was sent to support; a smaller picture of each went to the
/// maker as well.
#[test]
fn the_folder_of_the_finance_app_is_collected_and_its_servers_say_what_arrived() {
    if let Some(obstacle) = dyetrace_lab::stage::obstacle() {
        eprintln!("skipped: {obstacle}");
        return;
    }
    let folder = Folder::new("pictures");
    record("story4", "silent", "pictures", &folder.0);
    let copies = ["5b6p1fadhg4igrra141c8rdxk", "3abuphzcqfeww267dqn1v84y2"];
    for (number, kept) in [(1, 0), (2, copies.len()), (3, copies.len())] {
        let archive = folder.0.join(format!("evidence/pictures-files-{number}.tar"));
        let listed = Command::new("tar").arg("-tf").arg(archive).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.contains("./shared_prefs/"), "{listed}");
        assert_eq!(copies.iter().filter(|copy| listed.contains(*copy)).count(), kept, "{listed}");
    }
    let truth = std::fs::read_to_string(folder.0.join("server-truth/pictures.jsonl")).unwrap();
    let arrived = |what: &str| truth.lines().filter(|line| line.contains(what)).count();
    let forms = [r#""kind":"phone","form":"plain""#, r#""kind":"photo","form":"plain""#, r#""form":"smaller""#];
    assert_eq!(forms.map(arrived), [1, 1, 2], "{truth}");
    assert_eq!(std::fs::read_dir(folder.0.join("gallery")).unwrap().count(), dyetrace_lab::gallery::originals().len());
}

#[test]
fn the_shipped_cases_plant_what_the_lab_plants() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    let home = dyetrace_lab::smarthome::household::subject_yaml();
    let home_2 = dyetrace_lab::smarthome::household::subject_yaml_2();
    let pictures = dyetrace_lab::finance::owner::subject_yaml();
    let owner = dyetrace_lab::messaging::owner::subject_yaml();
    let planted: [(&str, &String); 9] = [
        ("story1-wifi-password", &home),
        ("story1-as-promised", &home),
        ("story2-consent", &home_2),
        ("story2-as-promised", &home_2),
        ("story4-pictures", &pictures),
        ("story4-silent-upload", &pictures),
        ("story4-as-promised", &pictures),
        ("story5-messaging", &owner),
        ("story5-updated", &owner),
    ];
    for (case, subject) in planted {
        let shipped = std::fs::read_to_string(cases.join(case).join("subject.yaml")).unwrap();
        assert_eq!(shipped, *subject, "{case}");
    }
    for (case, _) in planted.iter().filter(|(case, _)| case.starts_with("story4")) {
        for original in dyetrace_lab::gallery::originals() {
            let shipped = std::fs::read(cases.join(case).join("gallery").join(original.name)).unwrap();
            assert!(shipped == original.bytes, "{case}: {}", original.name);
        }
    }
}
