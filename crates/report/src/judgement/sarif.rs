//! A judged case in the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS Standard,
//! 27 March 2020): one result for each claim, datum and recipient.

use super::Standing;
use super::places::Places;
use super::results::{ResultKind, Row, rows};
use crate::audit::{Audit, Each};
use crate::json::harmless;
use crate::text::{clean, count};
use crate::words::{Lang, sentence, term};
use dyetrace_case::{Country, Fact, Finding, Form, JudgedClaim, Judgement, Protection, Statement, Suppression};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Most results in one log: GitHub refuses logs with more and shows 5,000 of them.
pub const MOST_RESULTS: usize = 25_000;

/// How reports for programs are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineLook<'a> {
    /// The language of messages. Ids, kinds and properties are the same in every language.
    pub lang: Lang,
    /// The command that made the report, for whoever wants to repeat it.
    pub command: Option<&'a str>,
}

/// Writes the log, results most severe first. What is beyond [`MOST_RESULTS`] is counted in a notification.
///
/// # Errors
/// Writing failed.
pub fn write_sarif(judgement: &Judgement, audit: &Audit, look: MachineLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut results = rows(judgement);
    let left_out = results.len().saturating_sub(MOST_RESULTS);
    results.truncate(MOST_RESULTS);
    let places = Places::of(&results, judgement, audit);
    let log = Log { judgement, audit, look, numbers: numbers(&results), results, left_out, places };
    harmless(out, |out| {
        let mut serializer = serde_json::Serializer::pretty(&mut *out);
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("$schema", "https://json.schemastore.org/sarif-2.1.0.json")?;
        document.serialize_entry("version", "2.1.0")?;
        document.serialize_entry("runs", &[&log])?;
        SerializeMap::end(document)?;
        out.write_all(b"\n")
    })
}

/// The one run of a log.
struct Log<'a> {
    judgement: &'a Judgement,
    audit: &'a Audit,
    look: MachineLook<'a>,
    results: Vec<Row<'a>>,
    /// The number of each result among those with the same name, from 1.
    numbers: Vec<usize>,
    left_out: usize,
    places: Places<'a>,
}

impl Serialize for Log<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rule = |claim: &JudgedClaim| rule(claim, self.look.lang);
        let rules: Vec<Value> = self.judgement.claims.iter().map(rule).collect();
        let tool = &self.audit.tool;
        let driver =
            json!({"name": tool.name, "version": tool.version, "semanticVersion": tool.version, "rules": rules});
        let numbered: Vec<(&Row<'_>, usize)> = self.results.iter().zip(self.numbers.iter().copied()).collect();
        let mut run = serializer.serialize_map(None)?;
        run.serialize_entry("tool", &json!({"driver": driver}))?;
        run.serialize_entry("automationDetails", &self.automation())?;
        run.serialize_entry("invocations", &[self.invocation()])?;
        run.serialize_entry("language", self.look.lang.pick("en", "zh"))?;
        run.serialize_entry("originalUriBaseIds", &self.places.bases())?;
        run.serialize_entry("artifacts", &self.places.artifacts())?;
        run.serialize_entry("logicalLocations", &self.places.logical())?;
        run.serialize_entry(
            "results",
            &Each(&numbered, |(row, number): &(&Row<'_>, usize)| self.result(row, *number)),
        )?;
        run.end()
    }
}

impl Log<'_> {
    /// GitHub keeps the results of one category apart from those of another, and ends those that are gone.
    fn automation(&self) -> Value {
        let title = self.audit.case.as_ref().map_or("", |case| case.title.as_str());
        let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
        let case = if slug.is_empty() { "case".to_owned() } else { slug };
        json!({"id": format!("{}/judge/{case}/", self.audit.tool.name)})
    }

    fn invocation(&self) -> Value {
        let lang = self.look.lang;
        let note = |fact: &Fact| notification(fact.code, &sentence(fact, lang));
        let notes: Vec<Value> = self.judgement.notes.iter().map(note).collect();
        let mut invocation = json!({
            "executionSuccessful": true,
            "toolExecutionNotifications": self.unread(),
            "toolConfigurationNotifications": notes,
        });
        if let Some(command) = self.look.command {
            invocation["commandLine"] = json!(clean(command));
        }
        invocation
    }

    /// What a reader of the results must know that they do not show.
    fn unread(&self) -> Vec<Value> {
        let lang = self.look.lang;
        let (payload, opaque, lost) = self.audit.totals();
        let amounts = [
            (
                "results-left-out",
                self.left_out as u64,
                lang.pick("less severe results are left out", "条较轻的结果未列出"),
            ),
            ("opaque", opaque, lang.pick("bytes of {payload} could not be read", "字节无法读取（共 {payload} 字节）")),
            (
                "damage",
                lost,
                lang.pick("bytes of {payload} were lost or broken", "字节丢失或损坏（共 {payload} 字节）"),
            ),
        ];
        let present = amounts.into_iter().filter(|(_, amount, _)| *amount > 0);
        let notes = present.map(|(code, amount, what)| {
            let what = what.replace("{payload}", &count(payload));
            notification(code, &format!("{} {what}", count(amount)))
        });
        notes.collect()
    }

    fn result(&self, row: &Row<'_>, number: usize) -> Value {
        let mut result = json!({
            "ruleId": clean(&row.claim.statement.id),
            "ruleIndex": row.finding.claim,
            "kind": row.kind.name(),
            "level": if row.kind == ResultKind::Fail { "error" } else { "none" },
            "message": message(&self.message(row)),
            "locations": self.places.of_result(row),
            "partialFingerprints": fingerprints(row, number),
            "properties": self.properties(row),
        });
        if !row.finding.practices.is_empty() {
            result["occurrenceCount"] = json!(row.sightings(self.judgement));
            result["relatedLocations"] = json!(self.places.claim(row).into_iter().collect::<Vec<_>>());
        }
        if let Some(suppression) = row.suppression {
            result["suppressions"] = json!([suppressed(suppression)]);
        }
        if self.judgement.baseline.is_some() {
            let known = row.new == Some(false) || row.kind != ResultKind::Fail;
            result["baselineState"] = json!(if known { "unchanged" } else { "new" });
        }
        result
    }

    fn message(&self, row: &Row<'_>) -> String {
        let lang = self.look.lang;
        let standing = term(Standing::of_part(row.claim, row.finding.verdict).name(), lang);
        let labels = row.labels(lang).map(|labels| format!(" ({labels})")).unwrap_or_default();
        let says = row.says(lang);
        let colon = lang.colon();
        format!("{}{colon}“{says}”{labels} {standing}", row.summary(self.judgement, lang))
    }

    fn properties(&self, row: &Row<'_>) -> Value {
        let labels: Map<String, Value> =
            row.finding.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(clean(value)))).collect();
        let mut properties = json!({"verdict": row.finding.verdict.name(), "labels": labels});
        let Some(((datum, _), recipient)) = row.finding.about.as_ref().zip(row.recipient(self.judgement)) else {
            return properties;
        };
        let country = |country: Option<Country>| country.map(|country| country.to_string());
        let weakest = row.practices(self.judgement).map(|practice| practice.key.protection).min();
        properties["datum"] = json!(datum.0);
        properties["recipient"] = json!(clean(&recipient.shown()));
        properties["domain"] = json!(recipient.domain.as_deref().map(clean));
        properties["owner"] = json!(recipient.owner.as_deref().map(clean));
        properties["role"] = json!(recipient.role.name());
        properties["server-country"] = json!(country(recipient.server_country));
        properties["operator-country"] = json!(country(recipient.operator_country));
        properties["forms"] = json!(row.finding.forms().map(Form::name).collect::<Vec<_>>());
        properties["protection"] = json!(weakest.map(Protection::name));
        properties
    }
}

fn notification(code: &str, text: &str) -> Value {
    json!({"descriptor": {"id": code}, "level": "warning", "message": message(&clean(text))})
}

/// A text as a message of which nothing is a placeholder or a link. Braces are doubled (SARIF 2.1.0 section 3.11.5).
/// A link is text in brackets followed at once by an address in parentheses (section 3.11.6); a backslash parts the
/// two, as it does within a link's text, and the backslashes before it are doubled so that it counts.
pub(super) fn message(text: &str) -> Value {
    let mut plain = String::with_capacity(text.len());
    let mut backslashes = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '{' | '}' => plain.extend([c, c]),
            ']' if characters.peek() == Some(&'(') => {
                plain.extend(std::iter::repeat_n('\\', backslashes + 1));
                plain.push(c);
            }
            c => plain.push(c),
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    json!({"text": plain})
}

fn suppressed(suppression: &Suppression) -> Value {
    json!({
        "kind": "external",
        "status": "accepted",
        "justification": clean(&suppression.reason),
        "properties": {
            "expires": suppression.expires.to_string(),
            "who": suppression.who.as_deref().map(clean),
            "place": clean(&suppression.place),
        },
    })
}

/// The number of each result among those with the same name: two hosts of one domain share a name, and
/// whoever tracks results by name must not take them for one.
fn numbers(results: &[Row<'_>]) -> Vec<usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let number = |row: &Row<'_>| {
        let times = seen.entry(whole_name(&row.finding)).or_default();
        *times += 1;
        *times
    };
    results.iter().map(number).collect()
}

/// The names of a finding in all its forms.
fn whole_name(finding: &Finding) -> String {
    finding.fingerprints.values().map(ToString::to_string).collect::<Vec<_>>().join("+")
}

/// One name for each form, which baselines compare, and the one that GitHub knows results by.
fn fingerprints(row: &Row<'_>, number: usize) -> Value {
    let names = row.finding.fingerprints.iter();
    let mut names: Map<String, Value> =
        names.map(|(form, name)| (format!("{PREFIX}{form}/v1"), json!(name.to_string()))).collect();
    names.insert("primaryLocationLineHash".to_owned(), json!(format!("{}:{number}", whole_name(&row.finding))));
    Value::Object(names)
}

/// How the names begin under which fingerprints stand in a log.
pub(super) const PREFIX: &str = "dyetrace/";

/// A claim or rule as SARIF's rule, with everything that helps to judge a result of it.
fn rule(claim: &JudgedClaim, lang: Lang) -> Value {
    let statement = &claim.statement;
    let says = clean(super::said(statement, lang));
    let mut rule = json!({
        "id": clean(&statement.id),
        "shortDescription": message(&says),
        "fullDescription": message(&says),
        "help": message(&help(statement, lang)),
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["privacy", statement.kind],
            "standing": Standing::of(claim).name(),
            "pack": statement.pack.as_deref().map(clean),
        },
    });
    let url = statement.source.as_ref().and_then(|source| source.url.as_deref());
    if let Some(url) = url.filter(|url| is_plain_url(url)) {
        rule["helpUri"] = json!(url);
    }
    rule
}

/// An address on the web in characters that any reader of URIs takes (RFC 3986 section 2).
fn is_plain_url(url: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(allowed)
}

/// Who said it where, or which norm it is, why it matters, and what is open.
fn help(statement: &Statement, lang: Lang) -> String {
    let colon = lang.colon();
    let reason = statement.reason_zh.as_ref().filter(|_| lang == Lang::Chinese).or(statement.reason.as_ref());
    let cites = statement.cites.iter().map(|cited| {
        let open = if cited.confirmed { "" } else { lang.pick(" (wording not confirmed)", "（原文未核对）") };
        Some(format!("{}{colon}{}{open}", lang.pick("Norm", "依据"), cited.text))
    });
    let source = statement.source.as_ref().map(|source| {
        let parts = [Some(&source.title), source.date.as_ref(), source.url.as_ref(), source.archived.as_ref()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        format!("{}{colon}{}", lang.pick("Source", "来源"), parts.join(lang.comma()))
    });
    let vendor = statement.vendor.as_ref().map(|vendor| format!("{}{colon}{vendor}", lang.pick("Said by", "声明方")));
    let lines = [vendor, source].into_iter().chain(cites).chain([reason.cloned()]).flatten();
    let place = format!("{}{colon}{}", lang.pick("Written in", "所在文件"), statement.place);
    lines.chain([place]).map(|line| clean(&line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        message(text)["text"].as_str().unwrap().to_owned()
    }

    /// Where a link's text ends, by the grammar of section 3.11.6: at a bracket that no backslash makes plain.
    fn has_link(text: &str) -> bool {
        let mut escaped = false;
        let mut before = ' ';
        text.chars().any(|c| {
            let link = before == ']' && c == '(';
            before = if escaped { ' ' } else { c };
            escaped = !escaped && c == '\\';
            link
        })
    }

    /// A field's name may be anything, and a viewer once showed it as a link to wherever its sender liked.
    #[test]
    fn a_strangers_text_is_neither_link_nor_placeholder() {
        assert_eq!(plain("json /[safe](http://evil.example) {0}"), "json /[safe\\](http://evil.example) {{0}}");
        assert_eq!(plain("[a\\](b)"), "[a\\\\\\](b)");
        assert_eq!(plain("sent [encoded] (2×)"), "sent [encoded] (2×)");
        assert!(has_link("[safe](x)") && has_link("[a\\\\](b)") && !has_link("[a\\](b)"));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_link(text in "[\\[\\]()\\\\{}a]{0,12}") {
            let plain = plain(&text);
            prop_assert!(!has_link(&plain), "{plain}");
            prop_assert!(!plain.replace("{{", "").replace("}}", "").contains(['{', '}']), "{plain}");
        }
    }
}
