//! What was seen beside the planted values themselves: fields that follow them, personal data that nobody
//! planted, and what decoys say of chance.

use super::giveaway;
use super::markup::{Context, code, elements, english, escape, further, table};
use crate::audit::{
    Class, ClassCounts, Compared, Rate, RecipientKey, Unplanted, followed, followed_at, odds, recipient_name,
};
use crate::text::count;
use dyetrace_case::{Differential, Follows};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Rows that are shown of each list.
const ROWS: usize = 200;
/// Masked examples of one kind of unplanted data.
const EXAMPLES: usize = 3;

/// All of it, each under a heading of its own; nothing where nothing of it was looked for.
pub(super) fn subsections(context: &Context<'_>) -> String {
    let audit = context.audit;
    let differential = audit.differential.as_ref().map(|compared| following(context, compared));
    let nobody_planted = audit.unplanted.as_ref().map(|found| unplanted(context, found));
    [differential, nobody_planted, giveaway::part(context), chance(context)].into_iter().flatten().collect()
}

fn heading(text: &str) -> String {
    format!("<h3>{text}</h3>\n")
}

fn following(context: &Context<'_>, compared: &Compared) -> String {
    let mut out = heading(context.pick("Fields that follow a planted value from run to run", "随植入数据变化的字段"));
    let new: Vec<&Differential> = compared.findings.iter().filter(|finding| !finding.also_seen).collect();
    if new.is_empty() {
        let none = context.pick(
            "No field was found to follow beyond those in which a value was seen.",
            "除已见数据的字段外，未发现其他随之变化的字段。",
        );
        let _ = writeln!(out, "<p>{none}</p>");
    } else {
        let heads = [
            context.pick("Follows", "随之变化的数据"),
            context.pick("Field", "字段"),
            context.pick("Sent to", "送往"),
            context.pick("Content", "内容"),
            context.pick("Chance", "巧合概率"),
            context.pick("Explanations left open", "尚未排除的解释"),
        ];
        let caption = context.pick("Fields by datum", "按数据列出的字段");
        out.push_str(&table(caption, &heads, new.iter().take(ROWS).map(|finding| follows(context, finding))));
        out.push_str(&further(context, new.len().saturating_sub(ROWS)));
    }
    let notes = elements("li", compared.notes.iter().map(|note| english(context, note)));
    if !notes.is_empty() {
        let _ = writeln!(out, "<ul>{notes}</ul>");
    }
    out
}

fn follows(context: &Context<'_>, finding: &Differential) -> Vec<String> {
    let (shortest, longest) = finding.lengths;
    let what = match finding.follows {
        Follows::Value => finding.class,
        Follows::Length => context.pick("only its length follows", "仅长度随之变化"),
    };
    let hint = if finding.is_hint() { context.pick(", hint", "，线索") } else { "" };
    let open: Vec<String> = finding.open.iter().map(|open| escape(&open.to_string())).collect();
    vec![
        code(&followed(finding)),
        code(&finding.field),
        escape(&followed_at(finding)),
        format!("{}, {shortest}–{longest} {}", escape(what), context.pick("bytes", "字节")),
        format!("{}, {:.1} {}{hint}", odds(finding.chance_of_any), finding.bits(), context.pick("bits", "比特")),
        open.join("; "),
    ]
}

fn unplanted(context: &Context<'_>, found: &Unplanted) -> String {
    let mut out = heading(context.pick("Personal data that nobody planted", "并非植入的个人数据"));
    let mut examples: BTreeMap<(&str, &RecipientKey), BTreeSet<&str>> = BTreeMap::new();
    for row in &found.rows {
        let shown = examples.entry((row.kind, &*row.recipient)).or_default();
        if shown.len() < EXAMPLES {
            shown.insert(&row.shown);
        }
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for recipient in &context.audit.recipients {
        for (kind, tally) in &recipient.unplanted {
            let shown = examples.get(&(*kind, &recipient.key));
            let shown: Vec<String> = shown.into_iter().flatten().map(|text| code(text)).collect();
            let who = code(&recipient_name(recipient));
            rows.push(vec![context.term(kind), who, count(tally.sent), count(tally.received), shown.join(" ")]);
        }
    }
    if rows.is_empty() {
        let none = context.pick("None was recognised in what was read.", "在已读取的内容中没有识别到。");
        let _ = writeln!(out, "<p>{none}</p>");
        return out;
    }
    let note = context.pick(
        "Told by shape, check digits, assigned prefixes and field names. Whether anybody has the number is not known: examples and chance pass the same checks.",
        "依据格式、校验码、号段与字段名识别。号码是否属于真人不得而知：示例与巧合也能通过同样的检查。",
    );
    let _ = writeln!(out, "<p class=\"note\">{note}</p>");
    let heads = [
        context.pick("Kind", "种类"),
        context.pick("Recipient", "接收方"),
        context.pick("Sent", "送出"),
        context.pick("Received", "收到"),
        context.pick("Examples", "示例"),
    ];
    let all = rows.len();
    let caption = context.pick("Recognised data by kind and recipient", "按种类与接收方列出");
    out + &table(caption, &heads, rows.into_iter().take(ROWS)) + &further(context, all.saturating_sub(ROWS))
}

/// Decoys are values of the planted ones' formats that nobody planted.
fn chance(context: &Context<'_>) -> Option<String> {
    let chance = &context.audit.chance;
    if chance.decoys == 0 {
        return None;
    }
    let caption = context.pick("Sightings of planted values and of decoys", "植入数据与诱饵数据的所见次数");
    let rows = chance.classes.iter().map(|(class, counts)| class_row(context, *class, *counts));
    let head = heading(context.pick("Chance", "巧合"));
    if chance.classes.is_empty() {
        let none = context.pick("No planted value and no decoy was seen.", "未见任何植入数据或诱饵数据。");
        return Some(format!("{head}<p>{none}</p>\n"));
    }
    let heads = [
        context.pick("Class", "类别"),
        context.pick("Of planted values", "植入数据"),
        context.pick("Of decoys", "诱饵数据"),
        context.pick("By chance, of the planted", "植入数据中属巧合者"),
    ];
    Some(head + &table(caption, &heads, rows))
}

fn class_row(context: &Context<'_>, class: Class, counts: ClassCounts) -> Vec<String> {
    let hints = if class.is_hint { context.pick(", hints", "，线索") } else { "" };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let rate = match context.audit.chance.rate(counts) {
        None => "–".to_owned(),
        Some(Rate::About(share)) => format!("{} {}", context.pick("about", "约"), percent(share)),
        Some(Rate::Under(share)) if share < 1.0 => {
            format!(
                "{} {} {}",
                context.pick("under", "低于"),
                percent(share),
                context.pick("(95 % confidence)", "（95 % 置信度）")
            )
        }
        Some(Rate::Under(_)) => context.pick("too few to tell", "数量太少，无法判断").to_owned(),
    };
    vec![format!("{}{hints}", context.term(class.strength.name())), count(counts.planted), count(counts.decoys), rate]
}
