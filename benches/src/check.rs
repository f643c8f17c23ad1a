//! The check service: what evaluations cost over a socket and without one, beside the crate `voprf`, and what the making
//! of an index costs.

use crate::{print, say};
use dyetrace_check::client::Question;
use dyetrace_check::evaluate::Key;
use dyetrace_check::index::{Builder, Index, Person, Plan};
use dyetrace_check::oprf::Element;
use dyetrace_check::service::{Front, Service, Setup, serve};
use dyetrace_check::{Identifier, Kind, Manifest, Source, from_hex, to_hex};
use ed25519_dalek::SigningKey;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rand_core::{TryCryptoRng, TryRngCore};
use serde_json::{Value, json};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use voprf::{BlindedElement, Ristretto255, VoprfServer};

/// The first argument that makes this program serve an index until its input ends.
pub(crate) const SERVE: &str = "serve-index";
const ROUNDS: usize = 7;
/// Elements of one round.
const ELEMENTS: usize = 3_840;
/// How many a client asks for at once; the service takes 64.
const AT_ONCE: [usize; 4] = [1, 4, 16, 64];
/// The service ends a connection after so many requests.
const OF_CONNECTION: usize = 100;
const PEOPLE: u32 = 20_000;

/// `check [FOLDER]`: the figures are those of the round that cost least, because the machine is others' too.
pub(crate) fn run(options: &[String]) -> Result<(), Box<dyn Error>> {
    let folder = options.first().map_or("target/benches", String::as_str);
    std::fs::create_dir_all(folder)?;
    let index = Path::new(folder).join("check.index");
    let key = key()?;
    say("making the index");
    let (manifest, built) = least(|| make(&key, &index, PEOPLE))?;
    let people = f64::from(PEOPLE) / built;
    say("evaluating what is known");
    let (ours, theirs) = known(&key)?;
    let elements = elements(&manifest)?;
    let mut text = format!(
        "index of {PEOPLE} people with three identifiers each: {people:.0} people, {:.0} identifiers per CPU second\n\n\
         evaluations of {ELEMENTS} known inputs per CPU second: {ours:.0}, by `voprf` {theirs:.0}, to `voprf` {:.2}\n\n\
         evaluations per CPU second, the cheapest of {ROUNDS} rounds of {ELEMENTS}\n\n\
         | at once | over a socket | in process | without the proof | `voprf` | in process to `voprf` |\n\
         |---:|---:|---:|---:|---:|---:|\n",
        3.0 * people,
        ours / theirs
    );
    for at_once in AT_ONCE {
        say(&format!("evaluating {at_once} at once"));
        text += &row(&key, &index, &elements, at_once)?;
    }
    std::fs::remove_file(&index)?;
    print(&text);
    Ok(())
}

/// The child's side.
pub(crate) fn child(index: &[String]) -> Result<(), Box<dyn Error>> {
    let index = Index::open(Path::new(index.first().ok_or("no index")?))?;
    let setup = Setup { names: Vec::new(), each_minute: u32::MAX, forwarded: false, proof: None, wasm: None };
    let service = Arc::new(Service::new(index, key()?, setup).ok_or("the key is another")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let front = Front::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await?;
        print(&format!("{}\n", front.address()?));
        tokio::spawn(serve(front, service));
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await??;
        Ok(())
    })
}

fn key() -> Result<Key, Box<dyn Error>> {
    Ok(Key::derive(&[7; 32], b"benches").ok_or("no key")?)
}

/// Evaluations per second of inputs that are not blinded, here and by `voprf`, after both gave the same.
fn known(key: &Key) -> Result<(f64, f64), Box<dyn Error>> {
    let peer = peer(key)?;
    let inputs: Vec<_> = (0..ELEMENTS).map(|number| format!("qq:{}", 10_000_000 + number)).collect();
    let inputs: Vec<_> = inputs.iter().map(String::as_bytes).collect();
    let of_peer = || {
        let outputs = inputs.iter().map(|input| peer.evaluate(input));
        outputs.collect::<Result<Vec<_>, _>>().map_err(|error| format!("{error:?}").into())
    };
    let (ours, our_time) = least(|| Ok(key.outputs(&inputs)))?;
    let (theirs, their_time) = least(of_peer)?;
    let are_same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(one, other)| one[..] == other[..]);
    if !are_same {
        return Err("voprf evaluated known inputs otherwise".into());
    }
    Ok((ELEMENTS as f64 / our_time, ELEMENTS as f64 / their_time))
}

fn peer(key: &Key) -> Result<VoprfServer<Ristretto255>, Box<dyn Error>> {
    Ok(VoprfServer::new_with_key(&key.to_bytes()).map_err(|error| format!("{error:?}"))?)
}

/// Evaluates all elements in each way, after all ways gave the same.
fn row(key: &Key, index: &Path, elements: &[Element], at_once: usize) -> Result<String, Box<dyn Error>> {
    let mut served = Served::start(index)?;
    let peer = peer(key)?;
    let blinded: Vec<_> = elements.iter().map(|element| BlindedElement::deserialize(element)).collect();
    let blinded: Vec<_> = blinded.into_iter().collect::<Result<_, _>>().map_err(|error| format!("{error:?}"))?;
    let unproved = || bare(key, elements, at_once);
    let same = unproved()?;
    if served.evaluated(elements, at_once)? != same || proved(key, elements, at_once)? != same {
        return Err("the service evaluated otherwise".into());
    }
    if of_peer(&peer, &blinded, at_once)? != same {
        return Err("voprf evaluated otherwise".into());
    }
    let socket = served.least(elements, at_once)?;
    let ours = least(|| proved(key, elements, at_once))?.1;
    let without = least(unproved)?.1;
    let theirs = least(|| of_peer(&peer, &blinded, at_once))?.1;
    let each = |seconds: f64| elements.len() as f64 / seconds;
    let mut row = String::new();
    writeln!(
        row,
        "| {at_once} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} |",
        each(socket),
        each(ours),
        each(without),
        each(theirs),
        theirs / ours
    )?;
    Ok(row)
}

fn proved(key: &Key, elements: &[Element], at_once: usize) -> Result<Vec<Element>, Box<dyn Error>> {
    let mut all = Vec::with_capacity(elements.len());
    for some in elements.chunks(at_once) {
        let mut random = [0; 64];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        all.extend(key.evaluate(some, &random)?.elements);
    }
    Ok(all)
}

fn bare(key: &Key, elements: &[Element], at_once: usize) -> Result<Vec<Element>, Box<dyn Error>> {
    let some = elements.chunks(at_once).map(|some| key.evaluate_unproved(some));
    Ok(some.collect::<Option<Vec<_>>>().ok_or("this is no element")?.concat())
}

fn of_peer(
    server: &VoprfServer<Ristretto255>,
    elements: &[BlindedElement<Ristretto255>],
    at_once: usize,
) -> Result<Vec<Element>, Box<dyn Error>> {
    let mut all = Vec::with_capacity(elements.len());
    for some in elements.chunks(at_once) {
        let prepared: Vec<_> = server.batch_blind_evaluate_prepare(some.iter()).collect();
        let finished = server.batch_blind_evaluate_finish(&mut System, some.iter(), &prepared);
        let finished = finished.map_err(|error| format!("{error:?}"))?;
        for message in finished.messages {
            all.push(message.serialize().as_slice().try_into()?);
        }
    }
    Ok(all)
}

/// The system's randomness.
struct System;

impl TryRngCore for System {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        getrandom::u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        getrandom::u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(bytes)
    }
}

impl TryCryptoRng for System {}

/// What the cheapest of the rounds gave, and its CPU seconds over all threads.
fn least<T>(mut round: impl FnMut() -> Result<T, Box<dyn Error>>) -> Result<(T, f64), Box<dyn Error>> {
    let mut best: Option<(T, f64)> = None;
    for _ in 0..ROUNDS {
        let before = cpu()?;
        let given = round()?;
        let took = cpu()? - before;
        if best.as_ref().is_none_or(|(_, least)| took < *least) {
            best = Some((given, took));
        }
    }
    best.ok_or_else(|| "no round".into())
}

fn cpu() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

/// People with a mobile, an address and a QQ number each.
fn make(key: &Key, path: &Path, people: u32) -> Result<Manifest, Box<dyn Error>> {
    let folder = path.parent().ok_or("no folder")?;
    let source = Source { name: "measured".to_owned(), date: None };
    let mut builder = Builder::new(Plan { sources: vec![source], k: 50, bits: None }, key, folder)?;
    for number in 0..people {
        let texts = [
            (Kind::Phone, format!("138{number:08}")),
            (Kind::Email, format!("person{number}@example.test")),
            (Kind::Qq, (10_000_000 + number).to_string()),
        ];
        let identifiers = texts.iter().map(|(kind, text)| Identifier::new(*kind, text)).collect::<Result<_, _>>()?;
        builder.add(Person { identifiers, source: 0, fields: 7 })?;
    }
    Ok(builder.finish(Vec::new(), &SigningKey::from_bytes(&[1; 32]), path)?)
}

/// Identifiers, each blinded by another scalar.
fn elements(manifest: &Manifest) -> Result<Vec<Element>, Box<dyn Error>> {
    let blinded = |number: usize| {
        let identifier = Identifier::new(Kind::Qq, &(10_000_000 + number).to_string())?;
        let mut entropy = [0; 64];
        getrandom::fill(&mut entropy).map_err(|error| error.to_string())?;
        Ok(Question::new(manifest, identifier, &mut entropy).ok_or("not blinded")?.element())
    };
    (0..ELEMENTS).map(blinded).collect()
}

/// The service in a process of its own.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(index: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).arg(index).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// CPU seconds of all its threads (proc(5); ticks are hundredths).
    fn cpu(&self) -> Result<f64, Box<dyn Error>> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
        Ok(ticks(11).zip(ticks(12)).map(|(user, system)| (user + system) / 100.0).ok_or("no ticks")?)
    }

    fn least(&mut self, elements: &[Element], at_once: usize) -> Result<f64, Box<dyn Error>> {
        let mut least = f64::INFINITY;
        for _ in 0..ROUNDS {
            let before = self.cpu()?;
            self.evaluated(elements, at_once)?;
            least = least.min(self.cpu()? - before);
        }
        Ok(least)
    }

    /// One request after the other, as a client sends them.
    fn evaluated(&mut self, elements: &[Element], at_once: usize) -> Result<Vec<Element>, Box<dyn Error>> {
        let mut all = Vec::with_capacity(elements.len());
        let requests: Vec<_> = elements.chunks(at_once).collect();
        for some in requests.chunks(OF_CONNECTION) {
            let mut stream = BufReader::new(TcpStream::connect(&self.address)?);
            stream.get_ref().set_nodelay(true)?;
            for elements in some {
                all.extend(asked(&mut stream, elements)?);
            }
        }
        Ok(all)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn asked(stream: &mut BufReader<TcpStream>, elements: &[Element]) -> Result<Vec<Element>, Box<dyn Error>> {
    let elements: Vec<String> = elements.iter().map(|element| to_hex(element)).collect();
    let body = json!({ "elements": elements }).to_string();
    let head = format!(
        "POST /v1/evaluate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.get_mut().write_all((head + &body).as_bytes())?;
    let mut length = None;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse::<usize>().ok(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length.ok_or("an answer without a length")?];
    stream.read_exact(&mut body)?;
    let answer: Value = serde_json::from_slice(&body)?;
    let elements = answer["elements"].as_array().ok_or_else(|| answer.to_string())?;
    let decoded = elements.iter().map(|element| element.as_str().and_then(from_hex));
    Ok(decoded.collect::<Option<_>>().ok_or("this is no element")?)
}
