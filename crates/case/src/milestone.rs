//! Dated events in a run: consent, the user's actions, what was planted, phases of the recording.

use crate::{Canary, Time};

/// One dated event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// When it happened, by the clock of the evidence: the run's `clock` offset is already taken off.
    pub at: Time,
    /// How far the clock may have been wrong, in nanoseconds: it happened within `at ± error`.
    pub error: u64,
    /// What happened.
    pub event: Event,
}

/// What a milestone marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Consent changed.
    Consent {
        /// How.
        change: ConsentChange,
        /// What for, where the product asks purpose by purpose; absent for consent to everything.
        purpose: Option<String>,
    },
    /// The user began an action.
    ActionBegan {
        /// Its name, as claims name it: `provision-device`.
        action: String,
        /// Which way of doing it, where there are several: `softap`.
        variant: Option<String>,
        /// Circumstances that hold while it lasts, such as a blocked network: `wan-blocked`.
        conditions: Vec<String>,
    },
    /// The user's action ended: the latest of that name that has not ended.
    ActionEnded {
        /// Its name.
        action: String,
        /// How it ended.
        outcome: ActionOutcome,
    },
    /// The product was given planted values: typed, stored, photographed.
    Planted {
        /// Kinds or names of data.
        data: Vec<String>,
    },
    /// The product's files were collected: that exhibit has them as they were then.
    Snapshot {
        /// Path of the exhibit, relative to the case folder.
        exhibit: String,
    },
    /// The tester made a request on purpose, which the recording must have if it works.
    Canary(Canary),
    /// The recording entered a phase.
    Phase(Phase),
}

/// How consent changed (ISO/IEC TS 27560; `dpv:ConsentStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentChange {
    /// The question was put to the user.
    Shown,
    /// The user said yes.
    Given,
    /// The user said no.
    Refused,
    /// The user took a yes back.
    Withdrawn,
}

impl ConsentChange {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Shown, Self::Given, Self::Refused, Self::Withdrawn];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionOutcome {
    /// It did what the user wanted.
    Succeeded,
    /// It did not.
    Failed,
}

impl ActionOutcome {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Succeeded, Self::Failed];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A phase of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Recording began, before the product was started.
    RecordingBegan,
    /// The last action is over; the product is left alone.
    QuietBegan,
    /// The product was left alone up to here.
    QuietEnded,
    /// Recording ended.
    RecordingEnded,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RecordingBegan, Self::QuietBegan, Self::QuietEnded, Self::RecordingEnded];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordingBegan => "recording-began",
            Self::QuietBegan => "quiet-began",
            Self::QuietEnded => "quiet-ended",
            Self::RecordingEnded => "recording-ended",
        }
    }
}
