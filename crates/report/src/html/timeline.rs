//! Each run on a line of time: consent, actions, and when each datum was seen. A drawing, and the same as a table.

use super::first::counts;
use super::markup::{Context, code, escape, moment, scrolling, section as framed, short_time, table};
use crate::audit::shorten;
use crate::judgement::consent_words;
use crate::text::count;
use crate::words::{Lang, term};
use dyetrace_case::{ConsentState, ConsentStates, DatumId, Event, JudgedRun, Milestone, Practice, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Rows of the table of one run.
const ROWS: usize = 500;
/// Dots in one lane: more would only cover one another.
const DOTS: usize = 200;
/// Lanes of data in one drawing.
const LANES: usize = 40;
/// Width of the drawing, of its labels, and height of one lane, in its own units.
const WIDTH: f64 = 960.0;
const LABELS: f64 = 170.0;
const LANE: f64 = 26.0;
/// Rows for the names of consent marks, and where the lanes begin below them.
const MARKS: usize = 3;
const TOP: f64 = 62.0;

pub(super) fn section(context: &Context<'_>) -> String {
    let heading = context.pick("Timeline", "时间线");
    let runs: String = (0..context.judgement.runs.len()).map(|index| run(context, index)).collect();
    let body = if runs.is_empty() {
        format!("<p>{}</p>\n", context.pick("No run was judged.", "没有经过评判的测试。"))
    } else {
        runs
    };
    framed("timeline", heading, &body)
}

fn run(context: &Context<'_>, index: usize) -> String {
    let Some(run) = context.judgement.runs.get(index) else { return String::new() };
    let practices: Vec<&Practice> =
        context.judgement.practices.iter().filter(|practice| practice.key.run == index && counts(practice)).collect();
    let mut out = format!("<h3>{} {}</h3>\n", context.term("run"), code(&run.id));
    let asked = run.timeline.milestones.iter().any(|milestone| matches!(milestone.event, Event::Consent { .. }));
    if !asked {
        let text = context.pick(
            "No consent milestone was recorded in this run: whether consent was asked is not known.",
            "本次测试未记录任何同意事件：是否征求过同意不得而知。",
        );
        let _ = writeln!(out, "<p class=\"note\">{text}</p>");
    }
    match Span::of(run, &practices) {
        None => {
            let _ = writeln!(
                out,
                "<p>{}</p>",
                context.pick("Nothing in this run has a time.", "本次测试中没有任何带时间的内容。")
            );
        }
        Some(span) => {
            let label = format!("{} {}", context.pick("Timeline of run", "测试的时间线："), escape(&run.id));
            out.push_str(&scrolling(&label, &drawing(context, run, &practices, span, &label)));
        }
    }
    out + &events(context, run, &practices)
}

/// The time that a drawing spans.
#[derive(Clone, Copy)]
struct Span {
    start: Time,
    end: Time,
}

impl Span {
    fn of(run: &JudgedRun, practices: &[&Practice]) -> Option<Self> {
        let seen = practices.iter().flat_map(|practice| [practice.first, practice.last]);
        let marks = run.timeline.milestones.iter().map(|milestone| Some(milestone.at));
        let times: Vec<Time> = seen.chain(marks).chain([run.first, run.last]).flatten().collect();
        Some(Self { start: *times.iter().min()?, end: *times.iter().max()? })
    }

    /// Nanoseconds from the first moment to the last, at least one.
    fn length(self) -> f64 {
        (self.end.0 as f64 - self.start.0 as f64).max(1.0)
    }

    /// Where a moment lies in the drawing; what is outside lies at its edge.
    fn x(self, time: Time) -> f64 {
        let share = (time.0 as f64 - self.start.0 as f64) / self.length();
        LABELS + share.clamp(0.0, 1.0) * (WIDTH - LABELS - 12.0)
    }

    /// `+12.3 s` after the first moment.
    fn after(self, time: Time) -> String {
        format!("+{:.1} s", (time.0 as f64 - self.start.0 as f64) / 1e9)
    }
}

fn drawing(context: &Context<'_>, run: &JudgedRun, practices: &[&Practice], span: Span, label: &str) -> String {
    let purposes: BTreeSet<Option<&str>> =
        run.timeline.segments.iter().flat_map(|segment| segment.consent.keys().map(Option::as_deref)).collect();
    let mut lanes = String::new();
    let mut y = TOP + 4.0;
    for purpose in purposes {
        lanes.push_str(&consent_lane(context, run, purpose, span, y));
        y += LANE;
    }
    if !run.timeline.actions.is_empty() {
        lanes.push_str(&action_lane(context, run, span, y));
        y += LANE;
    }
    let mut data: BTreeMap<&DatumId, Vec<&Practice>> = BTreeMap::new();
    for practice in practices {
        data.entry(&practice.key.datum).or_default().push(practice);
    }
    for (datum, practices) in data.iter().take(LANES) {
        lanes.push_str(&datum_lane(context, datum, practices, span, y));
        y += LANE;
    }
    if data.len() > LANES {
        let more = count((data.len() - LANES) as u64);
        lanes.push_str(&text(8.0, y + 17.0, "name", &format!("… {more} {}", context.pick("more", "项其他数据"))));
        y += LANE;
    }
    let changes = consent_lines(context, run, span, y);
    let height = y + 8.0;
    format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">{}{lanes}{changes}{}</svg>",
        ticks(span, y),
        times(span)
    )
}

fn text(x: f64, y: f64, class: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>", escape(text))
}

/// The moment after so many quarters of the span.
fn quarter(span: Span, quarter: i64) -> Time {
    Time(span.start.0.saturating_add((span.length() * quarter as f64 / 4.0) as i64))
}

fn ticks(span: Span, height: f64) -> String {
    let line = |at: i64| {
        let (x, top) = (span.x(quarter(span, at)), TOP - 4.0);
        format!("<line x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{height:.1}\" class=\"tick\"/>")
    };
    (0..5).map(line).collect()
}

/// Drawn last: a line of consent must not run through a time.
fn times(span: Span) -> String {
    let label = |number: i64| {
        let at = quarter(span, number);
        let anchor = if number == 4 { "tick-end" } else { "tick-text" };
        text(span.x(at), TOP - 8.0, anchor, &span.after(at))
    };
    text(8.0, TOP - 24.0, "tick-text", &short_time(span.start)) + &(0..5).map(label).collect::<String>()
}

fn consent_lane(context: &Context<'_>, run: &JudgedRun, purpose: Option<&str>, span: Span, y: f64) -> String {
    let name = purpose.unwrap_or(context.pick("consent", "同意"));
    let mut out = text(8.0, y + 17.0, "name", &shorten(name, 22));
    for stretch in stretches(run, purpose) {
        out.push_str(&consent_stretch(context, &stretch, span, y));
    }
    out
}

/// A stretch of time in which the consent states that are possible stay the same.
struct Stretch<'r> {
    start: Option<Time>,
    end: Option<Time>,
    states: &'r ConsentStates,
}

/// Segments end at every milestone; those that follow one another with equal states are one stretch.
fn stretches<'r>(run: &'r JudgedRun, purpose: Option<&str>) -> Vec<Stretch<'r>> {
    let mut all: Vec<Stretch<'r>> = Vec::new();
    for segment in run.timeline.segments.get(1..).unwrap_or_default() {
        let found = segment.consent.iter().find(|(key, _)| key.as_deref() == purpose);
        let Some((_, states)) = found.filter(|(_, states)| !states.0.is_empty()) else { continue };
        match all.last_mut().filter(|last| last.states == states && last.end == segment.start) {
            Some(last) => last.end = segment.end,
            None => all.push(Stretch { start: segment.start, end: segment.end, states }),
        }
    }
    all
}

fn consent_stretch(context: &Context<'_>, stretch: &Stretch<'_>, span: Span, y: f64) -> String {
    let states = stretch.states;
    let from = span.x(stretch.start.unwrap_or(span.start));
    let wide = span.x(stretch.end.unwrap_or(span.end)) - from;
    let names: Vec<&str> = states.0.iter().map(|state| term(state.name(), context.lang())).collect();
    let names = escape(&names.join(context.pick(" or ", "或")));
    let class = match states.certain() {
        Some(ConsentState::Given) => "yes",
        Some(_) => "not-yet",
        None => "either",
    };
    let label = if wide > 14.0 * names.chars().count() as f64 * 0.55 {
        text(from + 4.0, y + 17.0, "in", &names)
    } else {
        String::new()
    };
    format!(
        "<g><title>{names}</title><rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"20\" class=\"consent {class}\"/>{label}</g>",
        y + 2.0,
        wide.max(1.0)
    )
}

fn action_lane(context: &Context<'_>, run: &JudgedRun, span: Span, y: f64) -> String {
    let mut out = text(8.0, y + 17.0, "name", context.pick("actions", "操作"));
    for action in &run.timeline.actions {
        let from = span.x(action.began);
        let wide = (span.x(action.ended.unwrap_or(span.end)) - from).max(2.0);
        let outcome =
            action.outcome.map_or(String::new(), |outcome| format!(", {}", term(outcome.name(), context.lang())));
        let label = if wide > 40.0 {
            text(from + 4.0, y + 17.0, "in", &shorten(&action.action, (wide / 7.5) as usize))
        } else {
            String::new()
        };
        let _ = write!(
            out,
            "<g><title>{}</title><rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"20\" class=\"action\"/>{label}</g>",
            escape(&format!("{}{outcome}", action.action)),
            y + 2.0
        );
    }
    out
}

fn datum_lane(context: &Context<'_>, datum: &DatumId, practices: &[&Practice], span: Span, y: f64) -> String {
    let mut out = text(8.0, y + 17.0, "name", &shorten(&datum.0, 22));
    let middle = y + 12.0;
    let first = practices.iter().filter_map(|practice| practice.first).min();
    let last = practices.iter().filter_map(|practice| practice.last).max();
    if let (Some(first), Some(last)) = (first, last) {
        let (x1, x2) = (span.x(first), span.x(last));
        let _ =
            write!(out, "<line x1=\"{x1:.1}\" y1=\"{middle:.1}\" x2=\"{x2:.1}\" y2=\"{middle:.1}\" class=\"seen\"/>");
    }
    let mut drawn = 0;
    for practice in practices {
        let who = context
            .judgement
            .recipients
            .get(practice.key.recipient)
            .map_or_else(|| "?".to_owned(), dyetrace_case::Recipient::shown);
        let consent = consent_words(context.judgement, practice, context.lang());
        let title = escape(&format!("{datum} → {who}; {consent}"));
        let times = practice.shown.iter().filter_map(|shown| shown.time);
        for time in times.take(DOTS.saturating_sub(drawn)) {
            drawn += 1;
            let x = span.x(time);
            let _ = write!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{middle:.1}\" r=\"4.5\" class=\"dot\"><title>{title}</title></circle>"
            );
        }
    }
    out
}

/// Lines through all lanes where consent changed, as broad as the clock may have been wrong. Names that
/// would cover one another stand in rows.
fn consent_lines(context: &Context<'_>, run: &JudgedRun, span: Span, height: f64) -> String {
    let mut out = String::new();
    let mut taken = [f64::MIN; MARKS];
    for mark in &run.timeline.milestones {
        let Event::Consent { change, purpose } = &mark.event else { continue };
        let purpose = purpose.as_deref().map_or_else(String::new, |purpose| format!(" ({})", shorten(purpose, 14)));
        let name = format!("{}{purpose}", term(change.name(), context.lang()));
        let x = span.x(mark.at);
        let wide = name.chars().map(|c| if c.is_ascii() { 6.6 } else { 11.5 }).sum::<f64>() + 8.0;
        let left = x.min(WIDTH - wide);
        let row = taken.iter().position(|end| *end <= left).unwrap_or(MARKS - 1);
        taken[row] = left + wide;
        let top = 14.0 + 13.0 * row as f64;
        let _ = write!(out, "{}{}", consent_line(mark, &name, span, top, height), text(left + 3.0, top, "mark", &name));
    }
    out
}

fn consent_line(mark: &Milestone, name: &str, span: Span, top: f64, height: f64) -> String {
    let x = span.x(mark.at);
    let from = span.x(Time(mark.at.0.saturating_sub_unsigned(mark.error)));
    let to = span.x(Time(mark.at.0.saturating_add_unsigned(mark.error)));
    format!(
        "<g><title>{}</title><rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" class=\"error\"/>\
         <line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{height:.1}\" class=\"line\"/></g>",
        escape(name),
        (to - from).max(0.0),
        height - TOP,
        top - 9.0,
    )
}

/// The same events as a table.
fn events(context: &Context<'_>, run: &JudgedRun, practices: &[&Practice]) -> String {
    let mut rows: Vec<(Option<Time>, Vec<String>)> = Vec::new();
    for mark in &run.timeline.milestones {
        let error = format!("± {:.3} s", mark.error as f64 / 1e9);
        rows.push((Some(mark.at), vec![moment(mark.at), error, event(context, &mark.event)]));
    }
    for practice in practices {
        rows.push((practice.first, vec![context.time(practice.first), String::new(), seen(context, practice)]));
    }
    // Stable: milestones stand before what was seen at the same moment.
    rows.sort_by_key(|(time, _)| *time);
    if rows.is_empty() {
        return String::new();
    }
    let caption = format!("{} {}", context.pick("Events of run", "事件表：测试"), escape(&run.id));
    let heads = [
        context.pick("Time (UTC)", "时间（UTC）"),
        context.pick("Clock error", "时钟误差"),
        context.pick("Event", "事件"),
    ];
    let more = rows.len().saturating_sub(ROWS);
    let all = table(&caption, &heads, rows.into_iter().take(ROWS).map(|(_, row)| row));
    let more = if more == 0 {
        String::new()
    } else {
        format!("<p>… {} {}</p>", count(more as u64), context.pick("more", "条其他事件"))
    };
    let summary = context.pick("The same as a table", "以表格形式查看");
    format!("<details><summary>{summary}</summary>{all}{more}</details>\n")
}

pub(super) fn event(context: &Context<'_>, event: &Event) -> String {
    match event {
        Event::Consent { change, purpose } => {
            let purpose = purpose.as_deref().map_or_else(String::new, |purpose| format!(" ({})", escape(purpose)));
            format!("<strong>{}</strong>{purpose}", context.term(change.name()))
        }
        Event::ActionBegan { action, variant, conditions } => {
            let with: Vec<String> = variant.iter().chain(conditions).map(|text| escape(text)).collect();
            let with =
                if with.is_empty() { String::new() } else { format!(" ({})", with.join(context.lang().comma())) };
            format!("{} {}{with}", context.pick("began", "开始"), code(action))
        }
        Event::ActionEnded { action, outcome } => {
            format!(
                "{} {}{}{}",
                context.pick("ended", "结束"),
                code(action),
                context.lang().colon(),
                context.term(outcome.name())
            )
        }
        Event::Planted { data } => {
            let data: Vec<String> = data.iter().map(|datum| code(datum)).collect();
            format!("{} {}", context.pick("planted", "植入"), data.join(context.lang().comma()))
        }
        Event::Snapshot { exhibit } => {
            format!("{} {}", context.pick("files collected", "收集文件"), code(exhibit))
        }
        Event::Canary(canary) => {
            format!("{} {}", context.pick("canary", "试探请求"), code(&canary.to_string()))
        }
        Event::Phase(phase) => context.term(phase.name()),
    }
}

fn seen(context: &Context<'_>, practice: &Practice) -> String {
    let who =
        context.judgement.recipients.get(practice.key.recipient).map_or_else(String::new, |who| context.name(who));
    let times = count(practice.count);
    let times = match context.lang() {
        Lang::English => format!("{times}×, the first of them"),
        Lang::Chinese => format!("{times} 次，此为首次"),
    };
    let consent = escape(&consent_words(context.judgement, practice, context.lang()));
    format!("{} → {who} · {times} · {consent}", code(&practice.key.datum.0))
}
