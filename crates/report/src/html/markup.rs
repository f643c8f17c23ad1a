//! What every section of the page is built with: escaping, tables, and the words of the reader.

use super::HtmlLook;
use crate::audit::Audit;
use crate::judgement::Standing;
use crate::text::{clean, count};
use crate::words::{Lang, reason, sentence, term};
use dyetrace_case::{Fact, JudgedClaim, Judgement, Recipient, SightingId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What the page is about, and what its sections must know of one another.
pub(super) struct Context<'a> {
    pub(super) judgement: &'a Judgement,
    pub(super) audit: &'a Audit,
    pub(super) look: HtmlLook<'a>,
    /// Rows of the audit by sighting.
    pub(super) rows: BTreeMap<&'a SightingId, usize>,
    /// Rows that are shown with their bytes, in the order of the evidence.
    pub(super) detailed: BTreeSet<usize>,
}

/// Sightings that are shown with their trail step by step and their bytes.
const DETAILED: usize = 300;

impl<'a> Context<'a> {
    pub(super) fn new(judgement: &'a Judgement, audit: &'a Audit, look: HtmlLook<'a>) -> Self {
        let rows: BTreeMap<&SightingId, usize> =
            audit.sightings.iter().enumerate().map(|(index, row)| (&row.id, index)).collect();
        let detailed = detailed(judgement, audit, &rows);
        Self { judgement, audit, look, rows, detailed }
    }

    pub(super) fn lang(&self) -> Lang {
        self.look.lang
    }

    pub(super) fn pick<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        self.look.lang.pick(english, chinese)
    }

    /// A fixed word in the reader's language, escaped.
    pub(super) fn term(&self, word: &str) -> String {
        escape(term(word, self.look.lang))
    }

    /// A fact as an escaped sentence.
    pub(super) fn fact(&self, fact: &Fact) -> String {
        escape(&sentence(fact, self.look.lang))
    }

    /// Facts as a list; nothing where there are none.
    pub(super) fn facts(&self, facts: &[Fact]) -> String {
        match facts {
            [] => String::new(),
            [one] => self.fact(one),
            several => {
                let items = elements("li", several.iter().map(|fact| self.fact(fact)));
                format!("<ul class=\"facts\">{items}</ul>")
            }
        }
    }

    /// The case's title, else the exhibits' paths.
    pub(super) fn title(&self) -> String {
        let paths = || self.audit.exhibits.iter().map(|row| row.exhibit.path.as_str()).collect::<Vec<_>>().join(", ");
        let title = self.audit.case.as_ref().map_or_else(paths, |case| case.title.clone());
        if title.is_empty() { self.pick("A judged case", "案例评判").to_owned() } else { title }
    }

    /// A verdict or standing with its sign.
    pub(super) fn badge(&self, standing: Standing) -> String {
        let (name, sign) = (standing.name(), standing.sign());
        format!("<span class=\"badge {name}\"><span aria-hidden=\"true\">{sign}</span> {}</span>", self.term(name))
    }

    /// Where a claim stands; where it waits for a person, also what the evidence alone says.
    pub(super) fn badges(&self, claim: &JudgedClaim) -> String {
        let standing = Standing::of(claim);
        let badge = self.badge(standing);
        if standing != Standing::Review {
            return badge;
        }
        let alone = self.pick("on the evidence alone", "仅就证据而言");
        format!("{badge} <small>{alone}{}</small>{}", self.lang().colon(), self.badge(Standing::from(claim.verdict)))
    }

    /// A moment; in words where there is none.
    pub(super) fn time(&self, time: Option<Time>) -> String {
        time.map_or_else(|| self.pick("time unknown", "时间未知").to_owned(), moment)
    }

    /// A link to a sighting's bytes, or its id where they are not on the page.
    pub(super) fn sighting(&self, id: &SightingId) -> String {
        let short = escape(id.0.get(..8).unwrap_or(&id.0));
        match self.rows.get(id).filter(|row| self.detailed.contains(row)) {
            Some(_) => format!("<a href=\"#s-{}\"><code>{short}</code></a>", escape(&id.0)),
            None => format!("<code>{short}</code>"),
        }
    }

    /// Name, owner, role and country of a recipient; what is unknown is said to be.
    pub(super) fn recipient(&self, index: usize) -> String {
        self.recipient_with(index, "<br>")
    }

    /// The same, with other markup between the name and what is known of it.
    pub(super) fn recipient_with(&self, index: usize, between: &str) -> String {
        let Some(recipient) = self.judgement.recipients.get(index) else {
            return self.pick("unknown recipient", "未知接收方").to_owned();
        };
        format!("{}{between}<small>{}</small>", self.name(recipient), self.about(recipient))
    }

    pub(super) fn name(&self, recipient: &Recipient) -> String {
        match (&recipient.name, recipient.address) {
            _ if recipient.scope == dyetrace_case::Scope::Storage => self.term("storage"),
            (None, None) => self.pick("unknown recipient", "未知接收方").to_owned(),
            _ => code(&recipient.shown()),
        }
    }

    fn about(&self, recipient: &Recipient) -> String {
        if !is_far(recipient) {
            return self.term(recipient.scope.name());
        }
        let owner =
            recipient.owner.as_deref().map_or_else(|| self.pick("owner unknown", "所有者未知").to_owned(), escape);
        let role = match recipient.role {
            dyetrace_case::Role::Unknown => self.pick("role unknown", "角色未知").to_owned(),
            role => self.term(role.name()),
        };
        format!("{owner} · {role} · {}", self.country(recipient))
    }

    /// Where the server is registered, and where its operator is at home, which are different facts.
    pub(super) fn country(&self, recipient: &Recipient) -> String {
        let shown = |country: Option<dyetrace_case::Country>| {
            country.map_or_else(|| self.pick("unknown", "未知").to_owned(), |country| country.to_string())
        };
        let (server, operator) = (shown(recipient.server_country), shown(recipient.operator_country));
        let comma = self.lang().comma();
        format!("{} {server}{comma}{} {operator}", self.pick("server", "服务器"), self.pick("operator", "运营者"))
    }
}

/// True for a recipient that is not on the product's own network.
pub(super) fn is_far(recipient: &Recipient) -> bool {
    matches!(recipient.scope, dyetrace_case::Scope::Wan | dyetrace_case::Scope::Unknown)
}

/// Witnesses of what is contradicted first, then what else practices show, then the order of the evidence.
fn detailed(judgement: &Judgement, audit: &Audit, rows: &BTreeMap<&SightingId, usize>) -> BTreeSet<usize> {
    let shown = |index: &usize| judgement.practices.get(*index).map_or(&[][..], |practice| &practice.shown);
    let parts = || judgement.claims.iter().flat_map(|claim| &claim.parts);
    let witnesses = parts().flat_map(|part| part.witnesses.iter().flat_map(shown));
    let discounted = parts().flat_map(|part| part.discounted.iter().flat_map(|(index, _)| shown(index)));
    let others = judgement.practices.iter().filter_map(|practice| practice.shown.first());
    let ids = witnesses.chain(discounted).chain(others).map(|shown| &shown.sighting);
    let mut detailed = BTreeSet::new();
    for row in ids.filter_map(|id| rows.get(id).copied()).chain(0..audit.sightings.len()) {
        if detailed.len() == DETAILED {
            break;
        }
        detailed.insert(row);
    }
    detailed
}

/// A moment as markup that breaks between day and time only.
pub(super) fn moment(time: Time) -> String {
    let text = short_time(time);
    let (day, of_day) = text.split_once('T').unwrap_or((&text, ""));
    format!("<span class=\"moment\">{day}</span> <span class=\"moment\">{of_day}</span>")
}

/// To milliseconds: enough to tell events apart, and short enough for tables.
pub(super) fn short_time(time: Time) -> String {
    Time(time.0.div_euclid(1_000_000).saturating_mul(1_000_000)).to_string()
}

/// A text for an element or a quoted attribute: what could steer the reader's screen is replaced as at
/// a terminal, what could be markup is escaped.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A sentence that readers and search wrote in English, in the page's language where it is known there, else marked as
/// English.
pub(super) fn english(context: &Context<'_>, text: &str) -> String {
    match reason(text, context.lang()) {
        Some(known) => escape(&known),
        None => format!("<span lang=\"en\">{}</span>", escape(text)),
    }
}

/// What a reader opens who wants it; on paper it is open.
pub(super) fn folded(summary: &str, inner: &str) -> String {
    format!("<details><summary>{}</summary>\n{inner}</details>\n", escape(summary))
}

/// A text of the evidence, set apart so that its direction of writing ends with it.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A section with its heading; `id` is one of the page's anchors.
pub(super) fn section(id: &str, heading: &str, body: &str) -> String {
    format!("<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{heading}</h2>\n{body}</section>\n")
}

/// A table in a box that scrolls by itself on narrow screens. Cells are markup; the first of each row
/// is its head.
pub(super) fn table(caption: &str, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut body = String::new();
    for row in rows {
        body.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let (open, close) = if index == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            body.extend([open, cell, close]);
        }
        body.push_str("</tr>\n");
    }
    let heads = columns(heads.iter().copied());
    scrolling(
        caption,
        &format!("<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table>"),
    )
}

/// How many entries of a list were left out; nothing where none were.
pub(super) fn further(context: &Context<'_>, more: usize) -> String {
    if more == 0 {
        return String::new();
    }
    let text = context.pick("more, in the JSON report", "条其余内容见 JSON 报告");
    format!("<p>… {} {text}</p>\n", count(more as u64))
}

/// Elements of one kind, one after the other; contents are markup.
pub(super) fn elements(tag: &str, contents: impl IntoIterator<Item = String>) -> String {
    let mut out = String::new();
    for content in contents {
        let _ = write!(out, "<{tag}>{content}</{tag}>");
    }
    out
}

/// The heads of columns.
pub(super) fn columns<'h>(heads: impl IntoIterator<Item = &'h str>) -> String {
    elements("th", heads.into_iter().map(str::to_owned)).replace("<th>", "<th scope=\"col\">")
}

/// A box that scrolls sideways, also by keyboard.
pub(super) fn scrolling(label: &str, content: &str) -> String {
    format!("<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-label=\"{label}\">{content}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_the_evidence_can_be_markup_or_turn_the_line_around() {
        let hostile = "<script>alert('x')</script>\" onload=\"y\u{202e}\u{0}&amp;";
        let escaped = escape(hostile);
        assert!(!escaped.contains(['<', '>', '"', '\'', '\u{202e}', '\u{0}']), "{escaped}");
        assert!(escaped.contains("&lt;script&gt;") && escaped.ends_with("··&amp;amp;"), "{escaped}");
    }
}
