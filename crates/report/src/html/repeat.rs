//! What is left to do, and how to do all of it again.

use super::markup::{Context, code, elements, english, escape, section as framed, table};
use crate::audit::{ExhibitRow, Fixity};
use crate::text::{bytes, count};
use crate::words::Lang;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What the tester can do so that more can be decided.
pub(super) fn todo(context: &Context<'_>) -> String {
    let heading = context.pick("To do, so that more can be decided", "为得出更多结论，还需要做");
    let todo = &context.judgement.todo;
    if todo.is_empty() {
        let text = context.pick("Nothing that would decide more.", "没有可进一步得出结论的待办事项。");
        return framed("todo", heading, &format!("<p>{text}</p>\n"));
    }
    let claims = context.judgement.claims.iter().enumerate();
    let places: BTreeMap<&str, usize> = claims.map(|(at, claim)| (claim.statement.id.as_str(), at)).collect();
    let mut items = String::new();
    for entry in todo {
        let claims: Vec<String> = entry.claims.iter().map(|id| claim(places.get(id.as_str()), id)).collect();
        let _ = writeln!(
            items,
            "<li>{} <small>{}</small></li>",
            context.fact(&entry.what),
            claims.join(context.lang().comma())
        );
    }
    framed("todo", heading, &format!("<ul class=\"todo\">{items}</ul>\n"))
}

fn claim(place: Option<&usize>, id: &str) -> String {
    place.map_or_else(|| code(id), |at| format!("<a href=\"#c{at}\">{}</a>", code(id)))
}

/// Tool, command, exhibits with their digests, keys, the tester's interventions.
pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("How to repeat this", "如何重做");
    let tool = context.audit.tool.clone();
    let mut body = format!("<p>{} {}</p>\n", escape(tool.name), escape(tool.version));
    if let Some(command) = context.look.command {
        let copy = context.pick("Copy", "复制");
        let _ = writeln!(
            body,
            "<div class=\"command\"><pre tabindex=\"0\" id=\"command\">{}</pre><button type=\"button\" id=\"copy\" hidden>{copy}</button></div>",
            escape(command)
        );
    }
    body.push_str(&exhibits(context));
    body.push_str(&keys(context));
    body.push_str(&lists(context));
    body.push_str(&interventions(context));
    let remarks = context.judgement.notes.iter().map(|fact| context.fact(fact));
    let remarks = elements("li", remarks.chain(context.audit.notes.iter().map(|note| english(context, note))));
    if !remarks.is_empty() {
        let _ = writeln!(body, "<p class=\"label\">{}</p>\n<ul>{remarks}</ul>", context.pick("Remarks", "说明"));
    }
    framed("repeat", heading, &body)
}

fn exhibits(context: &Context<'_>) -> String {
    let heads = [
        context.pick("Exhibit", "证据文件"),
        "SHA-256",
        context.pick("Manifest", "清单"),
        context.pick("Size", "大小"),
        context.pick("Records", "记录"),
        context.pick("TLS decrypted", "已解密 TLS"),
    ];
    let caption = context.pick("Exhibits with their digests", "证据文件及其摘要");
    table(caption, &heads, context.audit.exhibits.iter().map(|row| exhibit(context, row)))
}

fn exhibit(context: &Context<'_>, row: &ExhibitRow) -> Vec<String> {
    let class = if row.fixity == Fixity::Differs { "bad" } else { "" };
    vec![
        format!("{}<br><small>{}</small>", code(&row.exhibit.path), row.exhibit.format.name()),
        sha(&row.exhibit.id.to_string()),
        format!("<span class=\"{class}\">{}</span>", context.term(row.fixity.name())),
        bytes(row.exhibit.bytes),
        count(row.records),
        format!("{} / {}", count(row.tls_keyed), count(row.tls_connections)),
    ]
}

fn sha(digest: &str) -> String {
    format!("<code class=\"sha\">{}</code>", escape(digest))
}

fn keys(context: &Context<'_>) -> String {
    let keys = &context.audit.keys;
    if keys.secrets == 0 {
        return String::new();
    }
    let (secrets, matched) = (count(keys.secrets as u64), count(keys.matched));
    let text = match context.lang() {
        Lang::English => format!("{secrets} secrets at hand; {matched} connections match one."),
        Lang::Chinese => format!("现有 {secrets} 个密钥，匹配 {matched} 个连接。"),
    };
    format!("<p>{text}</p>\n")
}

/// The dated lists that say who the recipients are.
fn lists(context: &Context<'_>) -> String {
    if context.judgement.snapshots.is_empty() {
        return String::new();
    }
    let heads = [
        context.pick("List", "名录"),
        context.pick("Version and date", "版本与日期"),
        "SHA-256",
        context.pick("From", "来源"),
        context.pick("Note", "说明"),
    ];
    let unknown = || context.pick("unknown", "未知").to_owned();
    let rows = context.judgement.snapshots.iter().map(|list| {
        let dated = [&list.version, &list.dated].into_iter().flatten().map(|text| escape(text)).collect::<Vec<_>>();
        let digest = list.sha256.as_deref().map_or_else(|| "–".to_owned(), sha);
        let from = [&list.from, &list.licence].into_iter().flatten().map(|text| escape(text)).collect::<Vec<_>>();
        vec![
            code(&list.name),
            if dated.is_empty() { unknown() } else { dated.join(", ") },
            digest,
            from.join(", "),
            list.note.as_deref().map_or_else(String::new, escape),
        ]
    });
    table(context.pick("Lists that say who the recipients are", "用于识别接收方的名录"), &heads, rows)
}

fn interventions(context: &Context<'_>) -> String {
    let mut items = String::new();
    for run in context.judgement.runs.iter().filter(|run| !run.interventions.is_empty()) {
        let done: Vec<String> = run.interventions.iter().map(|what| context.term(what)).collect();
        let _ =
            write!(items, "<li>{}{}{}</li>", code(&run.id), context.lang().colon(), done.join(context.lang().comma()));
    }
    if items.is_empty() {
        return String::new();
    }
    let label =
        context.pick("What the tester did to the product and its surroundings", "测试者对产品及其环境所做的改动");
    format!("<p class=\"label\">{label}</p>\n<ul>{items}</ul>\n")
}
