//! The audit for people at a terminal: first what left and to whom, then what could not be read.

use super::model::{Audit, DatumRow, Fixity, Recipient, SightingRow, Summary, protection};
use super::{chance, differential, pictures, unplanted};
use crate::text::{bytes, clean, count, pad, percent};
use dyetrace_case::{Channel, DatumId, Endpoint, Opaque, Protocol, Range, Side, Witness};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

/// How the report may look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Use ANSI colours.
    pub color: bool,
    /// Show every line rather than the first of long lists.
    pub all: bool,
}

/// Digits of a sighting's id that are shown: enough for `dyetrace explain`, which asks for more where
/// they are not.
const SHORT_ID: usize = 8;

/// Lines of a list that are shown before the rest is only counted.
const SHOWN: usize = 30;

/// Writes the report.
///
/// # Errors
/// Writing failed.
pub fn write(audit: &Audit, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    title(audit, &mut page)?;
    let kept = |row: &&SightingRow| row.record.protocol == Protocol::File && !row.sighting.is_hint();
    let solid = |side: Side| {
        move |row: &&SightingRow| {
            row.side == side && !row.sighting.is_hint() && row.record.protocol != Protocol::File && !row.is_held_back
        }
    };
    if audit.subject.is_empty() && audit.unplanted.is_none() {
        page.heading("Nothing was looked for")?;
        page.line("  Say what was planted with --find KIND=VALUE (--find phone=13800000427) or --subject FILE.")?;
    } else if !audit.subject.is_empty() {
        page.heading("What left, and to whom")?;
        sightings(audit, audit.sightings.iter().filter(solid(Side::Request)), "to", &mut page)?;
    }
    if audit.sightings.iter().any(|row| row.is_held_back && !row.sighting.is_hint()) {
        page.heading("What was tried, and held back by the guard of the recording")?;
        let held_back = |row: &&SightingRow| row.is_held_back && !row.sighting.is_hint();
        sightings(audit, audit.sightings.iter().filter(held_back), "to", &mut page)?;
    }
    if audit.sightings.iter().any(|row| kept(&row)) {
        page.heading("What is kept in files")?;
        sightings(audit, audit.sightings.iter().filter(kept), "in", &mut page)?;
    }
    if audit.sightings.iter().any(|row| solid(Side::Response)(&row)) {
        page.heading("What came back")?;
        sightings(audit, audit.sightings.iter().filter(solid(Side::Response)), "from", &mut page)?;
    }
    if audit.sightings.iter().any(|row| row.sighting.is_hint()) {
        page.heading("Hints: chance alone could explain these")?;
        sightings(audit, audit.sightings.iter().filter(|row| row.sighting.is_hint()), "with", &mut page)?;
    }
    if let Some(compared) = &audit.differential {
        differential::section(compared, &mut page)?;
    }
    if let Some(found) = &audit.unplanted {
        unplanted::section(audit, found, &mut page)?;
    }
    pictures::section(audit, &mut page)?;
    not_seen(audit, &mut page)?;
    chance::section(&audit.chance, &mut page)?;
    recipients(audit, &mut page)?;
    unread(audit, &mut page)?;
    damages(audit, &mut page)?;
    evidence(audit, &mut page)
}

/// Where lines go, with or without colour.
pub(crate) struct Page<'w> {
    look: Look,
    out: &'w mut dyn Write,
}

impl<'w> Page<'w> {
    pub(crate) fn new(look: Look, out: &'w mut dyn Write) -> Self {
        Self { look, out }
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.styled("1", text);
        writeln!(self.out, "\n{text}")
    }

    /// `text` in an ANSI style (ECMA-48 SGR), plain where colour is off.
    pub(crate) fn styled(&self, style: &str, text: &str) -> String {
        if self.look.color && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// True where every line is wanted.
    pub(crate) fn all(&self) -> bool {
        self.look.all
    }

    pub(crate) fn limit(&self) -> usize {
        if self.look.all { usize::MAX } else { SHOWN }
    }

    /// Says how many entries of a list were left out.
    pub(crate) fn rest(&mut self, total: usize) -> io::Result<()> {
        match total.saturating_sub(self.limit()) {
            0 => Ok(()),
            more => self.line(&format!("  … and {more} more (--all shows them, --format json holds them)")),
        }
    }
}

fn title(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    let head = match &audit.case {
        Some(case) => case.title.clone(),
        None => audit.exhibits.iter().map(|row| row.exhibit.path.as_str()).collect::<Vec<_>>().join(", "),
    };
    let head = page.styled("1", &clean(&head));
    page.line(&head)?;
    if let Some(question) = audit.case.as_ref().and_then(|case| case.question.as_ref()) {
        page.line(&clean(question))?;
    }
    let products: Vec<&str> = audit.exhibits.iter().filter_map(|row| row.product.as_deref()).collect();
    if let Some(product) = products.first() {
        page.line(&clean(product))?;
    }
    Ok(())
}

/// What makes sightings one entry of the report.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    server: String,
    protection: String,
    request: String,
    part: String,
    trail: String,
    form: &'a str,
    strength: &'static str,
}

/// The first of the sightings of a group, and how many there are.
struct Member<'a> {
    first: &'a SightingRow,
    times: usize,
    bits: f64,
}

fn sightings<'a>(
    audit: &'a Audit,
    rows: impl Iterator<Item = &'a SightingRow>,
    preposition: &str,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut by_datum: BTreeMap<&DatumId, Vec<(Group<'a>, Member<'a>)>> = BTreeMap::new();
    let mut index: BTreeMap<(&DatumId, Group<'a>), usize> = BTreeMap::new();
    for row in rows {
        let groups = by_datum.entry(&row.sighting.datum).or_default();
        let at = *index.entry((&row.sighting.datum, group(row))).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, member)) => {
                member.times += 1;
                member.bits = member.bits.max(row.sighting.bits);
            }
            None => groups.push((group(row), Member { first: row, times: 1, bits: row.sighting.bits })),
        }
    }
    if by_datum.is_empty() {
        return page.line("  No planted value was seen in what was read.");
    }
    for datum in &audit.subject {
        if let Some(groups) = by_datum.get(&datum.id) {
            datum_entry(audit, datum, groups, preposition, page)?;
        }
    }
    Ok(())
}

fn group(row: &SightingRow) -> Group<'_> {
    let record = &row.record;
    let is_stored = record.protocol == Protocol::File;
    Group {
        server: if is_stored { "stored files".to_owned() } else { who(&record.server) },
        protection: if is_stored { String::new() } else { channel(&record.channel) },
        request: request_line(record),
        part: row.sighting.place.part.to_string(),
        trail: row.sighting.trail.to_string(),
        form: &row.sighting.form,
        strength: row.sighting.strength.name(),
    }
}

fn datum_entry(
    audit: &Audit,
    datum: &DatumRow,
    groups: &[(Group<'_>, Member<'_>)],
    preposition: &str,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let name = page.styled("1;31", &datum.id.0);
    page.line(&format!("\n  {name}  {}", clean(&datum.shown)))?;
    let mut last_server = None;
    let mut groups: Vec<&(Group<'_>, Member<'_>)> = groups.iter().collect();
    groups.sort_by_key(|(_, member)| member.first.record.server.address.and_then(scope).is_some());
    for (group, member) in groups.iter().take(page.limit()) {
        let server = (&group.server, &group.protection);
        if last_server != Some(server) {
            let who = page.styled("1", &group.server);
            let protection = if group.protection.is_empty() { "" } else { ", " };
            page.line(&format!("    {preposition} {who}{protection}{}", group.protection))?;
            last_server = Some(server);
        }
        sighting_lines(audit, group, member, page)?;
    }
    page.rest(groups.len())
}

fn sighting_lines(audit: &Audit, group: &Group<'_>, member: &Member<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let SightingRow { id, sighting, record, exhibit, .. } = member.first;
    let app = record.app.as_ref().and_then(|app| app.name.as_deref().or(app.package.as_deref()));
    let app = app.map_or(String::new(), |app| format!("  [{}]", clean(app)));
    page.line(&format!("      {}{app}", group.request))?;
    let trail = page.styled("33", &clean(&group.trail));
    let witness = match &sighting.witness {
        None => String::new(),
        Some(Witness::Beside(datum)) => format!(", beside {datum}"),
        Some(Witness::FieldName(name)) => format!(", in a field named {}", clean(name)),
    };
    let what = format!("{}: {}, {:.0} bits{witness}", group.strength, clean(group.form), member.bits);
    page.line(&format!("        {trail}  ({what})"))?;
    let path = audit.exhibits.get(*exhibit).map_or("", |row| row.exhibit.path.as_str());
    let place = &sighting.place;
    let at = format!("{} {} of {} in {}", clean(&group.part), byte_range(place.range), place.record, clean(path));
    let times = if member.times == 1 { String::new() } else { format!("{} times, first ", count(member.times as u64)) };
    let time = record.time.map_or_else(|| "at an unknown time".to_owned(), |time| time.to_string());
    let id = id.0.get(..SHORT_ID).unwrap_or(&id.0);
    let note = page.styled("2", &format!("{at}; {times}{time}; {id}"));
    page.line(&format!("        {note}"))
}

pub(super) fn byte_range(range: Range) -> String {
    format!("bytes {}–{}", range.start, range.end.saturating_sub(1).max(range.start))
}

pub(super) fn request_line(record: &Summary) -> String {
    let parts = [record.method.as_deref(), record.url.as_deref()];
    let text = parts.into_iter().flatten().map(clean).collect::<Vec<_>>().join(" ");
    let text = if text.is_empty() { record.protocol.name().to_owned() } else { text };
    shorten(&text, 110)
}

/// Cuts a long text in its middle; the ends tell most about a URL.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= most {
        return text.to_owned();
    }
    let head: String = chars[..most / 2].iter().collect();
    let tail: String = chars[chars.len() - most / 2 + 1..].iter().collect();
    format!("{head}…{tail}")
}

/// `api.example.test (192.0.2.1:443)`, with the scope of addresses that are not on the internet.
pub(crate) fn who(endpoint: &Endpoint) -> String {
    let port = endpoint.port.map_or(String::new(), |port| format!(":{port}"));
    let address = endpoint.address.map(|address| match address {
        IpAddr::V4(address) => format!("{address}{port}"),
        IpAddr::V6(address) if port.is_empty() => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]{port}"),
    });
    let scope = endpoint.address.and_then(scope).map_or(String::new(), |scope| format!(", {scope}"));
    match (&endpoint.name, address) {
        (Some((name, _)), Some(address)) => format!("{} ({address}{scope})", clean(name)),
        (Some((name, _)), None) => format!("{}{port}", clean(name)),
        (None, Some(address)) if scope.is_empty() => address,
        (None, Some(address)) => format!("{address} ({})", &scope[2..]),
        (None, None) => "an unknown recipient".to_owned(),
    }
}

/// What kind of address this is, where it is not one of the public internet.
fn scope(address: IpAddr) -> Option<&'static str> {
    let multicast = address.is_multicast();
    let (private, link_local) = match address {
        IpAddr::V4(a) => (a.is_private(), a.is_link_local() || a.is_broadcast()),
        IpAddr::V6(a) => (a.is_unique_local(), a.is_unicast_link_local()),
    };
    match () {
        () if address.is_loopback() => Some("this machine"),
        () if multicast => Some("multicast"),
        () if link_local => Some("this link"),
        () if private => Some("local network"),
        () => None,
    }
}

fn channel(channel: &Channel) -> String {
    match &channel.suite {
        Some(suite) => format!("{} ({})", protection(channel), clean(suite)),
        None if protection(channel) == "clear" => "in clear".to_owned(),
        None if protection(channel) == "unknown" => "protection unknown".to_owned(),
        None => protection(channel),
    }
}

fn not_seen(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    let absent: Vec<&str> = audit
        .subject
        .iter()
        .filter(|row| row.sent + row.received + row.kept + row.held_back + row.hints == 0)
        .map(|row| row.id.0.as_str())
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    page.heading("Not seen")?;
    let (payload, opaque, lost) = audit.totals();
    let read = payload.saturating_sub(opaque + lost);
    page.line(&format!("  {}", absent.join(", ")))?;
    let records = count(audit.records());
    page.line(&format!("  in {records} records ({} of payload read). What could not be read is below.", bytes(read)))
}

fn recipients(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Who was talked to")?;
    if audit.recipients.is_empty() {
        return page.line("  Nobody, in what could be read.");
    }
    let rows: Vec<[String; 6]> = audit
        .recipients
        .iter()
        .take(page.limit())
        .map(|row| {
            let data = row.data.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", ");
            [
                recipient_name(row),
                row.key.protocol.name().to_owned(),
                row.key.protection.clone(),
                count(row.records),
                format!("{} / {}", bytes(row.sent), bytes(row.received)),
                if data.is_empty() { String::new() } else { format!("got {data}") },
            ]
        })
        .collect();
    table(["recipient", "protocol", "protection", "records", "sent / received", ""], &rows, page)?;
    page.rest(audit.recipients.len())
}

/// Name or address with port, and the scope of an address that is not of the public internet.
pub(crate) fn recipient_name(row: &Recipient) -> String {
    let address = row.addresses.first().copied();
    if row.key.protocol == Protocol::File {
        return "stored files".to_owned();
    }
    let name = row.key.name.as_deref().map(clean).or(address.map(|a| a.to_string()));
    let scope = address.and_then(scope).map_or(String::new(), |scope| format!(" ({scope})"));
    let port = row.key.port.map_or(String::new(), |port| format!(":{port}"));
    format!("{}{port}{scope}", name.unwrap_or_else(|| "unknown".to_owned()))
}

pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]], page: &mut Page<'_>) -> io::Result<()> {
    let head = head.map(str::to_owned);
    let mut widths = [0; N];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(unicode_width::UnicodeWidthStr::width(cell.as_str()));
        }
    }
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| pad(cell, width)).collect();
        format!("  {}", cells.join("  ")).trim_end().to_owned()
    };
    let head = page.styled("2", &line(&head));
    page.line(&head)?;
    rows.iter().try_for_each(|row| page.line(&line(row)))
}

fn unread(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("What could not be read")?;
    let (payload, opaque, lost) = audit.totals();
    let unread = opaque + lost;
    if unread == 0 && audit.opaque.is_empty() {
        return page.line(match (audit.records(), audit.damages.is_empty()) {
            (_, false) => "  See what was damaged, below.",
            (0, true) => "  There was nothing to read.",
            (_, true) => "  Everything was read.",
        });
    }
    // Whole packets can be unread, and are no payload of any transport.
    let share = if unread > payload {
        String::new()
    } else {
        format!(" of {} payload ({})", bytes(payload), percent(unread, payload))
    };
    page.line(&format!("  {}{share} gave no record.", bytes(unread)))?;
    let mut groups: BTreeMap<(String, &str, String), (usize, u64, u64)> = BTreeMap::new();
    for entry in &audit.opaque {
        let sums = groups.entry((who(&entry.server), &entry.reason, opaque_kind(entry))).or_default();
        *sums = (sums.0 + 1, sums.1 + entry.bytes_sent, sums.2 + entry.bytes_received);
    }
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_by_key(|(_, (_, sent, received))| std::cmp::Reverse(sent + received));
    let cells: Vec<[String; 5]> = rows
        .iter()
        .take(page.limit())
        .map(|((who, reason, kind), (times, sent, received))| {
            let amount = format!("{} / {}", bytes(*sent), bytes(*received));
            [who.clone(), kind.clone(), count(*times as u64), amount, clean(reason)]
        })
        .collect();
    if !cells.is_empty() {
        table(["endpoint", "channel", "times", "sent / received", "why"], &cells, page)?;
    }
    page.rest(rows.len())
}

fn opaque_kind(opaque: &Opaque) -> String {
    protection(&opaque.channel)
}

fn damages(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    if audit.damages.is_empty() {
        return Ok(());
    }
    page.heading("What was damaged")?;
    for damage in audit.damages.iter().take(page.limit()) {
        let server = damage.server.as_ref().map_or(String::new(), |server| format!(" with {}", who(server)));
        page.line(&format!("  {}{server}: {}", clean(&damage.place), clean(&damage.reason)))?;
    }
    page.rest(audit.damages.len())
}

fn evidence(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Evidence")?;
    for row in &audit.exhibits {
        let fixity = match row.fixity {
            Fixity::Matches => ", as listed in the manifest".to_owned(),
            Fixity::Differs => page.styled("1;31", ", NOT the file the manifest lists: it was changed"),
            Fixity::NotListed => String::new(),
        };
        page.line(&format!(
            "  {}  {}, {}",
            clean(&row.exhibit.path),
            row.exhibit.format.name(),
            bytes(row.exhibit.bytes)
        ))?;
        page.line(&format!("    sha256 {}{fixity}", row.exhibit.id))?;
        let unit = if row.exhibit.format.is_capture() { "packets" } else { "entries" };
        page.line(&format!("    {} {unit}, {} records", count(row.packets), count(row.records)))?;
    }
    keys(audit, page)?;
    for note in audit.limits.iter().chain(&audit.notes) {
        page.line(&format!("  {}", clean(note)))?;
    }
    Ok(())
}

fn keys(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    let connections: u64 = audit.exhibits.iter().map(|row| row.tls_connections).sum();
    let keyed: u64 = audit.exhibits.iter().map(|row| row.tls_keyed).sum();
    for file in &audit.keys.files {
        let skipped =
            if file.skipped == 0 { String::new() } else { format!(", {} lines skipped", count(file.skipped as u64)) };
        page.line(&format!("  keys {}: {} secrets{skipped}", clean(&file.path), count(file.secrets as u64)))?;
    }
    if audit.keys.secrets > 0 {
        let matched = audit.keys.matched;
        let warning = match matched {
            0 => "0 keys match any connection: they may be of another recording".to_owned(),
            _ => format!("{} connections match a key", count(matched)),
        };
        let style = if matched == 0 && connections > 0 { "1;31" } else { "" };
        let warning = page.styled(style, &warning);
        page.line(&format!("  {warning}"))?;
    }
    if connections > 0 {
        page.line(&format!("  {} of {} TLS connections were decrypted.", count(keyed), count(connections)))?;
    }
    Ok(())
}
