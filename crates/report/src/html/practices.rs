//! Practices as rows of a table.

use super::markup::{Context, code, escape, folded, further, table};
use crate::judgement::{action_words, consent_words};
use crate::text::count;
use crate::words::form_words;
use dyetrace_case::{Practice, Protection};

/// Practices that one table shows, and all tables of claims together where the claims are many; each
/// table shows a few in any case.
const ROWS: usize = 30;
const IN_ALL: usize = 1000;
const FEW: usize = 5;

/// Of these, practices that are shown before the reader asks for the others.
const OPEN: usize = 8;

/// A table of practices by index; with `why`, a second column says that of each.
pub(super) fn listed(
    context: &Context<'_>,
    caption: &str,
    why: Option<&str>,
    practices: impl ExactSizeIterator<Item = (usize, Option<String>)>,
) -> String {
    let rows = (IN_ALL / context.judgement.claims.len().max(1)).clamp(FEW, ROWS);
    let more = practices.len().saturating_sub(rows);
    let mut heads = vec![
        context.pick("Datum", "数据"),
        context.pick("Recipient", "接收方"),
        context.pick("Times", "次数"),
        context.pick("Form and wrapping", "形式与封装"),
        context.pick("Protection", "保护"),
        context.pick("Consent and action", "同意与操作"),
        context.pick("First and last", "首次与末次"),
        context.pick("Sightings", "见证"),
    ];
    heads.splice(1..1, why);
    let rows = practices.take(rows).filter_map(|(index, reason)| {
        let practice = context.judgement.practices.get(index)?;
        let mut cells = row(context, practice);
        cells.splice(1..1, reason);
        Some(cells)
    });
    let mut open: Vec<Vec<String>> = rows.collect();
    let folds = why.is_none() && open.len() > OPEN + 2;
    let others = if folds { open.split_off(OPEN) } else { Vec::new() };
    let others = match others.len() {
        0 => String::new(),
        count => {
            let text = context.pick("further practices", "项其他做法");
            folded(&format!("{count} {text}"), &table(&format!("{caption}: {text}"), &heads, others))
        }
    };
    table(caption, &heads, open) + &others + &further(context, more)
}

fn row(context: &Context<'_>, practice: &Practice) -> Vec<String> {
    let key = &practice.key;
    let trails: Vec<String> = practice.trails().into_iter().map(code).collect();
    let hint = if key.hint { context.pick(" (hint: may be chance)", "（线索：可能是巧合）") } else { "" };
    let app = key.app.as_ref().map_or_else(String::new, |app| format!("<br><small>{}</small>", escape(app)));
    let ids: Vec<String> = practice.shown.iter().map(|shown| context.sighting(&shown.sighting)).collect();
    let action = action_words(context.judgement, practice, context.lang());
    vec![
        format!("{}{hint}{app}", code(&key.datum.0)),
        context.recipient(key.recipient),
        format!("{}× {}", count(practice.count), context.term(key.transfer.name())),
        format!("{}<br><small class=\"trails\">{}</small>", form_words(key.form, context.lang()), trails.join("<br>")),
        protection(context, practice),
        [Some(consent_words(context.judgement, practice, context.lang())), action]
            .into_iter()
            .flatten()
            .map(|text| escape(&text))
            .collect::<Vec<_>>()
            .join("<br>"),
        moments(context, practice),
        ids.join(" "),
    ]
}

fn moments(context: &Context<'_>, practice: &Practice) -> String {
    let (first, last) = (context.time(practice.first), context.time(practice.last));
    if first == last { first } else { format!("{first}<br>{last}") }
}

/// What protected it, with the channel where that says more.
pub(super) fn protection(context: &Context<'_>, practice: &Practice) -> String {
    let key = &practice.key;
    let class = if key.protection == Protection::None { " class=\"bad\"" } else { "" };
    format!(
        "<span{class}>{}</span><br><small>{}</small>",
        context.term(key.protection.name()),
        channel(context, &key.channel)
    )
}

/// A channel's name; `clear` and `unknown` in the reader's language.
pub(super) fn channel(context: &Context<'_>, channel: &str) -> String {
    context.term(channel)
}
