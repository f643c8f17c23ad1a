//! A run's milestones as segments of time, so that everything seen in a run falls into one of a few.
//!
//! Each milestone divides time into before, *within its clock error*, and after. What falls within
//! the clock error is ambiguous: it may have been before or after, and counts as neither.

use crate::{ActionOutcome, ConsentChange, Event, Milestone, Phase, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What the user had said about consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentState {
    /// Nobody had asked.
    NotAsked,
    /// The question stood open.
    Asked,
    /// Yes.
    Given,
    /// No.
    Refused,
    /// A yes that was taken back.
    Withdrawn,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::NotAsked, Self::Asked, Self::Given, Self::Refused, Self::Withdrawn];

    /// The name used in claims and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not-asked",
            Self::Asked => "asked",
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn after(change: ConsentChange) -> Self {
        match change {
            ConsentChange::Shown => Self::Asked,
            ConsentChange::Given => Self::Given,
            ConsentChange::Refused => Self::Refused,
            ConsentChange::Withdrawn => Self::Withdrawn,
        }
    }
}

/// The consent states that are possible at a time: one where the clocks decide, several within
/// their error, none where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentStates(pub BTreeSet<ConsentState>);

impl ConsentStates {
    /// True where every possible state is one of these: only then did something happen *in* them.
    pub fn all_among(&self, states: &[ConsentState]) -> bool {
        !self.0.is_empty() && self.0.iter().all(|state| states.contains(state))
    }

    /// True where some possible state is one of these.
    pub fn any_among(&self, states: &[ConsentState]) -> bool {
        self.0.iter().any(|state| states.contains(state))
    }

    /// The state, where there is exactly one.
    pub fn certain(&self) -> Option<ConsentState> {
        let mut states = self.0.iter();
        states.next().copied().filter(|_| states.next().is_none())
    }
}

/// One time that the user did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRun {
    /// The action's name.
    pub action: String,
    /// Which way of doing it.
    pub variant: Option<String>,
    /// Circumstances while it lasted.
    pub conditions: Vec<String>,
    /// When it began.
    pub began: Time,
    /// When it ended. Where no milestone says so (then there is no outcome), it may have lasted until the next action
    /// began, the quiet time, or the end of the recording.
    pub ended: Option<Time>,
    /// How it ended, where known.
    pub outcome: Option<ActionOutcome>,
    /// Error of both times in nanoseconds.
    pub error: u64,
}

/// An action that a segment lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Within {
    /// Index into [`Timeline::actions`].
    pub action: usize,
    /// False within the clock error of its begin or end, and everywhere where no milestone says when it ended.
    pub certainly: bool,
}

/// A stretch of a run in which nothing that claims speak of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    /// First moment; absent: from the beginning.
    pub start: Option<Time>,
    /// The moment it is over; absent: to the end.
    pub end: Option<Time>,
    /// Consent by purpose; `None` is consent to everything.
    pub consent: BTreeMap<Option<String>, ConsentStates>,
    /// Actions that go on in it.
    pub actions: Vec<Within>,
    /// True where the product was left alone.
    pub quiet: bool,
}

impl Segment {
    /// Consent for a purpose; without marks for that purpose, consent to everything. Without a
    /// purpose: consent to everything, or where only purposes were asked, all their states together.
    pub fn consent_for(&self, purpose: Option<&str>) -> ConsentStates {
        let everything = || self.consent.get(&None).cloned();
        if let Some(purpose) = purpose {
            let own = self.consent.get(&Some(purpose.to_owned())).cloned();
            return own.or_else(everything).unwrap_or_default();
        }
        everything().unwrap_or_else(|| {
            ConsentStates(self.consent.values().flat_map(|states| states.0.iter().copied()).collect())
        })
    }
}

/// The timeline of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Everything that happened, in order of time.
    pub milestones: Vec<Milestone>,
    /// The user's actions, in order of their beginning.
    pub actions: Vec<ActionRun>,
    /// Segment 0 is for what has no time; the others follow one another without gaps.
    pub segments: Vec<Segment>,
}

impl Timeline {
    /// Cuts a run's time at its milestones. A run without consent milestones has no consent states at all:
    /// whether consent was asked is then not known.
    pub fn new(mut milestones: Vec<Milestone>) -> Self {
        milestones.sort_by_key(|milestone| milestone.at);
        let actions = action_runs(&milestones);
        let mut cuts: BTreeSet<Time> = BTreeSet::new();
        for milestone in milestones.iter().filter(|milestone| divides(&milestone.event)) {
            cuts.insert(earlier(milestone.at, milestone.error));
            // What happened at the very end of the clock's error is still within it.
            cuts.insert(later(milestone.at, milestone.error.saturating_add(1)));
        }
        for action in &actions {
            let ended = action.ended.map(|ended| later(ended, action.error.saturating_add(1)));
            cuts.extend(ended);
        }
        let starts = std::iter::once(None).chain(cuts.iter().copied().map(Some));
        let ends = cuts.iter().copied().map(Some).chain(std::iter::once(None));
        let marked = Marked::new(&milestones);
        let timed = starts.zip(ends).map(|(start, end)| segment(start, end, &marked, &actions));
        let segments = std::iter::once(untimed(&milestones, &actions)).chain(timed).collect();
        Self { milestones, actions, segments }
    }

    /// The segment that a moment lies in; 0 where there is no time.
    pub fn segment_at(&self, time: Option<Time>) -> usize {
        let Some(time) = time else { return 0 };
        let timed = self.segments.get(1..).unwrap_or_default();
        timed.partition_point(|segment| segment.start.is_none_or(|start| start <= time)).max(1)
    }

    /// Nanoseconds from the begin to the end of the quiet time, the errors of both taken off.
    pub fn quiet_time(&self) -> Option<u64> {
        let find = |phase| self.milestones.iter().rev().find(|milestone| milestone.event == Event::Phase(phase));
        let began = find(Phase::QuietBegan)?;
        let ended = find(Phase::QuietEnded).or_else(|| find(Phase::RecordingEnded))?;
        let lasted = u64::try_from(ended.at.0.checked_sub(began.at.0)?).ok()?;
        Some(lasted.saturating_sub(began.error).saturating_sub(ended.error))
    }
}

fn divides(event: &Event) -> bool {
    !matches!(event, Event::Planted { .. } | Event::Snapshot { .. } | Event::Canary(_))
}

fn earlier(time: Time, by: u64) -> Time {
    Time(time.0.saturating_sub_unsigned(by))
}

fn later(time: Time, by: u64) -> Time {
    Time(time.0.saturating_add_unsigned(by))
}

fn action_runs(milestones: &[Milestone]) -> Vec<ActionRun> {
    let mut runs: Vec<ActionRun> = Vec::new();
    for milestone in milestones {
        match &milestone.event {
            Event::ActionBegan { action, variant, conditions } => runs.push(ActionRun {
                action: action.clone(),
                variant: variant.clone(),
                conditions: conditions.clone(),
                began: milestone.at,
                ended: None,
                outcome: None,
                error: milestone.error,
            }),
            Event::ActionEnded { action, outcome } => {
                let open = runs.iter_mut().rev().find(|run| run.action == *action && run.outcome.is_none());
                if let Some(run) = open {
                    run.ended = Some(milestone.at);
                    run.outcome = Some(*outcome);
                    run.error = run.error.max(milestone.error);
                }
            }
            _ => {}
        }
    }
    close_open_ends(&mut runs, milestones);
    runs
}

/// How many actions may go on at the same time at most, clock errors included.
pub(crate) fn most_at_once(milestones: &[Milestone]) -> usize {
    let mut milestones = milestones.to_vec();
    milestones.sort_by_key(|milestone| milestone.at);
    let changes = action_runs(&milestones).into_iter().flat_map(|action| {
        let ended = action.ended.map_or(Time(i64::MAX), |ended| later(ended, action.error.saturating_add(1)));
        [(earlier(action.began, action.error), true), (ended, false)]
    });
    let mut changes: Vec<(Time, bool)> = changes.collect();
    changes.sort_unstable();
    let (mut now, mut most) = (0usize, 0usize);
    for (_, begins) in changes {
        now = if begins { now.saturating_add(1) } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}

/// An action whose end nobody marked may last until the next begins, or the quiet time, or recording's end.
fn close_open_ends(runs: &mut [ActionRun], milestones: &[Milestone]) {
    let phases = |after: Time| {
        let ends = milestones.iter().filter(move |milestone| milestone.at >= after);
        ends.filter(|milestone| matches!(milestone.event, Event::Phase(Phase::QuietBegan | Phase::RecordingEnded)))
            .map(|milestone| milestone.at)
            .next()
    };
    for index in 0..runs.len() {
        if runs[index].ended.is_none() {
            let next = runs.get(index + 1).map(|run| run.began);
            let phase = phases(runs[index].began);
            runs[index].ended = [next, phase].into_iter().flatten().min();
        }
    }
}

/// Where a segment lies relative to a milestone.
#[derive(PartialEq, Eq)]
enum Side {
    Before,
    Within,
    After,
}

/// Segments are cut at the ends of every clock error, so each lies on one side as a whole.
fn side(start: Option<Time>, end: Option<Time>, at: Time, error: u64) -> Side {
    if end.is_some_and(|end| end <= earlier(at, error)) {
        Side::Before
    } else if start.is_some_and(|start| start >= later(at, error.saturating_add(1))) {
        Side::After
    } else {
        Side::Within
    }
}

/// Milestones as a segment needs them: purposes as numbers, so that long runs are cut fast.
struct Marked<'a> {
    purposes: Vec<&'a Option<String>>,
    consent: Vec<(&'a Milestone, usize, ConsentState)>,
    phases: Vec<(&'a Milestone, Phase)>,
}

impl<'a> Marked<'a> {
    fn new(milestones: &'a [Milestone]) -> Self {
        let asked = milestones.iter().filter_map(|milestone| match &milestone.event {
            Event::Consent { change, purpose } => Some((milestone, purpose, ConsentState::after(*change))),
            _ => None,
        });
        let distinct: BTreeSet<&Option<String>> = asked.clone().map(|(_, purpose, _)| purpose).collect();
        let purposes: Vec<_> = distinct.into_iter().collect();
        let number = |purpose| purposes.binary_search(&purpose).unwrap_or_default();
        let consent = asked.map(|(milestone, purpose, state)| (milestone, number(purpose), state)).collect();
        let phases = milestones.iter().filter_map(|milestone| match milestone.event {
            Event::Phase(phase) => Some((milestone, phase)),
            _ => None,
        });
        Self { consent, phases: phases.collect(), purposes }
    }

    /// What was certainly so before the segment holds in it, and what came within clock errors may.
    fn consent(&self, start: Option<Time>, end: Option<Time>) -> BTreeMap<Option<String>, ConsentStates> {
        let bit = |state: ConsentState| 1u8 << state as u8;
        let mut states = vec![bit(ConsentState::NotAsked); self.purposes.len()];
        for (milestone, purpose, state) in &self.consent {
            let Some(states) = states.get_mut(*purpose) else { continue };
            match side(start, end, milestone.at, milestone.error) {
                Side::Before => {}
                Side::Within => *states |= bit(*state),
                Side::After => *states = bit(*state),
            }
        }
        let of_bits = |bits: u8| ConsentState::ALL.into_iter().filter(|state| bits & bit(*state) != 0).collect();
        let named = self.purposes.iter().zip(states);
        named.map(|(purpose, bits)| ((*purpose).clone(), ConsentStates(of_bits(bits)))).collect()
    }

    fn quiet(&self, start: Option<Time>, end: Option<Time>) -> bool {
        let over = |milestone: &Milestone| side(start, end, milestone.at, milestone.error) == Side::After;
        self.phases.iter().rfind(|(milestone, _)| over(milestone)).is_some_and(|(_, phase)| *phase == Phase::QuietBegan)
    }
}

fn segment(start: Option<Time>, end: Option<Time>, marked: &Marked<'_>, actions: &[ActionRun]) -> Segment {
    let (consent, quiet) = (marked.consent(start, end), marked.quiet(start, end));
    let mut segment = Segment { start, end, consent, actions: Vec::new(), quiet };
    for (index, action) in actions.iter().enumerate() {
        let began = side(start, end, action.began, action.error);
        let ended = action.ended.map_or(Side::Before, |ended| side(start, end, ended, action.error));
        if began != Side::Before && ended != Side::After {
            let certainly = action.outcome.is_some() && began == Side::After && ended == Side::Before;
            segment.actions.push(Within { action: index, certainly });
        }
    }
    segment
}

/// Before its first milestone, a purpose that is asked about later has not been asked about.
fn first_states(milestones: &[Milestone]) -> BTreeMap<Option<String>, ConsentStates> {
    let purposes = milestones.iter().filter_map(|milestone| match &milestone.event {
        Event::Consent { purpose, .. } => Some(purpose.clone()),
        _ => None,
    });
    purposes.map(|purpose| (purpose, ConsentStates(BTreeSet::from([ConsentState::NotAsked])))).collect()
}

/// What has no time may have happened in any state and in any action.
fn untimed(milestones: &[Milestone], actions: &[ActionRun]) -> Segment {
    let mut consent = first_states(milestones);
    for milestone in milestones {
        if let Event::Consent { change, purpose } = &milestone.event {
            consent.entry(purpose.clone()).or_default().0.insert(ConsentState::after(*change));
        }
    }
    let actions = (0..actions.len()).map(|action| Within { action, certainly: false }).collect();
    Segment { consent, actions, ..Segment::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn mark(seconds: i64, error_s: u64, event: Event) -> Milestone {
        Milestone { at: Time(seconds * SECOND), error: error_s * SECOND as u64, event }
    }

    fn consent(change: ConsentChange) -> Event {
        Event::Consent { change, purpose: None }
    }

    fn states(timeline: &Timeline, seconds: f64) -> Vec<ConsentState> {
        let time = Time((seconds * 1e9) as i64);
        timeline.segments[timeline.segment_at(Some(time))].consent_for(None).0.into_iter().collect()
    }

    #[test]
    fn within_the_clock_error_of_consent_it_is_ambiguous_and_never_before() {
        let timeline =
            Timeline::new(vec![mark(10, 1, consent(ConsentChange::Shown)), mark(20, 2, consent(ConsentChange::Given))]);
        assert_eq!(states(&timeline, 5.0), [ConsentState::NotAsked]);
        assert_eq!(states(&timeline, 9.5), [ConsentState::NotAsked, ConsentState::Asked]);
        assert_eq!(states(&timeline, 15.0), [ConsentState::Asked]);
        for within in [18.0, 20.0, 22.0] {
            assert_eq!(states(&timeline, within), [ConsentState::Asked, ConsentState::Given], "{within}");
        }
        assert_eq!(states(&timeline, 22.1), [ConsentState::Given]);
        let untimed = timeline.segments[timeline.segment_at(None)].consent_for(None);
        assert_eq!(untimed.0.len(), 3, "without a time, every state is possible");
    }

    #[test]
    fn overlapping_clock_errors_leave_every_state_open() {
        let timeline =
            Timeline::new(vec![mark(10, 5, consent(ConsentChange::Shown)), mark(12, 5, consent(ConsentChange::Given))]);
        assert_eq!(states(&timeline, 11.0), [ConsentState::NotAsked, ConsentState::Asked, ConsentState::Given]);
        assert_eq!(states(&timeline, 16.0), [ConsentState::Asked, ConsentState::Given]);
    }

    #[test]
    fn without_consent_milestones_nothing_is_known() {
        let timeline = Timeline::new(vec![mark(1, 0, Event::Phase(Phase::RecordingBegan))]);
        assert!(states(&timeline, 5.0).is_empty());
    }

    #[test]
    fn actions_have_windows_and_ends_that_nobody_marked_are_the_next_beginning() {
        let began =
            |action: &str| Event::ActionBegan { action: action.to_owned(), variant: None, conditions: Vec::new() };
        let timeline = Timeline::new(vec![
            mark(10, 0, began("log-in")),
            mark(20, 1, began("provision")),
            mark(30, 1, Event::ActionEnded { action: "provision".to_owned(), outcome: ActionOutcome::Succeeded }),
            mark(31, 0, Event::Phase(Phase::QuietBegan)),
            mark(91, 0, Event::Phase(Phase::QuietEnded)),
        ]);
        let at = |seconds: i64| {
            let segment = &timeline.segments[timeline.segment_at(Some(Time(seconds * SECOND)))];
            segment.actions.iter().map(|within| (within.action, within.certainly)).collect::<Vec<_>>()
        };
        assert_eq!(at(5), []);
        assert_eq!(at(15), [(0, false)], "it may have been over long before");
        assert_eq!(at(25), [(1, true)]);
        assert_eq!(at(30), [(1, false)]);
        assert_eq!(at(40), []);
        assert!(timeline.segments[timeline.segment_at(Some(Time(40 * SECOND)))].quiet);
        assert_eq!(timeline.quiet_time(), Some(60 * SECOND as u64));
    }
}
