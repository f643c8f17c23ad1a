//! Over HTTP: what the service gives, what it refuses, and that all answers look alike.

use crate::{Answer, Folder, Running, build, identifier, plan, setup, start};
use dyetrace_check::client::{Question, answers};
use dyetrace_check::index::Plan;
use dyetrace_check::oprf::Evaluation;
use dyetrace_check::service::{MOST_AT_ONCE, Setup};
use dyetrace_check::{Identifier, Kind, Manifest, SignedManifest, from_hex, to_hex};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn manifest(running: &Running) -> Manifest {
    let signed: SignedManifest = serde_json::from_slice(&running.get("/v1/manifest").body).unwrap();
    signed.trusted(None).unwrap()
}

fn evaluation(answer: &Answer) -> Evaluation {
    let value = answer.json();
    let elements =
        value["elements"].as_array().unwrap().iter().map(|element| from_hex(element.as_str().unwrap()).unwrap());
    Evaluation { elements: elements.collect(), proof: from_hex(value["proof"].as_str().unwrap()).unwrap() }
}

/// The two answers that one question gets, and what is read from them.
fn ask(running: &Running, manifest: &Manifest, asked: Identifier, number: u8) -> (Answer, Answer, usize) {
    let question = Question::new(manifest, asked, &mut [number + 1; 64]).unwrap();
    let evaluated = running.post("/v1/evaluate", "", &json!({"elements": [to_hex(&question.element())]}));
    let bucket = running.get(&format!("/v1/buckets/{}", question.bucket_digits()));
    let found = answers(manifest, &[question], &evaluation(&evaluated), &[&bucket.body]).unwrap();
    let found = found[0].len();
    (evaluated, bucket, found)
}

#[test]
fn who_is_in_and_who_is_not_get_answers_of_one_size() {
    let folder = Folder::new();
    let running = start(build(&folder, 200, plan()), setup());
    let manifest = manifest(&running);
    let mut sizes = std::collections::BTreeSet::new();
    for number in 0..40_u8 {
        let person = u32::from(number) + if number.is_multiple_of(2) { 0 } else { 1000 };
        let asked = identifier(Kind::Email, &format!("person{person}@example.test"));
        let (evaluated, bucket, found) = ask(&running, &manifest, asked, number);
        assert_eq!(found, usize::from(number.is_multiple_of(2)), "person {person}");
        sizes.insert((evaluated.head.len(), evaluated.body.len(), bucket.head.len(), bucket.body.len()));
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn a_request_is_as_long_for_one_bucket_as_for_another() {
    let folder = Folder::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let proof = move |question: &dyetrace_check::service::ProofQuestion| {
        seen.lock().unwrap().push(question.bucket);
        Ok(true)
    };
    let index = build(&folder, 300, Plan { bits: Some(4), ..plan() });
    let running = start(index, Setup { proof: Some(Box::new(proof)), ..setup() });
    let manifest = manifest(&running);
    let mut buckets = std::collections::BTreeSet::new();
    for number in 0..40_u8 {
        let person = identifier(Kind::Email, &format!("person{number}@example.test"));
        let question = Question::new(&manifest, person, &mut [number + 1; 64]).unwrap();
        let digits = question.bucket_digits();
        assert_eq!(digits.len(), 7);
        let token = format!("Proof-Token: {number}\r\n");
        let body = json!({"elements": [to_hex(&question.element())], "bucket": digits});
        assert_eq!(running.post("/v1/evaluate", &token, &body).status, 200);
        let host = format!("Host: {}\r\nConnection: close\r\n", running.address);
        let fetched = running.raw(&format!("GET /v1/buckets/{digits} HTTP/1.1\r\n{host}{token}\r\n"));
        assert_eq!(fetched.body.len(), manifest.frame_bytes());
        assert_eq!(asked.lock().unwrap().split_off(0), [question.bucket(); 2]);
        buckets.insert(question.bucket().to_string().len());
    }
    assert_eq!(buckets.into_iter().collect::<Vec<_>>(), [1, 2], "there are buckets of one digit and of two");
    for wrong in [json!("00000001"), json!("+1"), json!(""), json!("-1"), json!(-1), json!("1048576"), json!(1.5)] {
        let body = json!({"elements": ["00".repeat(32)], "bucket": wrong});
        assert_eq!(running.post("/v1/evaluate", "Proof-Token: a\r\n", &body).status, 422, "{wrong}");
    }
}

#[test]
fn many_are_asked_at_once_with_one_proof() {
    let folder = Folder::new();
    let running = start(build(&folder, 200, plan()), setup());
    let manifest = manifest(&running);
    let asked = |number: usize| identifier(Kind::Phone, &format!("138{:08}", number * 10));
    let question = |number: usize| Question::new(&manifest, asked(number), &mut [number as u8 + 1; 64]).unwrap();
    let questions: Vec<_> = (0..MOST_AT_ONCE).map(question).collect();
    let elements: Vec<_> = questions.iter().map(|question| to_hex(&question.element())).collect();
    let evaluated = running.post("/v1/evaluate", "", &json!({"elements": elements}));
    let buckets: Vec<_> =
        questions.iter().map(|question| running.get(&format!("/v1/buckets/{}", question.bucket())).body).collect();
    let frames: Vec<_> = buckets.iter().map(Vec::as_slice).collect();
    let found = answers(&manifest, &questions, &evaluation(&evaluated), &frames).unwrap();
    assert_eq!(found.iter().filter(|exposures| !exposures.is_empty()).count(), 20, "every tenth of 200 people");
    let more = vec![elements[0].clone(); MOST_AT_ONCE + 1];
    assert_eq!(running.post("/v1/evaluate", "", &json!({"elements": more})).status, 422);
}

#[test]
fn what_is_no_question_is_refused() {
    let folder = Folder::new();
    let running = start(build(&folder, 50, plan()), setup());
    let status = |body: &Value| running.post("/v1/evaluate", "", body).status;
    assert_eq!(status(&json!({"elements": []})), 422);
    assert_eq!(status(&json!({"elements": ["00".repeat(32)]})), 422, "the identity");
    assert_eq!(status(&json!({"elements": ["zz"]})), 422);
    assert_eq!(status(&json!({"identifier": "lin@example.test"})), 422);
    for path in
        ["/v1/buckets/1048576", "/v1/buckets/-1", "/v1/buckets/", "/v1/buckets/+1", "/etc/passwd", "/v1/../page.js"]
    {
        assert_eq!(running.get(path).status, 404, "{path}");
    }
    assert_eq!(running.get("/v1/evaluate").status, 405);
    assert_eq!(running.post("/v1/manifest", "", &json!({})).status, 405);
    assert_eq!(running.raw("GET / HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n").status, 421);
    assert_eq!(running.raw("nonsense\r\n\r\n").status, 400);
    assert_eq!(running.get("/page.wasm").status, 404, "it was not built");
}

#[test]
fn the_page_runs_nothing_of_others() {
    let folder = Folder::new();
    let running = start(build(&folder, 50, plan()), setup());
    let page = running.get("/");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("default-src 'none'") && page.head.contains("frame-ancestors 'none'"));
    let text = [page, running.get("/page.js"), running.get("/page.css")]
        .map(|part| String::from_utf8(part.body).unwrap())
        .concat();
    assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("//cdn"), "nothing is loaded");
}

#[test]
fn one_address_can_ask_so_often_and_a_proxy_tells_addresses_apart() {
    let folder = Folder::new();
    let running = start(build(&folder, 50, plan()), Setup { each_minute: 3, forwarded: true, ..setup() });
    let element =
        to_hex(&Question::new(&manifest(&running), identifier(Kind::Qq, "10001"), &mut [1; 64]).unwrap().element());
    let ask = |from: &str| {
        running.post("/v1/evaluate", &format!("X-Forwarded-For: 10.0.0.1, {from}\r\n"), &json!({"elements": [element]}))
    };
    assert_eq!([200, 200, 200, 429], [(); 4].map(|()| ask("192.0.2.1").status));
    assert!(ask("192.0.2.1").head.contains("\r\nRetry-After: "));
    assert_eq!(ask("192.0.2.2").status, 200);
}

#[test]
fn the_operator_is_asked_for_the_token_and_its_bucket_and_never_told_who() {
    let folder = Folder::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let proof = move |question: &dyetrace_check::service::ProofQuestion| {
        seen.lock().unwrap().push((question.token.clone(), question.bucket));
        if question.token == "broken" { Err("no answer".to_owned()) } else { Ok(question.token == "good") }
    };
    let running = start(build(&folder, 200, plan()), Setup { proof: Some(Box::new(proof)), ..setup() });
    let manifest = manifest(&running);
    let question = Question::new(&manifest, identifier(Kind::Email, "person8@example.test"), &mut [1; 64]).unwrap();
    let body = json!({"elements": [to_hex(&question.element())], "bucket": question.bucket()});
    let status = |token: &str| running.post("/v1/evaluate", token, &body).status;
    assert_eq!([status(""), status("Proof-Token: bad\r\n"), status("Proof-Token: broken\r\n")], [401, 403, 502]);
    assert_eq!(status("Proof-Token: good\r\n"), 200);
    assert_eq!(running.get(&format!("/v1/buckets/{}", question.bucket())).status, 401);
    assert_eq!(asked.lock().unwrap().last(), Some(&("good".to_owned(), question.bucket())));
    let many = json!({"elements": vec![to_hex(&question.element()); 2], "bucket": question.bucket()});
    assert_eq!(running.post("/v1/evaluate", "Proof-Token: good\r\n", &many).status, 422, "one token, one question");
    let refused = (0..20).filter(|_| status("Proof-Token: good\r\n") == 429).count();
    assert!(refused >= 10, "a token is good for ten: {refused}");
}

#[test]
fn the_openapi_document_has_every_path_and_no_other() {
    let folder = Folder::new();
    let running = start(build(&folder, 50, plan()), setup());
    let document = running.get("/v1/openapi.json").json();
    let paths: Vec<_> = document["paths"].as_object().unwrap().iter().collect();
    assert_eq!(paths.len(), 6);
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{number}", "0");
            let answer =
                if method == "get" { running.get(&path) } else { running.post(&path, "", &json!({"elements": []})) };
            let documented = &operations[method]["responses"];
            assert!(!documented[answer.status.to_string()].is_null(), "{method} {path} answers {}", answer.status);
        }
    }
    let references = document.to_string();
    for (kind, named) in document["components"].as_object().unwrap() {
        for name in named.as_object().unwrap().keys() {
            assert!(references.contains(&format!("#/components/{kind}/{name}\"")), "{name} is used");
        }
    }
}
