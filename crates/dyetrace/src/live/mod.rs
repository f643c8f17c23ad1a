//! `dyetrace live`: record a run while it happens, and see what leaves.

mod doctor;
mod guard;
mod running;
mod screen;
mod setup;
mod status;
mod view;
mod watcher;
#[cfg(feature = "wireguard")]
mod wireguard;

use crate::exit::{Exit, Fault, say};
use crate::originals::{self, Originals};
use crate::{allocator, custody, mark};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use doctor::DoctorArguments;
use dyetrace_case::{Mark, Subject, Upcoming, append_mark};
use dyetrace_live::front::{self, Front};
use dyetrace_live::guard::Mode;
use dyetrace_live::{Journal, Relay, Watch, control};
use dyetrace_search::{Options, Scanner, Scratch, SharedMemory};
use setup::Listening;
use status::Status;
use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use view::View;

/// Arguments of `live`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    group = ArgGroup::new("asks").multiple(true),
    subcommand_negates_reqs = true,
    after_help = "The device under test uses the proxy (HTTP and SOCKS5 on one port), or a firewall redirects its connections here.
It must trust the case's certificate, which is at http://PROXY/ca.crt and in CASE/live/ca.pem. What clients refuse is
recorded and, from then on, relayed unread. The journal, evidence/RUN.pcapng, is the exhibit: it holds the keys.
Ctrl-C ends the recording; nothing that was written before is ever lost.

Examples:
  dyetrace live my-case
  dyetrace live my-case --run second --listen 127.0.0.1:9000
  dyetrace live my-case --lan wlan0 --client 192.168.1.23
  dyetrace live my-case --redirected 127.0.0.1:9001 --format jsonl
  dyetrace live my-case --lan wlan0 --client 192.168.1.23 --redirected 192.168.1.1:9001 --names 192.168.1.1:9053
  dyetrace live my-case --guard block
  dyetrace live doctor my-case
  curl -H \"Authorization: Bearer TOKEN\" -d '{\"consent\":\"given\"}' http://127.0.0.1:PORT/v1/marks"
)]
pub(crate) struct LiveArguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// The case folder
    #[arg(required = true)]
    case: Option<PathBuf>,
    /// The run's id in case.yaml, where there are several
    #[arg(long)]
    run: Option<String>,
    /// Where the proxy listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Take connections that a firewall's rule redirects here (Linux, REDIRECT or TPROXY). QUIC that is redirected to the
    /// same port of UDP is refused and written down
    #[arg(long, value_name = "ADDRESS:PORT")]
    redirected: Vec<SocketAddr>,
    /// Listen on this interface, so that the clients named can reach the proxy
    #[arg(long, value_name = "INTERFACE", requires = "client")]
    lan: Option<String>,
    /// A client that may use the proxy
    #[arg(long, value_name = "ADDRESS")]
    client: Vec<IpAddr>,
    /// An address of this machine that clients may reach nevertheless, where the servers under test run on it
    #[arg(long, value_name = "ADDRESS")]
    also: Vec<IpAddr>,
    /// Answer names (DNS over UDP) that a firewall redirects here or a device asks here, without offers of HTTP/3 and
    /// without keys for Encrypted Client Hello
    #[arg(long, value_name = "ADDRESS:PORT", group = "asks")]
    names: Option<SocketAddr>,
    /// Let a phone in by WireGuard: shows the code that its app scans
    #[cfg(feature = "wireguard")]
    #[arg(long, value_name = "ADDRESS:PORT", group = "asks")]
    wireguard: Option<SocketAddr>,
    /// The resolver of whom the device's names are asked, instead of the system's
    #[arg(long, value_name = "ADDRESS[:PORT]", requires = "asks", value_parser = setup::resolver)]
    dns: Option<SocketAddr>,
    /// Relay TLS to this name, and to those below it, unread
    #[arg(long, value_name = "NAME")]
    leave_alone: Vec<String>,
    /// Trust this authority for servers too (PEM)
    #[arg(long, value_name = "FILE")]
    server_ca: Vec<PathBuf>,
    /// Where programs can send marks and ask for the state; loopback only
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Look at what clients send before it leaves, and: notify, block, redact or hold (ask)
    #[arg(long, value_name = "MODE")]
    guard: Option<Mode>,
    /// Let nothing pass the guard that cannot be read, but what is left alone
    #[arg(long, requires = "guard")]
    guard_unread: bool,
    /// How to show what is seen
    #[arg(long, value_enum)]
    format: Option<LiveFormat>,
    /// End after that many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl LiveArguments {
    /// The case folder; only other subcommands have none here.
    fn case(&self) -> &Path {
        self.case.as_deref().unwrap_or(Path::new(""))
    }
}

/// What else concerns recordings.
#[derive(Debug, Subcommand)]
enum Other {
    /// Say why nothing arrives, and whether the recording captures
    Doctor(DoctorArguments),
}

/// How to show what is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LiveFormat {
    /// The whole terminal, with a key for each milestone; usual on a terminal
    Screen,
    /// A line of text for each sighting
    Lines,
    /// A JSON object a line
    Jsonl,
}

/// Records until the user ends it.
pub(crate) fn run(arguments: &LiveArguments) -> Result<Exit, Fault> {
    match &arguments.other {
        Some(Other::Doctor(doctor)) => doctor::run(doctor),
        None => record(arguments),
    }
}

fn record(arguments: &LiveArguments) -> Result<Exit, Fault> {
    allocator::be_frugal();
    let upcoming = Upcoming::open(arguments.case(), arguments.run.as_deref()).map_err(Fault::new)?;
    // A connection's two ends and the tasks between them wake each other for every message, which costs a fifth more on
    // several threads. The search has a thread of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Fault::new(format!("no threads from the system: {error}")))?;
    let listening = runtime.block_on(Listening::open(arguments))?;
    let settings = setup::relay_settings(arguments, &upcoming, &listening)?;
    let journal = setup::journal(&upcoming.exhibit, &listening.proxy_address)?;
    let watch = Watch::with_room(WAITING);
    let relay = Relay::new(settings, Arc::clone(&journal), watch.clone())
        .map_err(|error| Fault::new(format!("TLS cannot be set up: {error}")))?;
    let scanner = Arc::new(scanner(&upcoming));
    allocator::give_back();
    let memory = SharedMemory::default();
    let (guard, asked) = guard::Control::of(arguments, &upcoming, &scanner, &memory).unzip();
    let relay = match &guard {
        Some(guard) => relay.guarded(guard.guarding()),
        None => relay,
    };
    let token = setup::token()?;
    let _announced = listening.announce(arguments, &upcoming, &token)?;
    greet(arguments, &upcoming, &listening, &token);
    #[cfg(feature = "wireguard")]
    if let Some(phone) = &listening.phone {
        phone.greet(arguments.case());
    }
    let resolver = listening.names.as_ref().map(|names| names.resolver.port());
    let status = Arc::new(Status::new(resolver));
    let seen = std::thread::scope(|scope| {
        let quit = Arc::new(Notify::new());
        let view = view(arguments, &upcoming, &quit, guard.clone());
        let watcher = {
            let (watch, status) = (watch.clone(), Arc::clone(&status));
            scope.spawn(move || watcher::watch(&watch, (&scanner, Scratch::sharing(&memory)), &status, view))
        };
        if let Some((guard, asked)) = guard.clone().zip(asked) {
            runtime.spawn(guard.listen(asked));
        }
        let answers = Arc::new(answers(arguments.case().to_owned(), &upcoming, status, guard));
        runtime.block_on(serve(arguments, listening, Arc::new(relay), (token, answers), &journal, (&watch, &quit)));
        // Connections that are still open end now, and are written down as ended by us.
        runtime.shutdown_timeout(Duration::from_secs(5));
        watch.close();
        watcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    journal.close().map_err(|error| Fault::file(&upcoming.exhibit, &error))?;
    finish(arguments, &upcoming, &seen)
}

/// Serves until the user, the time or the disk ends it.
async fn serve(
    arguments: &LiveArguments,
    listening: Listening,
    relay: Arc<Relay>,
    (token, answers): (Arc<str>, Arc<control::Answer>),
    journal: &Journal,
    (watch, quit): (&Watch, &Notify),
) {
    tokio::spawn(front::serve(listening.proxy, Front::Proxy, Arc::clone(&relay)));
    for (listener, quic) in listening.redirected {
        tokio::spawn(front::serve(listener, Front::Redirected, Arc::clone(&relay)));
        tokio::spawn(front::quic::refuse(quic, Arc::clone(&relay)));
    }
    if let Some(names) = listening.names {
        tokio::spawn(front::names::serve(names.socket, names.resolver, Arc::clone(&relay)));
    }
    #[cfg(feature = "wireguard")]
    if let Some(phone) = listening.phone {
        tokio::spawn(phone.serve(Arc::clone(&relay)));
    }
    tokio::spawn(control::serve(listening.control, token, answers));
    let limit = async {
        match arguments.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let failing = async {
        while journal.failure().is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let blind = async {
        while !watch.is_closed() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = ended_by_user() => {}
        () = limit => {}
        () = quit.notified() => {}
        () = blind => say(&"dyetrace: the search has failed; nothing is relayed from now on"),
        () = failing => say(&"dyetrace: the journal cannot be written any more; nothing is relayed from now on"),
    }
}

/// Ctrl-C, or the request to end that service managers send.
async fn ended_by_user() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

/// Bytes that wait for the search before connections do.
const WAITING: usize = 512 << 10;
/// Bytes of a long body that are searched at once: a recording runs beside what it records.
const PIECE: usize = 256 << 10;

/// Bytes that the searches of watcher and guard remember together.
const REMEMBERED: usize = 256 << 10;

/// One for the watcher and the guard: it holds megabytes for every few values.
fn scanner(upcoming: &Upcoming) -> Scanner {
    let nobody = Subject::default();
    let subject = upcoming.subject.as_ref().unwrap_or(&nobody);
    // Nobody asks here how often chance would show a value, so there are no decoys.
    let options = Options {
        decoys: 0,
        piece: PIECE,
        longest_unwrapped: 16 * PIECE,
        remembered: REMEMBERED,
        ..Options::default()
    };
    originals::scanner(subject, Originals::of(subject).as_ref(), &upcoming.key_material, options)
}

fn view(
    arguments: &LiveArguments,
    upcoming: &Upcoming,
    quit: &Arc<Notify>,
    guard: Option<Arc<guard::Control>>,
) -> Box<dyn View> {
    let on_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let usual = if on_terminal { LiveFormat::Screen } else { LiveFormat::Lines };
    match arguments.format.unwrap_or(usual) {
        LiveFormat::Screen => screen(arguments, upcoming, quit, guard),
        LiveFormat::Lines => Box::new(view::Lines),
        LiveFormat::Jsonl => Box::new(view::JsonLines),
    }
}

fn screen(
    arguments: &LiveArguments,
    upcoming: &Upcoming,
    quit: &Arc<Notify>,
    guard: Option<Arc<guard::Control>>,
) -> Box<dyn View> {
    let (case, run) = (arguments.case().to_owned(), upcoming.run.id.clone());
    let title = format!("{}, run {run}", case.display());
    let write_down = move |event| {
        let at = mark::now().map_err(|fault| fault.to_string())?;
        let mark = Mark { at, error: None, event };
        append_mark(&case, &run, &mark).map(|marked| marked.line).map_err(|error| error.to_string())
    };
    match screen::Screen::new(title, Box::new(write_down), Arc::clone(quit), guard) {
        Ok(screen) => Box::new(screen),
        Err(error) => {
            say(&format!("dyetrace: the terminal cannot be drawn on ({error}); lines are shown instead"));
            Box::new(view::Lines)
        }
    }
}

/// What programs may ask of the recording.
fn answers(
    case: PathBuf,
    upcoming: &Upcoming,
    status: Arc<Status>,
    guard: Option<Arc<guard::Control>>,
) -> impl Fn(&str, &str) -> Option<Result<String, String>> + Send + Sync + use<> {
    let (run, subject) = (upcoming.run.id.clone(), upcoming.subject.clone());
    let mark = move |text: &str| {
        let now = mark::now().map_err(|fault| fault.to_string())?;
        let mark = Mark::of_message(text, now, subject.as_ref())?;
        append_mark(&case, &run, &mark).map(|marked| marked.line).map_err(|error| error.to_string())
    };
    move |asked, body| match asked {
        "POST /v1/marks" => Some(mark(body)),
        "GET /v1/status" => Some(Ok(status.json().to_string())),
        "GET /v1/guard" => guard.as_ref().map(|guard| Ok(guard.state())),
        "POST /v1/guard" => guard.as_ref().map(|guard| guard.change(body)),
        "POST /v1/canary" => Some(status.expect(body).map(|()| "looked for".to_owned())),
        _ => None,
    }
}

fn greet(arguments: &LiveArguments, upcoming: &Upcoming, listening: &Listening, token: &str) {
    let case = arguments.case().display();
    say(&format!("Recording run {} into {}", upcoming.run.id, upcoming.exhibit.display()));
    say(&format!("  proxy (HTTP and SOCKS5):  {}", listening.proxy_address));
    for address in &listening.redirected_addresses {
        say(&format!("  redirected connections:   {address}"));
    }
    if let Some(names) = &listening.names {
        say(&format!("  names (DNS over UDP):     {}, asked of {}", names.address, names.resolver));
    }
    say(&format!("  certificate to trust:     http://{}/ca.crt, {case}/live/ca.pem", listening.proxy_address));
    say(&format!("  marks:                    POST http://{}/v1/marks, Bearer {token}", listening.control_address));
    if upcoming.subject.as_ref().is_none_or(|subject| subject.data.is_empty()) {
        say(&format!("dyetrace: no value is planted, so none can be seen; write them into {case}/subject.yaml"));
    }
    if std::io::stderr().is_terminal() {
        say(&"Ctrl-C ends the recording.");
    }
}

fn finish(arguments: &LiveArguments, upcoming: &Upcoming, seen: &watcher::Totals) -> Result<Exit, Fault> {
    let case = arguments.case();
    say(&format!(
        "Recorded {}: {} connections, {} records, {} sightings, {} hints; {} connections could not be read",
        upcoming.exhibit.display(),
        seen.connections,
        seen.records,
        seen.sightings,
        seen.hints,
        seen.unread
    ));
    if seen.lost > 0 {
        say(&format!("  {} datagrams did not pass: the disk or the search was behind, or too many waited", seen.lost));
    }
    note(case, &upcoming.exhibit, &upcoming.run.id)?;
    say(&format!("Next:  dyetrace judge {}", case.display()));
    Ok(Exit::Fine)
}

/// A case that has a custody log gets an entry.
fn note(case: &Path, exhibit: &Path, run: &str) -> Result<(), Fault> {
    if !case.join(dyetrace_custody::log::FILE).is_file() {
        return Ok(());
    }
    let path = exhibit.strip_prefix(case).unwrap_or(exhibit).to_string_lossy().replace('\\', "/");
    let digests = [(path.clone(), custody::digest_of(case, &path)?)].into();
    custody::note(case, None, format!("recorded run {run} live"), digests)?;
    Ok(())
}
