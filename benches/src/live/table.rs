//! The tables: equal results first, then costs, then the goals.

use super::content::Content;
use super::load::Kind;
use super::peers::{Peer, Programs};
use super::{Measured, Small};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// Prints them and keeps them in the folder.
pub(super) fn report(all: &[Measured], programs: &Programs, folder: &Path) -> Result<(), Box<dyn Error>> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!("# {}, live, {cores} cores\n\n", crate::results::today());
    for peer in all.iter().map(|one| one.peer).filter(|peer| matches!(peer, Peer::Mitmdump | Peer::Hudsucker)) {
        writeln!(text, "{}: {}\n", peer.name(), programs.version(peer))?;
    }
    text += &equality(all);
    text += &small(all)?;
    text += &long(all)?;
    text += &goals(all)?;
    std::io::stdout().write_all(text.as_bytes())?;
    std::fs::write(folder.join("live.results.md"), &text)?;
    let is_equal = all.iter().all(|one| one.unequal.is_empty());
    if is_equal { Ok(()) } else { Err("the results are not equal: the costs above prove nothing".into()) }
}

fn equality(all: &[Measured]) -> String {
    let unequal: Vec<String> =
        all.iter().flat_map(|one| &one.unequal).map(|text| format!("* **NO**: {text}\n")).collect();
    if unequal.is_empty() {
        return "Equal: every request was seen, every planted value found, every long body arrived as it was sent.\n\n"
            .to_owned();
    }
    format!("Equal results:\n\n{}\n", unequal.concat())
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::KeepAlive => "HTTP/1.1, kept alive",
        Kind::Http2 => "HTTP/2",
        Kind::New => "a new connection each",
    }
}

fn small(all: &[Measured]) -> Result<String, Box<dyn Error>> {
    let mut text = "| who | 1 KiB requests | sent | CPU µs each | times dyetrace live | p50 ms | p99 ms |\n\
                    |---|---|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for one in all {
        for small in &one.small {
            let ratio = of(all, Peer::Tap, small.kind).map_or(0.0, |tap| small.micros() / tap.micros());
            let sent = small.outcome.times.len();
            let cpu = format!("{:.1} | {ratio:.1}", small.micros());
            // Nothing stands between them whose time could be measured.
            let cpu = if one.peer == Peer::Direct { " | ".to_owned() } else { cpu };
            let (p50, p99) = (ms(small.outcome.percentile(50)), ms(small.outcome.percentile(99)));
            let (who, what) = (one.peer.name(), kind_name(small.kind));
            writeln!(text, "| {who} | {what}, 4 at once | {sent} | {cpu} | {p50:.2} | {p99:.2} |")?;
        }
        let (who, sent) = (one.peer.name(), one.alone.times.len());
        let (p50, p99) = (ms(one.alone.percentile(50)), ms(one.alone.percentile(99)));
        writeln!(text, "| {who} | HTTP/1.1, kept alive, one at a time | {sent} | | | {p50:.2} | {p99:.2} |")?;
    }
    Ok(text + "\n")
}

fn long(all: &[Measured]) -> Result<String, Box<dyn Error>> {
    let mut text = "| who | 100 MB up and 100 MB down: CPU ms each MB | peak MiB |\n|---|---:|---:|\n".to_owned();
    let megabytes = 2.0 * Content::long_length() as f64 / 1e6;
    for (one, long) in all.iter().filter_map(|one| Some((one, one.long.as_ref()?))) {
        let (who, each) = (one.peer.name(), long.cpu.as_secs_f64() * 1e3 / megabytes);
        writeln!(text, "| {who} | {each:.2} | {:.1} |", long.peak)?;
    }
    Ok(text + "\n")
}

fn goals(all: &[Measured]) -> Result<String, Box<dyn Error>> {
    let mut text = "| goal | here | met |\n|---|---:|---|\n".to_owned();
    let mut goal = |what: &str, here: Option<f64>, is_met: &dyn Fn(f64) -> bool| -> std::fmt::Result {
        let Some(here) = here else { return Ok(()) };
        writeln!(text, "| {what} | {here:.1} | {} |", if is_met(here) { "yes" } else { "**no**" })
    };
    let each = |peer, kind| of(all, peer, kind).map(Small::micros);
    for kind in [Kind::KeepAlive, Kind::Http2, Kind::New] {
        let ratio = each(Peer::Mitmdump, kind).zip(each(Peer::Tap, kind)).map(|(theirs, ours)| theirs / ours);
        let what = format!("{}: mitmdump takes at least 50 times the CPU of dyetrace live", kind_name(kind));
        goal(&what, ratio, &|here| here >= 50.0)?;
    }
    for kind in [Kind::KeepAlive, Kind::Http2] {
        let what = format!("{}: guard, at most 60 µs of CPU a request", kind_name(kind));
        goal(&what, each(Peer::Guard, kind), &|here| here <= 60.0)?;
    }
    for one in all.iter().filter(|one| one.peer.is_ours()) {
        let what = format!("{}: 100 MB bodies, less than 48 MiB", one.peer.name());
        goal(&what, one.long.as_ref().map(|long| long.peak), &|here| here < 48.0)?;
    }
    Ok(text)
}

fn of(all: &[Measured], peer: Peer, kind: Kind) -> Option<&Small> {
    all.iter().find(|one| one.peer == peer)?.small.iter().find(|small| small.kind == kind)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
