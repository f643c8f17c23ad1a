//! What is seen, as it is seen: on a terminal, or for programs. No planted value is ever shown.

use super::watcher::Totals;
use dyetrace_case::{Side, Time};
use dyetrace_live::guard::Guarded;
use dyetrace_live::watch::Unread;
use serde_json::json;
use std::io::Write as _;

/// A planted value that was just seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) time: Option<Time>,
    pub(super) datum: String,
    pub(super) side: Side,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) protection: String,
    pub(super) protocol: &'static str,
    /// The record's name, as in an audit of the journal.
    pub(super) record: String,
    pub(super) trail: String,
    pub(super) form: String,
    pub(super) bits: f64,
    pub(super) is_hint: bool,
}

/// Shows what happens.
pub(super) trait View: Send {
    /// A planted value was seen.
    fn seen(&mut self, seen: &Seen);
    /// A connection could not be read.
    fn unread(&mut self, time: Time, host: &str, unread: &Unread);
    /// The guard decided.
    fn guarded(&mut self, time: Time, host: &str, guarded: &Guarded);
    /// Time passed.
    fn tick(&mut self, totals: &Totals);
}

/// One line of text each.
pub(super) struct Lines;

impl View for Lines {
    fn seen(&mut self, seen: &Seen) {
        let time = seen.time.map(|time| time.to_string()).unwrap_or_default();
        let sort = if seen.is_hint { "hint " } else { "" };
        let way = if seen.side == Side::Request { "→" } else { "←" };
        print(&format!(
            "{time}  {sort}{} {way} {}:{} ({}, {})  {}  [{}, {:.0} bits, {}]",
            seen.datum,
            seen.host,
            seen.port.unwrap_or(0),
            seen.protection,
            seen.protocol,
            seen.trail,
            seen.form,
            seen.bits,
            seen.record,
        ));
    }

    fn unread(&mut self, time: Time, host: &str, unread: &Unread) {
        let host = dyetrace_report::clean(host);
        let detail = dyetrace_report::clean(&unread.detail);
        let detail = if detail.is_empty() { detail } else { format!(" ({detail})") };
        print(&format!("{time}  unread {host}: {}{detail}", unread.reason.words()));
    }

    fn guarded(&mut self, time: Time, host: &str, guarded: &Guarded) {
        print(&format!("{time}  {}", guard_words(host, guarded)));
    }

    fn tick(&mut self, _: &Totals) {}
}

/// One JSON object a line.
pub(super) struct JsonLines;

impl View for JsonLines {
    fn seen(&mut self, seen: &Seen) {
        let line = json!({
            "event": if seen.is_hint { "hint" } else { "sighting" },
            "time": seen.time.map(|time| time.to_string()),
            "datum": seen.datum,
            "side": seen.side.name(),
            "host": seen.host,
            "port": seen.port,
            "protection": seen.protection,
            "protocol": seen.protocol,
            "record": seen.record,
            "trail": seen.trail,
            "form": seen.form,
            "bits": (seen.bits * 10.0).round() / 10.0,
        });
        print(&line.to_string());
    }

    fn unread(&mut self, time: Time, host: &str, unread: &Unread) {
        let (reason, detail) = (unread.reason.words(), &unread.detail);
        let line =
            json!({"event": "unread", "time": time.to_string(), "host": host, "reason": reason, "detail": detail});
        print(&line.to_string());
    }

    fn guarded(&mut self, time: Time, host: &str, guarded: &Guarded) {
        let line = json!({
            "event": "guard",
            "time": time.to_string(),
            "decision": guarded.decision.name(),
            "mode": guarded.mode.name(),
            "data": super::guard::data(&guarded.data),
            "host": host,
            "left": guarded.left,
            "why": guarded.why,
        });
        print(&line.to_string());
    }

    fn tick(&mut self, _: &Totals) {}
}

/// A decision of the guard, in one line.
pub(super) fn guard_words(host: &str, guarded: &Guarded) -> String {
    let names: Vec<&str> = guarded.data.iter().map(|noticed| noticed.datum.0.as_str()).collect();
    let what = guarded.why.map_or_else(|| names.join(", "), str::to_owned);
    let left = if guarded.left > 0 { format!(", after {} bytes of it had left", guarded.left) } else { String::new() };
    format!("guard {}: {what} → {}{left}", guarded.decision.name(), dyetrace_report::clean(host))
}

/// Whoever reads the lines may go; the recording goes on.
fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
