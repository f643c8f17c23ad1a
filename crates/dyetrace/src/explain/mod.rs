//! `dyetrace explain`: one sighting step by step, with what it takes to see for oneself.

mod bytes;
pub(crate) mod page;
mod redo;

use crate::cli::ExplainArguments;
use crate::exit::{Exit, Fault};
use crate::intake::{self, Intake};
use crate::onlooker::Models;
use crate::originals::{self, Originals};
use crate::picture_text::PictureText;
use crate::spike::each_record;
use crate::{audit, output};
use dyetrace_case::{KeyMaterial, Record, Sighting, Subject};
use dyetrace_search::{Options, Scanner, Scratch};

/// Shortest beginning of an id that is looked for.
const SHORTEST_ID: usize = 4;

/// Reads the evidence again, finds the sighting, follows its trail, prints.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, Fault> {
    let id = wanted_id(&arguments.id)?;
    let (subject, named_material) = audit::named(&arguments.wanted)?;
    let mut intake = intake::open(&arguments.inputs, &arguments.reading)?;
    let subject = audit::whole_subject(&intake, subject);
    let material = audit::whole_material(&intake, named_material);
    let scanner = originals::looking_scanner(
        &subject,
        Originals::of(&subject).as_ref(),
        &material,
        Options::default(),
        // Faces are no sightings.
        Models { text: PictureText::open().ok(), faces: None },
    );
    let found = find(&mut intake, &scanner, &id)?;
    let proof = scanner.prove(&found.record, &found.sighting);
    if let Some(path) = &arguments.part {
        let (_, part) = page::levels(&proof).swap_remove(0);
        output::write(Some(path), |out| Ok(out.write_all(part)?))?;
    }
    let about = About { arguments, intake: &intake, subject: &subject, material: &material, scanner: &scanner };
    let text = page::page(&about, &found, &proof);
    output::print(text.as_bytes())?;
    Ok(if proof.is_proved() { Exit::Fine } else { Exit::PartlyRead })
}

/// What the page is made from beside the sighting.
struct About<'a> {
    arguments: &'a ExplainArguments,
    intake: &'a Intake,
    subject: &'a Subject,
    material: &'a KeyMaterial,
    scanner: &'a Scanner,
}

impl About<'_> {
    /// Hides planted values in a text of the evidence, unless the user asked to see them.
    fn redact(&self, text: &str) -> String {
        let text = if self.arguments.reveal { text.to_owned() } else { self.scanner.redact(text) };
        dyetrace_report::clean(&text)
    }
}

/// The sighting and the record it was seen in.
struct Found {
    sighting: Sighting,
    record: Box<Record>,
    exhibit: usize,
}

/// No error repeats what was typed: it may be a value, pasted by mistake.
fn wanted_id(typed: &str) -> Result<String, Fault> {
    let is_id = (SHORTEST_ID..=16).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fault = || Fault::new("the first argument is no id of a sighting").hint(EXAMPLE);
    if is_id { Ok(typed.to_ascii_lowercase()) } else { Err(fault()) }
}

const EXAMPLE: &str = "an id has 4 to 16 hexadecimal digits; dyetrace audit prints one behind each sighting.\n  \
                       Type: dyetrace explain 1dd8de1e my-case, with the same exhibits, keys and values as for audit";

fn find(intake: &mut Intake, scanner: &Scanner, id: &str) -> Result<Found, Fault> {
    let mut found: Vec<Found> = Vec::new();
    let mut scratch = Scratch::default();
    each_record(intake, &mut |exhibit, record| {
        for sighting in scanner.search(&record, &mut scratch).sightings {
            let other = |known: &Found| known.sighting.id() != sighting.id();
            if sighting.id().0.starts_with(id) && found.len() < 2 && found.iter().all(other) {
                found.push(Found { sighting, record: record.clone(), exhibit });
            }
        }
    });
    match found.len() {
        0 => Err(Fault::new("no sighting in these exhibits has this id").hint(EXAMPLE)),
        1 => Ok(found.swap_remove(0)),
        _ => Err(Fault::new("more than one sighting has an id that begins so").hint("type more of its digits")),
    }
}
