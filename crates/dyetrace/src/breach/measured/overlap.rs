//! What dumps share, as `dyetrace judge` reads it.

use super::{newest_year_of, one};
use crate::exit::Fault;
use dyetrace_breach::{DumpReport, OverlapReport, PairReport, PasswordsReport, SharedKind};
use dyetrace_judge::{Measured, Number};
use std::path::{Path, PathBuf};

/// The longest name of a dump in the name of a number.
const LONGEST_LABEL: usize = 24;

/// What dumps are called in the names of numbers: `2013` for `old/2013.sql.gz`.
pub(in super::super) struct Labels(Vec<String>);

impl Labels {
    /// # Errors
    /// Two dumps would be called the same, or one has no name that a claim can write.
    pub(in super::super) fn of(dumps: &[PathBuf]) -> Result<Self, Fault> {
        let labels: Vec<String> = dumps.iter().map(|dump| label(dump)).collect();
        for (at, (label, path)) in labels.iter().zip(dumps).enumerate() {
            let why = match () {
                () if label.is_empty() => {
                    "--measured names dumps by their files, and this name has no letter a to z or digit"
                }
                () if labels.iter().take(at).any(|other| other == label) => {
                    "--measured names dumps by their files, and two would have the same name"
                }
                () => continue,
            };
            let fault = Fault::new(format!("{}: {why}", path.display()));
            return Err(fault.hint("give the file another name; what counts is what stands before the first dot"));
        }
        Ok(Self(labels))
    }

    /// Whether a comparison of these dumps writes numbers of such a name.
    pub(in super::super) fn is_of(&self, name: &str) -> bool {
        let ours = |part: &str| self.0.iter().any(|label| label == part);
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            ["overlap", dump, _] => ours(dump),
            ["overlap", one, "in" | "and", other, ..] => ours(one) && ours(other),
            _ => false,
        }
    }

    fn get(&self, dump: usize) -> &str {
        self.0.get(dump).map_or("", String::as_str)
    }
}

/// The letters, digits and dashes before the first dot of a file's name.
fn label(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '-' };
    let label: String = stem.chars().map(plain).take(LONGEST_LABEL).collect();
    label.trim_matches('-').to_owned()
}

/// What a comparison counted. A dump that was not read whole gives lower bounds, and no shares.
pub(in super::super) fn of_overlap(report: &OverlapReport, labels: &Labels, k: u64) -> Vec<Measured> {
    let mut all = Vec::new();
    for (index, dump) in report.dumps.iter().enumerate() {
        all.extend(of_dump(dump, labels.get(index)));
    }
    for pair in &report.pairs {
        let both = || [pair.a, pair.b].into_iter().filter_map(|dump| report.dumps.get(dump));
        let whole = both().all(|dump| dump.damages == 0);
        let compared = Compared { names: (labels.get(pair.a), labels.get(pair.b)), one_of: report.one_of, k, whole };
        for shared in &pair.shared {
            all.extend(compared.kind(shared));
        }
        all.extend(compared.passwords(pair, both().all(|dump| dump.passwords_stored == 0)));
    }
    all
}

fn of_dump(dump: &DumpReport, label: &str) -> Vec<Measured> {
    let whole = dump.damages == 0;
    let by = format!("by dyetrace breach overlap in {label}");
    let rows = dump.rows as f64;
    let mut all = Vec::new();
    if dump.rows > 0 {
        let how = format!("all rows counted {by}");
        all.push(one(&format!("overlap/{label}/rows"), rows, whole.then_some(rows), how));
    }
    all.extend(dump.newest.map(|newest| newest_year_of(&format!("overlap/{label}/newest-year"), newest, whole, &by)));
    all
}

/// Two dumps, and how they were compared.
struct Compared<'l> {
    names: (&'l str, &'l str),
    /// One of so many identifiers was compared.
    one_of: u64,
    k: u64,
    whole: bool,
}

impl Compared<'_> {
    /// What they share of one kind of identifier.
    fn kind(&self, shared: &SharedKind) -> Vec<Measured> {
        let SharedKind { kind, in_a, in_b, in_both, .. } = *shared;
        let (a, b) = self.names;
        let kind = kind.name();
        let mut all = vec![self.both(&format!("overlap/{a}/and/{b}/both/{kind}"), in_both, kind)];
        if self.whole {
            let of = |name: String, of: u64, what: &str| self.share(&name, in_both, of, &format!("{what}, of {kind}"));
            all.push(of(
                format!("overlap/{a}/in/{b}/{kind}"),
                in_a,
                &format!("different ones of {a} that are in {b} too"),
            ));
            all.push(of(
                format!("overlap/{b}/in/{a}/{kind}"),
                in_b,
                &format!("different ones of {b} that are in {a} too"),
            ));
            all.push(self.jaccard(&format!("overlap/{a}/and/{b}/jaccard/{kind}"), in_both, in_a + in_b, kind));
        }
        all
    }

    /// The least and the most that a count stands for: fewer than k are not told apart, and of a sample by digest it
    /// lies within three standard errors.
    fn bounds(&self, count: Option<u64>) -> (f64, f64) {
        let Some(count) = count else { return (0.0, self.k.saturating_sub(1) as f64) };
        let (told, one_of) = (count as f64, self.one_of as f64);
        let error = 3.0 * (told * (one_of - 1.0)).sqrt();
        ((told - error).max(0.0).floor(), (told + error).ceil())
    }

    fn both(&self, name: &str, count: Option<u64>, kind: &str) -> Measured {
        let (low, high) = self.bounds(count);
        let (a, b) = self.names;
        let how = format!("different ones of {kind} that {a} and {b} both have, {}", self.by());
        one(name, low, self.whole.then_some(high), how)
    }

    fn by(&self) -> String {
        match self.one_of {
            1 => "all compared by dyetrace breach overlap".to_owned(),
            one_of => format!("one of {one_of} compared by dyetrace breach overlap, chosen by keyed digests"),
        }
    }

    fn share(&self, name: &str, both: Option<u64>, of: u64, what: &str) -> Measured {
        let how = format!("{what}, {}", self.by());
        match both.filter(|_| self.one_of > 1) {
            Some(both) => sample(name, both / self.one_of, of / self.one_of, how),
            None => self.of_bounds(name, both, of, how),
        }
    }

    fn of_bounds(&self, name: &str, both: Option<u64>, of: u64, how: String) -> Measured {
        let (low, high) = self.bounds(both);
        let share = |part: f64| (part / of.max(1) as f64).min(1.0);
        one(name, share(low), Some(share(high)), how)
    }

    fn jaccard(&self, name: &str, both: Option<u64>, sum: u64, kind: &str) -> Measured {
        let (a, b) = self.names;
        let how = format!("those that {a} and {b} both have, of those in either, of {kind}, {}", self.by());
        if let Some(both) = both.filter(|_| self.one_of > 1) {
            return sample(name, both / self.one_of, (sum - both) / self.one_of, how);
        }
        let index = |both: f64| both / (sum as f64 - both).max(1.0);
        let (low, high) = self.bounds(both);
        one(name, index(low), Some(index(high).min(1.0)), how)
    }

    /// Passwords beside the same identifier, where all were compared. What differs may be the same under another salt.
    fn passwords(&self, pair: &PairReport, all_typed: bool) -> Vec<Measured> {
        let PasswordsReport { compared, same, cracked_in_a, cracked_in_b, .. } = pair.passwords;
        let Some(compared) = compared.filter(|compared| *compared > 0 && self.whole && self.one_of == 1) else {
            return Vec::new();
        };
        let (a, b) = self.names;
        let parts = [same, cracked_in_a, cracked_in_b];
        let low: f64 = parts.iter().map(|part| self.bounds(*part).0).sum();
        let high: f64 = parts.iter().map(|part| self.bounds(*part).1).sum();
        let share = |part: f64| (part / compared as f64).min(1.0);
        let most = if all_typed { share(high) } else { 1.0 };
        let how = format!(
            "the same password, or cracked, of {compared} identifiers with one in {a} and {b}; stored forms that differ \
             may be of the same password; {}",
            self.by()
        );
        vec![one(&format!("overlap/{a}/and/{b}/same-passwords"), share(low), Some(most), how)]
    }
}

fn sample(name: &str, hits: u64, of: u64, how: String) -> Measured {
    Measured { name: name.to_owned(), number: Number::Sample { hits, of }, how: Some(how), place: String::new() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use dyetrace_breach::Kind;

    fn labels(names: &[&str]) -> Result<Labels, Fault> {
        Labels::of(&names.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn dumps_are_called_by_their_files_and_two_of_a_name_are_refused() {
        let names = labels(&["old/2013.sql.gz", "Big List (1).txt"]).unwrap();
        assert_eq!(names.0, ["2013", "big-list--1"]);
        assert!(names.is_of("overlap/2013/rows") && names.is_of("overlap/2013/in/big-list--1/id.cn"));
        assert!(!names.is_of("overlap/2013/in/2016/email") && !names.is_of("rows"));
        assert!(labels(&["a/dump.sql", "b/dump.txt"]).is_err() && labels(&["数据.sql", "b.sql"]).is_err());
    }

    fn numbers(in_both: Option<u64>, one_of: u64, damages: u64) -> Vec<(String, Number)> {
        let dump = |damages| DumpReport {
            name: String::new(),
            rows: 1000,
            rows_without: 0,
            kinds: vec![Kind::Email],
            passwords_typed: 0,
            passwords_stored: 0,
            newest: None,
            damages,
        };
        let shared =
            SharedKind { kind: Kind::Email, in_a: 1024, in_b: 4096, in_both, a_in_b: 0.0, b_in_a: 0.0, jaccard: 0.0 };
        let pair = PairReport {
            a: 0,
            b: 1,
            shared: vec![shared],
            passwords: PasswordsReport::default(),
            only_in_a: Vec::new(),
            only_in_b: Vec::new(),
        };
        let report =
            OverlapReport { one_of, dumps: vec![dump(0), dump(damages)], pairs: vec![pair], family: Vec::new() };
        let all = of_overlap(&report, &labels(&["a", "b"]).unwrap(), 10);
        all.into_iter().filter(|number| number.name.contains("email")).map(|one| (one.name, one.number)).collect()
    }

    fn interval(low: f64, high: impl Into<Option<f64>>) -> Number {
        Number::Interval { low, high: high.into() }
    }

    #[test]
    fn fewer_than_k_are_an_interval_and_a_sample_is_told_as_one() {
        let exact = numbers(Some(512), 1, 0);
        let names = ["overlap/a/and/b/both/email", "overlap/a/in/b/email", "overlap/b/in/a/email"];
        assert!(exact.iter().zip(names).all(|((name, _), expected)| name == expected), "{exact:?}");
        let jaccard = 512.0 / (1024.0 + 4096.0 - 512.0);
        let figures = [(512.0, 512.0), (0.5, 0.5), (0.125, 0.125), (jaccard, jaccard)];
        assert!(exact.iter().map(|one| one.1).eq(figures.map(|(low, high)| interval(low, high))), "{exact:?}");
        let few = numbers(None, 1, 0);
        assert_eq!((few[0].1, few[1].1), (interval(0.0, 9.0), interval(0.0, 9.0 / 1024.0)));
        let sampled = numbers(Some(512), 4, 0);
        assert_eq!(sampled[1].1, Number::Sample { hits: 128, of: 256 });
        assert_eq!(sampled[0].1, interval(394.0, 630.0), "three standard errors of 39.2");
    }

    #[test]
    fn a_dump_that_was_not_read_whole_gives_lower_bounds_and_no_shares() {
        assert_eq!(numbers(Some(512), 1, 3), [("overlap/a/and/b/both/email".to_owned(), interval(512.0, None))]);
    }
}
