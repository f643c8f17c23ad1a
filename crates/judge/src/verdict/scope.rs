//! Which runs a claim is about.

use super::tri::Tri;
use crate::{AppliesTo, Evidence, RunFacts};
use dyetrace_case::Time;
use std::cmp::Ordering;

/// Runs of one product that are judged together.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Indices of the runs, in the order of the case.
    pub(crate) runs: Vec<usize>,
    /// The product in words.
    pub(crate) product: String,
    /// What is not known of it and would decide whether it is in scope.
    pub(crate) unknown: Option<&'static str>,
}

/// The runs in scope, and those of which nobody can tell, by product and by what is not known.
pub(crate) fn groups(runs: &[RunFacts], applies_to: &AppliesTo) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut keys: Vec<&RunFacts> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let unknown = match fits(run, applies_to) {
            (Tri::No, _) => continue,
            (Tri::Maybe, condition) => Some(condition),
            (Tri::Yes, _) => None,
        };
        // A run of which it is not known whether it is in scope never speaks for one of which it is.
        let same = |(key, group): (&&RunFacts, &Group)| same_product(key, run) && group.unknown == unknown;
        if let Some(at) = keys.iter().zip(&groups).position(same) {
            groups[at].runs.push(index);
            continue;
        }
        keys.push(run);
        groups.push(Group { runs: vec![index], product: product_name(run), unknown });
    }
    groups
}

/// The names of a group's runs.
pub(crate) fn run_names(evidence: &Evidence<'_>, group: &Group) -> String {
    let names = group.runs.iter().filter_map(|&run| evidence.runs.get(run)).map(|run| run.judged.id.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn same_product(a: &RunFacts, b: &RunFacts) -> bool {
    a.judged.product == b.judged.product && a.region == b.region
}

fn product_name(run: &RunFacts) -> String {
    let Some(product) = &run.judged.product else { return "unknown".to_owned() };
    let parts = [product.vendor.as_ref(), Some(&product.name), product.version.as_ref(), product.made.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Does a run fit, and if nobody can tell: which condition is open?
fn fits(run: &RunFacts, applies_to: &AppliesTo) -> (Tri, &'static str) {
    let product = run.judged.product.as_ref();
    let version = product.and_then(|product| product.version.as_deref());
    let made = product.and_then(|product| product.made.as_deref());
    let platform = product.and_then(|product| product.platform.as_deref());
    let app_type = product.and_then(|product| product.app_type.as_deref());
    let conditions = [
        (any_of(&applies_to.versions, version, version_fits), "version"),
        (made_fits(applies_to, made), "made"),
        (region_fits(applies_to, run), "region"),
        (any_of(&applies_to.platforms, platform, is_word), "platform"),
        (any_of(&applies_to.app_types, app_type, is_word), "app-type"),
        (within(applies_to.recorded_from.as_deref(), applies_to.recorded_to.as_deref(), || recorded(run)), "recorded"),
    ];
    conditions.into_iter().min_by_key(|(holds, _)| *holds).unwrap_or((Tri::Yes, ""))
}

fn is_word(wanted: &str, actual: &str) -> Tri {
    Tri::of(wanted.eq_ignore_ascii_case(actual))
}

fn any_of(wanted: &[String], actual: Option<&str>, fits: impl Fn(&str, &str) -> Tri) -> Tri {
    match actual {
        _ if wanted.is_empty() => Tri::Yes,
        Some(actual) => Tri::any(wanted.iter().map(|wanted| fits(wanted, actual))),
        None => Tri::Maybe,
    }
}

/// The market a product was made for, or the place where it was used.
fn region_fits(applies_to: &AppliesTo, run: &RunFacts) -> Tri {
    let market = run.judged.product.as_ref().and_then(|product| product.region.as_deref());
    let fits = |region| any_of(&applies_to.regions, Some(region), is_word);
    let known = [market, run.region.as_deref()].into_iter().flatten().map(fits);
    if applies_to.regions.is_empty() { Tri::Yes } else { known.max().unwrap_or(Tri::Maybe) }
}

fn made_fits(applies_to: &AppliesTo, made: Option<&str>) -> Tri {
    within(applies_to.made_from.as_deref(), applies_to.made_to.as_deref(), || made.and_then(days))
}

/// Do all days between a first and a last one lie within the bounds?
fn within(from: Option<&str>, to: Option<&str>, actual: impl Fn() -> Option<(u32, u32)>) -> Tri {
    let from = from.and_then(days).map(|(first, _)| first);
    let to = to.and_then(days).map(|(_, last)| last);
    if from.is_none() && to.is_none() {
        return Tri::Yes;
    }
    let Some((first, last)) = actual() else { return Tri::Maybe };
    let outside = from.is_some_and(|from| last < from) || to.is_some_and(|to| first > to);
    let inside = from.is_none_or(|from| first >= from) && to.is_none_or(|to| last <= to);
    match (outside, inside) {
        (true, _) => Tri::No,
        (_, true) => Tri::Yes,
        _ => Tri::Maybe,
    }
}

/// The days on which a run may have been recorded, wherever in the world: local time is 12 hours behind UTC to 14
/// ahead of it.
fn recorded(run: &RunFacts) -> Option<(u32, u32)> {
    const HOUR: i64 = 3_600_000_000_000;
    let marks = || run.judged.timeline.milestones.iter().map(|milestone| milestone.at);
    let first = run.judged.first.or_else(|| marks().min())?;
    let last = run.judged.last.or_else(|| marks().max())?;
    let day = |time: i64| days(Time(time).to_string().get(..10)?);
    let (first, _) = day(first.0.saturating_sub(12 * HOUR))?;
    let (last, _) = day(last.0.saturating_add(14 * HOUR))?;
    Some((first, last))
}

/// First and last day of `2016`, `2016-07` or `2016-07-01`, as numbers that sort like days.
pub(crate) fn days(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('-').map(|part| part.bytes().all(|b| b.is_ascii_digit()).then_some(part));
    let year: u32 = parts.next()??.parse().ok().filter(|_| text.len() >= 4 && text.is_char_boundary(4))?;
    let month: Option<u32> = parts.next().map(|part| part?.parse().ok()).map_or(Some(None), |part| part.map(Some))?;
    let day: Option<u32> = parts.next().map(|part| part?.parse().ok()).map_or(Some(None), |part| part.map(Some))?;
    let well_formed = parts.next().is_none()
        && (1900..=2200).contains(&year)
        && month.is_none_or(|month| (1..=12).contains(&month))
        && day.is_none_or(|day| (1..=31).contains(&day));
    let number = |month: u32, day: u32| year * 10_000 + month * 100 + day;
    let first = number(month.unwrap_or(1), day.unwrap_or(1));
    well_formed.then_some((first, number(month.unwrap_or(12), day.unwrap_or(31))))
}

/// All conditions of one text: `>=2.0 <3`.
fn version_fits(wanted: &str, version: &str) -> Tri {
    let conditions = wanted.split_whitespace().map(|condition| {
        let number = condition.trim_start_matches(['<', '>', '=']);
        let Some(order) = compare_versions(version, number) else { return Tri::Maybe };
        Tri::of(match &condition[..condition.len() - number.len()] {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            _ => order == Ordering::Equal,
        })
    });
    conditions.min().unwrap_or(Tri::Yes)
}

/// Part by part, numbers as numbers; `2`, `2.0` and `V2.0` are equal. None where a number meets a text (`2.0` and
/// `2.0-beta`, `2.0` and `build7`) or two texts differ: makers order those in more than one way.
fn compare_versions(a: &str, b: &str) -> Option<Ordering> {
    let parts = |text: &str| numbered(text).split(['.', '-', '+', '_']).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let part = |parts: &[String], at: usize| parts.get(at).cloned().unwrap_or_else(|| "0".to_owned());
    for at in 0..a.len().max(b.len()) {
        let order = compare_parts(&part(&a, at), &part(&b, at))?;
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// Without the letter that some makers write before the number.
fn numbered(version: &str) -> &str {
    let rest = version.strip_prefix(['v', 'V']);
    rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(version)
}

fn compare_parts(a: &str, b: &str) -> Option<Ordering> {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => Some(a.cmp(&b)),
        _ => (a == b).then_some(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{JudgedRun, Product};

    fn run(version: Option<&str>, made: Option<&str>) -> RunFacts {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let product =
            Product { name: "Plug".to_owned(), version: text(version), made: text(made), ..Product::default() };
        RunFacts { judged: JudgedRun { product: Some(product), ..JudgedRun::default() }, ..RunFacts::default() }
    }

    #[test]
    fn versions_compare_as_numbers() {
        let fits = |wanted, version| version_fits(wanted, version);
        assert_eq!([fits(">=2.0 <3", "2.10.1"), fits("2", "2.0"), fits("<2.9", "2.10")], [Tri::Yes, Tri::Yes, Tri::No]);
    }

    #[test]
    fn a_letter_before_a_version_does_not_make_it_newer() {
        let fits = |wanted, version| version_fits(wanted, version);
        assert_eq!([fits(">=2.0", "V1.0"), fits(">=v2.0", "2.1"), fits("1.0", "v1.0")], [Tri::No, Tri::Yes, Tri::Yes]);
        assert_eq!(
            [fits("<2.0", "2.0-beta"), fits(">=2", "build7"), fits("r1", "r1")],
            [Tri::Maybe, Tri::Maybe, Tri::Yes]
        );
    }

    #[test]
    fn a_year_may_lie_on_both_sides_of_a_day() {
        let claim = AppliesTo { made_from: Some("2016-07-01".to_owned()), ..AppliesTo::default() };
        let scope = |made| fits(&run(None, made), &claim).0;
        assert_eq!(
            [scope(Some("2017")), scope(Some("2016")), scope(Some("2016-06")), scope(None)],
            [Tri::Yes, Tri::Maybe, Tri::No, Tri::Maybe]
        );
        assert_eq!(days("2016-13"), None);
        assert_eq!(days("16"), None);
    }

    #[test]
    fn runs_of_one_product_are_judged_together() {
        let runs = [run(Some("1"), None), run(Some("2"), None), run(Some("1"), None), run(None, None)];
        let claim = AppliesTo { versions: vec!["<2".to_owned()], ..AppliesTo::default() };
        let groups = groups(&runs, &claim);
        let shown: Vec<_> = groups.iter().map(|group| (group.runs.clone(), group.unknown)).collect();
        assert_eq!(shown, [(vec![0, 2], None), (vec![3], Some("version"))]);
    }

    #[test]
    fn the_order_of_runs_does_not_decide_whether_one_is_in_scope() {
        let dated = |first: Option<i64>| RunFacts {
            judged: JudgedRun { first: first.map(Time), last: first.map(Time), ..run(Some("1"), None).judged },
            ..RunFacts::default()
        };
        let claim = AppliesTo { recorded_from: Some("1960".to_owned()), ..AppliesTo::default() };
        let both = |runs: [RunFacts; 2]| groups(&runs, &claim).iter().map(|group| group.unknown).collect::<Vec<_>>();
        assert_eq!(both([dated(Some(0)), dated(None)]), [None, Some("recorded")]);
        assert_eq!(both([dated(None), dated(Some(0))]), [Some("recorded"), None]);
    }
}
