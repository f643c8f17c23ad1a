//! A case in which each cell has its value, `dyetrace live` at work on it, and what an audit says afterwards.

use crate::cells::CELLS;
use crate::common::{dyetrace, stderr, stdout};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// `dyetrace live`, running.
pub(crate) struct Recording {
    child: Child,
    case: PathBuf,
    /// What it shows, a line each.
    shown: JoinHandle<String>,
    pub(crate) proxy: SocketAddr,
}

impl Recording {
    /// Starts it with these arguments; servers have certificates of that authority.
    pub(crate) fn start(name: &str, arguments: &[&str], server_ca: &str) -> Self {
        let case = std::env::temp_dir().join(format!("dyetrace-matrix-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&case);
        std::fs::create_dir_all(&case).unwrap();
        std::fs::write(case.join("case.yaml"), "format: 1\ntitle: matrix\nruns: [{id: first}]\n").unwrap();
        let data = CELLS.iter().map(|cell| format!("  - {{kind: {}, value: {}}}\n", cell.kind(), cell.value()));
        std::fs::write(case.join("subject.yaml"), format!("data:\n{}", data.collect::<String>())).unwrap();
        std::fs::write(case.join("server-ca.pem"), server_ca).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.arg("live").arg(&case).args(["--format", "jsonl", "--server-ca"]).arg(case.join("server-ca.pem"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut heard = Vec::new();
        let proxy = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it does not record: {heard:?}"));
            if line.contains("proxy (HTTP") {
                break line.rsplit(' ').next().unwrap().parse().unwrap();
            }
            heard.push(line);
        };
        lines.find(|line| line.contains("marks:")).unwrap();
        // Whoever keeps the other end of a pipe open reads it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut out = child.stdout.take().unwrap();
        let shown = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, case, shown, proxy }
    }

    /// The authority that a phone is to trust.
    pub(crate) fn authority(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.case.join("live/ca.pem")).unwrap()
    }

    /// The case folder.
    pub(crate) fn case(&self) -> &str {
        self.case.to_str().unwrap()
    }

    /// The journal's bytes as text: remarks stand in it as they are.
    pub(crate) fn remarks(&self) -> String {
        // Blocks are written within milliseconds.
        std::thread::sleep(Duration::from_millis(500));
        String::from_utf8_lossy(&std::fs::read(self.case.join("evidence/first.pcapng")).unwrap()).into_owned()
    }

    /// What a phone reads to open its tunnel.
    pub(crate) fn tunnel(&self) -> String {
        std::fs::read_to_string(self.case.join("live/wireguard-phone.conf")).unwrap()
    }

    /// Ends it, and lets the journal be audited.
    pub(crate) fn end(mut self) -> Seen {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let shown = self.shown.join().unwrap();
        assert!(self.child.wait().unwrap().success());
        let audit = dyetrace(&["audit".as_ref(), self.case.as_os_str(), "--format".as_ref(), "json".as_ref()]);
        let report = serde_json::from_str(&stdout(&audit)).unwrap_or_else(|_| panic!("{}", stderr(&audit)));
        let refusals = ["-aqF", "reason=the client refused our certificate"];
        let found = Command::new("grep").args(refusals).arg(self.case.join("evidence/first.pcapng")).status().unwrap();
        let shown = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let seen = Seen { shown, report, journal_says_refused: found.success() };
        std::fs::remove_dir_all(&self.case).unwrap();
        seen
    }
}

/// What was seen.
pub(crate) struct Seen {
    /// While it happened.
    pub(crate) shown: Vec<Value>,
    /// By an audit of the journal.
    pub(crate) report: Value,
    /// Whether a remark in the journal says that a client refused.
    pub(crate) journal_says_refused: bool,
}
