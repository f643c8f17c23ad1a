//! Comparing the innermost bytes with the planted value.

use crate::codec::Typed;
use crate::filter::SHORTEST;
use crate::needles::{Needle, Needles};
use dyetrace_case::{Secret, Sighting, Strength};

/// Ends the name of a form whose letters stand in another case.
const OTHER_CASE: &str = ", other case";

/// Bytes that are what a sighting names.
pub(super) struct Agreement {
    /// The spelling; `None` where it is no text or was digested with something else.
    pub(super) spelling: Option<Secret>,
}

/// The agreement where the bytes, or the number they are in their document, are the spelling or the
/// digest that the sighting names.
pub(super) fn agreement(needles: &Needles, sighting: &Sighting, bytes: &[u8], typed: Typed) -> Option<Agreement> {
    if sighting.strength == Strength::Digest {
        return of_digest(needles, sighting, bytes, typed);
    }
    if is_beside(needles, sighting, bytes) {
        return Some(Agreement { spelling: None });
    }
    let recased = sighting.form.strip_suffix(OTHER_CASE);
    let form = recased.unwrap_or(&sighting.form);
    let mut named = needles.all.iter().enumerate().filter(|(_, needle)| {
        let of_datum = needles.data.get(needle.datum as usize).is_some_and(|sought| sought.id == sighting.datum);
        needle.form == form && of_datum
    });
    let is_same = |needle: &Needle| {
        let any_case = recased.is_some() || needle.bytes.len() < SHORTEST;
        !bytes.is_empty() && (needle.bytes == bytes || (any_case && needle.bytes.eq_ignore_ascii_case(bytes)))
    };
    named.find_map(|(number, needle)| {
        let is_number = || numbers(needles, typed).contains(&(number as u32));
        let spelling = is_same(needle).then(|| Secret::new(bytes));
        (spelling.is_some() || is_number()).then_some(Agreement { spelling })
    })
}

/// A planted file is looked for again in the bytes that were named.
fn is_beside(needles: &Needles, sighting: &Sighting, bytes: &[u8]) -> bool {
    let Some(beside) = needles.beside.as_ref() else { return false };
    if beside.is_nearly(&sighting.datum, &sighting.form, bytes) {
        return true;
    }
    bytes.len() >= beside.shortest()
        && beside.look(bytes).seen.iter().any(|seen| seen.datum == sighting.datum && seen.form == sighting.form)
}

fn numbers(needles: &Needles, typed: Typed) -> &[u32] {
    match typed {
        Typed::Bytes => &[],
        Typed::Integer(number) => needles.of_integer(number),
        Typed::Double(number) => needles.of_double(number),
        Typed::Single(number) => needles.of_single(number),
    }
}

/// The digest is computed again from the spelling.
fn of_digest(needles: &Needles, sighting: &Sighting, bytes: &[u8], typed: Typed) -> Option<Agreement> {
    let digests = &needles.digests;
    let mut proved = None;
    let mut check = |number: u32| {
        let datum = digests.datum(number).and_then(|datum| needles.data.get(datum as usize));
        let form = digests.description(number, bytes.len()).map(|known| known.form);
        let named = form.as_ref() == Some(&sighting.form) && datum.is_some_and(|datum| datum.id == sighting.datum);
        if named && digests.is(number, bytes, typed) {
            proved = Some(Agreement { spelling: digests.spelling(number).cloned() });
        }
    };
    digests.at_start(bytes, &mut |seen| check(seen.number));
    digests.of_field(bytes, &mut check);
    if let Typed::Integer(number) = typed {
        digests.of_integer(number, &mut check);
    }
    proved
}
