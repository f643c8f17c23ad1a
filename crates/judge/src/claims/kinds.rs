//! Reading the kinds of claim.

use super::error::{ClaimError, unknown};
use super::model::{
    ActionWanted, After, Check, CountryTest, Definitions, Discloses, Disclosure, Exercise, Needs, Never, NumberClaim,
    Reach, Reading, Selector, ServerSide, When, Works,
};
use super::node::{Fields, Node, Source};
use super::words;
use crate::taxonomy::Group;
use dyetrace_case::{ConsentState, Country, Form, Kind, Transfer};
use serde_saphyr::Spanned;

/// What is checked and what must be tried, from the keys of a claim or a reading.
pub(super) fn reading(
    fields: &Fields<'_, '_>,
    name: Option<String>,
    shared: Option<&Exercise>,
    definitions: Definitions,
) -> Result<Reading, ClaimError> {
    let source = fields.source;
    let kinds: Vec<_> = words::KINDS.iter().filter_map(|kind| fields.entry(kind)).collect();
    let (key, node) = match kinds.as_slice() {
        [] => return Err(fields.error(format!("nothing is checked here: write one of {}", words::KINDS.join(", ")))),
        [one] => *one,
        [_, second, ..] => return Err(source.at(&second.0, "only one kind may stand here: use `readings` for more")),
    };
    let check = match key.value.as_str() {
        "never" => Check::Never(never(source, node, definitions)?),
        "works" => Check::Works(works(source, node)?),
        "needs" => Check::Needs(needs(source, node)?),
        "discloses" => Check::Discloses(discloses(source, node, definitions)?),
        "count" => Check::Number(count(source, node)?),
        "ratio" => Check::Number(ratio(source, node)?),
        "retention" => Check::ServerSide(server_side(source, node, "retention")?),
        "purpose" => Check::ServerSide(server_side(source, node, "purpose")?),
        _ => Check::ServerSide(server_side(source, node, "server-side")?),
    };
    let own = fields.get("exercise").map(|node| exercise(source, node)).transpose()?;
    if let Some(node) = fields.get("exercise") {
        must_matter(source, node, &check)?;
    }
    let exercise = own.or_else(|| shared.cloned()).unwrap_or_default();
    if let Some(state) = untried(&check, &exercise) {
        let reason = format!("no action is tried in the state `{}`, of which this speaks", state.name());
        return Err(source.at(key, reason));
    }
    Ok(Reading { name, check, exercise })
}

/// A consent state that the claim speaks of and in which nothing would be tried.
fn untried(check: &Check, exercise: &Exercise) -> Option<ConsentState> {
    let Check::Never(Never { when: Some(when), .. }) = check else { return None };
    let tried =
        |state: &ConsentState| exercise.actions.iter().any(|one| one.states.is_empty() || one.states.contains(state));
    when.states.iter().copied().find(|state| !exercise.actions.is_empty() && !tried(state))
}

/// What a kind of claim does not look at must not stand there as if it did.
fn must_matter(source: Source<'_>, node: &Spanned<Node>, check: &Check) -> Result<(), ClaimError> {
    let looked_at: &[&str] = match check {
        Check::Never(_) | Check::Discloses(_) => return Ok(()),
        Check::Works(works) if works.without_traffic_to.is_empty() => &[],
        Check::Works(_) | Check::Needs(_) => &["channels"],
        Check::Number(_) | Check::ServerSide(_) => &[],
    };
    let fields = source.fields(node, "exercise", words::EXERCISE)?;
    let unused = words::EXERCISE.iter().filter(|key| !looked_at.contains(key)).find_map(|key| fields.entry(key));
    match unused {
        Some((key, _)) => {
            let kind = check.kind();
            Err(source.at(key, format!("`{}` decides nothing in a claim of the kind {kind}", key.value)))
        }
        None => Ok(()),
    }
}

/// `exercise:`.
pub(super) fn exercise(source: Source<'_>, node: &Spanned<Node>) -> Result<Exercise, ClaimError> {
    let fields = source.fields(node, "exercise", words::EXERCISE)?;
    let usual = Exercise::default();
    let whole = |key: &str, usual: u64| fields.get(key).map_or(Ok(usual), |node| source.whole(node));
    Ok(Exercise {
        actions: fields.list("actions", |node| action_wanted(source, node))?,
        states: fields.list("states", |node| source.word(node, "consent state", words::STATES))?,
        channels: fields.list("channels", |node| source.name(node))?,
        quiet_s: whole("quiet_s", usual.quiet_s)?,
        spike_at_least: fields
            .get("spike_at_least")
            .map_or(Ok(usual.spike_at_least), |node| source.number(node, 0.0, 1.0))?,
        opaque_at_most: whole("opaque_at_most", usual.opaque_at_most)?,
    })
}

fn action_wanted(source: Source<'_>, node: &Spanned<Node>) -> Result<ActionWanted, ClaimError> {
    if matches!(node.value, Node::Text(_)) {
        return Ok(ActionWanted {
            name: source.name(node)?,
            times: 1,
            outcome: super::OutcomeWanted::default(),
            states: Vec::new(),
        });
    }
    let fields = source.fields(node, "an action", words::ACTION_WANTED)?;
    let outcome = fields.get("outcome").map(|node| source.word(node, "outcome", words::OUTCOMES)).transpose()?;
    let times = match fields.get("times") {
        Some(node) => {
            let times = source.whole(node)?;
            if times == 0 {
                return Err(source.at(node, "what is tried 0 times decides nothing: 1 or more"));
            }
            times
        }
        None => 1,
    };
    let states = fields.list("states", |node| source.word(node, "consent state", words::STATES))?;
    let name = source.name(fields.needed("name")?)?;
    Ok(ActionWanted { name, times, outcome: outcome.unwrap_or_default(), states })
}

/// Digests, parts and followers count only where a claim names them.
const USUAL_FORMS: [Form; 3] = [Form::Clear, Form::Encoded, Form::KnownKey];

fn never(source: Source<'_>, node: &Spanned<Node>, definitions: Definitions) -> Result<Never, ClaimError> {
    let fields = source.fields(node, "never", words::NEVER)?;
    fields.needed("data")?;
    let reaches = fields.list("reaches", |node| reach(source, node))?;
    let reaches = if reaches.is_empty() { definitions.reaches() } else { reaches };
    let forms = fields.list("forms", |node| source.word(node, "form", words::FORMS))?;
    let transfers = fields.list("transfer", |node| source.word(node, "transfer", words::TRANSFERS))?;
    let stored = reaches.contains(&Reach::Storage);
    let usual = if stored { vec![Transfer::Kept] } else { vec![Transfer::Sent, Transfer::Answered] };
    Ok(Never {
        data: fields.list("data", |node| selector(source, node))?,
        forms: if forms.is_empty() { USUAL_FORMS.to_vec() } else { forms },
        transfers: if transfers.is_empty() { usual } else { transfers },
        protection_below: fields
            .get("protection_below")
            .map(|node| source.word(node, "protection", words::PROTECTIONS))
            .transpose()?,
        countries: countries(&fields)?,
        unless: fields.list("unless", |node| source.name(node))?,
        when: fields.get("when").map(|node| when(source, node)).transpose()?,
        reaches,
    })
}

fn countries(fields: &Fields<'_, '_>) -> Result<Vec<CountryTest>, ClaimError> {
    let source = fields.source;
    let keys = [
        ("country", false, false),
        ("not_country", false, true),
        ("operator_country", true, false),
        ("not_operator_country", true, true),
    ];
    let mut tests = Vec::new();
    for (key, operator, outside) in keys {
        let countries = fields.list(key, |node| {
            let text = source.text(node)?;
            Country::new(&text).ok_or_else(|| source.at(node, "a country is two letters (ISO 3166-1), as in CN"))
        })?;
        if !countries.is_empty() {
            tests.push(CountryTest { operator, outside, countries });
        }
    }
    Ok(tests)
}

fn when(source: Source<'_>, node: &Spanned<Node>) -> Result<When, ClaimError> {
    let state = |node| source.word(node, "consent state", words::STATES);
    if !matches!(node.value, Node::Map(_)) {
        let states = source.list(node)?.into_iter().map(state).collect::<Result<_, _>>()?;
        return Ok(When { purpose: None, states });
    }
    let fields = source.fields(node, "when", words::WHEN)?;
    fields.needed("states")?;
    Ok(When {
        purpose: fields.get("purpose").map(|node| source.name(node)).transpose()?,
        states: fields.list("states", state)?,
    })
}

fn selector(source: Source<'_>, node: &Spanned<Node>) -> Result<Selector, ClaimError> {
    let text = source.text(node)?;
    let group = match text.as_str() {
        "personal" => Some(Selector::Personal),
        "everything" => Some(Selector::Everything),
        "sensitive" if source.rules => Some(Selector::Sensitive(Vec::new())),
        "sensitive" => return Err(source.at(node, "what is sensitive depends on the law and its date: name the kinds")),
        name => Group::of(name).map(Selector::Group),
    };
    if let Some(group) = group {
        return Ok(group);
    }
    match text.parse::<Kind>() {
        Ok(_) => Ok(Selector::Kind(text)),
        Err(error) => {
            let groups = Group::ALL.map(Group::name).join(", ");
            Err(source.at(node, format!("{error}; or one of the groups personal, everything, {groups}")))
        }
    }
}

/// A word, a domain, or an owner by name. A text with a dot is a domain, so a misspelt word is never taken for one.
fn reach(source: Source<'_>, node: &Spanned<Node>) -> Result<Reach, ClaimError> {
    if matches!(node.value, Node::Map(_)) {
        let fields = source.fields(node, "a recipient", words::RECIPIENT)?;
        return match (fields.text("owner")?, fields.text("domain")?) {
            (Some(owner), None) => Ok(Reach::Owner(owner)),
            (None, Some(domain)) => Ok(Reach::Domain(domain.to_lowercase())),
            _ => Err(fields.error("one of `owner` and `domain` must stand here")),
        };
    }
    let text = source.text(node)?;
    let table = words::reaches();
    if let Some((_, reach)) = table.iter().find(|(word, _)| *word == text) {
        return Ok(reach.clone());
    }
    if text.contains('.') {
        return Ok(Reach::Domain(text.trim_start_matches("*.").to_lowercase()));
    }
    let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
    Err(source.at(node, unknown("recipient", &text, &words) + ", a domain such as example.com, { owner: NAME }"))
}

fn works(source: Source<'_>, node: &Spanned<Node>) -> Result<Works, ClaimError> {
    let fields = source.fields(node, "works", words::ACTION)?;
    Ok(Works {
        action: source.name(fields.needed("action")?)?,
        without_traffic_to: fields.list("without_traffic_to", |node| reach(source, node))?,
    })
}

fn needs(source: Source<'_>, node: &Spanned<Node>) -> Result<Needs, ClaimError> {
    let fields = source.fields(node, "needs", words::ACTION)?;
    fields.needed("without_traffic_to")?;
    Ok(Needs {
        action: source.name(fields.needed("action")?)?,
        without_traffic_to: fields.list("without_traffic_to", |node| reach(source, node))?,
    })
}

fn discloses(source: Source<'_>, node: &Spanned<Node>, definitions: Definitions) -> Result<Discloses, ClaimError> {
    let fields = source.fields(node, "discloses", words::DISCLOSES)?;
    let among = fields.list("among", |node| selector(source, node))?;
    let reaches = fields.list("reaches", |node| reach(source, node))?;
    fields.needed("list")?;
    let list = fields.list("list", |node| {
        let line = source.fields(node, "a line of the list", words::DISCLOSURE)?;
        line.needed("data")?;
        line.needed("recipients")?;
        let data = line.list("data", |node| selector(source, node))?;
        Ok(Disclosure { data, recipients: line.list("recipients", |node| reach(source, node))? })
    })?;
    let among = if among.is_empty() { vec![Selector::Personal] } else { among };
    Ok(Discloses { among, reaches: if reaches.is_empty() { definitions.reaches() } else { reaches }, list })
}

fn count(source: Source<'_>, node: &Spanned<Node>) -> Result<NumberClaim, ClaimError> {
    let fields = source.fields(node, "count", words::COUNT)?;
    let number = |key: &str| fields.get(key).map(|node| source.number(node, 0.0, f64::INFINITY)).transpose();
    let (exactly, low, high) = (number("exactly")?, number("at_least")?, number("at_most")?);
    bounds(&fields, exactly.map(|number| (number, number)), low, high, false)
}

fn ratio(source: Source<'_>, node: &Spanned<Node>) -> Result<NumberClaim, ClaimError> {
    let fields = source.fields(node, "ratio", words::RATIO)?;
    let number = |key: &str| fields.get(key).map(|node| source.number(node, 0.0, 1.0)).transpose();
    let (about, within, low, high) = (number("about")?, number("within")?, number("at_least")?, number("at_most")?);
    let about = match (about, within) {
        (Some(about), Some(within)) => Some((about - within, about + within)),
        (None, None) => None,
        _ => return Err(fields.error("`about` and `within` go together: about: 0.05, within: 0.02")),
    };
    bounds(&fields, about, low, high, true)
}

fn bounds(
    fields: &Fields<'_, '_>,
    exactly: Option<(f64, f64)>,
    low: Option<f64>,
    high: Option<f64>,
    share: bool,
) -> Result<NumberClaim, ClaimError> {
    let (low, high) = match (exactly, low, high) {
        (Some((low, high)), None, None) => (Some(low), Some(high)),
        (None, None, None) => return Err(fields.error("no number is claimed here: at_least, at_most or another")),
        (None, Some(low), Some(high)) if low > high => return Err(fields.error("`at_least` is more than `at_most`")),
        (None, low, high) => (low, high),
        _ => return Err(fields.error("either a number is given or bounds, not both")),
    };
    Ok(NumberClaim { measure: fields.source.name(fields.needed("measure")?)?, share, low, high })
}

fn server_side(source: Source<'_>, node: &Spanned<Node>, about: &'static str) -> Result<ServerSide, ClaimError> {
    let fields = source.fields(node, "this", words::SERVER_SIDE)?;
    fields.needed("data")?;
    let after = fields.get("after").map(|node| {
        let fields = source.fields(node, "after", words::AFTER)?;
        let days = fields.get("days").map_or(Ok(0), |node| source.whole(node))?;
        Ok(After { action: source.name(fields.needed("action")?)?, days })
    });
    Ok(ServerSide { data: fields.list("data", |node| selector(source, node))?, about, after: after.transpose()? })
}

/// True where a claim's forms leave out one in which values usually go: then it needs a transmission to judge.
pub(crate) fn forms_are_a_fault(forms: &[Form]) -> bool {
    USUAL_FORMS.iter().any(|form| !forms.contains(form))
}
