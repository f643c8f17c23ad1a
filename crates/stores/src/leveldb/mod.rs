//! LevelDB: tables (`.ldb`, `.sst`) and logs (`.log`), one file at a time.
//!
//! A database is many such files; which of two files has the newer value of a key is told by the number of the change
//! (`Place::Key`'s sequence). What is called superseded here is so within its own file.

mod block;
mod checksum;
mod key;
mod log;
mod table;

pub(crate) use log::{is_log, read as read_log};
pub(crate) use table::{is_table, read as read_table};

use crate::out::{File, Form, Out, State, Value};
use crate::place::Place;
use std::borrow::Cow;
use std::ops::Range;

/// One change: a key and its value, or that it was removed.
struct Change<'a> {
    key: &'a [u8],
    /// Where the key stands, where it does in one piece.
    key_at: Option<Range<u64>>,
    /// None where the key was removed. Of a removal in a table it is empty, or what does not belong there.
    value: Option<&'a [u8]>,
    value_at: Option<Range<u64>>,
    sequence: u64,
    state: State,
}

/// Gives a change: its key, then its value.
fn give(change: &Change<'_>, out: &mut Out<'_>) {
    let (name, key_text) = key::shown(change.key);
    let place = Place::Key { key: &name, sequence: Some(change.sequence) };
    // A text that was converted carries the place of its bytes all the same.
    let bytes = key_text.map_or_else(|| given(change.key, change.key_at.as_ref()), Cow::Owned);
    let (file, at, state) = (File::Main, change.key_at.clone(), change.state);
    out.value(Value { place, bytes, file, at, state, form: Form::Key });
    let Some(value) = change.value.filter(|value| !value.is_empty()) else { return };
    let at = change.value_at.clone();
    match key::browser_text(change.key, value) {
        Some(text) => {
            let at = at.map(|at| at.start + 1..at.end);
            out.value(Value { place, bytes: Cow::Owned(text), file, at, state, form: Form::Text });
        }
        None => out.value(Value { place, bytes: given(value, at.as_ref()), file, at, state, form: Form::Blob }),
    }
}

/// Bytes that stand in the file are borrowed; those of a block that was inflated are not.
fn given<'a>(bytes: &'a [u8], at: Option<&Range<u64>>) -> Cow<'a, [u8]> {
    if at.is_some() { Cow::Borrowed(bytes) } else { Cow::Owned(bytes.to_vec()) }
}
