//! `dyetrace spike`: what the search finds again of values hidden in copies of the evidence.

use crate::cli::{AuditFormat, SpikeArguments};
use crate::exit::{Exit, Fault, say};
use crate::history::History;
use crate::intake::{self, Intake};
use crate::originals;
use crate::{audit, output};
use dyetrace_case::{DatumId, Form, Item, Message, Protocol, Record, Stop, grouped};
use dyetrace_report::clean;
use dyetrace_search::spike::{ByForm, Recovery, Spike, SpikeOptions, spike, spike_by_form};
use std::fmt::Write as _;
use std::io::IsTerminal;

/// Longest record that is copied, in bytes of content: thousands of copies are searched.
const LONGEST: u64 = 64 << 10;
/// Chains shown before the rest is only counted.
const SHOWN: usize = 40;

/// Reads, samples, spikes, prints.
pub(crate) fn run(arguments: &SpikeArguments) -> Result<Exit, Fault> {
    let (named, material) = audit::named(&arguments.wanted)?;
    let mut intake = intake::open(&arguments.inputs, &arguments.reading)?;
    let subject = audit::whole_subject(&intake, named);
    if subject.data.iter().all(|datum| datum.value.is_empty()) {
        let fault = Fault::new("there is no planted value to hide");
        return Err(
            fault.hint("say what was planted with --find KIND=VALUE (--find phone=13800000427) or --subject FILE")
        );
    }
    let material = audit::whole_material(&intake, material);
    let sample = sample(&mut intake, usize::from(arguments.records));
    let options = SpikeOptions { all_chains: arguments.all_chains, ..SpikeOptions::default() };
    let scanner = originals::scanner(&subject, None, &material, options.search.clone());
    let told = std::io::stderr().is_terminal();
    let mut last = 0;
    let mut progress = |done: u64, all: u64| {
        let percent = done * 100 / all.max(1);
        if told && percent >= last + 10 {
            last = percent;
            say(&format!("dyetrace: {percent} % of {} values hidden and searched for", grouped(all)));
        }
    };
    let found = spike(&subject, &scanner, &sample.records, &options, &mut progress);
    let forms = spike_by_form(&subject, &scanner, &sample.records, &mut |_, _| {});
    let text = match arguments.format {
        AuditFormat::Terminal => page(&found, &forms, &sample, (subject.data.len(), arguments.all)),
        AuditFormat::Json => json(&found, &forms, &sample, subject.data.len()),
    };
    output::write(arguments.output.as_deref(), |out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(match () {
        () if intake.refused > 0 => Exit::PartlyRead,
        () if sample.seen == 0 => Exit::NothingRead,
        () => Exit::Fine,
    })
}

/// Records spread over the evidence.
struct Sample {
    records: Vec<Record>,
    /// Records in all.
    seen: u64,
    /// Records fit for copying.
    fit: u64,
}

/// Records of the whole evidence.
fn sample(intake: &mut Intake, most: usize) -> Sample {
    let mut spread = Spread::new(most);
    let mut seen = 0;
    each_record(intake, &mut |_, record| {
        seen += 1;
        spread.offer(record);
    });
    let fit = spread.fit;
    Sample { records: spread.records(), seen, fit }
}

/// Reads the whole evidence: every record, with the number of its exhibit.
pub(crate) fn each_record(intake: &mut Intake, each: &mut dyn FnMut(usize, Box<Record>)) {
    let mut history = History::new(intake.case.as_ref());
    let (exhibits, progress, tls) = (&intake.exhibits, &intake.progress, &mut intake.tls);
    for (exhibit, opened) in exhibits.iter().enumerate() {
        progress.begin("reading", &opened.exhibit().path);
        let mut sink = |item| {
            if let Item::Record(record) = item {
                each(exhibit, record);
            }
            Ok::<(), Stop>(())
        };
        let mut at = |bytes| progress.at(bytes);
        history.read(opened, tls, &mut sink, &mut at);
    }
    progress.done();
}

/// Records for copying, evenly spread over all that are offered, and no more than so many. Every record at first;
/// whenever there are twice too many, every second of them from then on.
pub(crate) struct Spread {
    records: Vec<Record>,
    most: usize,
    /// Records that were fit for copying.
    fit: u64,
    step: u64,
}

impl Spread {
    /// None yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { records: Vec::new(), most, fit: 0, step: 1 }
    }

    /// One more record.
    pub(crate) fn offer(&mut self, record: Box<Record>) {
        if record.content_bytes() > LONGEST || is_filling(&record) {
            return;
        }
        if self.most > 0 && self.fit.is_multiple_of(self.step) {
            self.records.push(*record);
        }
        self.fit += 1;
        if self.most > 0 && self.records.len() >= self.most * 2 {
            let mut number = 0;
            self.records.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.step *= 2;
        }
    }

    /// Those that were kept.
    pub(crate) fn records(mut self) -> Vec<Record> {
        // Between one and two times as many are left: again evenly spread.
        let (all, most) = (self.records.len(), self.most);
        if all > most {
            let mut number = 0;
            self.records.retain(|_| {
                number += 1;
                number * most / all != (number - 1) * most / all
            });
        }
        self.records
    }
}

/// A datagram of one byte repeated says nothing by its contents: apps send thousands of them to spell something by
/// their lengths. No sender hides a value between such bytes, so a copy of one says nothing of the search.
fn is_filling(record: &Record) -> bool {
    let contents = [&record.request, &record.response].into_iter().flatten().filter_map(Message::content);
    // Contents that are not in memory are long, and no filling.
    let mut bytes = contents.flat_map(|content| content.as_slice().unwrap_or(b"01"));
    let first = bytes.next();
    record.protocol == Protocol::Udp && bytes.all(|byte| Some(byte) == first)
}

fn page(found: &Spike, forms: &ByForm, sample: &Sample, (values, all): (usize, bool)) -> String {
    let mut out = String::new();
    let (records, fit) = (grouped(sample.records.len() as u64), grouped(sample.fit));
    let _ = writeln!(out, "Spike recovery: {values} planted values hidden in copies of {records} of {fit} records\n");
    let rows = found.depths.iter().map(|(depth, recovery)| (codecs(*depth), *recovery));
    table("wrapped in", rows, &mut out);
    let rows = found.carriers.iter().map(|(carrier, recovery)| ((*carrier).to_owned(), *recovery));
    table("carried in", rows, &mut out);
    let missed = found.chains.iter().filter(|(_, recovery)| all || recovery.solid < recovery.injected);
    let shown = if all { usize::MAX } else { SHOWN };
    let count = missed.clone().count();
    table("chain, worst first", missed.take(shown).cloned(), &mut out);
    if count > shown {
        let _ = writeln!(out, "… and {} more chains below 100 % (--all shows every chain)\n", count - shown);
    }
    let _ = writeln!(out, "{}\n", in_one_line(found.all));
    let rows = forms.iter().map(|((datum, form), recovery)| (clean(&format!("{datum}, {}", form.name())), *recovery));
    table("what verdicts rest on", rows, &mut out);
    out
}

fn codecs(depth: usize) -> String {
    match depth {
        0 => "nothing".to_owned(),
        1 => "one codec".to_owned(),
        depth => format!("{depth} codecs"),
    }
}

fn in_one_line(all: Recovery) -> String {
    format!(
        "Of {} hidden values {} ({}) were found as sightings, {} as hints; the place was exact for {} of those found.",
        grouped(all.injected),
        grouped(all.solid),
        share(all.solid, all.injected),
        grouped(all.hints),
        share(all.exact, all.found()),
    )
}

/// Never 100 % where one is missing.
fn share(part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn table(head: &str, rows: impl Iterator<Item = (String, Recovery)>, out: &mut String) {
    let rows: Vec<(String, Recovery)> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).chain([head.len()]).max().unwrap_or(0);
    let _ =
        writeln!(out, "{head:<width$}  {:>8}  {:>8}  {:>7}  {:>7}  {:>7}", "hidden", "sighted", "", "hints", "exact");
    for (name, row) in rows {
        let of = share(row.solid, row.injected);
        let _ = writeln!(
            out,
            "{name:<width$}  {:>8}  {:>8}  {of:>7}  {:>7}  {:>7}",
            row.injected, row.solid, row.hints, row.exact
        );
    }
    out.push('\n');
}

fn json(found: &Spike, forms: &ByForm, sample: &Sample, values: usize) -> String {
    let numbers = |row: &Recovery| {
        let Recovery { injected, solid, hints, exact } = row;
        format!("\"injected\":{injected},\"sightings\":{solid},\"hints\":{hints},\"exact\":{exact}")
    };
    let rows = |name: &str, rows: Vec<(String, Recovery)>| {
        let rows: Vec<String> =
            rows.iter().map(|(key, row)| format!("    {{\"{name}\":\"{key}\",{}}}", numbers(row))).collect();
        format!("[\n{}\n  ]", rows.join(",\n"))
    };
    let chains = rows("chain", found.chains.clone());
    let carriers = rows("carrier", found.carriers.iter().map(|(key, row)| ((*key).to_owned(), *row)).collect());
    let form = |((datum, form), row): (&(DatumId, Form), &Recovery)| {
        let (datum, form) = (serde_json::json!(datum.0), form.name());
        format!("    {{\"datum\":{datum},\"form\":\"{form}\",{}}}", numbers(row))
    };
    let forms = format!("[\n{}\n  ]", forms.iter().map(form).collect::<Vec<_>>().join(",\n"));
    let depths = rows("codecs", found.depths.iter().map(|(key, row)| (key.to_string(), *row)).collect());
    format!(
        "{{\n  \"schema\":\"dyetrace-spike/1\",\n  \"values\":{values},\n  \"records\":{},\n  \"records_fit\":{},\n  \
         \"all\":{{{}}},\n  \"forms\":{forms},\n  \"depths\":{depths},\n  \"carriers\":{carriers},\n  \"chains\":{chains}\n}}\n",
        sample.records.len(),
        sample.fit,
        numbers(&found.all),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::Blob;

    #[test]
    fn only_a_datagram_of_one_byte_repeated_is_filling() {
        let record = |protocol, body: &[u8]| {
            let request = Message { body: Some(Blob::from(body.to_vec())), ..Default::default() };
            Record { protocol, ..Record::of_request(request) }
        };
        assert!(is_filling(&record(Protocol::Udp, &[b'1'; 515])));
        assert!(!is_filling(&record(Protocol::Udp, b"1112")));
        assert!(!is_filling(&record(Protocol::Http11, &[b'1'; 515])));
    }
}
