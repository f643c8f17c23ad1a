//! The page that explains a sighting.

use super::{About, Found, bytes, redo};
use crate::misread::AS_READ;
use crate::onlooker::PICTURE_TEXT;
use dyetrace_case::{PartName, Protocol, Range as Place, Side, Strength, Witness};
use dyetrace_report::audit::Summary;
use dyetrace_search::{Proof, Reencodes, StepView};
use std::fmt::Write as _;
use std::ops::Range;

/// The bytes at each level behind what the reader undid, with the value's place in them: those of the
/// part first, those that hold the value last.
pub(crate) fn levels(proof: &Proof) -> Vec<(Range<usize>, &[u8])> {
    let read = proof.steps.iter().filter(|step| step.is_read).count();
    let mut levels = vec![(usable(proof.value), proof.part.as_slice())];
    levels.extend(proof.steps.iter().map(|step| (usable(step.value), step.decoded.as_slice())));
    levels.split_off(read)
}

fn usable(range: Place) -> Range<usize> {
    usize::try_from(range.start).unwrap_or(usize::MAX)..usize::try_from(range.end).unwrap_or(usize::MAX)
}

/// Writes it.
pub(super) fn page(about: &About<'_>, found: &Found, proof: &Proof) -> String {
    let mut out = String::new();
    head(about, found, &mut out);
    let levels = levels(proof);
    part(about, found, proof, &mut out);
    for (level, (value, bytes)) in levels.iter().enumerate() {
        if level > 0 {
            step(about, proof, level, &levels, &mut out);
        }
        let is_reading = level > 0 && step_before(proof, level, &levels).is_some_and(|step| step.codec == PICTURE_TEXT);
        shown(about, bytes, value, is_reading, &mut out);
    }
    last(about, found, proof, &levels, &mut out);
    verdict(found, proof, &mut out);
    out
}

fn head(about: &About<'_>, found: &Found, out: &mut String) {
    let sighting = &found.sighting;
    let record = Summary::of(&found.record, &|text| about.redact(text));
    let datum = about.subject.data.iter().find(|datum| datum.id == sighting.datum);
    let shown = datum.map(|datum| datum.shown(about.arguments.reveal));
    let shown = dyetrace_report::clean(&shown.unwrap_or_default());
    let (strength, form) = (sighting.strength.name(), dyetrace_report::clean(&sighting.form));
    let _ = writeln!(out, "{}  {}  {shown}  ({strength}: {form})", sighting.id(), sighting.datum);
    let request = [record.method, record.url].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let server = record.server.name.map(|(name, _)| name);
    let server = server.or(record.server.address.map(|address| address.to_string())).unwrap_or_default();
    let _ = if sighting.place.part.is_stored() {
        writeln!(out, "  {request}, a stored file")
    } else {
        writeln!(out, "  {request} with {server}, {}", record.protocol.name())
    };
    let exhibit = about.intake.exhibits.get(found.exhibit).map_or("", |opened| opened.exhibit().path.as_str());
    let part = about.redact(&sighting.place.part.to_string());
    let trail = about.redact(&sighting.trail.to_string());
    let _ = writeln!(out, "  {part} of {} in {}", sighting.place.record, dyetrace_report::clean(exhibit));
    let _ = writeln!(out, "  {trail}");
}

fn part(about: &About<'_>, found: &Found, proof: &Proof, out: &mut String) {
    let _ = writeln!(out, "\nThe bytes of the part");
    for step in proof.steps.iter().filter(|step| step.is_read) {
        let again = if step.reencodes == Reencodes::Read {
            "not undone again here"
        } else {
            "undone again with the same result"
        };
        let _ = writeln!(out, "  behind {}, which was undone while the evidence was read, and {again}", step.codec);
    }
    if proof.offset > 0 {
        let _ = writeln!(out, "  from byte {} on", proof.offset);
    }
    let _ = writeln!(out, "  $ {}", extraction(about, found));
}

/// How to get the part's bytes into a file.
fn extraction(about: &About<'_>, found: &Found) -> String {
    let inputs: Vec<String> = about.arguments.inputs.iter().map(|path| quoted(&path.display().to_string())).collect();
    let keys =
        about.arguments.reading.keys.iter().map(|path| format!(" --keys {}", quoted(&path.display().to_string())));
    let evidence = inputs.join(" ") + &keys.collect::<String>();
    let sighting = &found.sighting;
    let is_http = matches!(
        found.record.protocol,
        Protocol::Http10 | Protocol::Http11 | Protocol::Http2 | Protocol::Http3 | Protocol::WebSocket
    );
    let (record, exhibit) = (quoted(&sighting.place.record.0), sighting.place.exhibit);
    let har = format!(
        "dyetrace records {evidence} --format har | jq -r --arg r {record} '.log.entries[] | select(._dyetrace.record==$r and ._dyetrace.exhibit==\"{exhibit}\")"
    );
    match &sighting.place.part {
        PartName::Body(side) if is_http => {
            let content = if *side == Side::Request { ".request.postData" } else { ".response.content" };
            format!(
                "{har} | {content} | if .encoding==\"base64\" then .text else (.text|@base64) end' | base64 -d > bytes.0"
            )
        }
        PartName::Url => format!(
            "dyetrace records {evidence} | jq -j --arg r {record} 'select(.record==$r and .exhibit==\"{exhibit}\") | .request.target' > bytes.0"
        ),
        PartName::Header { side, index, .. } if is_http => {
            format!("{har} | .{}.headers[{index}].value' | head -c -1 > bytes.0", side.name())
        }
        _ => format!("dyetrace explain {} {evidence} --part bytes.0, with the values and keys as here", sighting.id()),
    }
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The step that gave the bytes of a level above 0.
fn step_before<'p>(proof: &'p Proof, level: usize, levels: &[(Range<usize>, &[u8])]) -> Option<&'p StepView> {
    let read = proof.steps.len() + 1 - levels.len();
    proof.steps.get(read + level - 1)
}

fn step(about: &About<'_>, proof: &Proof, level: usize, levels: &[(Range<usize>, &[u8])], out: &mut String) {
    let (Some(step), Some((_, outer))) = (step_before(proof, level, levels), levels.get(level - 1)) else { return };
    let detail = step.detail.as_ref().map_or(String::new(), |detail| format!(" {}", about.redact(detail)));
    let (start, end) = (step.encoded.start, step.encoded.end);
    let _ = writeln!(
        out,
        "\nStep {level}: {}{detail}, bytes {start}–{}, gives {} bytes",
        step.codec,
        end.saturating_sub(1),
        step.decoded.len()
    );
    let again = match step.reencodes {
        _ if step.codec == PICTURE_TEXT => "read again with the same result; reading is not decoding, and may err",
        Reencodes::Same => "writing the value again gives the same bytes",
        _ => "many encodings stand for these bytes; undone again they are the same",
    };
    let _ = writeln!(out, "  {again}");
    match redo::command(level - 1, step, outer, about.material, about.arguments.reveal) {
        Some(command) => {
            let _ = writeln!(out, "  $ {command}");
        }
        None => {
            let _ = writeln!(out, "  no ordinary tool does this");
        }
    }
    if step.codec == PICTURE_TEXT {
        let (from, length) = (start + 1, end.saturating_sub(start));
        let _ = writeln!(
            out,
            "  to see for yourself, look at that place in it (left,top width×height, in pixels):\n  $ tail -c +{from} bytes.{} | head -c {length} > picture",
            level - 1
        );
    }
    if step.codec == "protobuf" {
        let _ = writeln!(out, "  to look at all fields: protoc --decode_raw < bytes.{}", level - 1);
    }
}

/// The bytes around the value, with stars where a planted value lies, and for all that was read in a picture: what was
/// misread is hidden by nothing else.
fn shown(about: &About<'_>, bytes: &[u8], value: &Range<usize>, is_reading: bool, out: &mut String) {
    if about.arguments.reveal {
        out.push_str(&bytes::rows(bytes, value, &|_| false));
        return;
    }
    let Some(mut hidden) = about.scanner.hidden(bytes) else {
        let _ =
            writeln!(out, "    {} bytes, not shown: not everything in them could be searched for values", bytes.len());
        return;
    };
    hidden.push(if is_reading { 0..bytes.len() } else { value.clone() });
    out.push_str(&bytes::rows(bytes, value, &|at| hidden.iter().any(|range| range.contains(&at))));
}

/// The value itself, or the digest and how to make it.
fn last(about: &About<'_>, found: &Found, proof: &Proof, levels: &[(Range<usize>, &[u8])], out: &mut String) {
    let reveal = about.arguments.reveal;
    let (sighting, level) = (&found.sighting, levels.len() - 1);
    let Some((value, _)) = levels.last() else { return };
    let is_digest = sighting.strength == Strength::Digest;
    let what = if is_digest { "The digest" } else { "The value" };
    let _ = writeln!(
        out,
        "\n{what}: bytes {}–{}, {}",
        value.start,
        value.end.saturating_sub(1),
        dyetrace_report::clean(&sighting.form)
    );
    let ending = if is_digest { " | xxd -p -c 256" } else { "" };
    let _ = writeln!(out, "  $ {}{ending}", redo::slice(level, value));
    if let Some(step) = sighting.trail.0.last().filter(|_| is_digest) {
        let spelling = proof.spelling.as_ref().map(dyetrace_case::Secret::reveal);
        if let Some(command) = redo::digest(&step.codec, spelling, reveal) {
            let _ = writeln!(out, "  is what this gives:\n  $ {command}");
        }
    }
}

/// True where the value was read in a picture and compared as what readers may get wrong.
fn is_read(found: &Found) -> bool {
    found.sighting.form.starts_with(AS_READ)
}

fn verdict(found: &Found, proof: &Proof, out: &mut String) {
    let sighting = &found.sighting;
    let is_misread = is_read(found) && sighting.strength == Strength::Derived;
    let result = match &proof.fault {
        None if is_misread => "Proved: the picture was read again, and what was read is what was planted but for the characters that differ.".to_owned(),
        None => "Proved: each step was undone again, and what came out is what was planted.".to_owned(),
        Some(fault) => format!("NOT PROVED: {fault}. This is a fault of dyetrace; please report it."),
    };
    let _ = writeln!(out, "\n{result}");
    let bits = sighting.bits;
    let places = if is_read(found) {
        "with so much text read in the pictures and so many characters allowed to differ"
    } else {
        "with so many bytes searched in so many forms"
    };
    let _ = writeln!(out, "{bits:.0} bits: {places}, chance shows this once in 2^{bits:.0} records like this one.");
    let witness = match &sighting.witness {
        Some(Witness::Beside(datum)) => format!("It is borne out by {datum} in the same record."),
        Some(Witness::FieldName(_)) => "It is borne out by the name of its field.".to_owned(),
        None if sighting.is_hint() => {
            format!("Under {:.0} bits and without a witness it is a hint only.", dyetrace_case::Sighting::SOLID)
        }
        None => format!("{:.0} bits need no witness.", dyetrace_case::Sighting::SOLID),
    };
    let _ = writeln!(out, "{witness}");
}
