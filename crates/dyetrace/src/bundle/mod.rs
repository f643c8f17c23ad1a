//! `dyetrace bundle`: a case as a BagIt bundle that others can check.

mod editions;

use crate::exit::{Exit, Fault};
use crate::judge::{self, Judged};
use crate::mint::{Dice, System};
use crate::{custody, output};
use clap::{Args, ValueEnum};
use dyetrace_case::{Case, hex};
use dyetrace_custody::bag::{Bag, Content, Payload};
use dyetrace_custody::crate_metadata::{self, About};
use dyetrace_custody::cuts::{MasterSalt, SALT_FILE};
use dyetrace_report::html::HtmlLook;
use dyetrace_report::judgement as report;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Arguments of `bundle`.
#[derive(Debug, Args)]
#[command(
    after_help = "A sealed edition holds the whole case. A public one holds the judgement, the claims and the marks; exhibits, keys
and planted values are cut, each cut with its range and a salted digest. The case is judged anew for either. What was
made is written into custody.log, which the next bundle then holds. See docs/custody.md.

Examples:
  dyetrace bundle my-case --edition sealed --output my-case-sealed.zip
  dyetrace bundle my-case --edition public --output my-case-public.zip
  dyetrace verify my-case-public.zip"
)]
pub(crate) struct BundleArguments {
    /// The case folder
    case: PathBuf,
    /// What goes in
    #[arg(long, value_enum)]
    edition: Edition,
    /// A zip archive where the name ends so, else a folder; it must not exist
    #[arg(long, short, value_name = "FILE.zip|FOLDER")]
    output: PathBuf,
    /// Do not write into custody.log that the bundle was made
    #[arg(long)]
    unrecorded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Edition {
    /// Everything
    Sealed,
    /// Without other people's data
    Public,
}

impl Edition {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Public => "public",
        }
    }
}

/// The judgement in a bundle, and in a case that keeps it.
pub(crate) const JUDGEMENT: &str = "report/judgement.json";

/// The judgement for people.
pub(crate) const PAGE: &str = "report/judgement.html";

/// Judges, collects, writes.
pub(crate) fn run(arguments: &BundleArguments) -> Result<Exit, Fault> {
    let root = &arguments.case;
    let case = Case::open(root).map_err(Fault::new)?;
    refuse_output(root, &arguments.output)?;
    let salt = master_salt(root)?;
    let mut judged = judged(root)?;
    let mut payload = match arguments.edition {
        Edition::Sealed => editions::sealed(root)?,
        Edition::Public => editions::public(&case, judged.as_mut(), &salt)?,
    };
    let exhibits = exhibits(judged.as_ref(), &payload)?;
    if let Some(judged) = &judged {
        let with_excerpts = arguments.edition == Edition::Sealed;
        insert(&mut payload, JUDGEMENT, judgement_json(judged)?)?;
        insert(&mut payload, PAGE, judgement_page(judged, with_excerpts)?)?;
    }
    let metadata = metadata(&case, arguments.edition, &payload, judged.is_some().then_some(&exhibits))?;
    insert(&mut payload, crate_metadata::FILE, metadata)?;
    let bag = Bag::new(payload, &info(&case, arguments.edition)).map_err(Fault::new)?;
    write(&bag, &arguments.output)?;
    if !arguments.unrecorded {
        let (edition, file) = (arguments.edition.name(), arguments.output.file_name().unwrap_or_default().display());
        let did = format!("made the {edition} edition {file}, whose tag manifest has SHA-256 {}", bag.digest);
        custody::note(root, case.file.investigator.clone(), did, [].into())?;
    }
    let shown = arguments.output.display();
    let none =
        if judged.is_none() { "There is neither claim nor law in the case, so it holds no judgement.\n" } else { "" };
    let text = format!("Made {shown}. Its tag manifest, which fixes all of it, has SHA-256\n{}\n{none}", bag.digest);
    output::print(text.as_bytes())?;
    Ok(Exit::Fine)
}

/// Judges the case as `dyetrace judge CASE` does; `None` where it has neither claim nor law.
pub(crate) fn judged(root: &Path) -> Result<Option<Judged>, Fault> {
    let has_claims = judge::below(root, "claims")?.iter().any(|path| path.is_file());
    if !has_claims && Case::open(root).map_err(Fault::new)?.file.law.is_empty() {
        return Ok(None);
    }
    judge::judged(&crate::cli::judge_arguments(root)?).map(Some)
}

/// The judgement as `dyetrace judge CASE --format json` writes it.
pub(crate) fn judgement_json(judged: &Judged) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    report::write_json(&judged.judgement, &judged.audited.audit, &mut bytes).map_err(Fault::new)?;
    Ok(bytes)
}

fn judgement_page(judged: &Judged, with_excerpts: bool) -> Result<Vec<u8>, Fault> {
    let look = HtmlLook {
        command: Some("dyetrace judge data"),
        excerpts: with_excerpts.then_some(&judged.excerpts),
        pictures: with_excerpts.then_some(&judged.pictures),
        ..HtmlLook::default()
    };
    let mut bytes = Vec::new();
    dyetrace_report::html::write_html(&judged.judgement, &judged.audited.audit, look, &mut bytes)
        .map_err(Fault::new)?;
    Ok(bytes)
}

/// The exhibits that were judged. What goes into the bundle must be what was judged.
fn exhibits(judged: Option<&Judged>, payload: &Payload) -> Result<Vec<String>, Fault> {
    let rows = judged.iter().flat_map(|judged| &judged.audited.audit.exhibits);
    let mut paths = Vec::new();
    for row in rows {
        let (path, id) = (&row.exhibit.path, row.exhibit.id);
        let Some((_, measured)) = payload.get(path) else { continue };
        if measured.sha256 != id {
            return Err(Fault::new(format!("{path} was changed while it was judged")).hint("make the bundle again"));
        }
        paths.push(path.clone());
    }
    Ok(paths)
}

fn metadata(case: &Case, edition: Edition, payload: &Payload, judged: Option<&Vec<String>>) -> Result<Vec<u8>, Fault> {
    // No clock: the same case gives the same bundle.
    let log = custody::log_of(&case.root)?.unwrap_or_default();
    let dated = log.entries.last().map(|(entry, _)| entry.at.to_string());
    let results = [JUDGEMENT.to_owned(), PAGE.to_owned()];
    let about = About {
        title: &case.file.title,
        description: match edition {
            Edition::Sealed => "A dyetrace case, sealed edition: everything.",
            Edition::Public => "A dyetrace case, public edition: exhibits, keys and planted values are cut.",
        },
        dated: dated.as_deref(),
        author: investigator(case, edition),
        tool: ("dyetrace", env!("CARGO_PKG_VERSION")),
        judged: judged.map(|exhibits| (exhibits.as_slice(), results.as_slice())),
    };
    Ok(crate_metadata::metadata(payload, &about))
}

/// A public edition leaves custody.log out because it names people; so it must not name them itself.
fn investigator(case: &Case, edition: Edition) -> Option<&str> {
    case.file.investigator.as_deref().filter(|_| edition == Edition::Sealed)
}

/// The field of `bag-info.txt` that tells the edition.
pub(crate) const EDITION_FIELD: &str = "Dyetrace-Edition";

fn info(case: &Case, edition: Edition) -> Vec<(&'static str, String)> {
    let mut info = vec![("External-Description", case.file.title.clone())];
    info.extend(investigator(case, edition).map(|name| ("Contact-Name", name.to_owned())));
    info.push(("Bag-Software-Agent", custody::tool()));
    info.push((EDITION_FIELD, edition.name().to_owned()));
    info
}

/// Adds a file that was made.
fn insert(payload: &mut Payload, path: &str, bytes: Vec<u8>) -> Result<(), Fault> {
    let content = Content::Bytes(bytes);
    let measured = content.measure().map_err(Fault::new)?;
    payload.insert(path.to_owned(), (content, measured));
    Ok(())
}

fn refuse_output(case: &Path, output: &Path) -> Result<(), Fault> {
    if output.symlink_metadata().is_ok() {
        let fault = Fault::new(format!("{} is there already; a bundle never overwrites anything", output.display()));
        return Err(fault.hint("name a file that does not exist yet"));
    }
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = parent.canonicalize().and_then(|parent| Ok(parent.starts_with(case.canonicalize()?)));
    if inside.map_err(|error| Fault::file(parent, &error))? {
        return Err(Fault::new(format!("{} lies in the case itself", output.display())).hint("name a place outside"));
    }
    Ok(())
}

/// The case's master salt, made where it has none: it has to be the same for each bundle.
fn master_salt(case: &Path) -> Result<MasterSalt, Fault> {
    let path = case.join(SALT_FILE);
    if !path.is_file() {
        let mut bytes = [0; 32];
        System.fill(&mut bytes)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(format!("{}\n", hex(&bytes)).as_bytes()));
        written.map_err(|error| Fault::file(&path, &error))?;
    }
    let text = std::fs::read_to_string(&path).map_err(|error| Fault::file(&path, &error))?;
    MasterSalt::parse(&text).ok_or_else(|| Fault::new(format!("{}: not 64 hexadecimal digits", path.display())))
}

/// Beside its place first, so that a bundle is there whole or not at all.
fn write(bag: &Bag, output: &Path) -> Result<(), Fault> {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = output.with_file_name(name);
    let is_zip = output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    let written = if is_zip { write_zip(bag, &partial) } else { bag.write_folder(&partial) };
    written.and_then(|()| std::fs::rename(&partial, output)).map_err(|error| {
        let _ = if is_zip { std::fs::remove_file(&partial) } else { std::fs::remove_dir_all(&partial) };
        Fault::file(output, &error)
    })
}

/// All files of the archive lie below one folder. Its name is fixed, so that the archive's name does not change a byte.
fn write_zip(bag: &Bag, partial: &Path) -> std::io::Result<()> {
    let out = bag.write_zip("bundle", BufWriter::with_capacity(1 << 16, File::create_new(partial)?))?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
}
