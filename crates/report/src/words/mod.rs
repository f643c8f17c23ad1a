//! Facts and fixed words in the reader's language.
//!
//! A judged case holds facts as codes with values. One table turns each code into a sentence in
//! English and in Chinese; a second one holds the fixed words of files and JSON. A code that the
//! table does not know is printed with its values rather than dropped.

mod reasons;
mod sentences;
mod terms;

pub(crate) use reasons::reason;
pub use reasons::reasons;

use crate::text::{bytes, count};
use dyetrace_case::{Fact, Form};
use std::str::FromStr;

/// A language that reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

/// A text that names no language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LangError;

impl std::fmt::Display for LangError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reports are written in en or zh")
    }
}

impl std::error::Error for LangError {}

impl FromStr for Lang {
    type Err = LangError;

    fn from_str(text: &str) -> Result<Self, LangError> {
        match text {
            "en" => Ok(Self::English),
            "zh" => Ok(Self::Chinese),
            _ => Err(LangError),
        }
    }
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language's tag (BCP 47), as in HTML's `lang`.
    pub fn tag(self) -> &'static str {
        self.pick("en", "zh-Hans")
    }

    /// The text of this language.
    pub fn pick<'t>(self, english: &'t str, chinese: &'t str) -> &'t str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// Between the parts of a list.
    pub(crate) fn comma(self) -> &'static str {
        self.pick(", ", "、")
    }

    /// Before an explanation.
    pub(crate) fn colon(self) -> &'static str {
        self.pick(": ", "：")
    }
}

/// A fact as a sentence without its full stop.
pub fn sentence(fact: &Fact, lang: Lang) -> String {
    let known = sentences::SENTENCES.iter().find(|(code, _, _)| *code == fact.code);
    known.map_or_else(|| bare(fact), |(_, english, chinese)| fill(lang.pick(english, chinese), fact, lang))
}

/// What became of a value, in words. `clear` here says that nothing was wrapped around it, not that the channel
/// was: on the same line as a channel, "in clear" would read as the contrary of what was seen.
pub fn form_words(form: Form, lang: Lang) -> &'static str {
    match form {
        Form::Clear => lang.pick("unwrapped", "未包装"),
        other => term(other.name(), lang),
    }
}

/// The fixed word of files and JSON in the reader's language; a word that is not fixed stays as it is.
pub fn term(word: &str, lang: Lang) -> &str {
    let known = terms::TERMS.iter().find(|(name, _, _)| *name == word);
    known.map_or(word, |(_, english, chinese)| lang.pick(english, chinese))
}

/// Every code that has a sentence.
pub fn codes() -> impl Iterator<Item = &'static str> {
    sentences::SENTENCES.iter().map(|(code, _, _)| *code)
}

/// The names of the values that a code's sentence shows in a language; empty for unknown codes.
pub fn places(code: &str, lang: Lang) -> Vec<&'static str> {
    let known = sentences::SENTENCES.iter().find(|(known, _, _)| *known == code);
    let template = known.map_or("", |(_, english, chinese)| lang.pick(english, chinese));
    template.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next()).collect()
}

/// A code without a sentence, with its values.
fn bare(fact: &Fact) -> String {
    let values: Vec<String> = fact.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if values.is_empty() { fact.code.to_owned() } else { format!("{} ({})", fact.code, values.join(", ")) }
}

/// Puts values in the places of a template: `{name}` as it is, `{name:count}` with digits in groups,
/// `{name:bytes}` as an amount, `{name:term}` in the reader's language, `{name:any}` too where absence means
/// any, `{name:one/many}` as a number with its noun, `{name:share}` in percent, `{name:why}` as the sentence of the code that the value is,
/// `{name:reason}` as a reader's sentence, in the reader's language where it is known there.
fn fill(template: &str, fact: &Fact, lang: Lang) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((place, behind)) = after.split_once('}') else { break };
        let (name, way) = place.split_once(':').unwrap_or((place, ""));
        text.push_str(&shown(fact.value(name), way, lang));
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn shown(value: Option<&str>, way: &str, lang: Lang) -> String {
    let value = match value {
        None | Some("") if way == "any" => return lang.pick("any", "任意").to_owned(),
        None | Some("") => return lang.pick("(not known)", "（未知）").to_owned(),
        Some(value) => value,
    };
    match (way, value.parse::<u64>()) {
        ("count", Ok(number)) => count(number),
        ("bytes", Ok(number)) => bytes(number),
        ("share", _) => value.parse().map_or_else(|_| value.to_owned(), share),
        (nouns, Ok(number)) if nouns.contains('/') => counted(number, nouns),
        ("reason", _) => reason(value, lang).unwrap_or_else(|| value.to_owned()),
        ("why", _) => {
            value.split(", ").map(|code| bare_sentence(code, lang)).collect::<Vec<_>>().join(lang.pick("; ", "；"))
        }
        ("term" | "any", _) => value.split(", ").map(|word| term(word, lang)).collect::<Vec<_>>().join(lang.comma()),
        _ => value.to_owned(),
    }
}

/// `3 sightings`, from the singular and the plural.
fn counted(number: u64, nouns: &str) -> String {
    let (one, many) = nouns.split_once('/').unwrap_or((nouns, nouns));
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `12.5 %` of 0.125, without a fraction that is nothing.
fn share(share: f64) -> String {
    let percent = format!("{:.1}", share * 100.0);
    format!("{} %", percent.strip_suffix(".0").unwrap_or(&percent))
}

/// The sentence of a code whose values are not at hand.
fn bare_sentence(code: &str, lang: Lang) -> String {
    let Some((_, english, chinese)) = sentences::SENTENCES.iter().find(|(known, _, _)| *known == code) else {
        return term(code, lang).to_owned();
    };
    let mut text = String::new();
    for (index, piece) in lang.pick(english, chinese).split('{').enumerate() {
        let piece = if index == 0 { piece } else { piece.split_once('}').map_or("", |(_, behind)| behind) };
        text.push_str(if index == 0 { "" } else { "…" });
        text.push_str(piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn values_are_put_in_their_places() {
        let fact = Fact::new("x")
            .with("n", 12_345)
            .with("size", 2_500_000)
            .with("state", "not-asked, given")
            .with("share", "0.125");
        let text = fill(
            "{n:count} of {n} {size:bytes} {state:term} {missing} {n:thing/things} {share:share} {state2:any}.",
            &fact,
            Lang::English,
        );
        assert_eq!(
            text,
            "12,345 of 12345 2.5 MB consent not asked, consent given (not known) 12,345 things 12.5 % any."
        );
        assert_eq!(fill("{state:term}", &fact, Lang::Chinese), "尚未征求同意、已同意");
    }

    #[test]
    fn a_reason_within_a_sentence_is_a_sentence_too() {
        let fact = Fact::new("discounted").with("why", "chance, form-not-claimed").with("practices", 2);
        let text =
            "not counted: 2 practices, because chance alone could explain it; the claim does not speak of this form: …";
        assert_eq!(sentence(&fact, Lang::English), text);
    }

    #[test]
    fn values_are_never_templates() {
        let fact = Fact::new("x").with("a", "{b}").with("b", "secret");
        assert_eq!(fill("{a}!", &fact, Lang::English), "{b}!");
    }

    #[test]
    fn a_code_without_a_sentence_is_printed_with_its_values() {
        let fact = Fact::new("no-such-code").with("count", 3).with("of", 4);
        assert_eq!(sentence(&fact, Lang::Chinese), "no-such-code (count 3, of 4)");
    }

    #[test]
    fn each_code_and_each_term_stands_once_and_both_languages_show_the_same_values() {
        let all: Vec<&str> = codes().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        let words: BTreeSet<&str> = terms::TERMS.iter().map(|(word, _, _)| *word).collect();
        assert_eq!(words.len(), terms::TERMS.len());
        for code in all {
            let [english, chinese] = Lang::ALL.map(|lang| places(code, lang).into_iter().collect::<BTreeSet<_>>());
            assert_eq!(english, chinese, "{code}");
        }
    }
}
