//! A judgement for people at a terminal: what is contradicted, why, and what is left to do.

use super::{Standing, action_words, consent_words, decisive_first, in_order, labels, questions, said};
use crate::audit::{Audit, Look, Page};
use crate::text::{clean, count};
use crate::words::{Lang, form_words, sentence, term};
use dyetrace_case::{
    CoverageLine, Fact, JudgedClaim, JudgedPart, Judgement, Met, Practice, Statement, Transfer, Verdict,
};
use std::io::{self, Write};

/// Writes the page.
///
/// # Errors
/// Writing failed.
pub fn write(judgement: &Judgement, audit: &Audit, look: Look, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Writer { page: Page::new(look, out), judgement, lang };
    if let Some(case) = &audit.case {
        let title = page.page.styled("1", &clean(&case.title));
        page.page.line(&title)?;
        case.question.iter().try_for_each(|question| page.page.line(&clean(question)))?;
    }
    page.summary()?;
    for (_, claim) in in_order(judgement) {
        page.claim(claim)?;
    }
    page.todo()?;
    page.facts(lang.pick("Remarks", "说明"), &judgement.notes)
}

/// Writes what is missing alone: the tester's to-do list.
///
/// # Errors
/// Writing failed.
pub fn write_plan(judgement: &Judgement, look: Look, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Writer { page: Page::new(look, out), judgement, lang };
    page.summary()?;
    if judgement.todo.is_empty() {
        let nothing = page
            .pick("\nThere is nothing to do that would decide more.", "\n没有能够得出更多结论的待办事项。")
            .to_owned();
        return page.page.line(&nothing);
    }
    page.todo()
}

struct Writer<'a> {
    page: Page<'a>,
    judgement: &'a Judgement,
    lang: Lang,
}

impl Writer<'_> {
    fn pick<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        self.lang.pick(english, chinese)
    }

    fn summary(&mut self) -> io::Result<()> {
        if self.judgement.claims.is_empty() {
            let text = self.pick("\nNo claim and no rule was judged.", "\n没有需要评判的声明或规则。").to_owned();
            return self.page.line(&text);
        }
        let counted = Standing::ALL.map(|standing| (standing, standing.count(self.judgement)));
        let parts: Vec<String> = counted
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|(standing, amount)| self.page.styled(style(standing), &format!("{amount} {}", self.name(standing))))
            .collect();
        let of = count(self.judgement.claims.len() as u64);
        let head = match self.lang {
            Lang::English if self.judgement.claims.len() == 1 => "\nOf 1 claim or rule: ".to_owned(),
            Lang::English => format!("\nOf {of} claims and rules: "),
            Lang::Chinese => format!("\n{of} 条声明与规则中："),
        };
        self.page.line(&format!("{head}{}", parts.join(self.lang.comma())))
    }

    fn name(&self, standing: Standing) -> &'static str {
        term(standing.name(), self.lang)
    }

    fn claim(&mut self, claim: &JudgedClaim) -> io::Result<()> {
        let standing = Standing::of(claim);
        let verdict = format!("{} {}", standing.sign(), self.name(standing));
        let verdict = self.page.styled(style(standing), &verdict);
        let id = self.page.styled("1", &clean(&claim.statement.id));
        self.page.line(&format!("\n{verdict}  {id}"))?;
        let says = said(&claim.statement, self.lang);
        self.page.line(&format!("  “{}”", clean(says)))?;
        if let Some(source) = source(&claim.statement) {
            let source = self.page.styled("2", &source);
            self.page.line(&format!("  {source}"))?;
        }
        if standing == Standing::Review {
            let alone = self.pick("On the evidence alone", "仅就证据而言").to_owned();
            let verdict = self.name(Standing::from(claim.verdict));
            self.page.line(&format!("  {alone}{}{verdict}", self.lang.colon()))?;
        }
        for question in questions(claim, self.lang) {
            let open = self.pick("Open question: ", "待答问题：").to_owned();
            self.page.line(&format!("  {open}{}", clean(question)))?;
        }
        let several = claim.parts.len() > 1;
        decisive_first(claim).into_iter().filter(|_| claim.applies).try_for_each(|part| self.part(part, several))
    }

    fn part(&mut self, part: &JudgedPart, several: bool) -> io::Result<()> {
        if several || !part.labels.is_empty() {
            let standing = Standing::from(part.verdict);
            let verdict = self.page.styled(style(standing), self.name(standing));
            let labels = labels(part, self.lang);
            self.page.line(&format!("  {labels}{}{verdict}", self.lang.colon()))?;
        }
        for fact in &part.reasons {
            self.page.line(&format!("    {}", clean(&sentence(fact, self.lang))))?;
        }
        for witness in part.witnesses.iter().take(self.page.limit()) {
            self.practice(*witness, None)?;
        }
        self.page.rest(part.witnesses.len())?;
        for (practice, why) in part.discounted.iter().take(self.page.limit()) {
            self.practice(*practice, Some(why))?;
        }
        self.page.rest(part.discounted.len())?;
        self.coverage_of(part)?;
        for fact in &part.numbers {
            let text = self.page.styled("2", &clean(&sentence(fact, self.lang)));
            self.page.line(&format!("    {text}"))?;
        }
        Ok(())
    }

    /// What was covered carries a claim that is supported or open. A contradicted one stands without it, so a page
    /// that is to be read at once leaves it out; so it does with what the claim does not need.
    fn coverage_of(&mut self, part: &JudgedPart) -> io::Result<()> {
        if self.page.all() {
            return part.coverage.iter().try_for_each(|line| self.coverage(line));
        }
        if part.verdict == Verdict::Contradicted {
            return Ok(());
        }
        let mut needed = part.coverage.iter().filter(|line| line.met != Met::NotNeeded);
        needed.try_for_each(|line| self.coverage(line))
    }

    fn coverage(&mut self, line: &CoverageLine) -> io::Result<()> {
        let (sign, ansi) = match line.met {
            Met::Yes => ("✓", "32"),
            Met::No => ("○", "33"),
            Met::NotNeeded => ("–", "2"),
        };
        let name = term(line.requirement.name(), self.lang);
        let text = self.page.styled(ansi, &format!("{sign} {name}"));
        let facts: Vec<String> = line.facts.iter().map(|fact| clean(&sentence(fact, self.lang))).collect();
        match facts.as_slice() {
            [] => self.page.line(&format!("    {text}{}{}", self.lang.colon(), term(line.met.name(), self.lang))),
            [one] => self.page.line(&format!("    {text}{}{one}", self.lang.colon())),
            several => {
                self.page.line(&format!("    {text}"))?;
                several.iter().try_for_each(|fact| self.page.line(&format!("        {fact}")))
            }
        }
    }

    fn practice(&mut self, index: usize, discounted: Option<&Fact>) -> io::Result<()> {
        let Some(practice) = self.judgement.practices.get(index) else { return Ok(()) };
        let ids = practice.shown.iter().map(|shown| shown.sighting.0.get(..8).unwrap_or(&shown.sighting.0));
        let ids = ids.take(3).collect::<Vec<_>>().join(" ");
        let text = practice_line(self.judgement, practice, self.lang);
        match discounted {
            None => {
                let sign = self.page.styled("31", "→");
                self.page.line(&format!("    {sign} {text}  {ids}"))
            }
            Some(why) => {
                let why = clean(&sentence(why, self.lang));
                let does_not_count = self.pick("does not count", "不计入");
                let text = format!("    ({does_not_count}{}{why}) {text}  {ids}", self.lang.colon());
                let text = self.page.styled("2", &text);
                self.page.line(&text)
            }
        }
    }

    fn todo(&mut self) -> io::Result<()> {
        if self.judgement.todo.is_empty() {
            return Ok(());
        }
        let heading = self.pick("To do, so that more can be decided", "为得出更多结论，还需要做").to_owned();
        self.page.heading(&heading)?;
        for todo in &self.judgement.todo {
            let claims: Vec<String> = todo.claims.iter().map(|claim| clean(claim)).collect();
            let what = clean(&sentence(&todo.what, self.lang));
            let claims = self.page.styled("2", &claims.join(", "));
            self.page.line(&format!("  ☐ {what}  {claims}"))?;
        }
        Ok(())
    }

    fn facts(&mut self, heading: &str, facts: &[Fact]) -> io::Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        self.page.heading(heading)?;
        facts.iter().try_for_each(|fact| self.page.line(&format!("  {}", clean(&sentence(fact, self.lang)))))
    }
}

/// SGR codes by standing.
fn style(standing: Standing) -> &'static str {
    match standing {
        Standing::Contradicted => "1;31",
        Standing::Review => "1;35",
        Standing::NotExercised => "1;33",
        Standing::Supported => "1;32",
        Standing::OutOfScope => "2",
    }
}

fn source(statement: &Statement) -> Option<String> {
    let source = statement.source.as_ref();
    let texts = [
        statement.vendor.as_deref(),
        source.map(|source| source.title.as_str()),
        source.and_then(|source| source.date.as_deref()),
        statement.pack.as_deref(),
    ];
    let cites = statement.cites.iter().map(|cited| cited.text.as_str());
    let parts: Vec<String> = texts.into_iter().flatten().chain(cites).map(clean).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// One practice as a line of words.
fn practice_line(judgement: &Judgement, practice: &Practice, lang: Lang) -> String {
    let key = &practice.key;
    let who = judgement.recipients.get(key.recipient).map_or_else(|| "?".to_owned(), dyetrace_case::Recipient::shown);
    let mut parts = vec![
        format!("{} → {}", clean(&key.datum.0), clean(&who)),
        format!("{}×", count(practice.count)),
        form_words(key.form, lang).to_owned(),
        if key.transfer == Transfer::Kept { String::new() } else { clean(&key.channel) },
        term(key.transfer.name(), lang).to_owned(),
    ];
    parts.push(consent_words(judgement, practice, lang));
    parts.extend(action_words(judgement, practice, lang));
    parts.retain(|part| !part.is_empty());
    parts.join(lang.comma())
}
