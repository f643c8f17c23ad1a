//! Bodies to measure speed on: the text of the web, and JSON full of base64 and hex.

use crate::random::Random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// What the bodies are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// HTML, scripts, style sheets, prose and JSON of words, in turn.
    Text,
    /// JSON of which about two fifths are identifiers, digests and blobs in hex and base64.
    Runs,
}

/// Gives bodies of 64 KiB to 1 MiB for ever.
pub(crate) struct Bodies {
    mix: Mix,
    random: Random,
    words: Vec<String>,
    turn: usize,
}

impl Bodies {
    /// From a seed.
    pub(crate) fn new(mix: Mix, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let words = (0..4000).map(|_| word(&mut random)).collect();
        Self { mix, random, words, turn: 0 }
    }

    /// The next body.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let length = self.random.between(64 << 10, 1 << 20);
        let mut text = String::with_capacity(length + 4096);
        self.turn += 1;
        let turn = self.turn;
        while text.len() < length {
            match (self.mix, turn % 5) {
                (Mix::Runs, _) => self.event_of_runs(&mut text),
                (_, 0) => self.html(&mut text),
                (_, 1) => self.script(&mut text),
                (_, 2) => self.style(&mut text),
                (_, 3) => self.prose(&mut text, 60),
                _ => self.event(&mut text),
            }
        }
        text.into_bytes()
    }

    /// Some words are much commoner than others, as in any language.
    fn word(&mut self) -> &str {
        let end = self.random.between(1, self.words.len());
        let end = self.random.between(0, end);
        &self.words[end]
    }

    fn prose(&mut self, text: &mut String, words: usize) {
        for at in 0..words {
            let word = self.word().to_owned();
            text.push_str(&word);
            text.push_str(if at % 11 == 10 { ", " } else { " " });
        }
        text.push_str(".\n");
    }

    fn html(&mut self, text: &mut String) {
        let (class, id, href) = (self.word().to_owned(), self.random.below(9999), self.word().to_owned());
        let _ = write!(text, "<div class=\"{class} card\" id=\"n{id}\"><a href=\"/{href}/{id}?page=2&amp;sort=asc\">");
        self.prose(text, 12);
        text.push_str("</a><p>");
        self.prose(text, 40);
        text.push_str("</p></div>\n");
    }

    fn script(&mut self, text: &mut String) {
        let (name, first, second) = (self.word().to_owned(), self.word().to_owned(), self.word().to_owned());
        let number = self.random.below(500);
        let _ = writeln!(
            text,
            "function {name}(e,t){{if(!e||e.{first}!==t.{second})return null;for(var n=0;n<{number};n++){{e.{first}[n]=t.{second}(n,\"{name}\")}}return e.{name}||{{}}}}"
        );
    }

    fn style(&mut self, text: &mut String) {
        let (name, other, size) = (self.word().to_owned(), self.word().to_owned(), self.random.below(64));
        let color = self.random.text(6, b"0123456789abcdef");
        let _ = writeln!(
            text,
            ".{name} .{other}:hover{{margin:0 {size}px;color:#{color};background:url(/i/{other}.png) no-repeat}}"
        );
    }

    fn event(&mut self, text: &mut String) {
        let (name, id, time) = (self.word().to_owned(), self.random.below(100_000), self.random.below(1_000_000_000));
        let _ = write!(text, "{{\"id\":{id},\"time\":{time},\"name\":\"{name}\",\"text\":\"");
        for _ in 0..12 {
            let word = self.word().to_owned();
            text.push_str(&word);
            text.push(' ');
        }
        let _ = writeln!(text, "\",\"tags\":[\"{name}\",\"new\"],\"ok\":true}},");
    }

    fn event_of_runs(&mut self, text: &mut String) {
        for _ in 0..2 {
            self.event(text);
        }
        let (session, digest) = (self.random.text(32, HEX), self.random.text(64, HEX));
        let blob = self.random.between(30, 150);
        let blob = STANDARD.encode(self.random.bytes(blob));
        let _ = writeln!(text, "{{\"session\":\"{session}\",\"sha256\":\"{digest}\",\"blob\":\"{blob}\"}},");
    }
}

const HEX: &[u8] = b"0123456789abcdef";

fn word(random: &mut Random) -> String {
    let syllables = [
        "ba", "con", "de", "fi", "gra", "hou", "in", "ka", "lo", "mer", "no", "pre", "ri", "sta", "ter", "un", "ve",
        "wi",
    ];
    (0..random.between(1, 5)).map(|_| syllables[random.below(syllables.len())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fifths_of_the_second_mix_are_runs() {
        let body = Bodies::new(Mix::Runs, 1).next();
        let text = String::from_utf8(body).unwrap();
        let long = |run: &&str| run.len() >= 30;
        let runs: usize =
            text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).filter(long).map(str::len).sum();
        let share = runs as f64 / text.len() as f64;
        assert!((0.33..0.5).contains(&share), "{share}");
    }
}
