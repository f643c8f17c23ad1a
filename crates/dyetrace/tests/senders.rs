//! Whose traffic it was, and whether the recording works: apps and canaries from the case folder to the verdict.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use std::path::{Path, PathBuf};

const CLAIM: &str = "claims:
  - id: s.never
    says: The e-mail address is not sent.
    never: { data: [email], reaches: [wan] }
    exercise: { actions: [log-in], quiet_s: 0, spike_at_least: 0.5 }
";

const MARKS: &str = r#"{"at":"2026-01-31T11:59:50Z","phase":"recording-began"}
{"at":"2026-01-31T11:59:55Z","canary":"example.com/canary-7f3a"}
{"at":"2026-01-31T11:59:57Z","planted":["email"]}
{"at":"2026-01-31T12:00:00Z","action":"log-in","stage":"began"}
{"at":"2026-01-31T12:00:10Z","action":"log-in","stage":"ended","outcome":"succeeded"}
{"at":"2026-01-31T12:00:30Z","phase":"recording-ended"}
"#;

fn entry(second: &str, app: &str, url: &str) -> String {
    format!(
        r#"{{"startedDateTime":"2026-01-31T{second}.000Z","time":5,"_clientName":"{app}",
        "request":{{"method":"GET","url":"https://{url}","httpVersion":"HTTP/1.1","headers":[]}},
        "response":{{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"content":{{"size":2,"text":"ok"}}}}}}"#
    )
}

/// The app asks its maker for something; another app tells its own maker the address.
fn case(name: &str, run: &str, marks: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("evidence/marks")).unwrap();
    std::fs::create_dir_all(folder.join("claims")).unwrap();
    let entries = [
        entry("11:59:56", "Terminal", "example.com/canary-7f3a?x=1"),
        entry("12:00:01", "Example Home", "api.example.test/login"),
        entry("12:00:02", "Other", "collect.other.test/?email=lin-7f3a9c21d0@example.test"),
    ];
    let har = format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"t","version":"1"}},"entries":[{}]}}}}"#,
        entries.join(",")
    );
    let case = format!(
        "format: 1\ntitle: x\nruns: [{{id: first, product: {{name: Example Home}}, exhibits: [evidence/trip.har]{run}}}]\n"
    );
    for (path, text) in [
        ("case.yaml", case.as_str()),
        ("subject.yaml", "data: [{kind: email, value: lin-7f3a9c21d0@example.test}]\n"),
        ("claims/c.yaml", CLAIM),
        ("evidence/trip.har", &har),
        ("evidence/marks/first.jsonl", marks),
    ] {
        std::fs::write(folder.join(path), text).unwrap();
    }
    folder
}

fn judged(case: &Path) -> String {
    let output = dyetrace(&["judge", case.to_str().unwrap(), "--spike-records", "5", "--all"]);
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn what_another_app_sent_is_not_held_against_the_product() {
    let anybody = judged(&case("anybody", "", MARKS));
    assert!(anybody.contains("✕ contradicted  s.never"), "nobody said which apps are its own: {anybody}");
    let own = judged(&case("own", ", apps: [Example Home]", MARKS));
    assert!(own.contains("✓ supported  s.never"), "{own}");
    let by_package = judged(&case("by-package", ", apps: [com.example.home]", MARKS));
    assert!(by_package.contains("✕ contradicted  s.never"), "a name is not a package, so nobody knows: {by_package}");
}

#[test]
fn a_canary_shows_that_the_recording_works_or_keeps_it_from_supporting() {
    let seen = judged(&case("canary", ", apps: [Example Home]", MARKS));
    assert!(seen.contains("recorded example.com/canary-7f3a"), "{seen}");
    for (name, marks) in [
        ("another", MARKS.replace("canary-7f3a", "canary-8888")),
        ("later", MARKS.replace("11:59:55Z", "11:59:58Z").replace(r#""canary""#, r#""error_s":0.5,"canary""#)),
    ] {
        let missing = judged(&case(&format!("canary-{name}"), ", apps: [Example Home]", &marks));
        assert!(
            missing.contains("○ not-exercised  s.never") || missing.contains("○ not exercised"),
            "{name}: {missing}"
        );
        assert!(missing.contains("so that the tester's own request"), "{name}: {missing}");
    }
    let planted = MARKS.replace("canary-7f3a", "lin-7f3a9c21d0@example.test");
    let refused = dyetrace(&["judge", case("canary-planted", "", &planted).to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("canary") && !stderr(&refused).contains("7f3a9c21d0"), "{}", stderr(&refused));
}
