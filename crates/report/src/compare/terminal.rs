//! A comparison for people at a terminal: what got worse first.

use crate::audit::{Look, Page};
use crate::text::{clean, count};
use crate::words::{Lang, form_words, term};
use dyetrace_case::{Change, ClaimChange, Compared, Comparison, Direction, Party, PracticeChange, SeenThere, Stands};
use std::io::{self, Write};

/// Writes the page.
///
/// # Errors
/// Writing failed.
pub fn write(comparison: &Comparison, look: Look, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Writer { page: Page::new(look, out), lang };
    page.side(lang.pick("Before", "之前"), &comparison.before)?;
    page.side(lang.pick("After", "之后"), &comparison.after)?;
    page.claims(comparison)?;
    page.practices(&comparison.practices)?;
    page.recipients(comparison)
}

struct Writer<'w> {
    page: Page<'w>,
    lang: Lang,
}

impl Writer<'_> {
    fn pick(&self, english: &'static str, chinese: &'static str) -> &'static str {
        self.lang.pick(english, chinese)
    }

    fn side(&mut self, name: &str, side: &Compared) -> io::Result<()> {
        let list = |texts: &[String]| texts.iter().map(|text| clean(text)).collect::<Vec<_>>().join(self.lang.comma());
        let (runs, products) = (list(&side.runs), list(&side.products));
        let run = self.pick("run", "测试");
        self.page.line(&format!("{name}{}{products} ({run} {runs})", self.lang.colon()))?;
        if side.is_incomplete {
            self.page.line(self.pick("  part of the recording is missing or broken", "  部分录制缺失或损坏"))?;
        }
        if !side.unread.is_empty() {
            let unread: Vec<String> = side.unread.iter().cloned().collect();
            let text = self.pick("not everything could be read that was sent to", "未能全部读取发往以下接收方的内容");
            self.page.line(&format!("  {text}{}{}", self.lang.colon(), list(&unread)))?;
        }
        if side.hints == 0 {
            return Ok(());
        }
        let hints = count(side.hints as u64);
        let words = self.pick("practices that chance could explain are left out", "项可能出于偶然的行为未参与比较");
        self.page.line(&format!("  {hints} {words}"))
    }

    fn claims(&mut self, comparison: &Comparison) -> io::Result<()> {
        self.page.heading(self.pick("Claims that stand otherwise", "结论改变的声明"))?;
        let mut claims: Vec<&ClaimChange> = comparison.claims.iter().collect();
        claims.sort_by_key(|claim| claim.direction());
        claims.iter().try_for_each(|claim| self.claim(claim))?;
        let unchanged = count(comparison.claims_unchanged as u64);
        let text = self.pick("claims that stand as before", "结论不变的声明");
        self.page.line(&format!("  {text}{}{unchanged}", self.lang.colon()))
    }

    fn claim(&mut self, claim: &ClaimChange) -> io::Result<()> {
        let id = self.page.styled("1", &clean(&claim.id));
        let flip = self.flip(claim.before, claim.after);
        let word = self.direction(claim.direction());
        self.page.line(&format!("  {word}  {id}{}{flip}", self.lang.colon()))?;
        let says = claim.says_zh.as_deref().filter(|_| self.lang == Lang::Chinese).unwrap_or(&claim.says);
        self.page.line(&format!("    “{}”", clean(says)))?;
        for part in &claim.parts {
            let label =
                |(name, value): &(&str, String)| format!("{} {}", term(name, self.lang), clean(term(value, self.lang)));
            let labels = part.labels.iter().map(label).collect::<Vec<_>>().join(self.lang.comma());
            let flip = self.flip(part.before, part.after);
            self.page.line(&format!("    {labels}{}{flip}", self.lang.colon()))?;
        }
        Ok(())
    }

    fn flip(&self, before: Stands, after: Stands) -> String {
        if before == after {
            return format!("{} {}", self.pick("as a whole still", "整体仍为"), self.stands(after));
        }
        format!("{} → {}", self.stands(before), self.stands(after))
    }

    fn stands(&self, stands: Stands) -> &'static str {
        match stands {
            Stands::Absent => self.pick("not claimed", "无此声明"),
            other => term(other.name(), self.lang),
        }
    }

    fn direction(&self, direction: Direction) -> String {
        let (word, style) = match direction {
            Direction::Worse => (self.pick("worse   ", "变差"), "1;31"),
            Direction::Better => (self.pick("better  ", "改善"), "1;32"),
            Direction::Open => (self.pick("open    ", "未定"), "1;33"),
            Direction::OneSided => (self.pick("one side", "仅一方"), "2"),
            Direction::Same => (self.pick("same    ", "不变"), "2"),
        };
        self.page.styled(style, word)
    }

    fn practices(&mut self, practices: &[PracticeChange]) -> io::Result<()> {
        self.page.heading(self.pick("What left, and to whom", "送出了什么，送给谁"))?;
        let worst = |practice: &&PracticeChange| practice.changes.iter().map(|change| change.direction()).min();
        let mut changed: Vec<&PracticeChange> = practices.iter().filter(|one| !one.changes.is_empty()).collect();
        changed.sort_by_key(worst);
        for practice in changed.iter().take(self.page.limit()) {
            self.practice(practice)?;
        }
        self.page.rest(changed.len())?;
        let unchanged = count((practices.len() - changed.len()) as u64);
        let text = self.pick("practices that are as before", "不变的行为");
        self.page.line(&format!("  {text}{}{unchanged}", self.lang.colon()))
    }

    fn practice(&mut self, practice: &PracticeChange) -> io::Result<()> {
        let form = form_words(practice.form, self.lang);
        let who = self.party(&practice.party);
        let head = format!("{} → {who}{}{form}", clean(&practice.kind), self.lang.comma());
        let worst = practice.changes.iter().map(|change| change.direction()).min().unwrap_or(Direction::Same);
        let changes: Vec<&str> = practice.changes.iter().map(|change| self.change(*change)).collect();
        let changes = changes.join(self.lang.comma());
        let word = self.direction(worst);
        self.page.line(&format!("  {word}  {head}{}{changes}", self.lang.colon()))?;
        let sides = [("before", "之前", &practice.before), ("after", "之后", &practice.after)];
        for (english, chinese, seen) in sides {
            let Some(seen) = seen else { continue };
            let text = format!("    {}{}{}", self.pick(english, chinese), self.lang.colon(), self.seen(seen));
            let text = self.page.styled("2", &text);
            self.page.line(&text)?;
        }
        Ok(())
    }

    fn change(&self, change: Change) -> &'static str {
        match change {
            Change::Appeared => self.pick("appeared", "新出现"),
            Change::MoreReadable => self.pick("easier to read than before", "比之前更易读取"),
            Change::LessReadable => self.pick("harder to read than before", "比之前更难读取"),
            Change::AnotherForm => self.pick("in one more form", "多了一种形式"),
            Change::NotInThisForm => self.pick("in other forms alone now", "现在仅以其他形式出现"),
            Change::Vanished => self.pick("vanished", "已消失"),
            Change::NotTried => self.pick("not seen, and not tried", "未见，但也未检验"),
            Change::NotReadable => self.pick(
                "looks better, but not everything sent there could be read",
                "看似改善，但发往该处的内容未能全部读取",
            ),
            Change::WorseProtected => self.pick("less protected", "保护变弱"),
            Change::BetterProtected => self.pick("better protected", "保护变强"),
            Change::ProtectionUnknown => self.pick("protection not known on one side", "一方的保护情况不明"),
            Change::WithoutConsentNow => self.pick("without consent now", "现在未经同意"),
            Change::WithConsentNow => self.pick("with consent alone now", "现在仅在同意之后"),
        }
    }

    fn seen(&self, seen: &SeenThere) -> String {
        let channels: Vec<String> = seen.channels.iter().map(|channel| clean(term(channel, self.lang))).collect();
        let states: Vec<&str> = seen.states.iter().map(|state| term(state.name(), self.lang)).collect();
        let unknown = self.pick("consent not recorded", "未记录同意情况").to_owned();
        let states = if states.is_empty() { unknown } else { states.join("/") };
        let mut parts = vec![format!("{}×", count(seen.sightings)), channels.join("/"), states];
        if !seen.actions.is_empty() {
            let actions: Vec<String> = seen.actions.iter().map(|action| clean(action)).collect();
            parts.push(format!("{} {}", self.pick("during", "期间"), actions.join("/")));
        }
        parts.join(self.lang.comma())
    }

    fn party(&self, party: &Party) -> String {
        let name = match party.name.as_str() {
            "storage" => self.pick("stored files", "存储文件").to_owned(),
            name => clean(term(name, self.lang)),
        };
        match party.role {
            dyetrace_case::Role::Unknown => name,
            role => format!("{name} ({})", term(role.name(), self.lang)),
        }
    }

    fn recipients(&mut self, comparison: &Comparison) -> io::Result<()> {
        if comparison.recipients.is_empty() {
            return Ok(());
        }
        self.page.heading(self.pick("Recipients of planted values", "收到植入数据的接收方"))?;
        for change in &comparison.recipients {
            let what = if change.is_new {
                self.pick("new", "新增")
            } else {
                self.pick("gets nothing any more", "不再收到")
            };
            let kinds = change.kinds.iter().map(|kind| clean(kind)).collect::<Vec<_>>().join(self.lang.comma());
            let who = self.party(&change.party);
            self.page.line(&format!("  {who}{}{what} ({kinds})", self.lang.colon()))?;
        }
        Ok(())
    }
}
