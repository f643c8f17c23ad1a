//! What a scan may not do: write files, reach the network, leave its memory in a core dump.
//!
//! The scan runs on a thread of its own that gives these rights up before it opens the dump; the threads it starts
//! have them neither. The thread that waits for it keeps them, to write the report. Landlock (Linux 5.13; TCP since
//! 6.7) refuses files and TCP, seccomp refuses to make sockets of any kind and to start programs. Where the kernel has
//! neither, that is said.

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{SeccompAction, SeccompFilter};

/// What was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confinement {
    /// Writing to, making, renaming and removing files.
    pub(crate) files: bool,
    /// Making sockets, and starting programs.
    pub(crate) network: bool,
}

impl Confinement {
    /// What this computer's kernel could not be made to refuse, in words; `None` where it refuses all.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match (self.files, self.network) {
            (true, true) => None,
            (true, false) => Some("this kernel does not keep the scan from the network (no seccomp)"),
            (false, true) => Some("this kernel does not keep the scan from writing files (no Landlock)"),
            (false, false) => Some("this kernel keeps the scan neither from writing files nor from the network"),
        }
    }
}

/// No memory of this process is written to disk when it dies, and no other process of the same user may read it.
pub(crate) fn no_core_dumps() -> bool {
    let limit = setrlimit(Resource::RLIMIT_CORE, 0, 0).is_ok();
    nix::sys::prctl::set_dumpable(false).is_ok() && limit
}

/// Runs `work` on a thread that cannot write files or reach the network. `None` where it panicked.
pub(crate) fn confined<T: Send>(work: impl FnOnce(Confinement) -> T + Send) -> Option<T> {
    confined_beside(work, || ()).0
}

/// The same, and does something else meanwhile on this thread, which keeps its rights.
pub(crate) fn confined_beside<T: Send, U>(
    work: impl FnOnce(Confinement) -> T + Send,
    beside: impl FnOnce() -> U,
) -> (Option<T>, U) {
    std::thread::scope(|scope| {
        let working = scope.spawn(|| work(confine()));
        let done = beside();
        (working.join().ok(), done)
    })
}

/// Confines this thread, for ever.
fn confine() -> Confinement {
    Confinement { files: refuse_writing().unwrap_or(false), network: refuse_sockets().is_some() }
}

/// Handles all rights to write and to use TCP, and grants none.
fn refuse_writing() -> Option<bool> {
    let rules = Ruleset::default().handle_access(AccessFs::from_write(ABI::V5)).ok()?;
    let rules = rules.handle_access(AccessNet::from_all(ABI::V5)).ok()?;
    let status = rules.create().ok()?.restrict_self().ok()?;
    Some(status.ruleset != RulesetStatus::NotEnforced)
}

/// System calls that make a socket or start a program.
const REFUSED: [i64; 7] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_io_uring_setup,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
];

fn refuse_sockets() -> Option<()> {
    let rules = REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into().ok()?).ok()?;
    let program: seccompiler::BpfProgram = filter.try_into().ok()?;
    seccompiler::apply_filter(&program).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{ErrorKind, Read as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn what_is_given_up_is_refused_and_reading_is_not() {
        let folder = std::env::temp_dir().join(format!("dyetrace-confine-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (read, write) = (folder.join("dump"), folder.join("copy"));
        std::fs::write(&read, b"x").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tried = confined(|confinement| {
            let mut byte = [0];
            let reads = File::open(&read).and_then(|mut file| file.read(&mut byte));
            let kind = |error: std::io::Error| error.kind();
            let files = [
                File::create(&write).map(drop).map_err(kind),
                std::fs::OpenOptions::new().append(true).open(&read).map(drop).map_err(kind),
                std::fs::rename(&read, &write).map_err(kind),
                std::fs::remove_file(&read).map_err(kind),
            ];
            let network = [
                TcpStream::connect(address).map(drop).map_err(kind),
                UdpSocket::bind("127.0.0.1:0").map(drop).map_err(kind),
                std::process::Command::new("/bin/true").status().map(drop).map_err(kind),
            ];
            // Threads that a confined one starts are confined.
            let child = std::thread::scope(|scope| scope.spawn(|| File::create(&write).map(drop).map_err(kind)).join());
            (confinement, reads.is_ok(), files, network, child.unwrap())
        });
        let (confinement, reads, files, network, child) = tried.unwrap();
        assert!(reads);
        if confinement.files {
            assert_eq!(files, [Err(ErrorKind::PermissionDenied); 4]);
            assert_eq!(child, Err(ErrorKind::PermissionDenied));
        }
        if confinement.network {
            assert_eq!(network, [Err(ErrorKind::PermissionDenied); 3]);
        }
        assert_eq!(confinement.missing().is_none(), confinement.files && confinement.network);
        assert!(TcpStream::connect(address).is_ok(), "whoever waits for the scan is not confined");
        std::fs::write(&write, b"report").unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_core_dump_is_refused() {
        assert!(no_core_dumps());
        assert!(
            std::fs::read_to_string("/proc/self/limits")
                .unwrap()
                .lines()
                .any(|line| line.starts_with("Max core file size        0"))
        );
    }
}
