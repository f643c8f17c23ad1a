//! Names for what was seen in the raw bytes of a document.
//!
//! Most documents hold nothing that is sought, so they are searched as bytes, and only those in
//! which something was seen are read as documents: each find inside a field gets the step that
//! leads there, and the field's own structure is looked at in the same way.

use crate::codec::{Context, recognise};
use crate::find::{Find, to_case};
use std::ops::ControlFlow;

/// Deepest structure within structure (a form in a string of a document in a part …).
const DEEPEST: usize = 8;

/// Adds to each find the steps through the fields it lies in. Finds come back in order.
pub(crate) fn attribute(bytes: &[u8], context: Context, finds: Vec<Find>) -> Vec<Find> {
    within(bytes, context, finds, 0)
}

fn within(bytes: &[u8], context: Context, mut finds: Vec<Find>, depth: usize) -> Vec<Find> {
    let Some(structure) = recognise(bytes, context).filter(|_| depth < DEEPEST) else { return finds };
    finds.sort_by_key(|find| (find.range.start, find.range.end));
    let mut done = Vec::with_capacity(finds.len());
    let mut rest = finds.into_iter().peekable();
    structure.walk(bytes, &mut |field| {
        while let Some(find) = rest.next_if(|find| find.range.start < field.range.start) {
            done.push(find);
        }
        let mut inside = Vec::new();
        let mut escaped = None;
        while let Some(mut find) = rest.next_if(|find| find.range.start < field.range.end) {
            // Offsets in a field with escapes are not offsets in its value, which is searched
            // apart from this.
            let escaped = *escaped
                .get_or_insert_with(|| !field.chunks.is_empty() || field.coding.applies(&bytes[field.range.clone()]));
            if !escaped && find.enter(&field.range) {
                inside.push(find);
            } else {
                done.push(find);
            }
        }
        if !inside.is_empty() {
            let detail = field.label.detail();
            for mut find in within(&bytes[field.range.clone()], Context::Any, inside, depth + 1) {
                find.range = find.range.start + field.range.start..find.range.end + field.range.start;
                let encoded = to_case(&field.range);
                find.steps.push(dyetrace_case::Step { codec: field.codec.to_owned(), detail: detail.clone(), encoded });
                find.named += 1;
                done.push(find);
            }
        }
        if rest.peek().is_none() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    done.extend(rest);
    done
}
