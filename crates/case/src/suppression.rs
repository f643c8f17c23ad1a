//! Exceptions that somebody answers for: `suppressions.yaml` of a case.

use crate::refusal::Refusal;
use crate::{DatumId, Recipient};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::fmt;

/// A day of the calendar, as `2026-03-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    of_month: u8,
}

impl Day {
    /// The day of a text as `2026-03-01`, or of the date and time that begins so.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.split_once('T').map_or(text, |(day, _)| day);
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let (year, month, day) = (number(4)?, number(2)? as u8, number(2)? as u8);
        let is_day = parts.next().is_none() && (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
        is_day.then_some(Self { year, month, of_month: day })
    }
}

/// Days of a month in the Gregorian calendar.
fn length(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(400) || (year.is_multiple_of(4) && !year.is_multiple_of(100)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.of_month)
    }
}

/// A finding that is known and accepted for a time. The verdict stays what it is; it is shown as
/// suppressed, with this reason, and does not fail the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The id of a claim or rule; absent: any.
    pub claim: Option<String>,
    /// A datum or its kind, or the kinds' common start (`wifi`); absent: any.
    pub datum: Option<String>,
    /// A domain with all below it, or an address; absent: any.
    pub recipient: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub expires: Day,
    /// Who answers for it.
    pub who: Option<String>,
    /// File and line.
    pub place: String,
}

/// Why `suppressions.yaml` was refused: file, line, column, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionError(String);

impl fmt::Display for SuppressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SuppressionError {}

/// The file as it is written. An unknown key is refused: a misspelt selector would suppress more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    suppressions: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    claim: Option<String>,
    datum: Option<String>,
    recipient: Option<Spanned<String>>,
    reason: Spanned<String>,
    expires: Spanned<String>,
    who: Option<String>,
}

impl Suppression {
    /// Reads `suppressions.yaml`; `file` is its name in places and errors.
    ///
    /// # Errors
    /// The text is not of the form, or an entry selects everything, gives no reason or no last day.
    pub fn read(file: &str, text: &str) -> Result<Vec<Self>, SuppressionError> {
        let refused = |refusal: Refusal| SuppressionError(format!("{file}: {refusal}"));
        let options = serde_saphyr::options! { with_snippet: false };
        let entries: Entries =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| refused(Refusal::of_yaml(&error)))?;
        entries.suppressions.into_iter().map(|entry| Self::of(entry, file).map_err(refused)).collect()
    }

    fn of(spanned: Spanned<Entry>, file: &str) -> Result<Self, Refusal> {
        let place = format!("{file}:{}", spanned.referenced.line());
        if spanned.value.claim.is_none() && spanned.value.datum.is_none() && spanned.value.recipient.is_none() {
            let reason = "this would suppress everything: name a `claim`, a `datum` or a `recipient`";
            return Err(Refusal::at(&spanned, reason));
        }
        let entry = spanned.value;
        if entry.reason.value.trim().is_empty() {
            return Err(Refusal::at(&entry.reason, "a suppression needs a reason that others can judge"));
        }
        let day = Day::of_text(&entry.expires.value);
        let party = entry.recipient.as_ref().map(|name| {
            crate::party_name(&name.value).map_err(|_| Refusal::at(name, "a recipient here is a domain or an address"))
        });
        Ok(Self {
            claim: entry.claim,
            datum: entry.datum,
            recipient: party.transpose()?,
            reason: entry.reason.value,
            expires: day.ok_or_else(|| Refusal::at(&entry.expires, "the last day is written as \"2026-12-31\""))?,
            who: entry.who,
            place,
        })
    }

    /// Does it speak of this claim, and of this datum at this recipient? A finding without datum and
    /// recipient is only met by a suppression that names neither.
    pub(crate) fn covers(&self, claim: &str, about: Option<(&DatumId, &Recipient)>) -> bool {
        let claim_fits = self.claim.as_ref().is_none_or(|wanted| wanted == claim);
        claim_fits
            && match about {
                Some((datum, recipient)) => self.fits_datum(datum) && self.fits_recipient(recipient),
                None => self.datum.is_none() && self.recipient.is_none(),
            }
    }

    fn fits_datum(&self, datum: &DatumId) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '#']);
        self.datum.as_ref().is_none_or(|wanted| datum.0.strip_prefix(wanted.as_str()).is_some_and(below))
    }

    fn fits_recipient(&self, recipient: &Recipient) -> bool {
        let Some(wanted) = &self.recipient else { return true };
        let name = recipient.name.as_ref().map(|name| name.to_ascii_lowercase());
        let is_below =
            |name: &str| name.strip_suffix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let address = recipient.address.filter(|_| name.is_none()).map(|address| address.to_string());
        name.as_deref().is_some_and(is_below) || address.as_ref() == Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    const GOOD: &str = "suppressions:
  - claim: s1.sent-encrypted
    datum: wifi
    recipient: Metrics.example
    reason: reported to the maker, fix announced
    expires: 2026-12-31
    who: M. Tester
";

    fn refused(text: &str) -> String {
        Suppression::read("suppressions.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_exception_covers_what_it_names_and_nothing_beside_it() {
        let one = Suppression::read("suppressions.yaml", GOOD).unwrap().swap_remove(0);
        assert_eq!((one.place.as_str(), one.expires.to_string().as_str()), ("suppressions.yaml:2", "2026-12-31"));
        let recipient = |name: &str| Recipient::unknown(Some(name.to_owned()), None, Scope::Wan);
        let covers = |claim: &str, datum: &str, name: &str| {
            one.covers(claim, Some((&DatumId(datum.to_owned()), &recipient(name))))
        };
        assert!(covers("s1.sent-encrypted", "wifi.password#2", "collect.metrics.example"));
        assert!(!covers("s1.sent", "wifi.password", "metrics.example"));
        assert!(!covers("s1.sent-encrypted", "wifix", "metrics.example"));
        assert!(!covers("s1.sent-encrypted", "wifi", "notmetrics.example"));
        assert!(!one.covers("s1.sent-encrypted", None), "what names a datum does not cover a whole claim");
    }

    #[test]
    fn a_misspelt_key_no_reason_no_end_and_everything_are_refused_with_a_place() {
        let without = |line: &str| GOOD.lines().filter(|other| !other.contains(line)).collect::<Vec<_>>().join("\n");
        assert!(refused(&without("expires")).contains("`expires` is missing"));
        assert!(refused(&without("reason")).contains("`reason` is missing"));
        let misspelt = refused(&GOOD.replace("recipient:", "recepient:"));
        assert!(misspelt.contains("line 4") && misspelt.contains("recipient"), "{misspelt}");
        assert!(refused(&GOOD.replace("2026-12-31", "2026-02-30")).contains("line 6"));
        assert!(refused(&GOOD.replace("reported to the maker, fix announced", "' '")).contains("needs a reason"));
        let all = "suppressions:\n  - { reason: tired of it, expires: 2026-12-31 }\n";
        assert!(refused(all).contains("everything"));
    }

    #[test]
    fn days_are_those_of_the_calendar_and_have_an_order() {
        let day = |text: &str| Day::of_text(text);
        assert!(day("2024-02-29").is_some() && day("2026-02-29").is_none() && day("1900-02-29").is_none());
        assert!(
            ["2026-1-01", "2026-01-01-01", "+026-01-01", "", "2026-13-01", "2026-00-10"]
                .iter()
                .all(|text| day(text).is_none())
        );
        assert!(day("2026-09-30") < day("2026-10-01T00:00:00Z"));
    }
}
