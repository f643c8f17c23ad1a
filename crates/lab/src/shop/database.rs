//! The shop's database: PostgreSQL itself, in a folder of its own, reachable by nobody but this program.

use crate::tester::Outcome;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A server with its files. It ends with this value.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    server: Child,
}

/// How long the server may take to answer for the first time.
const START: Duration = Duration::from_secs(30);

impl Database {
    /// Makes an empty database in a new folder and starts its server, which listens on a socket in that folder only.
    ///
    /// # Errors
    /// There is no PostgreSQL here, or it does not start.
    pub fn start(folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        // The server refuses to run as root.
        let runs_as_root = fs::metadata(folder)?.uid() == 0;
        if runs_as_root {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        }
        let data = folder.join("data");
        let made = as_anybody(&program("initdb")?, runs_as_root)
            .args(["-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .output()?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let server = as_anybody(&program("postgres")?, runs_as_root)
            .args([OsStr::new("-D"), data.as_os_str(), OsStr::new("-k"), folder.as_os_str()])
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut database = Self { folder: folder.to_owned(), server };
        let begun = Instant::now();
        while !database.answers() {
            let ended = database.server.try_wait()?;
            if let Some(status) = ended.filter(|_| true) {
                return Err(format!("postgres ended: {status}").into());
            }
            if begun.elapsed() > START {
                return Err("postgres does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(database)
    }

    fn answers(&self) -> bool {
        let asked = self.psql().args(["-c", "select 1"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-U", "owner", "-d", "postgres", "-h"]).arg(&self.folder);
        psql
    }

    /// A connection. `as_whom` is what it says first.
    ///
    /// # Errors
    /// psql does not start.
    pub fn session(&self, as_whom: &str) -> Outcome<Session> {
        let mut psql = self.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (stdin, stdout) = (psql.stdin.take(), psql.stdout.take());
        let stdin = stdin.ok_or("psql takes no input")?;
        let stdout = BufReader::new(stdout.ok_or("psql gives no output")?);
        let mut session = Session { psql, stdin, stdout };
        session.ask(&format!("\\pset fieldsep '\\t'\n\\pset null '\\\\N'\n{as_whom}"))?;
        Ok(session)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // An immediate shutdown; the files are of no use to anybody.
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// One connection to the database.
#[derive(Debug)]
pub struct Session {
    psql: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Session {
    /// Runs statements and gives the rows, fields parted by tabs, `\N` for null. What is wrong gives no rows.
    ///
    /// # Errors
    /// The server is gone.
    pub fn ask(&mut self, statements: &str) -> Outcome<Vec<String>> {
        const END: &str = "end-of-answer";
        writeln!(self.stdin, "{statements}\n;\n\\echo {END}")?;
        self.stdin.flush()?;
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                return Err("the database is gone".into());
            }
            match line.trim_end_matches('\n') {
                END => return Ok(rows),
                row => rows.push(row.to_owned()),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// A text as SQL writes it (`standard_conforming_strings`). Line ends and backslashes are not for psql's input.
pub fn literal(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() && *c != '\\').collect();
    format!("'{}'", plain.replace('\'', "''"))
}

/// Debian keeps the server's programs apart from others.
fn program(name: &str) -> Outcome<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.pop().or(elsewhere).ok_or_else(|| format!("there is no {name} here (Debian: postgresql)").into())
}

fn as_anybody(program: &Path, runs_as_root: bool) -> Command {
    if !runs_as_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// True where the shop can have its database.
pub fn is_here() -> bool {
    program("initdb").is_ok() && program("postgres").is_ok() && Command::new("psql").arg("-V").output().is_ok()
}
