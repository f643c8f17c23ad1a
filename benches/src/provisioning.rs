//! How often Wi-Fi credentials that an app spells in lengths are read by a neighbour who hears badly.

use crate::random::Random;
use dyetrace_case::{Item, Message, Protocol};
use dyetrace_evidence::{Limits, open_bytes, read};
use dyetrace_lab::provisioning::air::{Ear, radiotap};
use dyetrace_lab::provisioning::{Credentials, Datagram, airkiss, esptouch, esptouch2, tuya_ez};
use std::error::Error;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Homes set up with each scheme at each loss.
const HOMES: usize = 200;
/// Frames lost in a thousand, and how many of a hundred homes must be read at that loss.
const LOSSES: [(u64, usize); 4] = [(0, 99), (50, 99), (150, 95), (300, 0)];
/// Frames in a thousand that are heard twice, and that are recorded behind the next.
const REPEATED: u64 = 20;
const SWAPPED: u64 = 5;
/// Bytes that the air adds at the least: LLC, IPv4 and UDP.
const LEAST_ADDED: u16 = 36;
const SCHEMES: [Protocol; 4] = [Protocol::EspTouch, Protocol::EspTouch2, Protocol::AirKiss, Protocol::TuyaEz];

/// Lets every scheme set up every home and listens in.
///
/// # Errors
/// Fewer were read than must be, or something was read that was not said.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut table = "| scheme | an attempt | 0 % lost | 5 % | 15 % | 30 % | read wrong | ms each |\n|---|---|---|---|---|---|---|---|\n".to_owned();
    let mut failed = false;
    for scheme in SCHEMES {
        let row = Row::of(scheme)?;
        failed |= row.wrong > 0 || row.read.iter().zip(LOSSES).any(|(read, (_, least))| read * 100 < least * HOMES);
        let [whole, few, some, many] = row.read.map(|read| format!("{read}/{HOMES}"));
        let Row { seconds, wrong, milliseconds, .. } = row;
        let name = scheme.name();
        writeln!(table, "| {name} | {seconds} s | {whole} | {few} | {some} | {many} | {wrong} | {milliseconds} |")?;
    }
    crate::say(&table);
    if failed { Err("too few were read, or something that was not said".into()) } else { Ok(()) }
}

/// What was read of one scheme.
#[derive(Default)]
struct Row {
    /// Of the longest attempt.
    seconds: u64,
    read: [usize; 4],
    wrong: usize,
    /// To read one capture.
    milliseconds: u128,
}

impl Row {
    fn of(scheme: Protocol) -> Result<Self, Box<dyn Error>> {
        let mut row = Self::default();
        let mut random = Random::new(7);
        let mut spent = 0;
        for (count, (lost, _)) in row.read.iter_mut().zip(LOSSES) {
            for home in 0..HOMES {
                let (ssid, password) = (ssid(&mut random), password(&mut random));
                let datagrams = attempt(scheme, &ssid, &password, &mut random)?;
                row.seconds = row.seconds.max(duration(&datagrams).as_secs());
                let ear = Ear { lost, repeated: REPEATED, swapped: SWAPPED };
                let heard = ear.listen(datagrams, &format!("{} {lost} {home}", scheme.name()));
                let file = radiotap(&heard, LEAST_ADDED + random.below(200) as u16);
                let start = Instant::now();
                let read = spelt(&file)?;
                spent += start.elapsed().as_millis();
                let right = read.iter().filter(|read| **read == (scheme, ssid.clone(), password.clone())).count();
                *count += usize::from(right > 0);
                row.wrong += read.len() - right;
            }
        }
        row.milliseconds = spent / (HOMES * LOSSES.len()) as u128;
        Ok(row)
    }
}

fn duration(datagrams: &[Datagram]) -> Duration {
    datagrams.iter().map(|datagram| datagram.pause).sum()
}

/// A name of 1 to 32 bytes, every third of them in Chinese.
fn ssid(random: &mut Random) -> Vec<u8> {
    if random.once_in(3) {
        let letters = (0..random.between(1, 11)).filter_map(|_| char::from_u32(0x4e00 + random.below(0x5000) as u32));
        return letters.collect::<String>().into_bytes();
    }
    let length = random.between(1, 33);
    printable(random, length)
}

fn password(random: &mut Random) -> Vec<u8> {
    let length = random.between(8, 64);
    printable(random, length)
}

fn printable(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.between(0x20, 0x7f) as u8).collect()
}

fn attempt(
    scheme: Protocol,
    ssid: &[u8],
    password: &[u8],
    random: &mut Random,
) -> Result<Vec<Datagram>, Box<dyn Error>> {
    let bssid = std::array::from_fn(|_| random.below(256) as u8);
    let phone = Ipv4Addr::new(192, 168, random.below(256) as u8, random.below(256) as u8);
    let home = Credentials::new(ssid, password, bssid, phone).ok_or("Wi-Fi does not allow that")?;
    let token = tuya_ez::Token {
        region: *b"AY",
        token: std::array::from_fn(|_| random.between(0x30, 0x7b) as u8),
        secret: std::array::from_fn(|_| random.between(0x30, 0x7b) as u8),
    };
    Ok(match scheme {
        Protocol::EspTouch => esptouch::datagrams(&home).collect(),
        Protocol::EspTouch2 => esptouch2::datagrams(&home, &esptouch2::Options::default()).collect(),
        Protocol::AirKiss => airkiss::datagrams(&home, random.below(127) as u8).collect(),
        _ => tuya_ez::datagrams(&home, &token).collect(),
    })
}

/// Scheme, name and password.
type Reading = (Protocol, Vec<u8>, Vec<u8>);

/// Everything that is read.
fn spelt(file: &[u8]) -> Result<Vec<Reading>, Box<dyn Error>> {
    let opened = open_bytes("air", file).map_err(|error| error.to_string())?;
    let mut read_credentials = Vec::new();
    let mut sink = |item| {
        if let Item::Record(record) = item {
            let field = |name| record.request.as_ref().and_then(|request| field(request, name)).unwrap_or_default();
            read_credentials.push((record.protocol, field("ssid"), field("password")));
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut dyetrace_tls::Decryptor::default(), &mut sink, &mut |_| ());
    Ok(read_credentials)
}

fn field(request: &Message, name: &str) -> Option<Vec<u8>> {
    request.headers.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value.clone())
}
