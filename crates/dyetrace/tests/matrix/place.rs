//! Where the phone and the servers are: on this machine, or each in a network namespace of its own, with the
//! recording on the gateway between them.

use nix::sched::{CloneFlags, unshare};
use std::future::Future;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::runtime::{Builder, Runtime};

type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// A thread, which is what a network namespace belongs to.
pub(crate) struct Place {
    jobs: Sender<Job>,
    /// Its number among the system's tasks.
    task: String,
}

impl Place {
    /// On this machine.
    pub(crate) fn here() -> Self {
        Self::start(|| {})
    }

    /// In a network namespace of its own.
    fn apart() -> Self {
        Self::start(|| unshare(CloneFlags::CLONE_NEWNET).unwrap())
    }

    fn start(prepare: impl FnOnce() + Send + 'static) -> Self {
        let (jobs, work): (_, Receiver<Job>) = channel();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            prepare();
            let task = std::fs::read_link("/proc/thread-self").unwrap();
            tell.send(task.file_name().unwrap().to_str().unwrap().to_owned()).unwrap();
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            for job in work {
                job(&runtime);
            }
        });
        Self { jobs, task: told.recv().unwrap() }
    }

    /// Does something there and waits for it.
    pub(crate) fn run<T: Send + 'static, F: Future<Output = T>>(&self, job: impl FnOnce() -> F + Send + 'static) -> T {
        self.begin(job, false)
    }

    /// Does something there, and goes on with what it has spawned when it is done.
    pub(crate) fn serve<T: Send + 'static, F: Future<Output = T>>(
        &self,
        job: impl FnOnce() -> F + Send + 'static,
    ) -> T {
        self.begin(job, true)
    }

    fn begin<T: Send + 'static, F: Future<Output = T>>(
        &self,
        job: impl FnOnce() -> F + Send + 'static,
        goes_on: bool,
    ) -> T {
        let (done, outcome) = channel();
        let job = Box::new(move |runtime: &Runtime| {
            runtime.block_on(async {
                done.send(job().await).unwrap();
                if goes_on {
                    std::future::pending::<()>().await;
                }
            });
        });
        self.jobs.send(job).unwrap();
        outcome.recv().expect("what was done there failed")
    }

    fn command(&self, program: &str, arguments: &str) {
        let (program, arguments) = (program.to_owned(), arguments.to_owned());
        self.run(move || async move { command(&program, &arguments.split(' ').collect::<Vec<_>>()) });
    }

    /// A cable between this place and the gateway, on which the caller is: `10.9.SUBNET.2` and `fd00:9:SUBNET::2`.
    fn link(&self, device: &str, subnet: u8) {
        let gateway = |arguments: &str| command("ip", &arguments.split(' ').collect::<Vec<_>>());
        gateway(&format!("link add {device} type veth peer name eth0 netns {}", self.task));
        gateway(&format!("address add 10.9.{subnet}.1/24 dev {device}"));
        gateway(&format!("-6 address add fd00:9:{subnet}::1/64 dev {device} nodad"));
        gateway(&format!("link set {device} up"));
        self.command("ip", "link set lo up");
        self.command("ip", &format!("address add 10.9.{subnet}.2/24 dev eth0"));
        self.command("ip", &format!("-6 address add fd00:9:{subnet}::2/64 dev eth0 nodad"));
        self.command("ip", "link set eth0 up");
        self.command("ip", &format!("route add default via 10.9.{subnet}.1"));
        self.command("ip", &format!("-6 route add default via fd00:9:{subnet}::1"));
    }
}

/// Phone and servers behind this namespace, which becomes the gateway: what the phone sends goes by that rule of the
/// firewall, and nowhere else.
pub(crate) fn behind_a_gateway(rule: &str, marks: bool) -> (Place, Place) {
    command("ip", &["link", "set", "lo", "up"]);
    let (phone, servers) = (Place::apart(), Place::apart());
    phone.link("phone0", 1);
    servers.link("server0", 2);
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
    if marks {
        command("ip", &["rule", "add", "fwmark", "1", "lookup", "100"]);
        command("ip", &["route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100"]);
    }
    let only = "chain forwarded { type filter hook forward priority filter; iifname \"phone0\" drop; };";
    command("nft", &[&format!("table inet t {{ {rule} {only} }}")]);
    (phone, servers)
}

pub(crate) fn command(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().unwrap().status.success()
}

pub(crate) fn is_installed(program: &str) -> bool {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin"];
    folders.iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Why there can be no namespaces with a firewall here, where there can be none.
pub(crate) fn impossible() -> Option<String> {
    if let Some(program) = ["unshare", "ip", "nft"].into_iter().find(|program| !is_installed(program)) {
        return Some(format!("there is no {program} here"));
    }
    let tried = Command::new("unshare").args(["-Urn", "nft", "add", "table", "inet", "t"]).output().unwrap();
    let why = || format!("no user namespaces with a firewall here: {}", String::from_utf8_lossy(&tried.stderr).trim());
    (!tried.status.success()).then(why)
}
