//! `dyetrace models install`: everything is fetched and checked before anything is written.

use super::package::{ALL, File, Kind, Package};
use super::{crate_file, wheel};
use crate::cli::ModelsInstallArguments;
use crate::data::fetch;
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::hex;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Python's index where neither the command line nor the environment names one.
const INDEX: &str = "https://pypi.org/simple";
/// Rust's registry where the command line names none.
const CRATES: &str = "https://index.crates.io";
/// The largest file that is read.
const LARGEST: u64 = 64 << 20;

/// Files by their names here.
type Files = Vec<(&'static str, Vec<u8>)>;

/// Installs packages in a folder: the one that is named, else all that this program can use.
pub(super) fn run(arguments: &ModelsInstallArguments, folder: &Path) -> Result<Exit, Fault> {
    let packages = match arguments.from.as_deref() {
        Some(from) if Path::new(from).is_dir() => from_folder(&ALL, Path::new(from))?,
        Some(from) => vec![from_archive(&ALL, &given(from)?, &fetch::shown(from))?],
        None => {
            let usable = ALL.iter().filter(|package| package.usable.is_ok());
            usable.map(|package| fetched(package, arguments)).collect::<Result<_, _>>()?
        }
    };
    for (package, files) in &packages {
        write(folder, files, package)?;
    }
    let said: String = packages.iter().map(|(package, _)| in_words(package, folder)).collect();
    output::print(said.as_bytes())?;
    Ok(Exit::Fine)
}

/// What was installed, whose it is, and what for.
fn in_words(package: &Package, folder: &Path) -> String {
    let Package { name, version, licence, about, notice, usable, .. } = package;
    let (Ok(usable) | Err(usable)) = usable;
    format!("{name} {version} ({licence}): {about}\n{notice}Installed in {}\n{usable}", folder.display())
}

/// A package and what is kept of it.
type Unpacked<'p> = (&'p Package, Files);

fn fetched<'p>(package: &'p Package, arguments: &ModelsInstallArguments) -> Result<Unpacked<'p>, Fault> {
    match package.kind {
        Kind::Wheel => from_index(package, &index(arguments.index.as_deref())),
        Kind::Crate => from_registry(package, arguments.crates.as_deref().unwrap_or(CRATES)),
    }
}

/// As pip does: the command line, then the environment, then the public one.
fn index(asked: Option<&str>) -> String {
    let of_environment = || std::env::var("PIP_INDEX_URL").ok();
    let index = asked.map(str::to_owned).or_else(of_environment).filter(|index| !index.is_empty());
    index.unwrap_or_else(|| INDEX.to_owned())
}

fn from_index<'p>(package: &'p Package, index: &str) -> Result<Unpacked<'p>, Fault> {
    let page = format!("{}/{}/", index.trim_end_matches('/'), package.name);
    let listed = asked(package, &page)?;
    let url = wheel::address(&String::from_utf8_lossy(&listed), package.archive, &page)
        .ok_or_else(|| unfetched(package, &page, &format!("it does not list {}", package.archive)))?;
    from_archive(&[package], &asked(package, &url)?, &fetch::shown(&url))
}

/// As cargo does: a registry's configuration says where its packages are. Cargo writes `sparse+` before addresses.
fn from_registry<'p>(package: &'p Package, registry: &str) -> Result<Unpacked<'p>, Fault> {
    let registry = registry.strip_prefix("sparse+").unwrap_or(registry).trim_end_matches('/');
    let config = format!("{registry}/config.json");
    let url = crate_file::address(&asked(package, &config)?, package)
        .ok_or_else(|| unfetched(package, &config, "it does not say where crates are"))?;
    from_archive(&[package], &asked(package, &url)?, &fetch::shown(&url))
}

fn asked(package: &Package, url: &str) -> Result<Vec<u8>, Fault> {
    fetch::fetch(url).map_err(|reason| unfetched(package, url, &reason))
}

fn unfetched(package: &Package, url: &str, reason: &str) -> Fault {
    let Package { name, version, archive, .. } = package;
    let elsewhere = match package.kind {
        Kind::Wheel => format!("pip download --no-deps {name}=={version}"),
        Kind::Crate => format!("{CRATES_FILES}/{name}/{archive}"),
    };
    Fault::new(format!("{}: {reason}", fetch::shown(url)))
        .hint(format!("without a network, fetch it elsewhere ({elsewhere}), then: dyetrace models install {archive}"))
}

/// Where people find crates.
const CRATES_FILES: &str = "https://static.crates.io/crates";

fn given(from: &str) -> Result<Vec<u8>, Fault> {
    if fetch::is_url(from) {
        return fetch::fetch(from).map_err(|reason| Fault::new(format!("{}: {reason}", fetch::shown(from))));
    }
    read(Path::new(from))
}

/// No more than a package can have: the path may be a device's.
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|error| Fault::file(path, &error))?;
    Ok(bytes)
}

/// The packages of which there is any model in a folder.
fn from_folder<'p>(packages: &[&'p Package], folder: &Path) -> Result<Vec<Unpacked<'p>>, Fault> {
    let file = |wanted: &File| {
        let path = folder.join(wanted.name);
        checked(wanted, read(&path)?, &path.display().to_string())
    };
    let there = packages.iter().filter(|package| package.files.iter().any(|file| folder.join(file.name).exists()));
    let unpacked = |package: &&'p Package| Ok((*package, package.files.iter().map(file).collect::<Result<_, _>>()?));
    let all: Vec<Unpacked<'p>> = there.map(unpacked).collect::<Result<_, Fault>>()?;
    if all.is_empty() {
        let names: Vec<&str> = packages.iter().flat_map(|package| package.files).map(|file| file.name).collect();
        return Err(Fault::new(format!("{}: none of {} is there", folder.display(), names.join(", "))));
    }
    Ok(all)
}

/// Whichever of the packages the archive is.
fn from_archive<'p>(packages: &[&'p Package], bytes: &[u8], from: &str) -> Result<Unpacked<'p>, Fault> {
    let sum = hex(&Sha256::digest(bytes));
    let Some(package) = packages.iter().find(|package| package.archive_sha256 == sum) else {
        let names: Vec<&str> = packages.iter().map(|package| package.archive).collect();
        let fault =
            Fault::new(format!("{from}: its SHA-256 is not that of {}; nothing was installed", names.join(" or ")));
        return Err(fault.hint("fetch it again, or from elsewhere: --index URL for wheels, --crates URL for crates"));
    };
    let file = |wanted: &File| {
        let entry = match package.kind {
            Kind::Wheel => wheel::entry(bytes, wanted.path),
            Kind::Crate => crate_file::entry(bytes, wanted.path),
        };
        let reason = |reason| Fault::new(format!("{from}: {}: {reason}; nothing was installed", wanted.path));
        checked(wanted, entry.map_err(reason)?, from)
    };
    Ok((package, package.files.iter().map(file).collect::<Result<_, _>>()?))
}

fn checked(wanted: &File, bytes: Vec<u8>, from: &str) -> Result<(&'static str, Vec<u8>), Fault> {
    if hex(&Sha256::digest(&bytes)) == wanted.sha256 {
        return Ok((wanted.name, bytes));
    }
    Err(Fault::new(format!("{from}: the SHA-256 of {} is another; nothing was installed", wanted.name)))
}

/// All files are written beside their places before the first is put there. Nothing outside the folder is touched: it may
/// be a link, a file system of its own, or lie where the user may not write. What else lies in it is the user's and stays.
fn write(folder: &Path, files: &Files, package: &Package) -> Result<(), Fault> {
    let notice = (package.notice_name, package.notice.as_bytes());
    let all: Vec<_> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).chain([notice]).collect();
    let written = write_files(folder, &all);
    if written.is_err() {
        for (name, _) in &all {
            let _ = fs::remove_file(folder.join(partial(name)));
        }
    }
    written.map_err(|error| Fault::file(folder, &error))
}

fn write_files(folder: &Path, all: &[(&str, &[u8])]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in all {
        let mut file = fs::File::create(folder.join(partial(name)))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    for (name, _) in all {
        fs::rename(folder.join(partial(name)), folder.join(name))?;
    }
    fs::File::open(folder)?.sync_all()
}

/// The name of a file that is not whole yet.
pub(super) fn partial(name: &str) -> String {
    format!("{name}.partial")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufRead as _;
    use std::net::TcpListener;
    use std::path::PathBuf;

    const MODEL: &[u8] = b"a model of ten bytes, or some more";

    fn sum(bytes: &[u8]) -> &'static str {
        Box::leak(hex(&Sha256::digest(bytes)).into_boxed_str())
    }

    /// A package of one small file, and its archive.
    fn package(kind: Kind, archive: &'static str, bytes: &[u8]) -> Package {
        let file = File { path: "small/models/small.onnx", name: "small.onnx", sha256: sum(MODEL) };
        Package {
            name: "small",
            version: "1",
            licence: "MIT",
            about: "nothing",
            kind,
            archive,
            archive_sha256: sum(bytes),
            files: Box::leak(Box::new([file])),
            notice_name: "NOTICE.txt",
            notice: "Whose it is.\n",
            usable: Ok("It is used.\n"),
        }
    }

    /// Stored and not compressed.
    fn small() -> (Package, Vec<u8>) {
        let bytes = wheel::tests::stored("small/models/small.onnx", MODEL);
        (package(Kind::Wheel, "small-1-py3-none-any.whl", &bytes), bytes)
    }

    fn small_crate() -> (Package, Vec<u8>) {
        let bytes = crate_file::tests::packed("small/models/small.onnx", MODEL);
        (package(Kind::Crate, "small-1.crate", &bytes), bytes)
    }

    /// The files of an archive that is the package.
    fn files(package: &Package, archive: &[u8]) -> Files {
        from_archive(&[package], archive, package.archive).unwrap().1
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dyetrace-models-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    /// A web server that answers so many requests, by path. Its address.
    fn server(times: usize, answers: Vec<(&'static str, Vec<u8>)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().take(times) {
                let mut stream = stream.unwrap();
                let mut lines = std::io::BufReader::new(&stream).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let path = request.split(' ').nth(1).unwrap_or_default();
                let found = answers.iter().find(|(known, _)| *known == path);
                let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body));
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
            }
        });
        address
    }

    #[test]
    fn an_index_leads_to_the_package_and_its_files_are_installed() {
        let (package, wheel) = small();
        let page = b"<a href=\"../../files/small-1-py3-none-any.whl#sha256=00\">small</a>".to_vec();
        let index = server(2, vec![("/root/simple/small/", page), ("/root/files/small-1-py3-none-any.whl", wheel)]);
        let (_, files) = from_index(&package, &format!("{index}/root/simple/")).unwrap();
        let folder = folder("index");
        write(&folder, &files, &package).unwrap();
        assert_eq!(fs::read(folder.join("small.onnx")).unwrap(), MODEL);
        assert_eq!(fs::read_to_string(folder.join("NOTICE.txt")).unwrap(), "Whose it is.\n");
        super::super::remove(&[&package], &folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_registry_leads_to_a_crate_and_its_files_are_unpacked() {
        let (package, archive) = small_crate();
        let files = server(1, vec![("/c/small/1/download", archive)]);
        let config = format!("{{\"dl\":\"{files}/c\"}}").into_bytes();
        let registry = server(1, vec![("/index/config.json", config)]);
        let (_, files) = from_registry(&package, &format!("sparse+{registry}/index/")).unwrap();
        assert_eq!(files, [("small.onnx", MODEL.to_vec())]);
    }

    #[test]
    fn a_registry_without_the_crate_is_named_and_what_to_type_without_a_network() {
        let (package, _) = small_crate();
        let registry = server(2, vec![("/a/config.json", b"{}".to_vec())]);
        for (path, reason) in [("a", "it does not say where crates are"), ("b", "404")] {
            let fault = format!("{:?}", from_registry(&package, &format!("{registry}/{path}")).unwrap_err());
            assert!(fault.contains(reason) && fault.contains("models install small-1.crate"), "{fault}");
        }
    }

    #[test]
    fn which_package_an_archive_or_a_folder_has_is_told_by_what_is_in_it() {
        let ((wheel, bytes), (other, crate_bytes)) = (small(), small_crate());
        let both = [&wheel, &other];
        assert_eq!(from_archive(&both, &bytes, "a").unwrap().0.archive, wheel.archive);
        assert_eq!(from_archive(&both, &crate_bytes, "a").unwrap().0.archive, other.archive);
        let fault = format!("{:?}", from_archive(&both, b"else", "a").unwrap_err());
        assert!(fault.contains("not that of small-1-py3-none-any.whl or small-1.crate; nothing"), "{fault}");
        let folder = folder("which");
        fs::create_dir_all(&folder).unwrap();
        let fault = format!("{:?}", from_folder(&both[..1], &folder).unwrap_err());
        assert!(fault.contains("none of small.onnx is there"), "{fault}");
        fs::write(folder.join("small.onnx"), MODEL).unwrap();
        assert_eq!(from_folder(&both[..1], &folder).unwrap().len(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_index_without_the_package_is_named_and_what_to_type_without_a_network() {
        let (package, _) = small();
        let index = server(2, vec![("/a/small/", b"<a href='small-2.whl'>".to_vec())]);
        for (path, reason) in [("a", "it does not list small-1-py3-none-any.whl"), ("b", "404")] {
            let fault = format!("{:?}", from_index(&package, &format!("{index}/{path}")).unwrap_err());
            assert!(fault.contains(reason) && fault.contains("pip download --no-deps small==1"), "{fault}");
        }
    }

    #[test]
    fn what_has_another_checksum_is_refused() {
        let (package, wheel) = small();
        for cut in [0, 10, wheel.len() - 1] {
            let fault = format!("{:?}", from_archive(&[&package], &wheel[..cut], "small.whl").unwrap_err());
            assert!(fault.contains("small.whl: its SHA-256 is not that of small-1-py3-none-any.whl"), "{fault}");
        }
        let folder = folder("checksum");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("small.onnx"), b"something else").unwrap();
        assert!(from_folder(&[&package], &folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn installing_again_leaves_what_else_lies_in_the_folder() {
        let (package, wheel) = small();
        let folder = folder("again");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("mine.txt"), b"mine").unwrap();
        fs::write(folder.join("small.onnx"), b"damaged").unwrap();
        for _ in 0..2 {
            write(&folder, &files(&package, &wheel), &package).unwrap();
            assert_eq!(fs::read(folder.join("small.onnx")).unwrap(), MODEL);
        }
        super::super::remove(&[&package], &folder).unwrap();
        assert_eq!(fs::read(folder.join("mine.txt")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_a_link_or_whose_parent_is_closed_can_be_installed_in() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (package, wheel) = small();
        let files = files(&package, &wheel);
        let parent = folder("link");
        let (real, link) = (parent.join("real"), parent.join("link"));
        fs::create_dir_all(&real).unwrap();
        symlink(&real, &link).unwrap();
        let mode = |mode| fs::set_permissions(&parent, fs::Permissions::from_mode(mode)).unwrap();
        // That closes it for everybody but root, for whom the link alone is tried.
        mode(0o555);
        for _ in 0..2 {
            write(&link, &files, &package).unwrap();
            assert_eq!(fs::read(real.join("small.onnx")).unwrap(), MODEL);
            assert_eq!((fs::read_dir(&real).unwrap().count(), fs::read_dir(&parent).unwrap().count()), (2, 2));
        }
        mode(0o755);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::remove_dir_all(&parent).unwrap();
    }

    #[test]
    fn what_cannot_be_put_in_its_place_leaves_nothing_half_done() {
        let (package, wheel) = small();
        let folder = folder("taken");
        fs::create_dir_all(folder.join("small.onnx/mine")).unwrap();
        assert!(write(&folder, &files(&package, &wheel), &package).is_err());
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["small.onnx"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
