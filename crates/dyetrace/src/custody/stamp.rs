//! `dyetrace custody stamp`: RFC 3161 requests and replies as files.

use super::{log_of, note};
use crate::exit::{Exit, Fault, say};
use crate::mint::{Dice, System};
use crate::output;
use clap::Args;
use dyetrace_case::{Case, ExhibitId};
use dyetrace_custody::bag::{self, TAG_MANIFEST};
use dyetrace_custody::log::{self, Log};
use dyetrace_custody::timestamp::{LARGEST, Reply, Request, Signature};
use dyetrace_custody::zip::Archive;
use dyetrace_custody::{digest, name};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Arguments of `custody stamp`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a case, the head of custody.log is stamped; of a bundle, its tag manifest. Send the request to an authority of
your choice, and let the reply be checked:

  dyetrace custody stamp my-case
  curl -H 'Content-Type: application/timestamp-query' --data-binary @REQUEST.tsq https://AUTHORITY -o reply.tsr
  dyetrace custody stamp my-case --reply reply.tsr"
)]
pub(crate) struct StampArguments {
    /// A case folder or a bundle
    #[arg(value_name = "CASE|BUNDLE")]
    path: PathBuf,
    /// Check this reply instead of asking
    #[arg(long, value_name = "FILE")]
    reply: Option<PathBuf>,
    /// The request that was sent (default: where it was written)
    #[arg(long, value_name = "FILE", requires = "reply")]
    request: Option<PathBuf>,
    /// Where to write the request (default: stamps/ of the case, or beside the bundle)
    #[arg(long, short, value_name = "FILE", conflicts_with = "reply")]
    output: Option<PathBuf>,
}

/// Where a case keeps requests and replies.
const FOLDER: &str = "stamps";

pub(super) fn run(arguments: &StampArguments) -> Result<Exit, Fault> {
    match &arguments.reply {
        Some(reply) => receive(arguments, reply),
        None => ask(arguments),
    }
}

fn ask(arguments: &StampArguments) -> Result<Exit, Fault> {
    let imprint = imprint(&arguments.path)?;
    let mut nonce = [0; 16];
    System.fill(&mut nonce)?;
    let path = arguments.output.clone().unwrap_or_else(|| request_path(&arguments.path, imprint));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Fault::file(folder, &error))?;
    }
    let file = File::create_new(&path);
    let written = file.and_then(|mut file| file.write_all(&Request::new(imprint, nonce).to_der()));
    written.map_err(|error| Fault::file(&path, &error).hint("a request is never written over: send that one"))?;
    let (shown, target) = (path.display(), arguments.path.display());
    let text = format!(
        "Wrote {shown}, which asks for a stamp on\n{imprint}\n
Next:
  1. Send it:  curl -H 'Content-Type: application/timestamp-query' --data-binary @{shown} https://AUTHORITY -o reply.tsr
  2. Check:    dyetrace custody stamp {target} --reply reply.tsr\n"
    );
    output::print(text.as_bytes())?;
    Ok(Exit::Fine)
}

fn receive(arguments: &StampArguments, reply: &Path) -> Result<Exit, Fault> {
    let is_case = Case::is_case(&arguments.path);
    let bytes = read(reply)?;
    let parsed = Reply::parse(&bytes).map_err(|error| Fault::new(format!("{}: {error}", reply.display())))?;
    let path = match &arguments.request {
        Some(path) => path.clone(),
        None => matching_request(&arguments.path, &parsed)?,
    };
    let request = Request::parse(&read(&path)?).map_err(|error| Fault::new(format!("{}: {error}", path.display())))?;
    let mut misfits = parsed.misfits(&request);
    if !is_known(&arguments.path, request.imprint)? {
        misfits.push("what it stamps is neither the bundle nor in the custody log".to_owned());
    }
    let Some(token) = parsed.token.as_ref().filter(|_| misfits.is_empty()) else {
        for misfit in &misfits {
            say(&format!("dyetrace: {}: {misfit}", reply.display()));
        }
        return Ok(Exit::Found);
    };
    let (serial, policy) = (&token.serial, &token.policy);
    let text = format!(
        "stamped    {}\npolicy     {policy}\nserial     {serial}\ndigest     {}\nsignature  {}\n
Whether to trust the certificate:
  openssl ts -verify -digest {} -in {} -CAfile AUTHORITY.pem\n",
        token.time,
        request.imprint,
        worth(&token.signature),
        request.imprint,
        reply.display(),
    );
    output::print(text.as_bytes())?;
    if is_case {
        keep(&arguments.path, &path, &bytes, &token.time.to_string())?;
    }
    if is_good(&token.signature) {
        return Ok(Exit::Fine);
    }
    say(&"dyetrace: the signature was not checked: until it is, nothing shows who made this stamp, or when");
    Ok(Exit::PartlyRead)
}

/// What a signature is worth, in words.
fn worth(signature: &Signature) -> String {
    match signature {
        Signature::Good { subject, certificate } => {
            let subject = subject.as_deref().unwrap_or("no name");
            format!("good, by the certificate of {subject} with SHA-256 {certificate}, which the reply brings")
        }
        Signature::Bad(reason) => format!("NOT GOOD: {reason}"),
        Signature::Unchecked(reason) => format!("not checked: {reason}; use openssl ts -verify"),
    }
}

/// Puts request and reply into the case, and into its log.
fn keep(case: &Path, request: &Path, reply: &[u8], time: &str) -> Result<(), Fault> {
    let stem = request.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (asked, answered) = (format!("{FOLDER}/{stem}.tsq"), format!("{FOLDER}/{stem}.tsr"));
    let sent = read(request)?;
    let is_new = [put(case, &asked, &sent)?, put(case, &answered, reply)?];
    if is_new.contains(&true) {
        let digests = [(asked, digest::sha256(&sent)), (answered, digest::sha256(reply))].into();
        note(case, None, format!("received a time stamp of {time}"), digests)?;
    }
    Ok(())
}

/// Writes a file of the case where it is not there already; another of that name is never written over.
fn put(case: &Path, name: &str, bytes: &[u8]) -> Result<bool, Fault> {
    let path = case.join(name);
    if path.is_file() && read(&path)? == bytes {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Fault::file(folder, &error))?;
    }
    let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Fault::file(&path, &error))?;
    Ok(true)
}

/// What a kept reply is worth, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Checked {
    /// Something is wrong with it.
    Wrong(String),
    /// All fits, but its signature could not be checked: anybody can have made it.
    Unproven(String),
    /// All fits, and its signature is good.
    Proven(String),
}

/// Checks the replies that a case keeps: how many entries of its log each covers, or what is wrong with it.
pub(crate) fn check(case: &Path) -> Result<Vec<Checked>, Fault> {
    let replies = files(case, "tsr")?;
    let log = if replies.is_empty() { Log::default() } else { log_of(case)?.unwrap_or_default() };
    let lines: BTreeMap<ExhibitId, usize> = lines_of(&log);
    let checked = replies.iter().map(|path| {
        let shown = name::shown(&path.file_name().unwrap_or_default().to_string_lossy());
        check_kept(path, &lines).unwrap_or_else(|reason| Checked::Wrong(format!("{shown}: {reason}")))
    });
    Ok(checked.collect())
}

fn check_kept(path: &Path, lines: &BTreeMap<ExhibitId, usize>) -> Result<Checked, String> {
    let bytes = |path: &Path| read(path).map_err(|fault| fault.to_string());
    let reply = Reply::parse(&bytes(path)?).map_err(|error| error.to_string())?;
    let request = Request::parse(&bytes(&path.with_extension("tsq"))?).map_err(|error| error.to_string())?;
    let misfits = reply.misfits(&request);
    if !misfits.is_empty() {
        return Err(misfits.join("; "));
    }
    let covered = lines.get(&request.imprint).ok_or("what it stamps is not in the custody log")?;
    let token = reply.token.ok_or("holds no stamp")?;
    let said = format!("{} covers entries 1 to {covered}; signature {}", token.time, worth(&token.signature));
    Ok(if is_good(&token.signature) { Checked::Proven(said) } else { Checked::Unproven(said) })
}

fn is_good(signature: &Signature) -> bool {
    matches!(signature, Signature::Good { .. })
}

/// The number of each line, from 1, by its digest.
fn lines_of(log: &Log) -> BTreeMap<ExhibitId, usize> {
    log.entries.iter().enumerate().map(|(at, (_, digest))| (*digest, at + 1)).collect()
}

/// What is to be stamped.
fn imprint(path: &Path) -> Result<ExhibitId, Fault> {
    if !Case::is_case(path) {
        return tag_digest(path);
    }
    let log = log_of(path)?.unwrap_or_default();
    if let Some(fault) = log.faults.first() {
        return Err(Fault::new(format!("{}: {fault}", log::FILE)).hint("a stamp would not heal it"));
    }
    let hint = || format!("begin it: dyetrace custody add {} 'what was done'", path.display());
    log.head.ok_or_else(|| Fault::new(format!("{} has no entry in {}", path.display(), log::FILE)).hint(hint()))
}

/// Is it the digest of a line of the case's log, or the bundle's?
fn is_known(path: &Path, imprint: ExhibitId) -> Result<bool, Fault> {
    if !Case::is_case(path) {
        return Ok(tag_digest(path)? == imprint);
    }
    Ok(lines_of(&log_of(path)?.unwrap_or_default()).contains_key(&imprint))
}

/// SHA-256 of the tag manifest of a bundle.
fn tag_digest(path: &Path) -> Result<ExhibitId, Fault> {
    if path.is_dir() {
        return super::digest_of(path, TAG_MANIFEST);
    }
    let fault = |error: &dyn std::fmt::Display| Fault::new(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| Fault::file(path, &error))?;
    let mut archive = Archive::open(file).map_err(|error| fault(&error))?;
    let is_tag =
        |name: &str| name == TAG_MANIFEST || name.split_once('/').is_some_and(|(_, rest)| rest == TAG_MANIFEST);
    let entry = archive.entries().iter().find(|entry| is_tag(&entry.name)).cloned();
    let entry = entry.ok_or_else(|| fault(&"is no bundle"))?;
    let mut reader = archive.reader(&entry).map_err(|error| fault(&error))?;
    let measured = digest::measure(&mut reader, &mut |_| Ok(())).map_err(|error| fault(&error))?;
    Ok(measured.sha256)
}

fn request_path(path: &Path, imprint: ExhibitId) -> PathBuf {
    let short: String = imprint.to_string().chars().take(16).collect();
    if Case::is_case(path) {
        return path.join(FOLDER).join(format!("{short}.tsq"));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tsq");
    path.with_file_name(name)
}

/// The request that a reply answers.
fn matching_request(path: &Path, reply: &Reply) -> Result<PathBuf, Fault> {
    let imprint = reply.token.as_ref().and_then(|token| token.imprint).map(ExhibitId);
    let written = imprint.map(|imprint| request_path(path, imprint)).filter(|path| path.is_file());
    written.ok_or_else(|| {
        let said = if imprint.is_none() { ": the reply holds no stamp on a SHA-256" } else { "" };
        Fault::new(format!("no request that was written here fits the reply{said}")).hint("name it: --request FILE")
    })
}

fn files(case: &Path, extension: &str) -> Result<Vec<PathBuf>, Fault> {
    let (found, _) = match case.join(FOLDER) {
        folder if folder.is_dir() => bag::files_below(&folder).map_err(|error| Fault::file(&folder, &error))?,
        _ => return Ok(Vec::new()),
    };
    let paths = found.into_iter().map(|path| case.join(FOLDER).join(path));
    Ok(paths.filter(|path| path.extension().is_some_and(|own| own == extension)).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| Fault::file(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new(format!("{}: too large for a time stamp", path.display())));
    }
    Ok(bytes)
}
