//! The closed vocabulary of claim files: every key and every word, with what it means.
//!
//! The JSON Schema for editors (`docs/claims.schema.json`) has the same words; a test compares them.

use super::model::{Definitions, OutcomeWanted, Reach};
use dyetrace_case::{ConsentState, Form, Protection, Role, Scope, Transfer};

/// Keys of a claim file.
pub(crate) const FILE: &[&str] = &["vendor", "source", "claims"];
/// Keys of `source`.
pub(crate) const SOURCE: &[&str] = &["title", "date", "url", "archived"];
/// Kinds of claim: one of them stands in each claim or reading.
pub(crate) const KINDS: &[&str] =
    &["never", "works", "needs", "discloses", "count", "ratio", "retention", "purpose", "server_side"];
/// Keys of a claim.
pub(crate) const CLAIM: &[&str] = &[
    "id",
    "says",
    "says_zh",
    "source",
    "applies_to",
    "definitions",
    "variants",
    "readings",
    "human",
    "exercise",
    "never",
    "works",
    "needs",
    "discloses",
    "count",
    "ratio",
    "retention",
    "purpose",
    "server_side",
];
/// Keys of a reading.
pub(crate) const READING: &[&str] = &[
    "name",
    "exercise",
    "never",
    "works",
    "needs",
    "discloses",
    "count",
    "ratio",
    "retention",
    "purpose",
    "server_side",
];
/// Keys of `applies_to`.
pub(crate) const APPLIES_TO: &[&str] = &["versions", "made_from", "made_to", "regions", "platform"];
/// Keys of `applies_to` in rules.
pub(crate) const RULE_APPLIES_TO: &[&str] = &["platform", "regions", "app_type"];
/// Keys of `never`.
pub(crate) const NEVER: &[&str] = &[
    "data",
    "reaches",
    "forms",
    "transfer",
    "protection_below",
    "country",
    "not_country",
    "operator_country",
    "not_operator_country",
    "unless",
    "when",
];
/// Keys of `when`.
pub(crate) const WHEN: &[&str] = &["purpose", "states"];
/// Keys of `works` and `needs`.
pub(crate) const ACTION: &[&str] = &["action", "without_traffic_to"];
/// Keys of `discloses`.
pub(crate) const DISCLOSES: &[&str] = &["among", "reaches", "list"];
/// Keys of one line of `list`.
pub(crate) const DISCLOSURE: &[&str] = &["data", "recipients"];
/// Keys of `count`.
pub(crate) const COUNT: &[&str] = &["measure", "at_least", "at_most", "exactly"];
/// Keys of `ratio`.
pub(crate) const RATIO: &[&str] = &["measure", "at_least", "at_most", "about", "within"];
/// Keys of `retention`, `purpose` and `server_side`.
pub(crate) const SERVER_SIDE: &[&str] = &["data", "after"];
/// Keys of `after`.
pub(crate) const AFTER: &[&str] = &["action", "days"];
/// Keys of `exercise`.
pub(crate) const EXERCISE: &[&str] = &["actions", "states", "channels", "quiet_s", "spike_at_least", "opaque_at_most"];
/// Keys of one of `actions`.
pub(crate) const ACTION_WANTED: &[&str] = &["name", "times", "outcome", "states"];
/// Keys of a recipient that is no word.
pub(crate) const RECIPIENT: &[&str] = &["owner", "domain"];
/// Keys of a file of measured numbers.
pub(crate) const MEASURED_FILE: &[&str] = &["measured"];
/// Keys of one measured number.
pub(crate) const MEASURED: &[&str] = &["name", "hits", "of", "low", "high", "how"];

/// `definitions`.
pub(crate) const DEFINITIONS: &[(&str, Definitions)] = &[
    ("plain", Definitions::Plain),
    ("gb35273", Definitions::Gb35273),
    ("apple-label", Definitions::AppleLabel),
    ("google-ds", Definitions::GoogleDataSafety),
];

/// `forms`.
pub(crate) const FORMS: &[(&str, Form)] = &[
    ("clear", Form::Clear),
    ("encoded", Form::Encoded),
    ("known-key", Form::KnownKey),
    ("hashed", Form::Hashed),
    ("derived", Form::Derived),
    ("differential", Form::Differential),
];

/// `transfer`.
pub(crate) const TRANSFERS: &[(&str, Transfer)] = &[
    ("attempted", Transfer::Attempted),
    ("sent", Transfer::Sent),
    ("answered", Transfer::Answered),
    ("kept", Transfer::Kept),
];

/// `protection_below`.
pub(crate) const PROTECTIONS: &[(&str, Protection)] = &[
    ("transport", Protection::Transport),
    ("end-to-end", Protection::Payload),
    ("payload-and-transport", Protection::PayloadAndTransport),
];

/// Consent states.
pub(crate) const STATES: &[(&str, ConsentState)] = &[
    ("not-asked", ConsentState::NotAsked),
    ("asked", ConsentState::Asked),
    ("given", ConsentState::Given),
    ("refused", ConsentState::Refused),
    ("withdrawn", ConsentState::Withdrawn),
];

/// `outcome`.
pub(crate) const OUTCOMES: &[(&str, OutcomeWanted)] =
    &[("succeeded", OutcomeWanted::Succeeded), ("failed", OutcomeWanted::Failed), ("any", OutcomeWanted::Any)];

/// Platforms.
pub(crate) const PLATFORMS: &[(&str, &str)] = &[
    ("android", "android"),
    ("ios", "ios"),
    ("windows", "windows"),
    ("macos", "macos"),
    ("linux", "linux"),
    ("web", "web"),
    ("device", "device"),
];

/// Words for where data goes.
pub(crate) fn reaches() -> Vec<(&'static str, Reach)> {
    let scopes = [Scope::Wan, Scope::Lan, Scope::Link, Scope::Loopback];
    let roles = [Role::First, Role::Affiliate, Role::Processor, Role::Third];
    let scopes = scopes.into_iter().map(|scope| (scope.name(), Reach::Scope(scope)));
    let others = [("elsewhere", Reach::Elsewhere), ("storage", Reach::Storage)];
    scopes.chain(others).chain(roles.into_iter().map(|role| (role.name(), Reach::Role(role)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn schema() -> Value {
        serde_json::from_str(include_str!("../../../../docs/claims.schema.json")).unwrap()
    }

    fn keys(definition: &Value) -> BTreeSet<String> {
        definition["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_has_the_keys_of_the_parser() {
        let schema = schema();
        assert_eq!(keys(&schema), FILE.iter().map(|&key| key.to_owned()).collect());
        let definitions = [
            ("source", SOURCE),
            ("claim", CLAIM),
            ("reading", READING),
            ("applies_to", APPLIES_TO),
            ("never", NEVER),
            ("when", WHEN),
            ("works", ACTION),
            ("needs", ACTION),
            ("discloses", DISCLOSES),
            ("disclosure", DISCLOSURE),
            ("count", COUNT),
            ("ratio", RATIO),
            ("server_side", SERVER_SIDE),
            ("after", AFTER),
            ("exercise", EXERCISE),
            ("action", ACTION_WANTED),
            ("recipient", RECIPIENT),
        ];
        for (name, expected) in definitions {
            let expected = expected.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(keys(&schema["$defs"][name]), expected, "{name}");
            assert_eq!(schema["$defs"][name]["additionalProperties"], Value::Bool(false), "{name}");
        }
    }

    #[test]
    fn the_schema_has_the_words_of_the_parser() {
        fn first<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
            table.iter().map(|(word, _)| *word).collect()
        }
        let tables = [
            ("definitions", first(DEFINITIONS)),
            ("form", first(FORMS)),
            ("transfer", first(TRANSFERS)),
            ("protection", first(PROTECTIONS)),
            ("state", first(STATES)),
            ("outcome", first(OUTCOMES)),
            ("platform", first(PLATFORMS)),
            ("place", first(&reaches())),
        ];
        for (name, words) in tables {
            assert_eq!(schema()["$defs"][name]["enum"], Value::from(words), "{name}");
        }
    }

    #[test]
    fn words_of_forms_states_and_transfers_are_those_of_reports() {
        assert!(FORMS.iter().all(|(word, form)| *word == form.name()));
        assert!(STATES.iter().all(|(word, state)| *word == state.name()));
        assert!(TRANSFERS.iter().all(|(word, transfer)| *word == transfer.name()));
    }
}
