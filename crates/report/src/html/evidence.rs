//! Every sighting: some with trail and bytes, all of them as rows of a table.
//!
//! The first rows are part of the page; the rest lies in a compact block of JSON that the script makes
//! rows of when they are asked for, so that many thousands open at once.

use super::excerpt::view;
use super::markup::{Context, code, columns, escape, scrolling, section as framed, short_time};
use super::{others, pictures};
use crate::audit::{SightingRow, protection, who};
use crate::text::{clean, count};
use crate::words::{Lang, term};
use dyetrace_case::{Side, Step, Witness};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows that are readable without the script.
const INLINE: usize = 500;

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("Evidence: each sighting", "证据：逐条所见");
    let rows = &context.audit.sightings;
    if rows.is_empty() {
        let text = context.pick("No planted value was seen in what was read.", "在已读取的内容中没有发现植入的数据。");
        return framed("evidence", heading, &format!("<p>{text}</p>\n{}", others::subsections(context)));
    }
    let details: String =
        context.detailed.iter().filter_map(|index| rows.get(*index)).map(|row| detail(context, row)).collect();
    let body = format!(
        "{}{}{details}{}{}{}",
        pictures::part(context),
        lead(context),
        all(context),
        island(context),
        others::subsections(context)
    );
    framed("evidence", heading, &body)
}

fn lead(context: &Context<'_>) -> String {
    let (shown, all) = (count(context.detailed.len() as u64), count(context.audit.sightings.len() as u64));
    let text = match context.lang() {
        Lang::English => format!(
            "{shown} of {all} sightings step by step; where there are too many, those that decide claims are chosen first. \
             The table below lists all. What is hidden is shown as stars."
        ),
        Lang::Chinese => {
            format!(
                "以下逐步展示 {all} 条所见中的 {shown} 条；数量过多时优先选取决定结论者。下表列出全部。被隐藏的内容以星号表示。"
            )
        }
    };
    format!("<p>{text}</p>\n")
}

/// The cells of a sighting as plain text, in the order of the table's heads.
fn cells(context: &Context<'_>, row: &SightingRow) -> [String; 8] {
    let sighting = &row.sighting;
    let is_stored = sighting.place.part.is_stored();
    let hint = if sighting.is_hint() { context.pick(", hint", "，线索") } else { "" };
    [
        row.record.time.map_or_else(|| context.pick("unknown", "未知").to_owned(), short_time),
        sighting.datum.0.clone(),
        if is_stored { context.pick("kept in", "存于") } else { direction(context, row.side) }.to_owned(),
        if is_stored { context.pick("stored files", "存储文件").to_owned() } else { who(&row.record.server) },
        term(&protection(&row.record.channel), context.lang()).to_owned(),
        sighting.trail.to_string(),
        format!(
            "{}{}{}, {:.0} {}{hint}",
            term(sighting.strength.name(), context.lang()),
            context.lang().colon(),
            sighting.form,
            sighting.bits,
            context.pick("bits", "比特")
        ),
        format!("{} {} {}–{}", sighting.place.record, sighting.place.part, sighting.place.range.start, last(row)),
    ]
    .map(|text| clean(&text))
}

fn last(row: &SightingRow) -> u64 {
    let range = row.sighting.place.range;
    range.end.saturating_sub(1).max(range.start)
}

fn direction<'c>(context: &Context<'c>, side: Side) -> &'c str {
    match (side, context.lang()) {
        (Side::Request, Lang::English) => "sent to",
        (Side::Request, Lang::Chinese) => "送往",
        (Side::Response, Lang::English) => "received from",
        (Side::Response, Lang::Chinese) => "收自",
    }
}

fn detail(context: &Context<'_>, row: &SightingRow) -> String {
    let [time, datum, direction, who, ..] = cells(context, row).map(|text| escape(&text));
    let short = escape(row.id.0.get(..8).unwrap_or(&row.id.0));
    let mut out = format!(
        "<details class=\"sighting\" id=\"s-{}\"><summary><code>{short}</code> <b>{datum}</b> {direction} {who} · {time}</summary>\n",
        escape(&row.id.0)
    );
    out.push_str(&about(context, row));
    out.push_str(&tree(context, row));
    if let Some(excerpts) = context.look.excerpts.and_then(|excerpts| excerpts.get(&row.id)) {
        out.extend(excerpts.iter().map(|excerpt| view(context, excerpt)));
    }
    out.push_str("</details>\n");
    out
}

fn about(context: &Context<'_>, row: &SightingRow) -> String {
    let record = &row.record;
    let shown = context.audit.subject.iter().find(|datum| datum.id == row.sighting.datum);
    let exhibit = context.audit.exhibits.get(row.exhibit).map_or("", |exhibit| exhibit.exhibit.path.as_str());
    let request = [record.method.as_deref(), record.url.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let app = record.app.as_ref().and_then(|app| app.name.as_deref().or(app.package.as_deref()));
    let [.., protected, _, strength, place] = cells(context, row);
    let suite = record.channel.suite.as_deref().map_or_else(String::new, |suite| format!(" ({suite})"));
    let pairs = [
        (context.pick("Value", "数据值"), shown.map(|datum| datum.shown.clone())),
        (context.pick("Request", "请求"), Some(request).filter(|request| !request.is_empty())),
        (context.pick("Protocol", "协议"), Some(format!("{}, {protected}{suite}", record.protocol.name()))),
        (context.pick("App", "应用"), app.map(str::to_owned)),
        (context.pick("Strength", "强度"), Some(strength + &witness(context, row))),
        (context.pick("Place", "位置"), Some(format!("{place}, {exhibit}"))),
        (context.pick("Id", "编号"), Some(row.id.0.clone())),
    ];
    let mut out = String::from("<dl>");
    for (name, value) in pairs.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", code(&value));
    }
    out + "</dl>\n"
}

fn witness(context: &Context<'_>, row: &SightingRow) -> String {
    match &row.sighting.witness {
        None => String::new(),
        Some(Witness::Beside(datum)) => format!(", {} {datum}", context.pick("beside", "旁有")),
        Some(Witness::FieldName(name)) => format!(", {} {name}", context.pick("in a field named", "字段名")),
    }
}

/// The trail as nested steps, outermost first.
fn tree(context: &Context<'_>, row: &SightingRow) -> String {
    let steps = &row.sighting.trail.0;
    let root = format!("{} {}", code(&row.sighting.place.part.to_string()), context.pick("as recorded", "原样"));
    let mut out = format!(
        "<p class=\"label\">{}</p>\n<ul class=\"tree\"><li>{root}",
        context.pick("How it was wrapped", "封装层次")
    );
    for step in steps {
        let _ = write!(out, "<ul><li>{}", self::step(context, step));
    }
    let decoded = row.sighting.place.decoded;
    let end = decoded.end.saturating_sub(1).max(decoded.start);
    let value = context.pick("the value, bytes", "数据值，字节");
    let _ = write!(out, "<ul><li><b>{value} {}–{end}</b></li></ul>", decoded.start);
    for _ in steps {
        out.push_str("</li></ul>");
    }
    out + "</li></ul>\n"
}

fn step(context: &Context<'_>, step: &Step) -> String {
    let detail = step.detail.as_deref().map_or_else(String::new, |detail| format!(" {}", code(detail)));
    let end = step.encoded.end.saturating_sub(1).max(step.encoded.start);
    let bytes = context.pick("bytes", "字节");
    format!("<b>{}</b>{detail} <small>{bytes} {}–{end}</small>", escape(&step.codec), step.encoded.start)
}

fn all(context: &Context<'_>) -> String {
    let rows = &context.audit.sightings;
    let mut body = String::new();
    for row in rows.iter().take(INLINE) {
        body.push_str("<tr><th scope=\"row\">");
        body.push_str(&context.sighting(&row.id));
        body.push_str("</th>");
        for cell in cells(context, row) {
            let _ = write!(body, "<td>{}</td>", escape(&cell));
        }
        body.push_str("</tr>\n");
    }
    let caption = context.pick("All sightings, in the order of the evidence", "全部所见，按证据顺序");
    let heads = columns(heads(context));
    let table = format!(
        "<table id=\"rows\"><caption>{caption}</caption><thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table>"
    );
    format!("{}{}{}", filter(context), scrolling(caption, &table), more(context))
}

fn heads<'c>(context: &Context<'c>) -> [&'c str; 9] {
    match context.lang() {
        Lang::English => {
            ["Id", "Time", "Datum", "Direction", "Recipient", "Protection", "Wrapping", "Strength", "Place"]
        }
        Lang::Chinese => ["编号", "时间", "数据", "方向", "接收方", "保护", "封装", "强度", "位置"],
    }
}

/// Shown by the script, which makes it work.
fn filter(context: &Context<'_>) -> String {
    let label = context.pick("Show only rows with", "只显示包含以下文字的行");
    let all = count(context.audit.sightings.len() as u64);
    format!(
        "<p id=\"filter\" hidden><label>{label} <input type=\"search\" id=\"wanted\"></label> \
         <span role=\"status\" id=\"matching\" data-of=\"{all}\"></span></p>\n"
    )
}

fn more(context: &Context<'_>) -> String {
    let rest = context.audit.sightings.len().saturating_sub(INLINE);
    if rest == 0 {
        return String::new();
    }
    let (rest, button) = (count(rest as u64), context.pick("Show more rows", "显示更多行"));
    let without = match context.lang() {
        Lang::English => format!("{rest} further rows need the page's script, or the JSON report."),
        Lang::Chinese => format!("另有 {rest} 行需启用本页脚本，或查看 JSON 报告。"),
    };
    format!("<p id=\"unscripted\">{without}</p>\n<p><button type=\"button\" id=\"more\" hidden>{button}</button></p>\n")
}

/// The rows behind the first as `{"t": texts, "r": rows}`: each cell is an index into the texts, because few of them differ.
fn island(context: &Context<'_>) -> String {
    let rows = context.audit.sightings.get(INLINE..).unwrap_or_default();
    if rows.is_empty() {
        return String::new();
    }
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    let mut intern = |text: String| {
        let next = texts.len();
        *texts.entry(text).or_insert(next)
    };
    let packed: Vec<Value> = rows
        .iter()
        .map(|row| {
            let [time, rest @ .., place] = cells(context, row);
            let mut packed = vec![json!(link(context, row)), json!(time)];
            packed.extend(rest.map(|text| json!(intern(text))));
            packed.push(json!(place));
            Value::Array(packed)
        })
        .collect();
    let mut ordered = vec![""; texts.len()];
    for (text, at) in &texts {
        if let Some(slot) = ordered.get_mut(*at) {
            *slot = text;
        }
    }
    let document = json!({"t": ordered, "r": packed}).to_string();
    // No text of the evidence may end the element.
    let document = document.replace('<', "\\u003c");
    format!("<script type=\"application/json\" id=\"island\">{document}</script>\n")
}

/// The beginning of the id, or the whole id after a `#` where the page has its details.
fn link(context: &Context<'_>, row: &SightingRow) -> String {
    let at = context.rows.get(&row.id);
    let is_detailed = at.is_some_and(|at| context.detailed.contains(at));
    let id = clean(&row.id.0);
    if is_detailed { format!("#{id}") } else { id.chars().take(8).collect() }
}
