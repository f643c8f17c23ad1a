//! The report of a judged case: as a page, at a terminal, as JSON.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod browser;
mod made_up;
#[path = "../schema/mod.rs"]
mod schema;

use dyetrace_case::Judgement;
use dyetrace_report::audit::{Audit, Look};
use dyetrace_report::html::{Excerpts, HtmlLook, write_html};
use dyetrace_report::judgement::{write_json, write_terminal};
use dyetrace_report::words::Lang;
use made_up::{HOSTILE, judged};
use serde_json::Value;

fn page((judgement, audit, excerpts): &(Judgement, Audit, Excerpts), lang: Lang) -> String {
    let command = Some("dyetrace judge my-case --html report.html");
    let look = HtmlLook { lang, reveal: false, command, excerpts: Some(excerpts), ..HtmlLook::default() };
    let mut out = Vec::new();
    write_html(judgement, audit, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn terminal(judgement: &Judgement, audit: &Audit, lang: Lang) -> String {
    let mut out = Vec::new();
    write_terminal(judgement, audit, Look::default(), lang, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn no_text_of_the_evidence_becomes_markup_or_steers_the_screen() {
    for lang in Lang::ALL {
        let page = page(&judged(600), lang);
        assert_eq!(page.matches("<script").count(), 2, "the page's script and its rows");
        assert_eq!(page.matches("</script>").count(), 2);
        for harm in ["<img", "\u{202e}", "\u{2066}", "\u{0}", "\u{1b}", "href=\"javascript:"] {
            assert!(!page.contains(harm), "{harm:?}");
        }
        assert!(page.contains("&lt;img src=x onerror=alert(2)&gt;"), "and it is still shown");
    }
}

/// Each way once took one unit of height at least: ten thousand recipients made a drawing of ten thousand units.
#[test]
fn the_drawing_of_the_ways_does_not_grow_with_them() {
    let mut case = judged(40);
    let first = case.0.practices[0].clone();
    for number in 0..3_000 {
        let mut recipient = case.0.recipients[0].clone();
        recipient.name = Some(format!("{number}.smarthome.example"));
        case.0.recipients.push(recipient);
        let mut practice = first.clone();
        practice.key.recipient = case.0.recipients.len() - 1;
        case.0.practices.push(practice);
    }
    let page = page(&case, Lang::English);
    let drawing = page.split("class=\"sankey\" viewBox=\"0 0 960 ").nth(1).unwrap();
    let height: f64 = drawing.split('"').next().unwrap().parse().unwrap();
    assert!((420.0..1000.0).contains(&height), "{height}");
}

#[test]
fn nothing_on_the_page_needs_the_network() {
    let page = page(&judged(40), Lang::English);
    for loading in [" src=", "@import", "url(", "<link", "<iframe", "<object", " style=", " onclick="] {
        let found = page.replace("&lt;img src=x", "").find(loading);
        assert_eq!(found, None, "{loading}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn the_first_screen_says_what_is_contradicted_with_its_denominator() {
    let case = judged(40);
    let first = |page: String| page.split("<h2>").next().unwrap().to_owned();
    let english = first(page(&case, Lang::English));
    assert!(english.contains("<strong>1 of 5</strong> claims and rules contradicted"));
    for standing in ["supported", "not exercised", "needs a person's answer", "out of scope"] {
        assert!(english.contains(&standing.replace('\'', "&#39;")), "{standing}");
    }
    assert!(first(page(&case, Lang::Chinese)).contains("5 条声明与规则中，<strong>1 条</strong>与证据矛盾"));
}

#[test]
fn unknown_recipients_are_shown_and_counted() {
    let page = page(&judged(40), Lang::English);
    assert!(page.contains("unknown recipient") && page.contains("owner unknown") && page.contains("country unknown"));
    assert!(page.contains("<dt>recipients on the internet whose owner is unknown</dt><dd>3 / 5</dd>"));
}

#[test]
fn a_datum_that_nobody_received_keeps_its_column() {
    let page = page(&judged(40), Lang::English);
    assert!(page.contains("<th scope=\"col\"><code>gps</code></th>"));
}

#[test]
fn a_code_without_a_sentence_is_printed_and_not_dropped() {
    let (judgement, audit, excerpts) = judged(4);
    let page = page(&(judgement.clone(), audit, excerpts), Lang::English);
    assert!(page.contains("code-of-tomorrow (text"));
    assert!(terminal(&judgement, &judged(4).1, Lang::English).contains("code-of-tomorrow (text"));
}

#[test]
fn the_terminal_shows_verdicts_reasons_coverage_and_what_is_left_to_do() {
    let (judgement, audit, _) = judged(40);
    let text = terminal(&judgement, &audit, Lang::English);
    for line in [
        "Of 5 claims and rules: 1 contradicted, 1 needs a person's answer, 1 not exercised, 1 supported, 1 out of scope",
        "✕ contradicted  s1.newer-devices-do-not-upload",
        "3 practices speak against it, in 1,204 sightings, at 2 recipients",
        "○ Quiet time",
        "On the evidence alone: not exercised",
        "(does not count: it happened within the clock error of a milestone)",
        "no hit in 3 tries: at 95 % confidence it happens in at most 63.2 % of tries",
        "☐ do provision-device 2 times more (state: consent refused; way: any)",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{0}']));
    assert!(terminal(&judgement, &audit, Lang::Chinese).contains("再执行 provision-device 2 次"));
}

#[test]
fn the_json_follows_its_published_schema_and_knows_no_language() {
    let (judgement, audit, _) = judged(200);
    let mut out = Vec::new();
    write_json(&judgement, &audit, &mut out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/judgement.schema.json")).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(schema::faults(&schema, &document, &schema), Vec::<String>::new());
    assert_eq!(document["counts"]["contradicted"], 1);
    assert_eq!(document["claims"][0]["parts"][0]["reasons"][0]["values"]["sightings"], "1204");
    assert_eq!(document["todo"][1]["what"]["values"]["text"], HOSTILE, "JSON escapes, it does not change");
    assert!(!String::from_utf8(out).unwrap().contains("speak against"));
}

#[test]
fn what_was_seen_beside_planted_values_is_on_the_page() {
    let page = page(&judged(4), Lang::English);
    for text in ["Fields that follow a planted value", "Personal data that nobody planted", "phone.cn", "about 12.5 %"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_page_that_shows_planted_values_says_so() {
    let (judgement, audit, _) = judged(4);
    let look = HtmlLook { reveal: true, ..HtmlLook::default() };
    let mut out = Vec::new();
    write_html(&judgement, &audit, look, &mut out).unwrap();
    let warning = "This page shows planted values in clear.";
    assert!(String::from_utf8(out).unwrap().contains(warning));
    assert!(!page(&judged(4), Lang::English).contains(warning));
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    assert_eq!(page(&judged(700), Lang::Chinese), page(&judged(700), Lang::Chinese));
}

#[test]
fn ten_thousand_sightings_stay_under_five_megabytes() {
    let page = page(&judged(10_000), Lang::English);
    assert!(page.len() < 5_000_000, "{}", page.len());
}

/// A hundred claims, each with witnesses by the thousand.
#[test]
fn many_claims_recipients_and_practices_stay_under_five_megabytes() {
    let (mut judgement, audit, excerpts) = judged(10_000);
    let recipients = judgement.recipients.clone();
    judgement.recipients = (0..2000).map(|index| recipients[index % recipients.len()].clone()).collect();
    let practices = judgement.practices.clone();
    judgement.practices = (0..20_000).map(|index| practices[index % practices.len()].clone()).collect();
    for (index, practice) in judgement.practices.iter_mut().enumerate() {
        practice.key.recipient = index % 2000;
    }
    let claims = judgement.claims.clone();
    judgement.claims = (0..100).map(|index| claims[index % claims.len()].clone()).collect();
    for part in judgement.claims.iter_mut().flat_map(|claim| &mut claim.parts) {
        part.witnesses = (0..20_000).collect();
    }
    let page = page(&(judgement, audit, excerpts), Lang::Chinese);
    assert!(page.len() < 5_000_000, "{}", page.len());
}

#[test]
fn an_empty_case_is_a_page_too() {
    let empty = (Judgement::default(), Audit::default(), Excerpts::new());
    for lang in Lang::ALL {
        assert!(page(&empty, lang).ends_with("</html>\n"));
    }
}
