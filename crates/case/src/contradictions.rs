//! Marks that do not fit together. Nobody is refused for them: the recording cannot be repeated
//! because of a mark that was forgotten, but the reader must know.

use crate::{ConsentChange, Event, Milestone, Phase};
use std::collections::{BTreeMap, BTreeSet};

/// What does not fit, in words, in order of time.
pub(crate) fn contradictions(milestones: &[Milestone]) -> Vec<String> {
    let mut sorted: Vec<&Milestone> = milestones.iter().collect();
    sorted.sort_by_key(|milestone| milestone.at);
    let mut so_far = SoFar::default();
    let remark =
        |milestone: &Milestone| so_far.remark(&milestone.event).map(|remark| format!("{remark} (at {})", milestone.at));
    let mut remarks: Vec<String> = sorted.into_iter().filter_map(remark).collect();
    let open = so_far.open.iter().filter(|(_, count)| **count > 0);
    remarks.extend(open.map(|(action, _)| {
        format!(
            "{action} began and no mark says that it ended: it is taken to last until the next action or quiet time"
        )
    }));
    remarks
}

#[derive(Default)]
struct SoFar {
    /// Actions that go on, by name.
    open: BTreeMap<String, usize>,
    /// Purposes for which consent stands; `None` is consent to everything.
    given: BTreeSet<Option<String>>,
    phase: Option<Phase>,
}

impl SoFar {
    fn remark(&mut self, event: &Event) -> Option<String> {
        // Files are collected when all is over.
        let late = self.over() && !matches!(event, Event::Snapshot { .. });
        let remark = late.then(|| "something is marked after the recording ended".to_owned());
        remark.or(match event {
            Event::Consent { change, purpose } => self.consent(*change, purpose.as_ref()),
            Event::ActionBegan { action, .. } => self.began(action),
            Event::ActionEnded { action, .. } => self.ended(action),
            Event::Planted { .. } | Event::Snapshot { .. } | Event::Canary(_) => None,
            Event::Phase(phase) => self.entered(*phase),
        })
    }

    fn over(&self) -> bool {
        self.phase == Some(Phase::RecordingEnded)
    }

    fn consent(&mut self, change: ConsentChange, purpose: Option<&String>) -> Option<String> {
        let purpose = purpose.cloned();
        match change {
            ConsentChange::Given => {
                self.given.insert(purpose);
                None
            }
            ConsentChange::Withdrawn => {
                let stood = self.given.remove(&purpose) || self.given.contains(&None);
                (!stood).then(|| "consent was withdrawn and no mark says that it had been given".to_owned())
            }
            ConsentChange::Shown | ConsentChange::Refused => None,
        }
    }

    fn began(&mut self, action: &str) -> Option<String> {
        let open = self.open.entry(action.to_owned()).or_default();
        *open += 1;
        let again = *open > 1;
        if self.phase == Some(Phase::QuietBegan) {
            return Some(format!("{action} began within the quiet time"));
        }
        again.then(|| format!("{action} began again before a mark said that it had ended"))
    }

    fn ended(&mut self, action: &str) -> Option<String> {
        match self.open.get_mut(action).filter(|open| **open > 0) {
            Some(open) => {
                *open -= 1;
                None
            }
            None => Some(format!("{action} ended and no mark says that it began: it does not count")),
        }
    }

    fn entered(&mut self, phase: Phase) -> Option<String> {
        let before = self.phase.replace(phase);
        let expected = match before {
            None => phase != Phase::QuietEnded,
            Some(Phase::RecordingBegan | Phase::QuietEnded) => {
                matches!(phase, Phase::QuietBegan | Phase::RecordingEnded)
            }
            Some(Phase::QuietBegan) => matches!(phase, Phase::QuietEnded | Phase::RecordingEnded),
            Some(Phase::RecordingEnded) => false,
        };
        let after = before.map_or("nothing that belongs before it", Phase::name);
        (!expected).then(|| format!("{} is marked after {after}", phase.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActionOutcome, Time};

    fn remarks(events: &[Event]) -> Vec<String> {
        let milestone = |(second, event): (i64, &Event)| Milestone {
            at: Time(second * 1_000_000_000),
            error: 0,
            event: event.clone(),
        };
        contradictions(&(0..).zip(events).map(milestone).collect::<Vec<_>>())
    }

    fn began(action: &str) -> Event {
        Event::ActionBegan { action: action.to_owned(), variant: None, conditions: Vec::new() }
    }

    fn ended(action: &str) -> Event {
        Event::ActionEnded { action: action.to_owned(), outcome: ActionOutcome::Succeeded }
    }

    fn consent(change: ConsentChange) -> Event {
        Event::Consent { change, purpose: None }
    }

    #[test]
    fn marks_that_fit_together_get_no_remark() {
        let events = [
            Event::Phase(Phase::RecordingBegan),
            consent(ConsentChange::Shown),
            consent(ConsentChange::Given),
            began("log-in"),
            ended("log-in"),
            consent(ConsentChange::Withdrawn),
            Event::Phase(Phase::QuietBegan),
            Event::Phase(Phase::QuietEnded),
            Event::Phase(Phase::RecordingEnded),
        ];
        assert_eq!(remarks(&events), [""; 0]);
    }

    #[test]
    fn each_contradiction_is_said_once() {
        for (events, said) in [
            (&[ended("log-in")][..], "log-in ended and no mark says that it began"),
            (&[began("log-in")], "log-in began and no mark says that it ended"),
            (&[began("log-in"), began("log-in"), ended("log-in"), ended("log-in")], "began again"),
            (&[Event::Phase(Phase::QuietBegan), began("log-in"), ended("log-in")], "within the quiet time"),
            (&[Event::Phase(Phase::QuietEnded)], "quiet-ended is marked after nothing that belongs before it"),
            (&[Event::Phase(Phase::RecordingEnded), consent(ConsentChange::Shown)], "after the recording ended"),
            (&[consent(ConsentChange::Withdrawn)], "consent was withdrawn"),
        ] {
            let remarks = remarks(events);
            assert!(remarks.len() == 1 && remarks[0].contains(said), "{said}: {remarks:?}");
        }
    }
}
