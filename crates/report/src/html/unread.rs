//! What could not be read: opaque bytes by endpoint, damaged evidence, limits of the search.

use super::markup::{Context, code, elements, english, further, section as framed, table};
use crate::audit::{protection, who};
use crate::text::{bytes, count, percent};
use crate::words::Lang;
use std::collections::BTreeMap;

/// Rows that are shown of each list.
const ROWS: usize = 200;

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("What could not be read", "未能读取的内容");
    let body = format!("{}{}{}{}", amount(context), opaque(context), damages(context), limits(context));
    framed("unread", heading, &body)
}

fn amount(context: &Context<'_>) -> String {
    let (payload, opaque, lost) = context.audit.totals();
    let unread = opaque + lost;
    if unread == 0 && context.audit.opaque.is_empty() && context.audit.damages.is_empty() {
        let text = if context.audit.records() == 0 {
            context.pick("There was nothing to read.", "没有可读取的内容。")
        } else {
            context.pick("Everything was read.", "全部内容均已读取。")
        };
        return format!("<p>{text}</p>\n");
    }
    // Whole packets can be unread, and are no payload of any transport.
    let share = if unread > payload { String::new() } else { format!(" ({})", percent(unread, payload)) };
    let (unread, payload) = (bytes(unread), bytes(payload));
    let text = match context.lang() {
        Lang::English => format!("{unread} of {payload} payload{share} gave no record."),
        Lang::Chinese => format!("{payload} 载荷中有 {unread}{share} 未能读取。"),
    };
    format!("<p>{text}</p>\n")
}

fn opaque(context: &Context<'_>) -> String {
    let mut groups: BTreeMap<(String, String, &str), (u64, u64, u64)> = BTreeMap::new();
    for entry in &context.audit.opaque {
        let sums = groups.entry((who(&entry.server), protection(&entry.channel), &entry.reason)).or_default();
        *sums = (sums.0 + 1, sums.1 + entry.bytes_sent, sums.2 + entry.bytes_received);
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_by_key(|(_, (_, sent, received))| std::cmp::Reverse(sent + received));
    let heads = [
        context.pick("Endpoint", "端点"),
        context.pick("Channel", "通道"),
        context.pick("Times", "次数"),
        context.pick("Sent", "送出"),
        context.pick("Received", "收到"),
        context.pick("Why", "原因"),
    ];
    let cells = rows.iter().take(ROWS).map(|((who, channel, reason), (times, sent, received))| {
        vec![code(who), context.term(channel), count(*times), bytes(*sent), bytes(*received), english(context, reason)]
    });
    let caption = context.pick("Unread bytes by endpoint", "各端点未读取的字节");
    table(caption, &heads, cells) + &further(context, rows.len().saturating_sub(ROWS))
}

fn damages(context: &Context<'_>) -> String {
    let damages = &context.audit.damages;
    if damages.is_empty() {
        return String::new();
    }
    let heads = [
        context.pick("Place", "位置"),
        context.pick("Endpoint", "端点"),
        context.pick("Bytes lost", "丢失字节"),
        context.pick("What happened", "情况"),
    ];
    let unknown = || context.pick("unknown", "未知").to_owned();
    let cells = damages.iter().take(ROWS).map(|damage| {
        vec![
            code(&damage.place),
            damage.server.as_ref().map_or_else(unknown, |server| code(&who(server))),
            damage.bytes.map_or_else(unknown, count),
            english(context, &damage.reason),
        ]
    });
    let caption = context.pick("Damaged evidence", "受损的证据");
    table(caption, &heads, cells) + &further(context, damages.len().saturating_sub(ROWS))
}

fn limits(context: &Context<'_>) -> String {
    let items = elements("li", context.audit.limits.iter().map(|limit| english(context, limit)));
    if items.is_empty() {
        return String::new();
    }
    format!(
        "<p class=\"label\">{}</p>\n<ul>{items}</ul>\n",
        context.pick("Limits of the search that were reached", "搜索达到的上限")
    )
}
