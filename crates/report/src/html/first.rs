//! The first screen: what is contradicted, and what left.

use super::markup::{Context, code, elements, escape, is_far};
use crate::judgement::{Standing, in_order, questions, said};
use crate::text::{bytes, count, percent};
use crate::words::Lang;
use dyetrace_case::{DatumId, JudgedClaim, Practice, Protection, Side, Transfer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Cards that are shown at once; the rest opens on demand.
const CARDS: usize = 12;
/// Lines of what left that are shown at once.
const LINES: usize = 12;

pub(super) fn section(context: &Context<'_>) -> String {
    format!(
        "<section id=\"verdicts\" aria-labelledby=\"title\">\n{}{}{}{}{}</section>\n",
        title(context),
        verdict_line(context),
        cards(context),
        left(context),
        numbers(context),
    )
}

fn title(context: &Context<'_>) -> String {
    let mut out = format!("<h1 id=\"title\">{}</h1>\n", escape(&context.title()));
    if let Some(question) = context.audit.case.as_ref().and_then(|case| case.question.as_ref()) {
        let _ = writeln!(out, "<p class=\"question\">{}</p>", escape(question));
    }
    let products: BTreeSet<String> =
        context.judgement.runs.iter().filter_map(|run| run.product.as_ref()).map(product).collect();
    if !products.is_empty() {
        let products: Vec<String> = products.iter().map(|product| escape(product)).collect();
        let _ = writeln!(out, "<p class=\"product\">{}</p>", products.join(" · "));
    }
    if context.look.reveal {
        let warning = context.pick("This page shows planted values in clear.", "本页以明文显示植入的数据。");
        let _ = writeln!(out, "<p class=\"warning\">{warning}</p>");
    }
    out
}

fn product(product: &dyetrace_case::Product) -> String {
    let parts = [product.vendor.as_deref(), Some(product.name.as_str()), product.version.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn verdict_line(context: &Context<'_>) -> String {
    let total = context.judgement.claims.len();
    if total == 0 {
        let text = context.pick("No claim and no rule was judged.", "没有需要评判的声明或规则。");
        return format!("<p class=\"summary\">{text}</p>\n");
    }
    let contradicted = Standing::Contradicted.count(context.judgement);
    let (contradicted, total) = (count(contradicted as u64), count(total as u64));
    let line = match context.lang() {
        Lang::English => {
            format!("<strong>{contradicted} of {total}</strong> claims and rules contradicted by the evidence")
        }
        Lang::Chinese => format!("{total} 条声明与规则中，<strong>{contradicted} 条</strong>与证据矛盾"),
    };
    let mut others = String::new();
    for standing in Standing::ALL.into_iter().skip(1) {
        let amount = standing.count(context.judgement);
        if amount > 0 {
            let _ = write!(others, "<li>{} {}</li>", count(amount as u64), context.badge(standing));
        }
    }
    format!("<p class=\"summary\">{line}</p>\n<ul class=\"counts\">{others}</ul>\n")
}

fn cards(context: &Context<'_>) -> String {
    let claims = in_order(context.judgement);
    if claims.is_empty() {
        return String::new();
    }
    let card = |(index, claim): &(usize, &JudgedClaim)| card(context, *index, claim);
    let shown: String = claims.iter().take(CARDS).map(card).collect();
    let rest: String = claims.iter().skip(CARDS).map(card).collect();
    let more = match claims.len().saturating_sub(CARDS) {
        0 => String::new(),
        more => {
            let label = context.pick("further claims and rules", "条其他声明与规则");
            format!(
                "<details><summary>{} {label}</summary><ul class=\"cards\">{rest}</ul></details>\n",
                count(more as u64)
            )
        }
    };
    format!("<ul class=\"cards\">{shown}</ul>\n{more}")
}

fn card(context: &Context<'_>, index: usize, claim: &JudgedClaim) -> String {
    let standing = Standing::of(claim);
    let decisive = claim.parts.iter().find(|part| part.verdict == claim.verdict).or(claim.parts.first());
    let reason = match questions(claim, context.lang()).next() {
        Some(question) if standing == Standing::Review => escape(question),
        _ => decisive.and_then(|part| part.reasons.first()).map_or_else(String::new, |reason| context.fact(reason)),
    };
    format!(
        "<li class=\"card {}\">{} <a href=\"#c{index}\"><code>{}</code></a><p class=\"says\">{}</p><p>{reason}</p></li>\n",
        standing.name(),
        context.badges(claim),
        escape(&claim.statement.id),
        escape(said(&claim.statement, context.lang())),
    )
}

/// What went to whom: one line for each datum and recipient, worst protected first.
struct Left<'a> {
    datum: &'a DatumId,
    recipient: usize,
    times: u64,
    worst: Protection,
    channels: BTreeSet<&'a str>,
}

/// True for what the product was seen to send or keep, hints and what a guard held back left out.
pub(super) fn counts(practice: &Practice) -> bool {
    let key = &practice.key;
    !key.hint && key.transfer != Transfer::HeldBack && (key.side == Side::Request || key.transfer == Transfer::Kept)
}

fn left(context: &Context<'_>) -> String {
    let heading = format!("<h2>{}</h2>\n", context.pick("What left", "送出了什么"));
    let mut lines: BTreeMap<(usize, &DatumId), Left<'_>> = BTreeMap::new();
    for practice in context.judgement.practices.iter().filter(|practice| counts(practice)) {
        let key = &practice.key;
        let line = lines.entry((key.recipient, &key.datum)).or_insert(Left {
            datum: &key.datum,
            recipient: key.recipient,
            times: 0,
            worst: key.protection,
            channels: BTreeSet::new(),
        });
        line.times += practice.count;
        line.worst = line.worst.min(key.protection);
        line.channels.insert(&key.channel);
    }
    if lines.is_empty() {
        let none = context.pick(
            "No planted value was seen to leave, in what was read. What could not be read is counted below.",
            "在已读取的内容中，没有发现植入的数据被送出。未能读取的部分见下文统计。",
        );
        return format!("{heading}<p>{none}</p>\n");
    }
    let mut lines: Vec<Left<'_>> = lines.into_values().collect();
    let far = |line: &Left<'_>| context.judgement.recipients.get(line.recipient).is_none_or(is_far);
    lines.sort_by_key(|line| (!far(line), line.worst, line.recipient, line.datum));
    let items: Vec<String> = lines.iter().map(|line| left_line(context, line)).collect();
    let shown = items.iter().take(LINES).cloned().collect::<String>();
    let more = match items.len().saturating_sub(LINES) {
        0 => String::new(),
        more => format!(
            "<p>{} {} <a href=\"#matrix\">{}</a></p>\n",
            count(more as u64),
            context.pick("more in", "项其他内容见"),
            context.pick("the matrix", "下表")
        ),
    };
    format!("{heading}<ul class=\"left\">{shown}</ul>\n{more}")
}

fn left_line(context: &Context<'_>, line: &Left<'_>) -> String {
    let recipient = context.recipient_with(line.recipient, " ");
    let channels: Vec<String> = line.channels.iter().map(|channel| context.term(channel)).collect();
    let (times, channels) = (count(line.times), channels.join(context.lang().comma()));
    let class = if line.worst == Protection::None { " class=\"bad\"" } else { "" };
    format!("<li>{} → {recipient} · {times}× · <span{class}>{channels}</span></li>\n", code(&line.datum.0))
}

/// Each count beside what it is of.
fn numbers(context: &Context<'_>) -> String {
    let audit = context.audit;
    let (payload, opaque, lost) = audit.totals();
    let unread = opaque + lost;
    let sent = audit.subject.iter().filter(|row| row.sent > 0).count();
    let sending: BTreeSet<usize> =
        context.judgement.practices.iter().filter(|practice| counts(practice)).map(|p| p.key.recipient).collect();
    let far = context.judgement.recipients.iter().filter(|recipient| is_far(recipient));
    let (all, far) = (context.judgement.recipients.len(), far.collect::<Vec<_>>());
    let unknown = far.iter().filter(|recipient| recipient.owner.is_none()).count();
    let of = |part: usize, whole: usize| format!("{} / {}", count(part as u64), count(whole as u64));
    let share = if unread > payload { String::new() } else { format!(" ({})", percent(unread, payload)) };
    let rows = [
        (
            context.pick("planted values seen in what was sent", "在送出内容中发现的植入数据"),
            of(sent, audit.subject.len()),
        ),
        (context.pick("recipients that got any of them", "收到植入数据的接收方"), of(sending.len(), all)),
        (
            context.pick("recipients on the internet whose owner is unknown", "互联网接收方中所有者未知的"),
            of(unknown, far.len()),
        ),
        (
            context.pick("payload bytes that could not be read", "未能读取的载荷"),
            format!("{} / {}{share}", bytes(unread), bytes(payload)),
        ),
        (context.pick("records read", "已读取的记录"), count(audit.records())),
    ];
    let cells = elements("div", rows.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>")));
    format!("<dl class=\"numbers\">{cells}</dl>\n")
}
