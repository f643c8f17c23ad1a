//! From datum through wrapping and recipient to country, as bands (a Sankey diagram), with the same as a table.
//!
//! A band is as broad as the number of different ways, not as the traffic: how often something was sent
//! says nothing of how bad it is.

use super::first::counts;
use super::markup::{Context, escape, further, is_far, scrolling, section as framed, table};
use crate::audit::shorten;
use crate::text::clean;
use crate::words::{Lang, form_words, term};
use dyetrace_case::Practice;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Stages of the way.
const STAGES: usize = 4;
/// Nodes of one stage; the others are drawn together.
const NODES: usize = 14;
/// Rows of the table.
const ROWS: usize = 500;
/// Measures of the drawing, in its own units.
const WIDTH: f64 = 960.0;
const NODE: f64 = 12.0;
const GAP: f64 = 16.0;
const TOP: f64 = 34.0;
/// What all bands of a stage take together, however many ways there are.
const HEIGHT: f64 = 420.0;
/// Thinner bands would not be seen.
const THINNEST: f64 = 0.5;
/// Letters of a label.
const LABEL: usize = 26;

/// One way: datum, form and channel, recipient, country.
type Way = [String; STAGES];

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("Ways of the data", "数据的去向");
    let practices = context.judgement.practices.iter().filter(|practice| counts(practice));
    let ways: BTreeSet<Way> = practices.map(|practice| way(context, practice)).collect();
    if ways.is_empty() {
        let text = context.pick("No planted value was seen to go anywhere.", "没有发现植入的数据去往任何地方。");
        return framed("ways", heading, &format!("<p>{text}</p>\n"));
    }
    let label = context.pick("From datum through wrapping and recipient to country", "从数据、封装、接收方到国家");
    let drawing = scrolling(label, &drawing(context, &ways, label));
    let note = match context.lang() {
        Lang::English => format!(
            "{} different ways. The breadth of a band counts ways, not traffic, and says nothing of severity.",
            ways.len()
        ),
        Lang::Chinese => format!("共 {} 条不同的去向。带宽表示去向的条数，不表示流量，也不代表严重程度。", ways.len()),
    };
    let more = ways.len().saturating_sub(ROWS);
    let rows = ways.iter().take(ROWS).map(|way| way.iter().map(|text| escape(text)).collect());
    let summary = context.pick("The same as a table", "以表格形式查看");
    let table = table(context.pick("Ways of the data", "数据的去向"), &heads(context), rows) + &further(context, more);
    let body =
        format!("<p class=\"note\">{note}</p>\n{drawing}<details><summary>{summary}</summary>{table}</details>\n");
    framed("ways", heading, &body)
}

fn heads<'c>(context: &Context<'c>) -> [&'c str; STAGES] {
    match context.lang() {
        Lang::English => ["Datum", "Wrapping", "Recipient", "Country of the server"],
        Lang::Chinese => ["数据", "封装", "接收方", "服务器所在国"],
    }
}

fn way(context: &Context<'_>, practice: &Practice) -> Way {
    let (key, lang) = (&practice.key, context.lang());
    let recipient = context.judgement.recipients.get(key.recipient);
    let unknown = || context.pick("unknown", "未知").to_owned();
    let country = recipient.map_or_else(unknown, |recipient| {
        if is_far(recipient) {
            recipient
                .server_country
                .map_or_else(|| context.pick("country unknown", "国家未知").to_owned(), |country| country.to_string())
        } else {
            term(recipient.scope.name(), lang).to_owned()
        }
    });
    let wrapping = format!("{} · {}", form_words(key.form, lang), term(&key.channel, lang));
    [key.datum.0.clone(), wrapping, recipient.map_or_else(unknown, dyetrace_case::Recipient::shown), country]
        .map(|text| clean(&text))
}

/// Nodes of one stage with how many ways go through them.
type Stage = BTreeMap<String, usize>;

/// A node as it is drawn.
#[derive(Clone, Copy, Default)]
struct Place {
    y: f64,
    height: f64,
    /// How much of its left and right side has bands.
    taken: [f64; 2],
}

fn drawing(context: &Context<'_>, ways: &BTreeSet<Way>, label: &str) -> String {
    let ways = merged(context, ways);
    let unit = (HEIGHT / ways.len() as f64).min(18.0);
    let mut places: Vec<BTreeMap<&str, Place>> = Vec::new();
    for stage in 0..STAGES {
        let nodes = placed(&ways, stage, unit, places.last());
        places.push(nodes);
    }
    let bottom =
        |places: &BTreeMap<&str, Place>| places.values().map(|place| place.y + place.height).fold(0.0, f64::max);
    let height = places.iter().map(bottom).fold(0.0, f64::max) + 12.0;
    let bands = bands(&ways, &mut places, unit);
    let heads: String =
        heads(context).iter().enumerate().map(|(stage, head)| label_at(stage, 16.0, "head", head)).collect();
    let nodes: String = places.iter().enumerate().map(|(stage, places)| nodes(stage, places)).collect();
    format!(
        "<svg class=\"sankey\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{label}\">{heads}{bands}{nodes}</svg>"
    )
}

/// The ways with the smaller nodes of each stage put together.
fn merged(context: &Context<'_>, ways: &BTreeSet<Way>) -> Vec<Way> {
    let mut merged: Vec<Way> = ways.iter().cloned().collect();
    for stage in 0..STAGES {
        let mut sizes: Vec<(String, usize)> = sizes(&merged, stage).into_iter().collect();
        if sizes.len() <= NODES {
            continue;
        }
        sizes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let others = format!("{} {}", sizes.len() - NODES + 1, context.pick("others", "个其他"));
        let small: BTreeSet<String> = sizes.into_iter().skip(NODES - 1).map(|(name, _)| name).collect();
        for way in &mut merged {
            if small.contains(&way[stage]) {
                way[stage].clone_from(&others);
            }
        }
    }
    merged
}

fn sizes(ways: &[Way], stage: usize) -> Stage {
    let mut sizes = Stage::new();
    for way in ways {
        *sizes.entry(way[stage].clone()).or_default() += 1;
    }
    sizes
}

/// Places the nodes of a stage one under the other, each near those that its ways come from.
fn placed<'w>(
    ways: &'w [Way],
    stage: usize,
    unit: f64,
    before: Option<&BTreeMap<&str, Place>>,
) -> BTreeMap<&'w str, Place> {
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for way in ways {
        let from = before.and_then(|before| before.get(way[stage - 1].as_str()));
        let sum = sums.entry(&way[stage]).or_default();
        *sum = (sum.0 + from.map_or(0.0, |place| place.y + place.height / 2.0), sum.1 + 1);
    }
    let mut order: Vec<(f64, &str, usize)> =
        sums.into_iter().map(|(name, (sum, size))| (sum / size as f64, name, size)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    let mut y = TOP;
    let mut places = BTreeMap::new();
    for (_, name, size) in order {
        let height = size as f64 * unit;
        places.insert(name, Place { y, height, taken: [0.0; 2] });
        y += height.max(GAP) + 8.0;
    }
    places
}

fn left(stage: usize) -> f64 {
    8.0 + stage as f64 * (WIDTH - 200.0) / (STAGES - 1) as f64
}

fn bands(ways: &[Way], places: &mut [BTreeMap<&str, Place>], unit: f64) -> String {
    let mut out = String::new();
    for stage in 0..STAGES - 1 {
        let mut sizes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for way in ways {
            *sizes.entry((&way[stage], &way[stage + 1])).or_default() += 1;
        }
        let y = |stage: usize, name: &str| {
            places.get(stage).and_then(|places| places.get(name)).map_or(0.0, |place| place.y)
        };
        let mut order: Vec<((&str, &str), usize)> = sizes.into_iter().collect();
        order.sort_by(|a, b| {
            let at = |((from, to), _): &((&str, &str), usize)| (y(stage, from), y(stage + 1, to));
            let (a, b) = (at(a), at(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        for ((from, to), size) in order {
            let breadth = size as f64 * unit;
            let y1 = take(places, stage, from, 1, breadth);
            let y2 = take(places, stage + 1, to, 0, breadth);
            band(stage, (y1, y2), breadth.max(THINNEST), &format!("{from} → {to} ({size})"), &mut out);
        }
    }
    out
}

/// The middle of the next free stretch of a node's side.
fn take(places: &mut [BTreeMap<&str, Place>], stage: usize, name: &str, side: usize, breadth: f64) -> f64 {
    let Some(place) = places.get_mut(stage).and_then(|places| places.get_mut(name)) else { return 0.0 };
    let middle = place.y + place.taken[side] + breadth / 2.0;
    place.taken[side] += breadth;
    middle
}

fn band(stage: usize, (y1, y2): (f64, f64), breadth: f64, title: &str, out: &mut String) {
    let (x1, x2) = (left(stage) + NODE, left(stage + 1));
    let middle = f64::midpoint(x1, x2);
    let _ = write!(
        out,
        "<path class=\"band b{stage}\" d=\"M{x1:.1} {y1:.1}C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}\" \
         stroke-width=\"{breadth:.1}\"><title>{}</title></path>",
        escape(title)
    );
}

fn nodes(stage: usize, places: &BTreeMap<&str, Place>) -> String {
    let mut out = String::new();
    for (name, place) in places {
        let (x, y, height) = (left(stage), place.y, place.height);
        let _ = write!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{NODE}\" height=\"{height:.1}\" class=\"node\"/>");
        out.push_str(&label_at(stage, y + (height / 2.0).max(5.0) + 4.0, "name", &shorten(name, LABEL)));
    }
    out
}

fn label_at(stage: usize, y: f64, class: &str, text: &str) -> String {
    let x = if class == "head" { left(stage) } else { left(stage) + NODE + 5.0 };
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>", escape(text))
}
