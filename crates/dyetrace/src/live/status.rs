//! What a running recording knows of itself, for `dyetrace live doctor`.

use super::setup::DNS;
use dyetrace_case::{Side, Time};
use dyetrace_live::Event;
use dyetrace_live::watch::{UnreadReason, What};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// UDP to this port is QUIC.
const HTTPS: u16 = 443;
/// Clients and refusing hosts that are told apart.
const TOLD_APART: usize = 256;

/// Letters of a canary.
const CANARY: std::ops::RangeInclusive<usize> = 8..=256;

/// What has been seen until now. Holds no contents.
pub(super) struct Status {
    state: Mutex<State>,
    /// The port of the resolver that names are asked of, where it is not the usual one.
    resolver: Option<u16>,
}

#[derive(Default)]
struct State {
    clients: BTreeMap<IpAddr, Client>,
    /// Clients of connections that are open.
    open: BTreeMap<u64, IpAddr>,
    refused: BTreeMap<(String, UnreadReason), (u64, String)>,
    canary: Option<Canary>,
    /// Questions for names.
    names: u64,
    /// Datagrams of QUIC that were refused.
    quic: u64,
    /// Datagrams that did not pass.
    lost: u64,
}

/// What one client was seen to do.
#[derive(Debug, Default)]
struct Client {
    connections: u64,
    /// TLS connections that it let us open.
    opened: u64,
    unread: u64,
    last: Option<Time>,
}

/// A text that the tester makes the device send.
struct Canary {
    text: String,
    seen: Option<(Time, String)>,
}

impl Status {
    /// Nothing seen. Names may be asked of a resolver at that port.
    pub(super) fn new(resolver: Option<u16>) -> Self {
        Self { state: Mutex::default(), resolver }
    }

    /// Takes in what happened. `host` is the redacted name of the server, and `detail` what was said, for connections that
    /// cannot be read.
    pub(super) fn note(&self, event: &Event, host: &str, detail: &str) {
        let mut state = self.lock();
        if let What::Datagram { server, side, .. } = &event.what {
            let is_question = server.port() == DNS || Some(server.port()) == self.resolver;
            state.names += u64::from(*side == Side::Request && is_question);
            state.quic += u64::from(*side == Side::Request && server.port() == HTTPS);
            return;
        }
        if let What::Opened { client, .. } = &event.what
            && (state.clients.len() < TOLD_APART || state.clients.contains_key(&client.ip()))
        {
            state.open.insert(event.connection, client.ip());
            state.clients.entry(client.ip()).or_default().connections += 1;
        }
        if let What::Unread(unread) = &event.what
            && let known = (host.to_owned(), unread.reason)
            && (state.refused.len() < TOLD_APART || state.refused.contains_key(&known))
        {
            let (times, last) = state.refused.entry(known).or_default();
            *times += 1;
            detail.clone_into(last);
        }
        let Some(address) = state.open.get(&event.connection).copied() else { return };
        let client = state.clients.entry(address).or_default();
        client.last = Some(event.time);
        match &event.what {
            What::Secured(_) => client.opened += 1,
            What::Unread(_) => client.unread += 1,
            What::Closed => drop(state.open.remove(&event.connection)),
            _ => {}
        }
    }

    /// So many datagrams did not pass until now.
    pub(super) fn lost_datagrams(&self, count: u64) {
        self.lock().lost = count;
    }

    /// The text that is looked for in what clients send.
    pub(super) fn canary(&self) -> Option<String> {
        self.lock().canary.as_ref().filter(|canary| canary.seen.is_none()).map(|canary| canary.text.clone())
    }

    /// From now on that text is looked for.
    ///
    /// # Errors
    /// Where it is none that could be looked for.
    pub(super) fn expect(&self, text: &str) -> Result<(), String> {
        let fits =
            CANARY.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !fits {
            return Err(format!("a canary has {} to {} letters, digits and hyphens", CANARY.start(), CANARY.end()));
        }
        self.lock().canary = Some(Canary { text: text.to_owned(), seen: None });
        Ok(())
    }

    /// The text was seen, on the way to that host.
    pub(super) fn arrived(&self, time: Time, how: &str) {
        if let Some(canary) = &mut self.lock().canary {
            canary.seen = Some((time, how.to_owned()));
        }
    }

    /// For the doctor.
    pub(super) fn json(&self) -> Value {
        let state = self.lock();
        let clients = state.clients.iter().map(|(address, client)| {
            json!({"client": address.to_string(), "connections": client.connections, "tls_opened": client.opened,
                "unread": client.unread, "last": client.last.map(|time| time.to_string())})
        });
        let refused = state.refused.iter().map(|((host, reason), (times, detail))| {
            let code = match reason {
                UnreadReason::ClientRefused => "client-refused",
                UnreadReason::NotFinished => "handshake-unfinished",
                UnreadReason::RefusedBefore => "refused-before",
                UnreadReason::LeftAlone => "left-alone",
                UnreadReason::ServerNotTrusted => "server-not-trusted",
                UnreadReason::NotUnderstood => "not-understood",
                UnreadReason::Unreachable => "unreachable",
            };
            json!({"host": host, "code": code, "reason": reason.words(), "times": times, "detail": detail})
        });
        let canary = state.canary.as_ref().map(|canary| {
            let (time, how) = canary.seen.clone().unzip();
            json!({"seen": time.map(|time: Time| time.to_string()), "how": how})
        });
        json!({"clients": clients.collect::<Vec<_>>(), "unread": refused.collect::<Vec<_>>(), "canary": canary,
            "names": state.names, "refused_quic": state.quic, "lost_datagrams": state.lost})
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_live::watch::Unread;

    #[test]
    fn no_canary_that_could_not_be_looked_for_is_taken() {
        let status = Status::new(None);
        for wrong in ["", "short", "with spaces in it", &"a".repeat(257)] {
            status.expect(wrong).unwrap_err();
            assert_eq!(status.canary(), None, "{wrong}");
        }
        status.expect("dyetrace-0123abcd").unwrap();
        assert_eq!(status.canary().as_deref(), Some("dyetrace-0123abcd"));
    }

    #[test]
    fn a_host_that_is_known_counts_on_when_no_more_are_told_apart() {
        let status = Status::new(None);
        let refuse = |host: &str| {
            let unread = Unread { name: None, reason: UnreadReason::ClientRefused, detail: String::new() };
            status.note(&Event { connection: 1, time: Time(0), what: What::Unread(unread) }, host, "");
        };
        (0..=TOLD_APART).for_each(|number| refuse(&format!("{number:04}.test")));
        refuse("0000.test");
        let unread = status.json()["unread"].clone();
        assert_eq!(unread.as_array().map(Vec::len), Some(TOLD_APART));
        assert_eq!(unread[0]["times"], 2, "{unread}");
    }
}
