//! A capture of an app's traffic: thousands of requests over real TLS in interleaved connections.
//!
//! The requests are the same for the same size on every machine. The handshakes are real, so keys
//! and ciphertext are not.

use crate::content;
use crate::expected::{Expected, Planted};
use crate::random::Random;
use crate::session::Sessions;
use crate::values::{self, PLANTED};
use crate::{packets, pcapng};
use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// How much to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// TLS connections.
    pub(crate) connections: usize,
    /// Requests in each.
    pub(crate) requests: usize,
}

impl Size {
    /// About 400 MB: 1,500 connections with 18,000 requests.
    pub(crate) const FULL: Self = Self { connections: 1500, requests: 12 };
    /// About 10 MB.
    pub(crate) const SMALL: Self = Self { connections: 60, requests: 8 };
}

const SEED: u64 = 0xd7e5_eed0;
const PLACES_A_VALUE: usize = 3;
/// Connections open at the same time.
const AT_ONCE: usize = 24;
/// 2024-01-01 in microseconds since 1970.
const START: u64 = 1_704_067_200_000_000;
const HOSTS: [&str; 6] = [
    "api.app.example",
    "upload.app.example",
    "collect.metrics.example",
    "push.cloud.example",
    "ads.network.example",
    "logs.vendor.example",
];

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Writes the capture and, beside it, what is in it.
pub(crate) fn generate(path: &Path, size: Size) -> Outcome<()> {
    let mut random = Random::new(SEED);
    let subject = values::subject(&mut random);
    let mut maker = Maker {
        sessions: Sessions::new(&HOSTS)?,
        size,
        planted: planting(size),
        expected: Expected { requests: Vec::new(), subject, planted: Vec::new() },
        random,
    };
    let packets = path.with_extension("packets");
    maker.write_packets(&packets)?;
    // The keys are known last and stand first.
    let mut out = File::create(path)?;
    pcapng::write_start(&mut out, maker.sessions.key_log().as_bytes())?;
    io::copy(&mut File::open(&packets)?, &mut out)?;
    fs::remove_file(&packets)?;
    Ok(maker.expected.write(path)?)
}

struct Maker {
    sessions: Sessions,
    size: Size,
    /// The value to plant, by request.
    planted: HashMap<usize, usize>,
    expected: Expected,
    random: Random,
}

impl Maker {
    fn write_packets(&mut self, path: &Path) -> Outcome<()> {
        let mut out = BufWriter::new(File::create(path)?);
        // The order of packets has its own numbers, so that requests depend on the seed alone.
        let mut order = Random::new(SEED + 1);
        let mut open: Vec<VecDeque<Vec<u8>>> = Vec::new();
        let (mut started, mut time) = (0, START);
        loop {
            while open.len() < AT_ONCE && started < self.size.connections {
                open.push(self.connection(started, &mut order)?.into());
                started += 1;
            }
            if open.is_empty() {
                return Ok(out.flush()?);
            }
            let chosen = order.below(open.len());
            for _ in 0..order.between(1, 12) {
                let Some(frame) = open[chosen].pop_front() else { break };
                time += order.between(5, 60) as u64;
                pcapng::write_packet(&mut out, time, &frame)?;
            }
            open.retain(|frames| !frames.is_empty());
        }
    }

    fn connection(&mut self, number: usize, order: &mut Random) -> Outcome<Vec<Vec<u8>>> {
        let host = HOSTS[self.random.below(HOSTS.len())];
        let mut session = self.sessions.open(number, host)?;
        for _ in 0..self.size.requests {
            let request = self.request(host);
            session.exchange(&request, &content::answer(&mut self.random))?;
        }
        session.close()?;
        Ok(packets::frames(number, &session.flights, order))
    }

    fn request(&mut self, host: &str) -> Vec<u8> {
        let number = self.expected.requests.len();
        let text = self.planted.get(&number).map(|&value| {
            let wrapping = PLANTED[value];
            self.expected.planted.push(Planted { value, request: number, wrapping: format!("{wrapping:?}") });
            wrapping.wrap(&self.expected.subject[value].value)
        });
        let sent = content::request(number, host, text.as_deref(), &mut self.random);
        self.expected.requests.push(sent.request);
        sent.bytes
    }
}

/// Which request holds which value: evenly over the capture.
fn planting(size: Size) -> HashMap<usize, usize> {
    let requests = size.connections * size.requests;
    let places = PLANTED.len() * PLACES_A_VALUE;
    (0..places).map(|place| ((place * 2 + 1) * requests / (places * 2), place % PLANTED.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::process::Command;

    const TINY: Size = Size { connections: 9, requests: 8 };

    /// A capture in a folder of its own, taken away at the end.
    struct Made(std::path::PathBuf);

    impl Made {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("dyetrace-benches-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let made = Self(folder);
            generate(&made.path(), TINY).unwrap();
            made
        }

        fn path(&self) -> std::path::PathBuf {
            self.0.join("capture.pcapng")
        }

        fn expected(&self) -> Expected {
            Expected::read(&self.path()).unwrap()
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn two_captures_hold_the_same_requests_under_different_keys() {
        let (first, second) = (Made::new("first"), Made::new("second"));
        let expected = first.expected();
        assert_eq!(expected, second.expected());
        assert_ne!(fs::read(first.path()).unwrap(), fs::read(second.path()).unwrap());
        assert_eq!(expected.requests.len(), 72);
        assert_eq!(expected.planted.len(), 36);
        let paths: BTreeSet<_> = expected.requests.iter().map(|request| &request.path).collect();
        assert_eq!(paths.len(), 72, "every path is there once");
    }

    #[test]
    fn tshark_reads_every_request_with_the_keys_inside() {
        let made = Made::new("tshark");
        match crate::peers::tshark::requests(&made.path(), None) {
            Err(_) if Command::new("tshark").arg("--version").output().is_err() => {
                drop(io::Write::write_all(&mut io::stderr(), b"skipped: tshark is not installed\n"));
            }
            found => {
                let wanted: BTreeSet<_> = made.expected().requests.iter().map(crate::peers::line_of).collect();
                assert_eq!(found.unwrap().into_iter().collect::<BTreeSet<_>>(), wanted);
            }
        }
    }
}
