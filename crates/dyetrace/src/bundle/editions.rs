//! What goes into a bundle.

use super::insert;
use crate::custody;
use crate::exit::Fault;
use crate::judge::{self, Judged};
use dyetrace_case::{Case, ExhibitId, Secret, Subject};
use dyetrace_custody::bag::{self, Content, Payload};
use dyetrace_custody::cuts::{self, MasterSalt};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everything that lies in the case folder but the recorder's own keys.
pub(super) fn sealed(root: &Path) -> Result<Payload, Fault> {
    let mut payload = Payload::new();
    for path in files(root)? {
        add(&mut payload, root, &path)?;
    }
    Ok(payload)
}

/// Claims, marks, masked subjects; everything else as cuts.
pub(super) fn public(case: &Case, judged: Option<&mut Judged>, salt: &MasterSalt) -> Result<Payload, Fault> {
    let root = &case.root;
    let mut whole: BTreeSet<String> = case.marks.keys().cloned().collect();
    for path in judge::below(root, "claims")? {
        let inside = path.strip_prefix(root).unwrap_or(&path);
        whole.insert(inside.to_string_lossy().replace('\\', "/"));
    }
    let mut shown = BTreeMap::new();
    if let Some(judged) = judged {
        shown.extend(judged.audited.audit.exhibits.iter().map(|row| (row.exhibit.path.clone(), row.exhibit.id)));
        hide_real_values(judged);
    }
    let mut payload = Payload::new();
    let mut cut = BTreeMap::new();
    for path in files(root)?.into_iter().filter(|path| !path.starts_with("report/")) {
        if whole.contains(&path) {
            add(&mut payload, root, &path)?;
            continue;
        }
        let content = Content::File(root.join(&path));
        // The salt itself is not committed to: its digest would help nobody.
        if path != cuts::SALT_FILE {
            let ranges = cuts::cut(&path, &content, salt).map_err(|error| Fault::file(&root.join(&path), &error))?;
            cut.insert(path, ranges);
        }
    }
    insert(&mut payload, cuts::FILE, cuts::document(&cut, &shown))?;
    insert(&mut payload, "custody.json", custody_head(root)?)?;
    let subjects = case.run_subjects.iter().map(|(path, subject)| (path.as_str(), subject));
    for (path, subject) in subjects.chain(case.subject.as_ref().map(|subject| ("subject.yaml", subject))) {
        let name = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml")).unwrap_or(path);
        insert(&mut payload, &format!("{name}.masked.yaml"), masked(subject).to_yaml().into_bytes())?;
    }
    Ok(payload)
}

/// The folder of `dyetrace live`: its authority's key would let whoever has the bundle read the device's traffic, as
/// long as the device trusts it.
const RECORDER: &str = "live/";

/// Regular files of the case, without the recorder's own. Anything else is refused: what a link points to is not in
/// the case.
fn files(root: &Path) -> Result<BTreeSet<String>, Fault> {
    let (mut files, odd) = bag::files_below(root).map_err(|error| Fault::file(root, &error))?;
    files.retain(|path| !path.starts_with(RECORDER));
    match odd.first() {
        Some(path) => {
            let fault = Fault::new(format!("{}: {path} is a link or no file", root.display()));
            Err(fault.hint("copy what it points to into the case"))
        }
        None => Ok(files),
    }
}

fn add(payload: &mut Payload, root: &Path, path: &str) -> Result<(), Fault> {
    let place = root.join(path);
    let content = Content::File(place.clone());
    let measured = content.measure().map_err(|error| Fault::file(&place, &error))?;
    payload.insert(path.to_owned(), (content, measured));
    Ok(())
}

/// Of a real person's values reports show the ends; a public edition does not even that.
fn hide_real_values(judged: &mut Judged) {
    let real = judged.audited.subject.data.iter().filter(|datum| !datum.made_up);
    let real: BTreeSet<_> = real.map(|datum| datum.id.clone()).collect();
    let rows = judged.audited.audit.subject.iter_mut().filter(|row| real.contains(&row.id));
    rows.for_each(|row| HIDDEN.clone_into(&mut row.shown));
}

const HIDDEN: &str = "****";

fn masked(subject: &Subject) -> Subject {
    let mut masked = subject.clone();
    for datum in &mut masked.data {
        let shown = if datum.made_up { datum.shown(false) } else { HIDDEN.to_owned() };
        datum.file = None;
        datum.value = Secret::new(shown);
    }
    if masked.data.iter().any(|datum| !datum.made_up) {
        masked.title = None;
        masked.data.iter_mut().for_each(|datum| datum.planted = None);
    }
    masked
}

/// The log names people, so a public edition has only what fixes it.
fn custody_head(root: &Path) -> Result<Vec<u8>, Fault> {
    let log = custody::log_of(root)?.unwrap_or_default();
    let document = json!({
        "schema": "dyetrace-custody/1",
        "entries": log.entries.len(),
        "faults": log.said_faults(),
        "head": log.head.as_ref().map(ExhibitId::to_string),
    });
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(Fault::new)?;
    bytes.push(b'\n');
    Ok(bytes)
}
