//! What is wrong in a claim file, where, and what may be written instead.

use std::fmt;

/// An error in a file of claims, rules or measured numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimError {
    /// The file, as it was named to the reader.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What is wrong and what may be written instead.
    pub reason: String,
    /// The line as it stands in the file.
    pub shown: String,
    /// How many characters are marked.
    pub width: usize,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.reason)?;
        let number = self.line.to_string();
        let shown: String = self.shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let before: String = shown.chars().take(self.column.saturating_sub(1) as usize).map(blank).collect();
        let margin = " ".repeat(number.len());
        write!(f, "\n {number} | {shown}\n {margin} | {before}{}", "^".repeat(self.width.max(1)))
    }
}

impl std::error::Error for ClaimError {}

/// A blank as wide as the character: East Asian ones take two columns (UAX #11, in broad strokes).
fn blank(c: char) -> &'static str {
    if ('\u{1100}'..='\u{ffdc}').contains(&c) { "  " } else { " " }
}

/// Says that a word is none of the allowed ones: the nearest first.
pub(crate) fn unknown(what: &str, word: &str, allowed: &[&str]) -> String {
    let mut nearest: Vec<(usize, &str)> = allowed.iter().map(|other| (distance(word, other), *other)).collect();
    nearest.sort_by_key(|(distance, _)| *distance);
    let words: Vec<&str> = nearest.iter().map(|(_, word)| *word).collect();
    let close = nearest.first().filter(|(distance, other)| *distance <= 2.max(other.chars().count() / 3));
    let guess = close.map(|(_, other)| format!(": did you mean `{other}`?")).unwrap_or_default();
    let word: String = word.chars().take(60).collect();
    format!("unknown {what} `{word}`{guess}{} allowed: {}", if guess.is_empty() { ";" } else { "" }, words.join(", "))
}

/// Optimal string alignment distance: insertions, deletions, changes, neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_comes_first() {
        let text = unknown("key", "protecton_below", &["data", "protection_below", "reaches"]);
        assert!(text.contains("did you mean `protection_below`? allowed: protection_below, "), "{text}");
        assert!(!unknown("key", "zzzzzzzz", &["data"]).contains("did you mean"));
        assert_eq!(distance("wna", "wan"), 1);
    }
}
