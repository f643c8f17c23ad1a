//! Answers counted against what is true.

use super::answers::{Answer, said_same};
use super::set::{Class, Original, Query, Set};
use std::error::Error;
use std::ops::AddAssign;

/// What one answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The original was named and said to be the same.
    Found,
    /// Only the template was named.
    CannotTell,
    /// Nothing was named that has to do with it.
    Missed,
    /// The picture could not be read.
    Unreadable,
    /// The original was withheld, or nothing of its own is to be seen: there is nothing to be found.
    NothingToFind,
}

/// Counts of answers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Queries whose original is in the gallery and which show something of its own.
    pub(crate) asked: usize,
    /// The right original was said to be the same.
    pub(crate) found: usize,
    /// Only the template was named.
    pub(crate) cannot_tell: usize,
    /// The picture could not be read.
    pub(crate) unreadable: usize,
    /// Pairs of a query and an original of its class that is not its own.
    pub(crate) pairs: usize,
    /// Of these, pairs of one template.
    pub(crate) pairs_of_template: usize,
    /// Wrong originals said to be the same, of any class.
    pub(crate) false_matches: usize,
    /// Of these, originals of the same template.
    pub(crate) false_in_template: usize,
}

impl Tally {
    /// Share of the asked that were found, 0 to 1.
    pub(crate) fn recall(&self) -> f64 {
        self.found as f64 / self.asked.max(1) as f64
    }

    /// False matches in 10,000 pairs.
    pub(crate) fn false_rate(&self) -> f64 {
        self.false_matches as f64 * 1e4 / self.pairs.max(1) as f64
    }

    /// False matches within a template in 10,000 pairs of one template.
    pub(crate) fn false_rate_in_template(&self) -> f64 {
        self.false_in_template as f64 * 1e4 / self.pairs_of_template.max(1) as f64
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.asked += other.asked;
        self.found += other.found;
        self.cannot_tell += other.cannot_tell;
        self.unreadable += other.unreadable;
        self.pairs += other.pairs;
        self.pairs_of_template += other.pairs_of_template;
        self.false_matches += other.false_matches;
        self.false_in_template += other.false_in_template;
    }
}

/// Counts one answer.
pub(crate) fn tally(set: &Set, query: &Query, answer: &Answer) -> Result<(Outcome, Tally), Box<dyn Error>> {
    let own = set.original(query.original)?;
    let outcome = outcome(set, own, query, answer);
    let sought = !own.withheld && query.tells;
    let mut tally = Tally {
        asked: usize::from(sought),
        found: usize::from(outcome == Outcome::Found),
        cannot_tell: usize::from(outcome == Outcome::CannotTell),
        unreadable: usize::from(outcome == Outcome::Unreadable),
        ..Tally::default()
    };
    if let Ok(matches) = answer {
        for other in others(set, own).filter(|other| query.equal != Some(other.number)) {
            tally.pairs += usize::from(other.class == own.class);
            tally.pairs_of_template += usize::from(of_one_template(own, other));
        }
        let right = [Some(own.number), query.equal];
        for wrong in said_same(matches).filter(|number| !right.contains(&Some(*number))) {
            tally.false_matches += 1;
            tally.false_in_template += usize::from(of_one_template(own, set.original(wrong)?));
        }
    }
    Ok((outcome, tally))
}

fn outcome(set: &Set, own: &Original, query: &Query, answer: &Answer) -> Outcome {
    if own.withheld || !query.tells {
        return Outcome::NothingToFind;
    }
    let Ok(matches) = answer else { return Outcome::Unreadable };
    if said_same(matches).any(|number| number == own.number) {
        return Outcome::Found;
    }
    let named =
        |number| set.original(number).is_ok_and(|other| other.number == own.number || of_one_template(own, other));
    if matches.iter().any(|found| named(found.original)) { Outcome::CannotTell } else { Outcome::Missed }
}

fn others<'a>(set: &'a Set, own: &Original) -> impl Iterator<Item = &'a Original> {
    let own = own.number;
    set.originals.iter().filter(move |other| !other.withheld && other.number != own)
}

/// Photographs have no template.
fn of_one_template(one: &Original, other: &Original) -> bool {
    one.class != Class::Photo && one.class == other.class && one.template == other.template
}

#[cfg(test)]
mod tests {
    use super::super::answers::Named;
    use super::*;

    /// Two screens of one template and a photograph in the gallery; a third screen of the template is withheld.
    fn set() -> Set {
        let original = |number, class, template: &str, withheld| Original {
            number,
            class,
            template: template.to_owned(),
            withheld,
            file: String::new(),
            sha256: String::new(),
        };
        let originals = vec![
            original(0, Class::Photo, "sea", false),
            original(1, Class::Screen, "home", false),
            original(2, Class::Screen, "home", false),
            original(3, Class::Screen, "home", true),
        ];
        Set { folder: "".into(), originals, queries: Vec::new() }
    }

    fn query(original: u32, tells: bool) -> Query {
        Query { file: String::new(), original, transformation: "JPEG 50".to_owned(), tells, equal: None }
    }

    fn answer(named: &[(u32, bool)]) -> Vec<Named> {
        named.iter().map(|&(original, same)| Named { original, same, reason: String::new() }).collect()
    }

    #[test]
    fn naming_the_right_original_is_a_find_and_naming_its_sibling_too_is_a_false_match() {
        let (outcome, counts) = tally(&set(), &query(1, true), &Ok(answer(&[(1, true), (2, true)]))).unwrap();
        assert_eq!(outcome, Outcome::Found);
        assert_eq!((counts.asked, counts.found, counts.pairs), (1, 1, 1));
        assert_eq!((counts.false_matches, counts.false_in_template), (1, 1));
    }

    #[test]
    fn naming_a_sibling_as_the_template_is_not_being_able_to_tell() {
        let (outcome, counts) = tally(&set(), &query(1, true), &Ok(answer(&[(2, false)]))).unwrap();
        assert_eq!((outcome, counts.false_matches), (Outcome::CannotTell, 0));
        assert_eq!(tally(&set(), &query(1, true), &Ok(answer(&[(0, false)]))).unwrap().0, Outcome::Missed);
        assert_eq!(tally(&set(), &query(1, true), &Err("bad".to_owned())).unwrap().0, Outcome::Unreadable);
    }

    #[test]
    fn of_a_withheld_original_every_match_is_false() {
        let (outcome, counts) = tally(&set(), &query(3, true), &Ok(answer(&[(1, true), (0, true)]))).unwrap();
        assert_eq!(outcome, Outcome::NothingToFind);
        assert_eq!((counts.asked, counts.pairs, counts.false_matches, counts.false_in_template), (0, 2, 2, 1));
    }

    #[test]
    fn a_part_that_two_originals_share_accuses_neither() {
        let shared = Query { equal: Some(1), ..query(3, true) };
        let (_, counts) = tally(&set(), &shared, &Ok(answer(&[(1, true)]))).unwrap();
        assert_eq!((counts.pairs, counts.false_matches), (1, 0));
    }

    #[test]
    fn a_part_that_tells_nothing_is_not_asked_for_but_its_false_matches_count() {
        let (outcome, counts) = tally(&set(), &query(1, false), &Ok(answer(&[(1, true), (2, true)]))).unwrap();
        assert_eq!((outcome, counts.asked, counts.false_matches), (Outcome::NothingToFind, 0, 1));
    }
}
