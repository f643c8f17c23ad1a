//! Two judgements side by side: before and after an update, two builds, two devices.
//!
//! Values differ between cases, addresses between recordings. So practices are aligned by the kind of
//! the datum, by who is behind the recipient, and by what became of the value.

use crate::{Evidence, OpaqueFacts, RunFacts};
use dyetrace_case::{
    Change, ClaimChange, Compared, Comparison, ConsentState, Direction, Form, JudgedClaim, JudgedPart, Judgement,
    PartChange, Party, Practice, PracticeChange, Protection, Recipient, RecipientChange, Role, Scope, SeenThere, Side,
    Stands, Transfer, Verdict, WithoutConsent,
};
use std::collections::{BTreeMap, BTreeSet};

/// One side: what was said, and the evidence it was said of.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// What was said.
    pub judgement: &'a Judgement,
    /// What it was said of, with what could not be read.
    pub evidence: &'a Evidence<'a>,
}

/// Compares two judgements. The same input always gives the same answer.
pub fn compare(judged_before: Judged<'_>, judged_after: Judged<'_>) -> Comparison {
    let (before, after) = (judged_before.judgement, judged_after.judgement);
    let owners = owners([before, after]);
    let parties = parties([before, after], &owners);
    let seen = [before, after].map(|judgement| seen(judgement, &owners, &parties));
    let tried = [before, after].map(Tried::of);
    let keys: BTreeSet<&Key> = seen.iter().flat_map(BTreeMap::keys).collect();
    let sides = [side(judged_before, &owners), side(judged_after, &owners)];
    let change = |key: &&Key| practice_change(key, &seen, &tried, &sides[1]);
    let practices: Vec<PracticeChange> = keys.iter().map(change).collect();
    let all = claim_changes(before, after);
    let (claims, unchanged): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|claim| claim.before != claim.after || !claim.parts.is_empty());
    let [before, after] = sides;
    Comparison {
        before,
        after,
        claims,
        claims_unchanged: unchanged.len(),
        recipients: recipient_changes(&practices),
        practices,
    }
}

/// Kind, recipient, form.
type Key = (String, Party, Form);

fn side(judged: Judged<'_>, owners: &BTreeMap<String, Option<String>>) -> Compared {
    let Judged { judgement, evidence } = judged;
    let mut products: Vec<String> = Vec::new();
    for product in judgement.runs.iter().filter_map(|run| run.product.as_ref()) {
        let parts = [product.vendor.as_ref(), Some(&product.name), product.version.as_ref(), product.made.as_ref()];
        let name = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        if !products.contains(&name) {
            products.push(name);
        }
    }
    Compared {
        runs: judgement.runs.iter().map(|run| run.id.clone()).collect(),
        products,
        hints: judgement.practices.iter().filter(|practice| practice.key.hint).count(),
        unread: unread(evidence, owners),
        is_incomplete: is_incomplete(evidence),
    }
}

/// To whom something was sent that nobody read, or that broke.
fn unread(evidence: &Evidence<'_>, owners: &BTreeMap<String, Option<String>>) -> BTreeSet<String> {
    let counts = |opaque: &&OpaqueFacts| opaque.sent != Some(0) && !opaque.other_app;
    let opaque = evidence.opaque.iter().filter(counts).map(|opaque| opaque.recipient);
    let broken = evidence.damages.iter().filter_map(|damage| damage.recipient);
    opaque.chain(broken).map(|recipient| party_name(evidence.recipients.get(recipient), owners)).collect()
}

fn is_incomplete(evidence: &Evidence<'_>) -> bool {
    let unproved = |run: &RunFacts| run.checks.iter().any(|check| !check.recorded);
    let lossy = |run: &RunFacts| run.records == 0 || run.drops.is_some_and(|drops| drops > 0) || unproved(run);
    evidence.runs.iter().any(lossy) || evidence.damages.iter().any(|damage| damage.recipient.is_none())
}

/// The owner of each domain that either side knows and none disputes.
fn owners(sides: [&Judgement; 2]) -> BTreeMap<String, Option<String>> {
    let mut owners: BTreeMap<String, Option<String>> = BTreeMap::new();
    for recipient in sides.iter().flat_map(|judgement| &judgement.recipients) {
        let (Some(domain), Some(owner)) = (&recipient.domain, &recipient.owner) else { continue };
        let known = owners.entry(domain.clone()).or_insert_with(|| Some(owner.clone()));
        if known.as_ref() != Some(owner) {
            *known = None;
        }
    }
    owners
}

/// The name under which both sides know a recipient.
fn party_name(recipient: Option<&Recipient>, owners: &BTreeMap<String, Option<String>>) -> String {
    let Some(recipient) = recipient else { return Scope::Unknown.name().to_owned() };
    let owner = || {
        let known = recipient.domain.as_ref().and_then(|domain| owners.get(domain)).cloned().flatten();
        known.or_else(|| recipient.domain.clone()).or_else(|| recipient.owner.clone())
    };
    match recipient.scope {
        // Addresses at home differ from recording to recording.
        Scope::Loopback | Scope::Link | Scope::Lan | Scope::Storage => recipient.scope.name().to_owned(),
        Scope::Wan | Scope::Unknown => owner().unwrap_or_else(|| recipient.shown()),
    }
}

/// Every recipient of both sides by its name: what one side alone knows of it holds for both.
fn parties(sides: [&Judgement; 2], owners: &BTreeMap<String, Option<String>>) -> BTreeMap<String, Party> {
    let mut parties: BTreeMap<String, Party> = BTreeMap::new();
    for recipient in sides.iter().flat_map(|judgement| &judgement.recipients) {
        let name = party_name(Some(recipient), owners);
        let party = Party { name: name.clone(), scope: recipient.scope, role: recipient.role };
        let known = parties.entry(name).or_insert_with(|| party.clone());
        known.scope = known.scope.min(party.scope);
        known.role = match (known.role, party.role) {
            (Role::Unknown, role) | (role, Role::Unknown) => role,
            (one, other) if one == other => one,
            _ => Role::Unknown,
        };
    }
    parties
}

/// What was sent or kept, hints and what a guard held back left out, by kind, recipient and form.
fn seen(
    judgement: &Judgement,
    owners: &BTreeMap<String, Option<String>>,
    parties: &BTreeMap<String, Party>,
) -> BTreeMap<Key, SeenThere> {
    let mut seen: BTreeMap<Key, SeenThere> = BTreeMap::new();
    for (index, practice) in judgement.practices.iter().enumerate() {
        let key = &practice.key;
        let kept = key.transfer == Transfer::Kept;
        let is_held_back = key.transfer == Transfer::HeldBack;
        if key.hint || is_held_back || (key.side != Side::Request && !kept) {
            continue;
        }
        let kind = key.datum.0.split('#').next().unwrap_or_default().to_owned();
        let name = party_name(judgement.recipients.get(key.recipient), owners);
        let unknown = |name| Party { name, scope: Scope::Unknown, role: Role::Unknown };
        let party = if kept { None } else { parties.get(&name).cloned() };
        let party = party.unwrap_or_else(|| unknown(if kept { "storage".to_owned() } else { name }));
        let one = seen_once(judgement, practice, index);
        match seen.get_mut(&(kind.clone(), party.clone(), key.form)) {
            Some(there) => add(there, one),
            None => drop(seen.insert((kind, party, key.form), one)),
        }
    }
    seen
}

fn seen_once(judgement: &Judgement, practice: &Practice, index: usize) -> SeenThere {
    let run = judgement.runs.get(practice.key.run);
    let segment = run.and_then(|run| run.timeline.segments.get(practice.key.segment));
    let states = segment.map(|segment| segment.consent_for(None).0).unwrap_or_default();
    let states: BTreeSet<ConsentState> = states.into_iter().collect();
    let given = states.contains(&ConsentState::Given);
    let within = segment.map_or(&[][..], |segment| &segment.actions);
    let named = within.iter().filter_map(|within| run?.timeline.actions.get(within.action));
    SeenThere {
        sightings: practice.count,
        weakest: practice.key.protection,
        channels: BTreeSet::from([practice.key.channel.clone()]),
        without_consent: match (states.is_empty(), given, states.len()) {
            (false, false, _) => WithoutConsent::Yes,
            (_, true, 1) => WithoutConsent::No,
            _ => WithoutConsent::Unknown,
        },
        actions: named.map(|action| action.action.clone()).collect(),
        states,
        practices: vec![index],
    }
}

fn add(there: &mut SeenThere, one: SeenThere) {
    there.sightings = there.sightings.saturating_add(one.sightings);
    there.weakest = there.weakest.min(one.weakest);
    there.without_consent = there.without_consent.max(one.without_consent);
    there.channels.extend(one.channels);
    there.states.extend(one.states);
    there.actions.extend(one.actions);
    there.practices.extend(one.practices);
}

/// What was done on a side.
struct Tried {
    actions: BTreeSet<String>,
    states: BTreeSet<ConsentState>,
}

impl Tried {
    fn of(judgement: &Judgement) -> Self {
        let timelines = || judgement.runs.iter().map(|run| &run.timeline);
        let ended = timelines().flat_map(|timeline| &timeline.actions).filter(|action| action.outcome.is_some());
        let states = timelines().flat_map(|timeline| &timeline.segments).flat_map(|one| one.consent_for(None).0);
        Self { actions: ended.map(|action| action.action.clone()).collect(), states: states.collect() }
    }

    /// Was everything done that something was seen in, and in one of its consent states? Where nobody wrote down what
    /// was done, nobody can tell.
    fn covers(&self, seen: &SeenThere) -> bool {
        let in_state = seen.states.is_empty() || !seen.states.is_disjoint(&self.states);
        !self.actions.is_empty() && seen.actions.is_subset(&self.actions) && in_state
    }
}

fn practice_change(
    key: &Key,
    seen: &[BTreeMap<Key, SeenThere>; 2],
    tried: &[Tried; 2],
    side_after: &Compared,
) -> PracticeChange {
    let [before, after] = seen.each_ref().map(|side| side.get(key).cloned());
    let [any_before, any_after] = seen.each_ref().map(|side| in_any_form(key, side));
    let mut changes: Vec<Change> = match (&before, &after) {
        (Some(before), Some(after)) => protection(before, after).into_iter().chain(consent(before, after)).collect(),
        (None, Some(after)) => appeared(key.2, after, any_before, any_after),
        (None, None) => Vec::new(),
        (Some(_), None) if any_after.is_some() => vec![Change::NotInThisForm],
        (Some(before), None) if tried[1].covers(before) => vec![Change::Vanished],
        (Some(_), None) => vec![Change::NotTried],
    };
    let (kind, party, form) = key.clone();
    let better = |change: &Change| change.direction() == Direction::Better;
    if side_after.may_hide(&party.name) && changes.iter().any(better) {
        changes.retain(|change| !better(change));
        changes.push(Change::NotReadable);
    }
    PracticeChange { kind, party, form, before, after, changes }
}

/// The form that is easiest to read in which the recipient got the kind, and all its forms taken together.
fn in_any_form(key: &Key, side: &BTreeMap<Key, SeenThere>) -> Option<(Form, SeenThere)> {
    let forms = Form::ALL.into_iter().filter_map(|form| Some((form, side.get(&(key.0.clone(), key.1.clone(), form))?)));
    forms.fold(None, |all, (form, seen)| {
        let Some((easiest, mut sum)) = all else { return Some((form, seen.clone())) };
        add(&mut sum, seen.clone());
        Some((form.min(easiest), sum))
    })
}

/// Something in a form that was not there before: forms are ordered from the one that is easiest to read.
fn appeared(
    form: Form,
    after: &SeenThere,
    any_before: Option<(Form, SeenThere)>,
    any_after: Option<(Form, SeenThere)>,
) -> Vec<Change> {
    let Some((easiest, before)) = any_before else { return vec![Change::Appeared] };
    let easiest_now = any_after.map_or(form, |(form, _)| form);
    let readable = match () {
        () if form < easiest => Change::MoreReadable,
        () if easiest_now > easiest => Change::LessReadable,
        () => Change::AnotherForm,
    };
    std::iter::once(readable).chain(protection(&before, after)).chain(consent(&before, after)).collect()
}

fn protection(before: &SeenThere, after: &SeenThere) -> Option<Change> {
    let unknown = before.weakest == Protection::Unknown || after.weakest == Protection::Unknown;
    match before.weakest.cmp(&after.weakest) {
        std::cmp::Ordering::Equal => None,
        _ if unknown => Some(Change::ProtectionUnknown),
        std::cmp::Ordering::Less => Some(Change::BetterProtected),
        std::cmp::Ordering::Greater => Some(Change::WorseProtected),
    }
}

fn consent(before: &SeenThere, after: &SeenThere) -> Option<Change> {
    match (before.without_consent, after.without_consent) {
        (WithoutConsent::No, WithoutConsent::Yes) => Some(Change::WithoutConsentNow),
        (WithoutConsent::Yes, WithoutConsent::No) => Some(Change::WithConsentNow),
        _ => None,
    }
}

/// Who gets something for the first time, and who gets nothing any more. What was not tried again, or may have been sent
/// where nobody could read it, does not say that somebody gets nothing.
fn recipient_changes(practices: &[PracticeChange]) -> Vec<RecipientChange> {
    let mut kinds: BTreeMap<&Party, [BTreeSet<String>; 2]> = BTreeMap::new();
    let mut open: BTreeSet<&Party> = BTreeSet::new();
    for practice in practices {
        let is_gone = practice.before.is_some() && practice.after.is_none();
        if is_gone && !practice.changes.contains(&Change::Vanished) {
            open.insert(&practice.party);
        }
        let [before, after] = kinds.entry(&practice.party).or_default();
        before.extend(practice.before.is_some().then(|| practice.kind.clone()));
        after.extend(practice.after.is_some().then(|| practice.kind.clone()));
    }
    let changed = kinds.into_iter().filter_map(|(party, [before, after])| {
        let is_new = before.is_empty();
        let changed = before.is_empty() != after.is_empty() && (is_new || !open.contains(party));
        changed.then(|| RecipientChange { party: party.clone(), is_new, kinds: if is_new { after } else { before } })
    });
    changed.collect()
}

fn claim_changes(before: &Judgement, after: &Judgement) -> Vec<ClaimChange> {
    let sides = [by_id(before), by_id(after)];
    let ids: BTreeSet<&String> = sides.iter().flat_map(BTreeMap::keys).collect();
    let change = |id: &String| {
        let claims = sides.each_ref().map(|side| side.get(id));
        let statement = claims.iter().rev().flatten().next().map(|claim| &claim.statement)?;
        let [from, to] = claims.map(stands);
        let (says, says_zh) = (statement.says.clone(), statement.says_zh.clone());
        Some(ClaimChange { id: id.clone(), says, says_zh, before: from, after: to, parts: part_changes(claims) })
    };
    ids.into_iter().filter_map(change).collect()
}

/// The claims by their ids. A rule is judged once for each of its texts in force, all under one id: it stands as all of
/// them together that apply.
fn by_id(judgement: &Judgement) -> BTreeMap<String, JudgedClaim> {
    let mut claims: BTreeMap<String, JudgedClaim> = BTreeMap::new();
    for claim in &judgement.claims {
        match claims.get_mut(&claim.statement.id) {
            Some(all) => join(all, claim),
            None => drop(claims.insert(claim.statement.id.clone(), claim.clone())),
        }
    }
    claims
}

fn join(all: &mut JudgedClaim, other: &JudgedClaim) {
    match (all.applies, other.applies) {
        (_, false) => {}
        (false, true) => *all = other.clone(),
        (true, true) => {
            all.verdict = all.verdict.and(other.verdict);
            all.parts.extend(other.parts.iter().cloned());
            all.review.extend(other.review.iter().cloned());
        }
    }
}

fn stands(claim: Option<&JudgedClaim>) -> Stands {
    match claim {
        None => Stands::Absent,
        Some(claim) if !claim.applies => Stands::OutOfScope,
        Some(claim) if !claim.review.is_empty() => Stands::Review,
        Some(claim) => of_verdict(claim.verdict),
    }
}

fn of_verdict(verdict: Verdict) -> Stands {
    match verdict {
        Verdict::Contradicted => Stands::Contradicted,
        Verdict::Supported => Stands::Supported,
        Verdict::NotExercised => Stands::NotExercised,
    }
}

type Labels = Vec<(&'static str, String)>;

/// Readings and variants that stand otherwise, where both sides have them.
fn part_changes(claims: [Option<&JudgedClaim>; 2]) -> Vec<PartChange> {
    let [Some(before), Some(after)] = claims.map(|claim| claim.filter(|claim| claim.applies).map(by_labels)) else {
        return Vec::new();
    };
    let both = before.into_iter().filter_map(|(labels, from)| Some((*after.get(&labels)?, labels, from)));
    let changed = both.filter(|(to, labels, from)| to != from && !labels.is_empty());
    let change = |(to, labels, from)| PartChange { labels, before: of_verdict(from), after: of_verdict(to) };
    changed.map(change).collect()
}

/// The verdicts of a claim's parts, those of several runs together.
fn by_labels(claim: &JudgedClaim) -> BTreeMap<Labels, Verdict> {
    let mut verdicts: BTreeMap<Labels, Verdict> = BTreeMap::new();
    for JudgedPart { labels, verdict, .. } in &claim.parts {
        let labels: Labels = labels.iter().filter(|(name, _)| *name != "run").cloned().collect();
        verdicts.entry(labels).and_modify(|all| *all = all.and(*verdict)).or_insert(*verdict);
    }
    verdicts
}
