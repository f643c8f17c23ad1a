//! Datum × recipient: who received what.

use super::first::counts;
use super::markup::{Context, code, columns, scrolling, section as framed};
use crate::text::count;
use crate::words::{Lang, form_words};
use dyetrace_case::{ConsentState, DatumId, Form, Practice, Protection};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Recipients that are rows of their own.
const ROWS: usize = 200;

/// What went from one datum to one recipient.
struct Cell<'a> {
    practices: Vec<&'a Practice>,
}

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("Who received what", "谁收到了什么");
    let mut cells: BTreeMap<(usize, &DatumId), Cell<'_>> = BTreeMap::new();
    for practice in context.judgement.practices.iter().filter(|practice| counts(practice)) {
        let cell = cells.entry((practice.key.recipient, &practice.key.datum));
        cell.or_insert(Cell { practices: Vec::new() }).practices.push(practice);
    }
    let mut rows: Vec<usize> = cells.keys().map(|(recipient, _)| *recipient).collect();
    rows.dedup();
    let without = context.judgement.recipients.len().saturating_sub(rows.len());
    let data = data(context, &cells);
    let body = if rows.is_empty() || data.is_empty() {
        format!(
            "<p>{}</p>\n",
            context.pick("Nobody was seen to receive a planted value.", "没有发现任何一方收到植入的数据。")
        )
    } else {
        let caption =
            context.pick("Times each planted value was seen to go to each recipient", "各接收方收到各项植入数据的次数");
        scrolling(caption, &grid(context, caption, &data, &rows, &cells)) + &legend(context)
    };
    let more = rows.len().saturating_sub(ROWS);
    framed("matrix", heading, &format!("{body}{}{}", left_out(context, more), got_nothing(context, without)))
}

/// Every planted value, seen or not: a column of dashes is an answer too.
fn data<'a>(context: &'a Context<'_>, cells: &BTreeMap<(usize, &'a DatumId), Cell<'_>>) -> Vec<&'a DatumId> {
    let planted = context.audit.subject.iter().map(|row| &row.id);
    let known: BTreeSet<&DatumId> = planted.clone().collect();
    let others: BTreeSet<&DatumId> = cells.keys().map(|(_, datum)| *datum).filter(|id| !known.contains(id)).collect();
    planted.chain(others).collect()
}

fn grid(
    context: &Context<'_>,
    caption: &str,
    data: &[&DatumId],
    rows: &[usize],
    cells: &BTreeMap<(usize, &DatumId), Cell<'_>>,
) -> String {
    let heads = columns([context.pick("Recipient", "接收方")])
        + &columns(data.iter().map(|datum| code(&datum.0)).collect::<Vec<_>>().iter().map(String::as_str));
    let mut body = String::new();
    for recipient in rows.iter().take(ROWS) {
        let _ = write!(body, "<tr><th scope=\"row\">{}</th>", context.recipient(*recipient));
        for datum in data {
            body.push_str(
                &cells.get(&(*recipient, *datum)).map_or_else(|| empty(context), |cell| filled(context, cell)),
            );
        }
        body.push_str("</tr>\n");
    }
    format!(
        "<table class=\"matrix\"><caption>{caption}</caption><thead><tr>{heads}</tr></thead>\n\
         <tbody>{body}</tbody></table>"
    )
}

fn empty(context: &Context<'_>) -> String {
    format!(
        "<td><span aria-hidden=\"true\">–</span><span class=\"sr\">{}</span></td>",
        context.pick("not seen", "未发现")
    )
}

fn filled(context: &Context<'_>, cell: &Cell<'_>) -> String {
    let times: u64 = cell.practices.iter().map(|practice| practice.count).sum();
    let worst = cell.practices.iter().map(|practice| practice.key.protection).min().unwrap_or(Protection::Unknown);
    let forms: BTreeSet<Form> = cell.practices.iter().map(|practice| practice.key.form).collect();
    let forms: Vec<&str> = forms.into_iter().map(|form| form_words(form, context.lang())).collect();
    let early = cell.practices.iter().any(|practice| before_consent(context, practice));
    let early = if early {
        format!("<br><small class=\"bad\">{}</small>", context.pick("without consent", "未经同意"))
    } else {
        String::new()
    };
    let class = if worst == Protection::None { "hit bad" } else { "hit" };
    let protection =
        format!("{}{}{}", context.pick("protection", "保护"), context.lang().colon(), context.term(worst.name()));
    let first = cell.practices.iter().flat_map(|practice| &practice.shown).next();
    let first = first.map_or_else(String::new, |shown| format!(" {}", context.sighting(&shown.sighting)));
    format!(
        "<td class=\"{class}\"><strong>{}×</strong>{first}<br><small>{}<br>{}</small>{early}</td>",
        count(times),
        forms.join(context.lang().comma()),
        protection
    )
}

/// Certainly without a yes: nobody had asked, the question stood open, or the answer was no.
fn before_consent(context: &Context<'_>, practice: &Practice) -> bool {
    let without = [ConsentState::NotAsked, ConsentState::Asked, ConsentState::Refused, ConsentState::Withdrawn];
    crate::judgement::consent(context.judgement, practice).all_among(&without)
}

fn legend(context: &Context<'_>) -> String {
    let text = context.pick(
        "The protection is the weakest that was seen. “Without consent” means certainly before a yes, or after a no; what fell within the clock's error does not count.",
        "“保护”为所见最弱的一种。“未经同意”指确定发生在同意之前或拒绝之后；落在时钟误差之内的不计入。",
    );
    format!("<p class=\"note\">{text}</p>\n")
}

fn left_out(context: &Context<'_>, more: usize) -> String {
    if more == 0 {
        return String::new();
    }
    let text = context.pick("further recipients are in judgement.json", "个其他接收方见 judgement.json");
    format!("<p>{} {text}</p>\n", count(more as u64))
}

fn got_nothing(context: &Context<'_>, without: usize) -> String {
    let all = count(context.judgement.recipients.len() as u64);
    let without = count(without as u64);
    let text = match context.lang() {
        Lang::English => {
            format!("{without} of {all} recipients were not seen to get a planted value, in what could be read.")
        }
        Lang::Chinese => format!("在可读取的内容中，{all} 个接收方里有 {without} 个未见收到植入的数据。"),
    };
    format!("<p class=\"note\">{text}</p>\n")
}
