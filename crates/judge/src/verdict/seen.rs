//! Which practices speak against a claim, which would if more were known, and which do not count.

use super::index::{Index, Row};
use super::recipients::{country_at_fault, reached};
use super::scope::Group;
use super::tri::Tri;
use super::windows::{Variant, Window, windows};
use crate::claims::forms_are_a_fault;
use crate::{Definitions, Disclosure, Never, Reach, Selector, codes};
use dyetrace_case::{Fact, Practice, Protection, Scope, Side, Transfer};

/// What is looked for: a `never`, or a list beyond which nothing may be passed on.
pub(crate) struct Sought<'c> {
    /// What never happens.
    pub(crate) never: &'c Never,
    /// What is allowed to be passed on, and to whom.
    pub(crate) list: &'c [Disclosure],
    /// What "collect" means.
    pub(crate) definitions: Definitions,
}

/// What practices say about a claim.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// They contradict it.
    pub(crate) witnesses: Vec<usize>,
    /// They would if more were known; each with what is not known.
    pub(crate) undecided: Vec<(usize, Why)>,
    /// They do not speak against it, for a reason that is worth showing.
    pub(crate) cleared: Vec<(usize, Why)>,
    /// Transmissions that the claim speaks of, at fault or not; not those inside an allowed action.
    pub(crate) judged: Vec<usize>,
    /// Seen inside an allowed action, with that action.
    pub(crate) controls: Vec<(usize, usize)>,
}

/// Why a practice is no witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Chance alone could explain it.
    Chance,
    /// Another app sent it.
    OtherApp,
    /// The value is not made up and no app is named.
    Actor,
    /// The product may be out of scope.
    Product,
    /// The recipient sent it.
    Received,
    /// The guard of the recording stopped it.
    HeldBack,
    /// Only part of the message left.
    Attempted,
    /// Another transfer than the claim speaks of.
    OtherTransfer,
    /// Another form than the claim speaks of.
    Form,
    /// Another recipient, or one of whom too little is known.
    Recipient,
    /// No fault, or a country that is not known.
    Country,
    /// No fault, or a protection that is not known.
    Protection,
    /// On the list, or possibly on it.
    Listed,
    /// Another consent state.
    OtherState,
    /// Within the clock error of a milestone.
    ClockError,
    /// The run has no marks of consent.
    Consent,
    /// It has no time.
    Time,
    /// Inside an allowed action.
    Inside,
    /// Another variant, or nobody can tell which.
    Variant,
    /// Whether it is kept cannot be seen.
    Keeping,
}

/// A claim's part applied to the evidence.
pub(crate) struct Seen<'a> {
    pub(crate) index: &'a Index<'a>,
    sought: &'a Sought<'a>,
    group: &'a Group,
    /// Is each recipient one that the claim speaks of?
    pub(crate) reached: Vec<Tri>,
    country: Vec<Tri>,
    stored: bool,
    /// The windows of each run; empty for runs that are not judged.
    pub(crate) windows: Vec<Vec<Window>>,
    /// How many of each run's windows before each the claim may speak of, so that a stretch of them is asked at once.
    open: Vec<Vec<usize>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(index: &'a Index<'a>, sought: &'a Sought<'a>, group: &'a Group, variant: &Variant) -> Self {
        let never = sought.never;
        let recipients = &index.evidence.recipients;
        let runs = index.evidence.runs.iter().enumerate().map(|(at, run)| {
            let judged = group.runs.contains(&at);
            let variants = index.variants.get(at).filter(|_| judged);
            variants
                .map_or_else(Vec::new, |variants| windows(run, variants, never.when.as_ref(), &never.unless, variant))
        });
        let windows: Vec<Vec<Window>> = runs.collect();
        Self {
            index,
            sought,
            group,
            reached: recipients.iter().map(|recipient| reached(recipient, &never.reaches)).collect(),
            country: recipients.iter().map(|recipient| country_at_fault(recipient, &never.countries)).collect(),
            stored: never.reaches.contains(&Reach::Storage),
            open: windows.iter().map(|windows| counted_open(windows)).collect(),
            windows,
        }
    }

    /// The window of a segment; that of what has no time where the index is wrong.
    pub(crate) fn window(&self, run: usize, segment: usize) -> Option<&Window> {
        let windows = self.windows.get(run)?;
        windows.get(segment).or_else(|| windows.first())
    }

    /// May the claim speak of what lies anywhere from one segment to another? What has no time, or no end that is
    /// known, may lie in any.
    pub(crate) fn may_speak_of(&self, run: usize, first: usize, last: usize) -> bool {
        let Some(open) = self.open.get(run) else { return false };
        let timed = first > 0 && first <= last && last.saturating_add(1) < open.len();
        let (from, to) = if timed { (first, last + 1) } else { (0, open.len().saturating_sub(1)) };
        open.get(from) < open.get(to)
    }

    /// Is the recipient one that the claim speaks of? Where the index is wrong, nobody can tell.
    pub(crate) fn reach(&self, recipient: usize) -> Tri {
        self.reached.get(recipient).copied().unwrap_or(Tri::Maybe)
    }

    /// Could what was not read of this recipient have been what the claim speaks of? Stored files have no recipient:
    /// they concern the claims about what is stored, and no other.
    pub(crate) fn concerns(&self, recipient: usize) -> Tri {
        match self.index.evidence.recipients.get(recipient) {
            Some(recipient) if recipient.scope == Scope::Storage => Tri::of(self.stored),
            _ => self.reach(recipient),
        }
    }

    /// Could the recipient be at fault for its country?
    pub(crate) fn country(&self, recipient: usize) -> Tri {
        self.country.get(recipient).copied().unwrap_or(Tri::Maybe)
    }

    /// Sorts every practice of the claim's data.
    pub(crate) fn find(&self) -> Found {
        let mut found = Found::default();
        for datum in self.index.selected(&self.sought.never.data) {
            let returned = self.returned(datum);
            for row in &self.index.by_datum[datum] {
                if let Some(window) = self.window(row.run, row.segment) {
                    self.sort(datum, row, returned, window, &mut found);
                }
            }
        }
        let order = |all: &mut Vec<(usize, Why)>| all.sort_unstable();
        found.witnesses.sort_unstable();
        found.judged.sort_unstable();
        found.controls.sort_unstable();
        order(&mut found.undecided);
        order(&mut found.cleared);
        found
    }

    fn sort(&self, datum: usize, row: &Row<'_>, returned: bool, window: &Window, found: &mut Found) {
        let number = row.number;
        // Certainly of another recipient: not worth a word, and by far the most frequent.
        if row.transfer != Transfer::Kept && self.reach(row.recipient) == Tri::No {
            return;
        }
        let about = self.about(datum, row);
        let unseen = [Why::Recipient, Why::OtherTransfer, Why::OtherApp];
        if about.iter().any(|(holds, why)| *holds == Tri::No && unseen.contains(why)) {
            return;
        }
        let faults = self.faults(datum, row, returned);
        let times = times(row, window);
        let sure = about.iter().filter(|(_, why)| *why != Why::Form).all(|(holds, _)| *holds == Tri::Yes);
        let in_time = times.iter().filter(|(_, why)| *why != Why::Inside).all(|(holds, _)| *holds == Tri::Yes);
        if sure && in_time {
            if window.allowed != Tri::Yes {
                found.judged.push(number);
            }
            if let (Tri::Yes, Some(action)) = (window.allowed, window.allowed_by) {
                found.controls.push((number, action));
            }
        }
        let all = || about.iter().chain(&faults).chain(&times);
        let least = all().map(|(holds, _)| *holds).min().unwrap_or(Tri::No);
        match least {
            Tri::Yes => found.witnesses.push(number),
            Tri::Maybe => {
                let why = all().find(|(holds, _)| *holds == Tri::Maybe).map_or(Why::Time, |(_, why)| *why);
                found.undecided.push((number, why));
            }
            Tri::No => found.cleared.extend(cleared_by(all()).map(|why| (number, why))),
        }
    }

    /// Is it what the claim speaks of at all?
    fn about(&self, datum: usize, key: &Row<'_>) -> [(Tri, Why); 8] {
        let never = self.sought.never;
        let kept = key.transfer == Transfer::Kept;
        let recipient = if kept { Tri::of(self.stored) } else { self.reach(key.recipient) };
        let run = self.index.evidence.runs.get(key.run);
        let apps = run.map(|run| run.apps.as_slice()).unwrap_or_default();
        let app = key.app.filter(|_| !apps.is_empty());
        let made_up = self.index.data.get(datum).is_none_or(|(_, _, made_up)| *made_up);
        let attributed = app.is_some() || made_up || kept;
        [
            (recipient, Why::Recipient),
            (Tri::of(app.is_none_or(|app| apps.contains(app))), Why::OtherApp),
            transferred(key.transfer, &never.transfers),
            (if key.side == Side::Request || kept { Tri::Yes } else { Tri::Maybe }, Why::Received),
            (Tri::of(never.forms.contains(&key.form)), Why::Form),
            (if key.hint { Tri::Maybe } else { Tri::Yes }, Why::Chance),
            (if attributed { Tri::Yes } else { Tri::Maybe }, Why::Actor),
            (if self.group.unknown.is_none() { Tri::Yes } else { Tri::Maybe }, Why::Product),
        ]
    }

    /// Is it at fault?
    fn faults(&self, datum: usize, key: &Row<'_>, returned: bool) -> [(Tri, Why); 4] {
        let kept = self.sought.definitions != Definitions::AppleLabel || returned;
        [
            (protection_at_fault(key.protection, self.sought.never.protection_below), Why::Protection),
            (self.country(key.recipient), Why::Country),
            (self.listed(datum, key.recipient).not(), Why::Listed),
            (if kept { Tri::Yes } else { Tri::Maybe }, Why::Keeping),
        ]
    }

    /// True where the datum came back as a canary.
    fn returned(&self, datum: usize) -> bool {
        let name = self.index.data.get(datum).map(|(name, _, _)| *name);
        self.index.evidence.canaries.iter().any(|canary| name == Some(canary.datum.0.as_str()))
    }

    fn listed(&self, datum: usize, recipient: usize) -> Tri {
        if self.sought.list.is_empty() {
            return Tri::No;
        }
        let recipient = self.index.recipient(recipient);
        let covers = |selectors: &[Selector]| selectors.iter().any(|selector| self.index.covers(selector, datum));
        let lines = self.sought.list.iter().filter(|line| covers(&line.data));
        Tri::any(lines.map(|line| reached(recipient, &line.recipients)))
    }

    /// The code of [`Seen::explain`].
    pub(crate) fn code_of(why: Why) -> &'static str {
        match why {
            Why::Chance => codes::CHANCE.name,
            Why::OtherApp => codes::OTHER_APP.name,
            Why::Actor => codes::ACTOR_UNKNOWN.name,
            Why::Product => codes::PRODUCT_UNKNOWN.name,
            Why::Received => codes::RECEIVED.name,
            Why::HeldBack => codes::HELD_BACK.name,
            Why::Attempted | Why::OtherTransfer => codes::ATTEMPTED_ONLY.name,
            Why::Form => codes::FORM_NOT_CLAIMED.name,
            Why::Recipient | Why::Listed => codes::RECIPIENT_UNKNOWN.name,
            Why::Country => codes::COUNTRY_UNKNOWN.name,
            Why::Protection => codes::PROTECTION_UNKNOWN.name,
            Why::OtherState => codes::OTHER_STATE.name,
            Why::ClockError => codes::WITHIN_CLOCK_ERROR.name,
            Why::Consent => codes::CONSENT_UNKNOWN.name,
            Why::Time => codes::TIME_UNKNOWN.name,
            Why::Inside => codes::INSIDE_ACTION.name,
            Why::Variant => codes::VARIANT_UNKNOWN.name,
            Why::Keeping => codes::KEEPING_UNKNOWN.name,
        }
    }

    /// Why a practice is no witness, as a fact.
    pub(crate) fn explain(&self, number: usize, why: Why) -> Fact {
        let practice = self.index.practice(number);
        let recipient = || practice.map_or_else(String::new, |p| self.index.recipient(p.key.recipient).shown());
        match why {
            Why::Chance => codes::CHANCE.fact([]),
            Why::OtherApp => {
                let app = practice.and_then(|practice| practice.key.app.clone()).unwrap_or_default();
                codes::OTHER_APP.fact([&app])
            }
            Why::Actor => codes::ACTOR_UNKNOWN.fact([]),
            Why::Product => codes::PRODUCT_UNKNOWN.fact([]),
            Why::Received => codes::RECEIVED.fact([]),
            Why::HeldBack => codes::HELD_BACK.fact([]),
            Why::Attempted | Why::OtherTransfer => codes::ATTEMPTED_ONLY.fact([]),
            Why::Form => codes::FORM_NOT_CLAIMED.fact([&practice.map_or("", |practice| practice.key.form.name())]),
            Why::Recipient | Why::Listed => codes::RECIPIENT_UNKNOWN.fact([&recipient()]),
            Why::Country => codes::COUNTRY_UNKNOWN.fact([&recipient()]),
            Why::Protection => codes::PROTECTION_UNKNOWN.fact([]),
            Why::OtherState => codes::OTHER_STATE.fact([]),
            Why::ClockError => codes::WITHIN_CLOCK_ERROR.fact([]),
            Why::Consent => codes::CONSENT_UNKNOWN.fact([]),
            Why::Time => codes::TIME_UNKNOWN.fact([]),
            Why::Inside => codes::INSIDE_ACTION.fact([&self.allowed_action(practice)]),
            Why::Variant => codes::VARIANT_UNKNOWN.fact([]),
            Why::Keeping => codes::KEEPING_UNKNOWN.fact([]),
        }
    }

    fn allowed_action(&self, practice: Option<&Practice>) -> String {
        let key = practice.map(|practice| &practice.key);
        let action = key.and_then(|key| {
            let action = self.window(key.run, key.segment)?.allowed_by?;
            self.index.evidence.runs.get(key.run)?.judged.timeline.actions.get(action)
        });
        action.map(|action| action.action.clone()).unwrap_or_default()
    }
}

/// The number of windows before each that the claim may speak of, and of all.
fn counted_open(windows: &[Window]) -> Vec<usize> {
    let may_be =
        |window: &Window| [window.when, window.allowed.not(), window.variant].iter().all(|one| *one != Tri::No);
    let mut counts = vec![0];
    for window in windows {
        let before = counts.last().copied().unwrap_or_default();
        counts.push(before + usize::from(may_be(window)));
    }
    counts
}

/// Did it come as far as the claim speaks of? Nobody knows what became of an attempt that was stopped, so it decides
/// nothing, unless the claim speaks of attempts.
fn transferred(transfer: Transfer, claimed: &[Transfer]) -> (Tri, Why) {
    let is_claimed = |transfer: Transfer| claimed.contains(&transfer);
    match transfer {
        Transfer::HeldBack | Transfer::Attempted => {
            let why = if transfer == Transfer::HeldBack { Why::HeldBack } else { Why::Attempted };
            (if is_claimed(Transfer::Attempted) { Tri::Yes } else { Tri::Maybe }, why)
        }
        Transfer::Sent | Transfer::Answered | Transfer::Kept => (Tri::of(is_claimed(transfer)), Why::OtherTransfer),
    }
}

/// Did it happen when the claim says it does not?
fn times(row: &Row<'_>, window: &Window) -> [(Tri, Why); 3] {
    let untimed = row.segment == 0;
    let clock = if untimed { Why::Time } else { Why::ClockError };
    let when = match window.when {
        Tri::No => Why::OtherState,
        _ if window.consent_unknown => Why::Consent,
        _ => clock,
    };
    let inside = if window.allowed == Tri::Yes { Why::Inside } else { clock };
    [(window.when, when), (window.allowed.not(), inside), (window.variant, Why::Variant)]
}

/// Is so little protection a fault? `Yes` where the claim does not speak of protection.
pub(crate) fn protection_at_fault(protection: Protection, below: Option<Protection>) -> Tri {
    match below {
        None => Tri::Yes,
        Some(_) if protection == Protection::Unknown => Tri::Maybe,
        Some(below) => Tri::of(protection < below),
    }
}

/// The reason to show, where exactly one thing keeps a practice from being a witness.
fn cleared_by<'c>(conditions: impl Iterator<Item = &'c (Tri, Why)>) -> Option<Why> {
    let mut failed = conditions.filter(|(holds, _)| *holds == Tri::No).map(|(_, why)| *why);
    let first = failed.next()?;
    let shown = [Why::Form, Why::OtherState, Why::Inside];
    (failed.next().is_none() && shown.contains(&first)).then_some(first)
}

/// True where a claim judges what is sent, so that nothing sent leaves nothing to judge.
pub(crate) fn needs_transmission(never: &Never) -> bool {
    never.protection_below.is_some() || !never.countries.is_empty() || forms_are_a_fault(&never.forms)
}
