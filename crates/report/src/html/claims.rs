//! Each claim: the words, who said them where, the verdict, and everything that was weighed.

use super::markup::{Context, code, elements, escape, folded, section as framed};
use super::practices::listed;
use crate::judgement::{Standing, decisive_first, in_order, labels, questions, said};
use dyetrace_case::{Citation, CoverageLine, JudgedClaim, JudgedPart, Met, Source, Statement};
use std::fmt::Write as _;

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("Claims and rules", "声明与规则");
    let claims: String =
        in_order(context.judgement).iter().map(|(index, claim)| article(context, *index, claim)).collect();
    let body = if claims.is_empty() {
        format!("<p>{}</p>\n", context.pick("No claim and no rule was judged.", "没有需要评判的声明或规则。"))
    } else {
        claims
    };
    framed("claims", heading, &body)
}

fn article(context: &Context<'_>, index: usize, claim: &JudgedClaim) -> String {
    let statement = &claim.statement;
    let standing = Standing::of(claim);
    let mut out = format!(
        "<article id=\"c{index}\" class=\"claim {}\" aria-labelledby=\"c{index}-h\">\n<h3 id=\"c{index}-h\">{} {}</h3>\n",
        standing.name(),
        context.badges(claim),
        code(&statement.id)
    );
    let _ = writeln!(out, "<blockquote>{}</blockquote>", escape(said(statement, context.lang())));
    out.push_str(&where_said(context, statement));
    for question in questions(claim, context.lang()) {
        let open = context.pick("Open question for a person", "待人工回答的问题");
        let _ = writeln!(
            out,
            "<p class=\"open\"><strong>{open}</strong>{}{}</p>",
            context.lang().colon(),
            escape(question)
        );
    }
    if claim.applies {
        for (number, part) in decisive_first(claim).into_iter().enumerate() {
            out.push_str(&self::part(context, claim, number, part));
        }
    } else {
        let text =
            context.pick("No product or run of this case is in its scope.", "本案中没有产品或测试属于其适用范围。");
        let _ = writeln!(out, "<p>{text}</p>");
        out.extend(claim.parts.iter().map(|part| reasons(context, part)));
    }
    out.push_str("</article>\n");
    out
}

fn where_said(context: &Context<'_>, statement: &Statement) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(statement.vendor.as_deref().map(escape));
    parts.extend(statement.source.as_ref().map(|source| self::source(context, source)));
    parts.extend(statement.pack.as_deref().map(code));
    parts.extend(statement.cites.iter().map(|cited| citation(context, cited)));
    if !statement.place.is_empty() {
        parts.push(code(&statement.place));
    }
    let reason = match context.lang() {
        crate::words::Lang::Chinese => statement.reason_zh.as_ref().or(statement.reason.as_ref()),
        crate::words::Lang::English => statement.reason.as_ref(),
    };
    let reason = reason.map_or_else(String::new, |reason| format!("<p>{}</p>\n", escape(reason)));
    format!("<p class=\"source\">{}</p>\n{reason}", parts.join(" · "))
}

fn source(context: &Context<'_>, source: &Source) -> String {
    let title = escape(&source.title);
    let mut text = source.url.as_deref().map_or_else(|| title.clone(), |url| link(url, &title));
    if let Some(date) = &source.date {
        let _ = write!(text, ", {}", escape(date));
    }
    if let Some(archived) = &source.archived {
        let _ = write!(text, " ({})", link(archived, context.pick("archived copy", "存档")));
    }
    text
}

/// A link to a web address; anything else, such as `javascript:`, is only shown.
fn link(address: &str, label: &str) -> String {
    let is_web = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    if is_web {
        format!("<a href=\"{}\" rel=\"noreferrer noopener\">{label}</a>", escape(address))
    } else {
        format!("{label} {}", code(address))
    }
}

fn citation(context: &Context<'_>, cited: &Citation) -> String {
    let from = cited.from.as_deref().map(|from| format!(" {} {}", context.pick("from", "自"), escape(from)));
    let to = cited.to.as_deref().map(|to| format!(" {} {}", context.pick("to", "至"), escape(to)));
    let confirmed = if cited.confirmed {
        String::new()
    } else {
        format!(" <span class=\"warning\">{}</span>", context.pick("wording not confirmed", "条文未经核实"))
    };
    format!("{}{}{}{confirmed}", escape(&cited.text), from.unwrap_or_default(), to.unwrap_or_default())
}

fn reasons(context: &Context<'_>, part: &JudgedPart) -> String {
    let items = elements("li", part.reasons.iter().map(|fact| context.fact(fact)));
    if items.is_empty() { String::new() } else { format!("<ul class=\"reasons\">{items}</ul>\n") }
}

fn part(context: &Context<'_>, claim: &JudgedClaim, number: usize, part: &JudgedPart) -> String {
    let mut out = String::from("<div class=\"part\">\n");
    let name = escape(&labels(part, context.lang()));
    if claim.parts.len() > 1 || !part.labels.is_empty() {
        let _ =
            writeln!(out, "<h4>{name}{}{}</h4>", context.lang().colon(), context.badge(Standing::from(part.verdict)));
    }
    out.push_str(&reasons(context, part));
    let about = format!("{} · {name} ({})", escape(&claim.statement.id), number + 1);
    if !part.witnesses.is_empty() {
        let caption = format!("{}{}{about}", context.pick("Seen", "所见"), context.lang().colon());
        out.push_str(&listed(context, &caption, None, part.witnesses.iter().map(|index| (*index, None))));
    }
    out.push_str(&coverage(context, part));
    out.push_str(&numbers(context, part));
    out.push_str(&discounted(context, &about, part));
    out.push_str("</div>\n");
    out
}

/// A list rather than a table: on a narrow screen each line must be readable as a whole.
fn coverage(context: &Context<'_>, part: &JudgedPart) -> String {
    if part.coverage.is_empty() {
        return String::new();
    }
    let lines = elements("li", part.coverage.iter().map(|line| coverage_line(context, line)));
    format!("<p class=\"label\">{}</p>\n<ul class=\"coverage\">{lines}</ul>\n", context.pick("Coverage", "覆盖情况"))
}

fn coverage_line(context: &Context<'_>, line: &CoverageLine) -> String {
    let (sign, class) = match line.met {
        Met::Yes => ("✓", "met"),
        Met::No => ("○", "unmet"),
        Met::NotNeeded => ("–", "unneeded"),
    };
    format!(
        "<b>{}</b> <span class=\"{class}\"><span aria-hidden=\"true\">{sign}</span> {}</span> <div>{}</div>",
        context.term(line.requirement.name()),
        context.term(line.met.name()),
        context.facts(&line.facts)
    )
}

fn numbers(context: &Context<'_>, part: &JudgedPart) -> String {
    if part.numbers.is_empty() {
        return String::new();
    }
    let items = elements("li", part.numbers.iter().map(|fact| context.fact(fact)));
    format!("<p class=\"label\">{}</p>\n<ul>{items}</ul>\n", context.pick("Numbers", "数据统计"))
}

fn discounted(context: &Context<'_>, about: &str, part: &JudgedPart) -> String {
    if part.discounted.is_empty() {
        return String::new();
    }
    let caption =
        format!("{}{}{about}", context.pick("Seen, and does not count", "所见但不计入"), context.lang().colon());
    let rows = part.discounted.iter().map(|(index, why)| (*index, Some(context.fact(why))));
    let table = listed(context, &caption, Some(context.pick("Why not", "不计入的理由")), rows);
    folded(&format!("{} ({})", context.pick("Seen, and does not count", "所见但不计入"), part.discounted.len()), &table)
}
