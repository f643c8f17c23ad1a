//! The client of the check service for the browser: built for `wasm32-unknown-unknown`, called by `page.js`.
//!
//! Bytes go in and out one at a time, through functions alone: no pointer is given to the page, so nothing here needs
//! unsafe code but the names that the page calls by.

#![expect(unsafe_code, reason = "only to give exported functions their names; see each")]

use dyetrace_check::client::{Question, answers};
use dyetrace_check::oprf::Evaluation;
use dyetrace_check::{Identifier, Kind, Manifest, NotAnIdentifier, SignedManifest, from_hex, to_hex};
use serde_json::{Value, json};
use std::cell::RefCell;

/// Bytes that are taken in, at most: a bucket and an answer.
const MOST: usize = 16 << 20;

#[derive(Default)]
struct State {
    parts: Vec<Vec<u8>>,
    open: Vec<u8>,
    output: Vec<u8>,
    asked: Option<(Manifest, Question)>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Forgets what was put in.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    STATE.with_borrow_mut(|state| {
        state.parts.clear();
        state.open.clear();
    });
}

/// Puts a byte to the part that is open.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn put(byte: u32) {
    STATE.with_borrow_mut(|state| {
        if state.open.len() < MOST {
            state.open.push(byte as u8);
        }
    });
}

/// Ends a part.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn part() {
    STATE.with_borrow_mut(|state| {
        let part = std::mem::take(&mut state.open);
        state.parts.push(part);
    });
}

/// Runs a step over the parts: 0 checks a manifest, 1 blinds an identifier, 2 reads the answers.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn run(step: u32) {
    STATE.with_borrow_mut(|state| {
        let parts = std::mem::take(&mut state.parts);
        let answer = match step {
            0 => about(&parts),
            1 => ask(&parts, &mut state.asked),
            _ => read(&parts, state.asked.take()),
        };
        state.output = answer.to_string().into_bytes();
    });
}

/// Bytes of what the last step gave.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn length() -> u32 {
    STATE.with_borrow(|state| u32::try_from(state.output.len()).unwrap_or(0))
}

/// One byte of it; 0 beyond its end.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
pub extern "C" fn take(place: u32) -> u32 {
    STATE.with_borrow(|state| state.output.get(place as usize).copied().map_or(0, u32::from))
}

fn problem(what: &(impl ToString + ?Sized)) -> Value {
    json!({"problem": what.to_string()})
}

fn manifest(part: Option<&Vec<u8>>) -> Result<(Manifest, String), Value> {
    let signed = part.and_then(|part| serde_json::from_slice::<SignedManifest>(part).ok());
    let signed = signed.ok_or_else(|| problem("no manifest"))?;
    signed.trusted(None).map(|manifest| (manifest, signed.signer)).map_err(|error| problem(&error))
}

fn about(parts: &[Vec<u8>]) -> Value {
    match manifest(parts.first()) {
        Ok((manifest, signer)) => json!({"k": manifest.k, "signer": signer}),
        Err(problem) => problem,
    }
}

fn ask(parts: &[Vec<u8>], asked: &mut Option<(Manifest, Question)>) -> Value {
    let (manifest, _) = match manifest(parts.first()) {
        Ok(manifest) => manifest,
        Err(problem) => return problem,
    };
    let text = |place: usize| parts.get(place).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default();
    let identifier = text(1).parse::<Kind>().and_then(|kind| Identifier::new(kind, text(2)));
    let identifier = match identifier {
        Ok(identifier) => identifier,
        Err(wrong) => return json!({"wrong": code(wrong)}),
    };
    let entropy = parts.get(3).and_then(|part| <[u8; 64]>::try_from(part.as_slice()).ok());
    let question = entropy.and_then(|mut entropy| Question::new(&manifest, identifier, &mut entropy));
    let Some(question) = question else { return problem("no randomness") };
    let told = json!({"element": to_hex(&question.element()), "bucket": question.bucket()});
    *asked = Some((manifest, question));
    told
}

/// The page's name for what is wrong, so that it can say it in its language.
fn code(wrong: NotAnIdentifier) -> &'static str {
    match wrong {
        NotAnIdentifier::Kind | NotAnIdentifier::Empty => "empty",
        NotAnIdentifier::Long => "long",
        NotAnIdentifier::Email => "email",
        NotAnIdentifier::Phone => "phone",
        NotAnIdentifier::Country => "country",
        NotAnIdentifier::Resident => "resident",
        NotAnIdentifier::CheckDigit => "check",
        NotAnIdentifier::Qq => "qq",
    }
}

fn read(parts: &[Vec<u8>], asked: Option<(Manifest, Question)>) -> Value {
    let evaluation =
        parts.first().and_then(|part| serde_json::from_slice(part).ok()).and_then(|value| evaluation(&value));
    let (Some((manifest, question)), Some(evaluation), Some(frame)) = (asked, evaluation, parts.get(1)) else {
        return problem("no evaluation");
    };
    match answers(&manifest, &[question], &evaluation, &[frame]) {
        Ok(answers) => {
            let told = |exposure: &dyetrace_check::client::Exposure| json!({"name": exposure.source.name, "date": exposure.source.date, "fields": exposure.fields});
            json!({"exposures": answers.iter().flatten().map(told).collect::<Vec<_>>()})
        }
        Err(error) => problem(&error),
    }
}

fn evaluation(value: &Value) -> Option<Evaluation> {
    let elements = value["elements"].as_array()?.iter().map(|element| from_hex(element.as_str()?));
    Some(Evaluation { elements: elements.collect::<Option<_>>()?, proof: from_hex(value["proof"].as_str()?)? })
}
