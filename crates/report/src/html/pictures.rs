//! Planted pictures and what was seen of them, side by side, in the order of time.

use super::markup::{Context, code, escape};
use super::timeline::event;
use crate::audit::SightingRow;
use dyetrace_case::{DatumId, Event, Milestone, SightingId};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Sightings of one picture that are shown.
const SHOWN: usize = 40;

/// Pictures as small PNG files: blurred beyond recognition, or clear where the user asked for it.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// What was planted.
    pub originals: BTreeMap<DatumId, Vec<u8>>,
    /// What was seen.
    pub found: BTreeMap<SightingId, Vec<u8>>,
}

/// Absent where no picture was planted or none was seen.
pub(super) fn part(context: &Context<'_>) -> String {
    let Some(pictures) = context.look.pictures.filter(|pictures| !pictures.found.is_empty()) else {
        return String::new();
    };
    let mut out = format!("<h3>{}</h3>\n", context.pick("Pictures side by side", "图片对照"));
    if !context.look.reveal {
        let text = context.pick(
            "All pictures are reduced to a few pixels; with --reveal they are shown.",
            "所有图片均已缩小为少量像素；使用 --reveal 可显示。",
        );
        let _ = writeln!(out, "<p class=\"note\">{text}</p>");
    }
    for datum in &context.audit.subject {
        let Some(original) = pictures.originals.get(&datum.id) else { continue };
        let mut rows: Vec<&SightingRow> =
            context.audit.sightings.iter().filter(|row| row.sighting.datum == datum.id).collect();
        rows.sort_by_key(|row| (row.record.time, row.id.clone()));
        if rows.is_empty() {
            continue;
        }
        out.push_str("<div class=\"pictures\">\n");
        let planted = format!("<b>{}</b><br>{}", escape(&datum.id.0), code(&datum.shown));
        out.push_str(&figure(Some(original), context.pick("planted", "植入"), &planted));
        for row in rows.iter().take(SHOWN) {
            out.push_str(&figure(pictures.found.get(&row.id), way(context, row), &caption(context, row)));
        }
        out.push_str("</div>\n");
        if rows.len() > SHOWN {
            let more = rows.len() - SHOWN;
            let _ = writeln!(out, "<p>… {more} {}</p>", context.pick("more in the table of sightings", "项见下表"));
        }
    }
    out
}

fn way<'c>(context: &Context<'c>, row: &SightingRow) -> &'c str {
    match row.sighting.place.part.side() {
        _ if row.sighting.place.part.is_stored() => context.pick("kept", "存储"),
        dyetrace_case::Side::Request => context.pick("sent", "发送"),
        dyetrace_case::Side::Response => context.pick("received", "接收"),
    }
}

fn figure(picture: Option<&Vec<u8>>, way: &str, caption: &str) -> String {
    let picture = match picture {
        Some(png) => format!("<img alt=\"\" src=\"data:image/png;base64,{}\">", super::csp::base64(png)),
        None => "<span class=\"nothing\" aria-hidden=\"true\"></span>".to_owned(),
    };
    format!("<figure>{picture}<figcaption><span class=\"way\">{way}</span> {caption}</figcaption></figure>\n")
}

fn caption(context: &Context<'_>, row: &SightingRow) -> String {
    let record = &row.record;
    let stored = row.sighting.place.part.is_stored();
    let place = if stored { record.url.clone() } else { Some(crate::audit::who(&record.server)) };
    let hint = if row.sighting.is_hint() { context.pick(" (hint)", "（线索）") } else { "" };
    let mut out = format!(
        "{}<br>{}<br>{}{hint}<br>{}",
        context.time(record.time),
        code(&place.unwrap_or_default()),
        escape(&row.sighting.form),
        context.sighting(&row.id)
    );
    if let Some(mark) = before(context, row) {
        let _ = write!(out, "<br><small>{} {}</small>", context.pick("after:", "此前："), event(context, &mark.event));
    }
    out
}

/// The last mark of the sighting's run before it.
fn before<'c>(context: &Context<'c>, row: &SightingRow) -> Option<&'c Milestone> {
    let time = row.record.time?;
    let practices = context.judgement.practices.iter();
    let run =
        practices.filter(|practice| practice.shown.iter().any(|shown| shown.sighting == row.id)).map(|one| one.key.run);
    let run = context.judgement.runs.get(run.min()?)?;
    let marks = run.timeline.milestones.iter().filter(|mark| !matches!(mark.event, Event::Snapshot { .. }));
    marks.filter(|mark| mark.at <= time).max_by_key(|mark| mark.at)
}
