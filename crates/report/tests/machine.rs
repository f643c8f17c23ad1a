//! Reports for programs: SARIF, JUnit, Markdown and CSV of a made-up judged case full of texts that mean harm.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "html/made_up.rs"]
#[allow(dead_code, reason = "the tests of the page use the rest")]
mod made_up;
mod schema;

use dyetrace_case::{Judgement, Suppression, Verdict};
use dyetrace_report::audit::Audit;
use dyetrace_report::judgement::{
    MOST_RESULTS, MachineLook, read_baseline, write_csv_practices, write_csv_verdicts, write_github, write_json,
    write_junit, write_markdown, write_sarif,
};
use dyetrace_report::words::Lang;
use made_up::{HOSTILE, judged};
use schema::faults;
use serde_json::Value;
use std::collections::BTreeSet;

fn text(write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn sarif(judgement: &Judgement, audit: &Audit) -> Value {
    let command = Some("dyetrace judge my-case --format sarif");
    let look = MachineLook { command, ..MachineLook::default() };
    let written = text(|out| write_sarif(judgement, audit, look, out));
    serde_json::from_str(&written).unwrap()
}

fn sarif_schema() -> Value {
    serde_json::from_str(include_str!("schema/sarif-2.1.0.json")).unwrap()
}

const EXCEPTION: &str = "suppressions:
  - { claim: s1.newer-devices-do-not-upload, datum: wifi, reason: 'accepted <b>for now</b>', expires: 2026-12-31, who: M. Tester }
";

/// Everything that a log can hold: an exception, a baseline, open questions, claims out of scope.
fn everything() -> (Judgement, Audit) {
    let (mut judgement, audit, _) = judged(200);
    judgement.suppressions = Suppression::read("suppressions.yaml", EXCEPTION).unwrap();
    let findings = judgement.findings();
    let known = findings.iter().filter(|finding| finding.verdict == Verdict::Contradicted).take(1);
    judgement.baseline = Some(known.flat_map(|finding| finding.fingerprints.values().cloned()).collect());
    (judgement, audit)
}

#[test]
fn the_log_follows_the_schema_of_sarif() {
    let (judgement, audit) = everything();
    let (schema, log) = (sarif_schema(), sarif(&judgement, &audit));
    assert_eq!(faults(&schema, &log, &schema), Vec::<String>::new());
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["kind"] = "guilty".into();
    assert_eq!(faults(&schema, &broken, &schema).len(), 1, "the checker sees what is wrong");
    let empty = sarif(&Judgement::default(), &Audit::default());
    assert_eq!(faults(&schema, &empty, &schema), Vec::<String>::new());
}

#[test]
fn each_datum_at_each_recipient_is_one_result_of_its_claim() {
    let (judgement, audit) = everything();
    let log = sarif(&judgement, &audit);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let kinds: Vec<&str> = results.iter().map(|result| result["kind"].as_str().unwrap()).collect();
    let mut sorted = kinds.clone();
    sorted.dedup();
    assert_eq!(sorted, ["fail", "review", "open", "pass", "notApplicable"], "most severe first");
    let about = |result: &Value| {
        [&result["ruleId"], &result["properties"]["datum"], &result["properties"]["recipient"]].map(Value::to_string)
    };
    let failed: Vec<_> = results.iter().filter(|result| result["kind"] == "fail").map(about).collect();
    assert!(failed.len() > 1 && failed.iter().collect::<BTreeSet<_>>().len() == failed.len(), "{failed:?}");
    for result in results {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
        assert_eq!(result["level"], if result["kind"] == "fail" { "error" } else { "none" }, "as section 3.27.10 asks");
    }
}

#[test]
fn exceptions_and_the_baseline_are_said_of_the_results_they_are_about() {
    let (judgement, audit) = everything();
    let log = sarif(&judgement, &audit);
    let failed = log["runs"][0]["results"].as_array().unwrap().iter().filter(|result| result["kind"] == "fail");
    let (mut suppressed, mut known) = (0, 0);
    for result in failed {
        let is_wifi = result["properties"]["datum"].as_str().unwrap().starts_with("wifi");
        assert_eq!(result["suppressions"].is_array(), is_wifi, "{result}");
        if is_wifi {
            assert_eq!(result["suppressions"][0]["justification"], "accepted <b>for now</b>");
        }
        suppressed += usize::from(is_wifi);
        known += usize::from(result["baselineState"] == "unchanged");
    }
    assert!(suppressed > 0 && known == 1, "{suppressed} {known}");
}

#[test]
fn every_place_is_inside_an_exhibit_with_its_digest() {
    let (judgement, audit) = everything();
    let run = &sarif(&judgement, &audit)["runs"][0];
    assert_eq!(run["artifacts"][0]["hashes"]["sha-256"], "07".repeat(32));
    let mut regions = 0;
    for result in run["results"].as_array().unwrap().iter().filter(|result| result["kind"] == "fail") {
        for location in result["locations"].as_array().unwrap() {
            let physical = &location["physicalLocation"];
            let nested = &run["artifacts"][physical["artifactLocation"]["index"].as_u64().unwrap() as usize];
            assert_eq!(nested["location"]["uri"], physical["artifactLocation"]["uri"]);
            assert_eq!(nested["parentIndex"], 0);
            assert_eq!(physical["region"]["byteLength"], 31);
            let logical = &location["logicalLocations"][0];
            let part = &run["logicalLocations"][logical["index"].as_u64().unwrap() as usize];
            assert_eq!(part["fullyQualifiedName"], logical["fullyQualifiedName"]);
            let record = &run["logicalLocations"][part["parentIndex"].as_u64().unwrap() as usize];
            assert_eq!((part["kind"].as_str(), record["kind"].as_str()), (Some("member"), Some("object")));
            assert_eq!(run["logicalLocations"][record["parentIndex"].as_u64().unwrap() as usize]["kind"], "resource");
            regions += 1;
        }
    }
    assert!(regions > 3);
}

#[test]
fn a_log_stops_where_github_does_and_says_how_much_is_left() {
    let (mut judgement, audit, _) = judged(20);
    let open = judgement.claims[2].parts[0].clone();
    judgement.claims[2].parts = vec![open; MOST_RESULTS + 6];
    let run = &sarif(&judgement, &audit)["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), MOST_RESULTS);
    assert_eq!(results[0]["kind"], "fail", "the rest is what is least severe");
    let left = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(left["descriptor"]["id"], "results-left-out");
    let of_all = judgement.findings().len() - MOST_RESULTS;
    assert!(left["message"]["text"].as_str().unwrap().starts_with(&format!("{of_all} ")), "{left}");
}

/// Elements with their attributes as written and the text directly inside, in the order of their ends.
/// Panics where the document is not well formed.
fn elements(xml: &str) -> Vec<(String, String, String)> {
    let mut open: Vec<(String, String, String)> = Vec::new();
    let mut closed = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.last().unwrap().0, name);
            closed.push(open.pop().unwrap());
        } else {
            let name = tag.trim_end_matches('/').split(' ').next().unwrap().to_owned();
            let attributes = tag[name.len()..].trim_end_matches('/').to_owned();
            assert_eq!(attributes.matches('"').count() % 2, 0, "{tag}");
            let element = (name, attributes, String::new());
            if tag.ends_with('/') { closed.push(element) } else { open.push(element) }
        }
        assert!(!text.contains('>'), "{text}");
        if let Some(element) = open.last_mut() {
            element.2.push_str(text);
        }
    }
    assert!(open.is_empty());
    closed
}

#[test]
fn junit_shows_what_is_contradicted_as_failed_and_what_was_not_tried_as_skipped() {
    let (judgement, audit, _) = judged(200);
    let junit = |judgement: &Judgement| text(|out| write_junit(judgement, &audit, MachineLook::default(), out));
    let written = junit(&judgement);
    let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(written.chars().all(allowed) && !written.contains(['\u{202e}', '\u{7f}']), "XML 1.0 section 2.2");
    let elements = elements(&written);
    let number = |name: &str| elements.iter().filter(|element| element.0 == name).count();
    let parts: usize = judgement.claims.iter().map(|claim| claim.parts.len()).sum();
    assert_eq!([number("testcase"), number("failure"), number("skipped")], [parts, 1, parts - 2]);
    assert!(written.contains(&format!("tests=\"{parts}\" failures=\"1\" errors=\"0\" skipped=\"{}\"", parts - 2)));
    let failure = elements.iter().find(|element| element.0 == "failure").unwrap();
    assert!(failure.2.contains("wifi.ssid → api.smarthome.example"), "{}", failure.2);

    let mut excepted = judgement.clone();
    let all = "suppressions: [{ claim: s1.newer-devices-do-not-upload, reason: known, expires: 2026-12-31 }]";
    excepted.suppressions = Suppression::read("suppressions.yaml", all).unwrap();
    let written = junit(&excepted);
    assert!(!written.contains("<failure") && written.contains("suppressed until 2026-12-31: known"));
}

/// Two runs show the same datum at the same recipient, one as in the baseline, one in another form. The known one once
/// failed together with the new one.
#[test]
fn junit_fails_what_is_new_and_not_what_is_known_beside_it() {
    let (mut judgement, audit, _) = judged(200);
    let mut in_clear = judgement.practices[0].clone();
    in_clear.key.form = dyetrace_case::Form::Clear;
    judgement.practices.push(in_clear);
    let last = judgement.practices.len() - 1;
    let parts = &mut judgement.claims[0].parts;
    let part = |run: &str, witness| dyetrace_case::JudgedPart {
        labels: vec![("run", run.to_owned())],
        witnesses: vec![witness],
        ..parts[0].clone()
    };
    *parts = vec![part("known", 0), part("new", last)];
    let finding = judgement.findings().into_iter().find(|finding| finding.practices == [0, last]).unwrap();
    let known = finding.fingerprints[judgement.practices[0].key.form.name()].clone();
    judgement.baseline = Some([known].into());
    let written = text(|out| write_junit(&judgement, &audit, MachineLook::default(), out));
    let cases: Vec<&str> = written.split("<testcase ").skip(1).take(2).collect();
    assert!(cases[0].contains("<skipped") && cases[0].contains("(in the baseline)"), "{}", cases[0]);
    assert!(cases[1].contains("<failure") && !cases[1].contains("(in the baseline)"), "{}", cases[1]);
}

#[test]
fn every_report_says_who_answers_for_an_exception() {
    let (judgement, audit) = everything();
    let look = MachineLook::default();
    let junit = text(|out| write_junit(&judgement, &audit, look, out));
    let markdown = text(|out| write_markdown(&judgement, &audit, look, out));
    let log = text(|out| write_sarif(&judgement, &audit, look, out));
    for written in [junit, markdown, log] {
        assert!(written.contains("M. Tester"), "{written}");
    }
}

#[test]
fn markdown_keeps_its_tables_and_shows_no_markup_of_the_evidence() {
    let (judgement, audit) = everything();
    let look = MachineLook::default();
    let markdown = text(|out| write_markdown(&judgement, &audit, look, out));
    let github = text(|out| write_github(&judgement, &audit, look, out));
    for written in [&markdown, &github] {
        let ours = ["<details>", "</details>", "<summary>", "</summary>"];
        let rest = ours.iter().fold(written.clone(), |rest, tag| rest.replace(tag, ""));
        let bare = |(at, _): &(usize, &str)| !rest[..*at].ends_with('\\') && rest[..*at].matches('`').count() % 2 == 0;
        let tags: Vec<_> = rest.match_indices('<').filter(bare).collect();
        assert_eq!(tags, Vec::new(), "{rest}");
        let table = written.split("| Claim |").nth(1).unwrap();
        for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
            assert_eq!(row.replace("\\\\", "").replace("\\|", "").matches('|').count(), 4, "{row}");
        }
        assert!(written.contains("suppressed until 2026-12-31: accepted \\<b\\>for now\\</b\\>"), "{written}");
        assert!(!written.contains(['\u{202e}', '\u{1b}', '\u{0}']));
    }
    assert!(markdown.contains("- [ ] do provision-device 2 times more"));
    let mut large = judgement;
    large.notes = vec![dyetrace_case::Fact::new("x").with("text", "y".repeat(2 << 20))];
    let github = text(|out| write_github(&large, &audit, look, out));
    assert!(github.len() < 1 << 20 && github.contains("A section is left out"), "GitHub takes one mebibyte");
    assert!(github.contains("## How to repeat"), "what stands behind the section that is too long is there");
}

/// Rows and cells of comma-separated values (RFC 4180).
fn cells(csv: &str) -> Vec<Vec<String>> {
    let row = |line: &str| -> Vec<String> {
        let inner = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap();
        inner.split("\",\"").map(|cell| cell.replace("\"\"", "\"")).collect()
    };
    csv.split_terminator("\r\n").map(row).collect()
}

#[test]
fn csv_has_one_line_for_each_thing_and_no_formulas() {
    let (mut judgement, _) = everything();
    judgement.practices[0].key.app = Some("=cmd|' /C calc'!A0".to_owned());
    let verdicts = cells(&text(|out| write_csv_verdicts(&judgement, Lang::English, out)));
    let practices = cells(&text(|out| write_csv_practices(&judgement, out)));
    assert_eq!(verdicts.len(), judgement.findings().len() + 1);
    assert_eq!(practices.len(), judgement.practices.len() + 1);
    for table in [&verdicts, &practices] {
        assert!(table.iter().all(|row| row.len() == table[0].len()));
        let formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@']);
        assert_eq!(table.iter().flatten().find(formula), None);
    }
    let at = practices[0].iter().position(|name| name == "app").unwrap();
    assert_eq!(practices[1][at], "'=cmd|' /C calc'!A0");
    let hostile = practices.iter().flatten().find(|cell| cell.contains("script")).unwrap();
    assert!(HOSTILE.contains('\u{202e}') && !hostile.contains('\u{202e}'));
}

#[test]
fn json_and_sarif_are_the_same_baseline() {
    let (judgement, audit) = everything();
    let suppressed = |finding: &dyetrace_case::Finding| judgement.suppression_of(finding).is_some();
    let findings =
        judgement.findings().into_iter().filter(|one| one.verdict == Verdict::Contradicted && !suppressed(one));
    let names: BTreeSet<_> = findings.flat_map(|finding| finding.fingerprints.into_values()).collect();
    assert!(!names.is_empty());
    let json = text(|out| write_json(&judgement, &audit, out));
    let log = text(|out| write_sarif(&judgement, &audit, MachineLook::default(), out));
    assert_eq!(read_baseline(&json).unwrap(), names);
    assert_eq!(read_baseline(&log).unwrap(), names, "what is suppressed is in no baseline");
}

/// Behind the feature `parquet`: the file says what the CSV says, cell by cell.
#[cfg(feature = "parquet")]
mod parquet {
    use super::{cells, everything, text};
    use dyetrace_case::{Judgement, Time};
    use dyetrace_report::judgement::{
        write_csv_practices, write_csv_verdicts, write_parquet_practices, write_parquet_verdicts,
    };
    use dyetrace_report::words::Lang;
    use parquet::basic::{LogicalType, Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use std::path::PathBuf;

    /// Columns and cells as the CSV writes them. A time is told from a count by the column's type.
    fn read_back(name: &str, write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> Vec<Vec<String>> {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        write(&mut std::fs::File::create(&path).unwrap()).unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names = schema.columns().iter().map(|column| column.name().to_owned()).collect();
        let is_time = |at: usize| matches!(schema.column(at).logical_type_ref(), Some(LogicalType::Timestamp { .. }));
        let shown = |at: usize, field: &Field| match field {
            Field::Null => String::new(),
            Field::Bool(flag) => flag.to_string(),
            Field::Str(text) => text.clone(),
            Field::Long(nanos) if is_time(at) => Time(*nanos).to_string(),
            Field::Long(count) => count.to_string(),
            other => panic!("no column holds {other:?}"),
        };
        let row = |row: parquet::record::Row| {
            row.get_column_iter().enumerate().map(|(at, (_, field))| shown(at, field)).collect()
        };
        let rows = reader.get_row_iter(None).unwrap().map(|each| row(each.unwrap()));
        [names].into_iter().chain(rows).collect()
    }

    /// The guard before what a spreadsheet takes for a formula is the CSV's own.
    fn without_guards(table: Vec<Vec<String>>) -> Vec<Vec<String>> {
        let bare = |cell: String| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
        table.into_iter().map(|row| row.into_iter().map(bare).collect()).collect()
    }

    #[test]
    fn a_table_reads_back_as_the_csv_has_it() {
        let (mut judgement, _) = everything();
        judgement.practices[0].first = Some(Time(1_700_000_000_123_456_789));
        for lang in [Lang::English, Lang::Chinese] {
            let csv = without_guards(cells(&text(|out| write_csv_verdicts(&judgement, lang, out))));
            let parquet = read_back("verdicts.parquet", |out| write_parquet_verdicts(&judgement, lang, out));
            assert_eq!(parquet, csv);
            assert!(csv.len() > 3 && csv.iter().flatten().any(|cell| cell == "true"));
        }
        let csv = without_guards(cells(&text(|out| write_csv_practices(&judgement, out))));
        let parquet = read_back("practices.parquet", |out| write_parquet_practices(&judgement, out));
        assert_eq!(parquet, csv);
        assert!(csv.iter().flatten().any(|cell| cell == "2023-11-14T22:13:20.123456789Z"), "to the nanosecond");
    }

    #[test]
    fn columns_have_types_and_an_empty_table_is_a_table() {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("empty.parquet");
        write_parquet_practices(&Judgement::default(), &mut std::fs::File::create(&path).unwrap()).unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let of = |name: &str| schema.columns().iter().find(|column| column.name() == name).unwrap().physical_type();
        assert_eq!(
            [of("sightings"), of("hint"), of("first"), of("datum")],
            [Type::INT64, Type::BOOLEAN, Type::INT64, Type::BYTE_ARRAY]
        );
    }
}
