//! A judged case as Markdown (GitHub Flavored Markdown), whole or as the summary of a build step.

use super::results::{ResultKind, Row, rows};
use super::{MachineLook, Standing, in_order};
use crate::audit::Audit;
use crate::text::{clean, count};
use crate::words::{Lang, sentence, term};
use dyetrace_case::{JudgedClaim, JudgedPart, Judgement, Met};
use std::fmt::Write as _;
use std::io::{self, Write};

/// GitHub refuses step summaries of more than one mebibyte; a little is left for what other steps write.
const MOST_BYTES: usize = 1 << 20;
const LEFT_FREE: usize = 64 << 10;
/// Rows of the table in a step summary.
const ROWS: usize = 100;

/// Writes the whole report.
///
/// # Errors
/// Writing failed.
pub fn write_markdown(
    judgement: &Judgement,
    audit: &Audit,
    look: MachineLook<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page { judgement, audit, look, rows: usize::MAX };
    let parts = [page.head(), page.contradicted(), page.claims(), page.todo(), page.notes(), page.repeat()];
    out.write_all(parts.concat().as_bytes())
}

/// Writes a summary for `$GITHUB_STEP_SUMMARY`: as much as fits, most severe first.
///
/// # Errors
/// Writing failed.
pub fn write_github(
    judgement: &Judgement,
    audit: &Audit,
    look: MachineLook<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page { judgement, audit, look, rows: ROWS };
    let fold = |title: &str, body: String| format!("<details><summary>{title}</summary>\n\n{body}\n</details>\n\n");
    let claims = fold(page.pick("Every claim with its coverage", "每条声明及其覆盖情况"), page.claims());
    let parts = [page.head(), page.contradicted(), page.todo(), claims, page.notes(), page.repeat()];
    let mut left = MOST_BYTES - LEFT_FREE;
    let text = page.pick("A section is left out: it is too long for a step summary.", "有一节过长，未列入摘要。");
    let too_long = format!("{text}\n\n");
    for part in &parts {
        // What stands behind a section that is too long is short, and needed to repeat it all.
        let part = if part.len() > left { &too_long } else { part };
        left = left.saturating_sub(part.len());
        out.write_all(part.as_bytes())?;
    }
    Ok(())
}

struct Page<'a> {
    judgement: &'a Judgement,
    audit: &'a Audit,
    look: MachineLook<'a>,
    /// Most rows of the table.
    rows: usize,
}

impl Page<'_> {
    fn lang(&self) -> Lang {
        self.look.lang
    }

    fn pick<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        self.lang().pick(english, chinese)
    }

    /// Title, question, and how many claims stand how.
    fn head(&self) -> String {
        let case = self.audit.case.as_ref();
        let title = case.map_or_else(|| self.pick("Judgement", "结论").to_owned(), |case| prose(&case.title));
        let question = case.and_then(|case| case.question.as_ref()).map(|text| format!("{}\n\n", prose(text)));
        let counted = Standing::ALL.map(|standing| (standing, standing.count(self.judgement)));
        let present = counted.iter().filter(|(_, number)| *number > 0);
        let lines = present.map(|(standing, number)| {
            format!("| {} {} | {number} |\n", standing.sign(), term(standing.name(), self.lang()))
        });
        let table = format!(
            "| {} | {} |\n| --- | ---: |\n",
            self.pick("Stands", "状态"),
            self.pick("Claims and rules", "声明与规则")
        );
        format!("# {title}\n\n{}{table}{}\n", question.unwrap_or_default(), lines.collect::<String>())
    }

    /// Who received what against which claim.
    fn contradicted(&self) -> String {
        let all = rows(self.judgement);
        let failed: Vec<&Row<'_>> = all.iter().filter(|row| row.kind == ResultKind::Fail).collect();
        if failed.is_empty() {
            return String::new();
        }
        let columns = ["Claim", "What was seen", "Note"].iter().zip(["声明", "所见", "备注"]);
        let names: Vec<&str> = columns.map(|(english, chinese)| self.pick(english, chinese)).collect();
        let head =
            format!("## {}\n\n| {} |\n| --- | --- | --- |\n", self.pick("Contradicted", "被反驳"), names.join(" | "));
        let lines: String = failed.iter().take(self.rows).map(|row| self.row(row)).collect();
        let more = failed.len().saturating_sub(self.rows);
        let more = if more > 0 {
            format!("\n… {} {}\n", count(more as u64), self.pick("more", "项未列出"))
        } else {
            String::new()
        };
        format!("{head}{lines}{more}\n")
    }

    fn row(&self, row: &Row<'_>) -> String {
        let lang = self.lang();
        let labels = row.labels(lang).map(|labels| format!(" ({})", prose(&labels))).unwrap_or_default();
        let suppressed = row.suppression.map(|one| {
            let who = one.who.as_deref().map(|who| format!("{}{}", lang.comma(), prose(who))).unwrap_or_default();
            let until = lang.pick("suppressed until", "例外至");
            format!("{until} {}{}{}{who}", one.expires, lang.colon(), prose(&one.reason))
        });
        let new =
            row.new.map(|new| if new { lang.pick("new", "新增") } else { lang.pick("in the baseline", "基线中已有") });
        let note: Vec<String> = suppressed.into_iter().chain(new.map(str::to_owned)).collect();
        let summary = row.summary(self.judgement, lang);
        format!("| {}{labels} | {} | {} |\n", code(&row.claim.statement.id), prose(&summary), note.join("; "))
    }

    fn claims(&self) -> String {
        let claims: String = in_order(self.judgement).into_iter().map(|(_, claim)| self.claim(claim)).collect();
        format!("## {}\n\n{claims}", self.pick("Claims", "声明"))
    }

    fn claim(&self, claim: &JudgedClaim) -> String {
        let lang = self.lang();
        let standing = Standing::of(claim);
        let head =
            format!("### {} {}: {}\n\n", standing.sign(), term(standing.name(), lang), code(&claim.statement.id));
        let says = format!("> {}\n\n", prose(super::said(&claim.statement, lang)));
        let open = super::questions(claim, lang)
            .map(|question| format!("- {}: {}\n", lang.pick("Open question", "待答问题"), prose(question)));
        let parts = claim.parts.iter().filter(|_| claim.applies).map(|part| self.part(part));
        format!("{head}{says}{}{}\n", open.collect::<String>(), parts.collect::<String>())
    }

    fn part(&self, part: &JudgedPart) -> String {
        let lang = self.lang();
        let verdict = term(part.verdict.name(), lang);
        let mut text = format!("- **{}{}{verdict}**\n", prose(&super::labels(part, lang)), lang.colon());
        let facts =
            part.reasons.iter().chain(&part.numbers).map(|fact| format!("  - {}\n", prose(&sentence(fact, lang))));
        text.extend(facts);
        for line in &part.coverage {
            let sign = match line.met {
                Met::Yes => "✓",
                Met::No => "○",
                Met::NotNeeded => "–",
            };
            let facts: Vec<String> = line.facts.iter().map(|fact| prose(&sentence(fact, lang))).collect();
            let facts = if facts.is_empty() { term(line.met.name(), lang).to_owned() } else { facts.join("; ") };
            let name = term(line.requirement.name(), lang);
            let _ = writeln!(text, "  - {sign} {name}{}{facts}", lang.colon());
        }
        text
    }

    fn todo(&self) -> String {
        let line = |todo: &dyetrace_case::Todo| {
            let claims: Vec<String> = todo.claims.iter().map(|claim| code(claim)).collect();
            format!("- [ ] {} ({})\n", prose(&sentence(&todo.what, self.lang())), claims.join(", "))
        };
        let lines: String = self.judgement.todo.iter().map(line).collect();
        let heading = self.pick("To do, so that more can be decided", "为得出更多结论，还需要做");
        if lines.is_empty() { lines } else { format!("## {heading}\n\n{lines}\n") }
    }

    fn notes(&self) -> String {
        let line = |fact| format!("- {}\n", prose(&sentence(fact, self.lang())));
        let lines: String = self.judgement.notes.iter().map(line).collect();
        if lines.is_empty() { lines } else { format!("## {}\n\n{lines}\n", self.pick("Remarks", "说明")) }
    }

    /// Program, command, exhibits with their digests, and what could not be read of them.
    fn repeat(&self) -> String {
        let tool = &self.audit.tool;
        let (payload, opaque, lost) = self.audit.totals();
        let mut text = format!("## {}\n\n{} {}\n\n", self.pick("How to repeat", "如何重做"), tool.name, tool.version);
        if let Some(command) = self.look.command {
            let _ = writeln!(text, "{}\n", code(command));
        }
        let exhibit = |row: &crate::audit::ExhibitRow| {
            format!("- {} SHA-256 {}\n", code(&row.exhibit.path), code(&row.exhibit.id.to_string()))
        };
        text.extend(self.audit.exhibits.iter().map(exhibit));
        let [payload, opaque, lost] = [payload, opaque, lost].map(count);
        let unread = match self.lang() {
            Lang::English => format!("\nOf {payload} bytes, {opaque} could not be read and {lost} were lost.\n"),
            Lang::Chinese => format!("\n共 {payload} 字节，其中 {opaque} 字节无法读取，{lost} 字节丢失。\n"),
        };
        text + &unread
    }
}

/// A text of strangers or of the makers of the case within a sentence: nothing in it is markup, a link or a
/// mention. A backslash before ASCII punctuation makes it plain (CommonMark section 2.4); GitHub looks for
/// mentions and for numbers of issues (`#1`, `GH-1`) after that, and an empty comment parts them.
fn prose(text: &str) -> String {
    let text = clean(text);
    let mut prose = String::with_capacity(text.len());
    let (mut before, mut only_digits) = (' ', true);
    let mut characters = text.trim_start().chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        match c {
            '@' | '#' => prose.extend(["\\", c.encode_utf8(&mut [0; 4]), "<!-- -->"]),
            '-' if next.is_ascii_digit() && ends_with_gh(&prose) => prose.push_str("<!-- -->-"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '!' | '|' | '~' | '&' | '$' => {
                prose.extend(['\\', c]);
            }
            // Addresses become links, and words between colons pictures.
            ':' if next != ' ' => prose.extend(['\\', c]),
            '.' if only_digits || before.eq_ignore_ascii_case(&'w') => prose.extend(['\\', c]),
            // Lists and headings at the start of a line.
            '+' | '-' | '=' | ')' if only_digits => prose.extend(['\\', c]),
            c => prose.push(c),
        }
        only_digits &= c.is_ascii_digit();
        before = c;
    }
    prose
}

fn ends_with_gh(text: &str) -> bool {
    text.len().checked_sub(2).and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case("gh"))
}

/// A text as a code span. The two characters that could end it or part a table's cells are replaced by
/// others that look like them.
fn code(text: &str) -> String {
    let text: String = clean(text)
        .chars()
        .map(|c| {
            if c == '`' {
                'ˋ'
            } else if c == '|' {
                '¦'
            } else {
                c
            }
        })
        .collect();
    if text.trim().is_empty() { "` `".to_owned() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(prose("a|b`c`*d*<img>[x](http://y)"), "a\\|b\\`c\\`\\*d\\*\\<img\\>\\[x\\](http\\://y)");
        assert_eq!(prose("@octocat www.evil.example"), "\\@<!-- -->octocat www\\.evil.example");
        assert_eq!(prose("- x\n# y"), "\\- x·\\#<!-- --> y");
        assert_eq!(prose(" 1. x"), "1\\. x");
        assert_eq!(prose("a: 1.3 kB on 2026-03-01 :+1:"), "a: 1.3 kB on 2026-03-01 \\:+1:");
        assert_eq!(code("a`|b\\"), "`aˋ¦b\\`");
    }

    /// GitHub makes a link to an issue of such a text, and tells the issue that it was mentioned.
    #[test]
    fn no_text_refers_to_an_issue() {
        assert_eq!(prose("see #123, o/r#4"), "see \\#<!-- -->123, o/r\\#<!-- -->4");
        assert_eq!(prose("GH-1 gh-22 high-1 GH-x"), "GH<!-- -->-1 gh<!-- -->-22 high<!-- -->-1 GH-x");
    }
}
