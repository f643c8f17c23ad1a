//! Which runs a claim is about.

use super::tri::Tri;
use crate::{AppliesTo, RunFacts};
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

/// The runs in scope, and those of which nobody can tell, by product.
pub(crate) fn groups(runs: &[RunFacts], applies_to: &AppliesTo) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut keys: Vec<&RunFacts> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let unknown = match fits(run, applies_to) {
            (Tri::No, _) => continue,
            (Tri::Maybe, condition) => Some(condition),
            (Tri::Yes, _) => None,
        };
        if let Some(at) = keys.iter().position(|other| same_product(other, run)) {
            groups[at].runs.push(index);
            continue;
        }
        keys.push(run);
        groups.push(Group { runs: vec![index], product: product_name(run), unknown });
    }
    groups
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
        (any_of(&applies_to.platforms, platform, str::eq_ignore_ascii_case), "platform"),
        (any_of(&applies_to.app_types, app_type, str::eq_ignore_ascii_case), "app-type"),
        (within(applies_to.recorded_from.as_deref(), applies_to.recorded_to.as_deref(), || recorded(run)), "recorded"),
    ];
    conditions.into_iter().min_by_key(|(holds, _)| *holds).unwrap_or((Tri::Yes, ""))
}

fn any_of(wanted: &[String], actual: Option<&str>, fits: impl Fn(&str, &str) -> bool) -> Tri {
    match actual {
        _ if wanted.is_empty() => Tri::Yes,
        Some(actual) => Tri::of(wanted.iter().any(|wanted| fits(wanted, actual))),
        None => Tri::Maybe,
    }
}

/// The market a product was made for, or the place where it was used.
fn region_fits(applies_to: &AppliesTo, run: &RunFacts) -> Tri {
    let market = run.judged.product.as_ref().and_then(|product| product.region.as_deref());
    let fits = |region| any_of(&applies_to.regions, Some(region), str::eq_ignore_ascii_case);
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
fn version_fits(wanted: &str, version: &str) -> bool {
    wanted.split_whitespace().all(|condition| {
        let number = condition.trim_start_matches(['<', '>', '=']);
        let order = compare_versions(version, number);
        match &condition[..condition.len() - number.len()] {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            _ => order == Ordering::Equal,
        }
    })
}

/// Part by part, numbers as numbers; `2` and `2.0` are equal.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| text.split(['.', '-', '+', '_']).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let part = |parts: &[String], at: usize| parts.get(at).cloned().unwrap_or_else(|| "0".to_owned());
    (0..a.len().max(b.len()))
        .map(|at| compare_parts(&part(&a, at), &part(&b, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
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
        assert!(version_fits(">=2.0 <3", "2.10.1") && version_fits("2", "2.0") && !version_fits("<2.9", "2.10"));
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
}
