//! Streams that are no HTTP: MQTT packet by packet, everything else as it comes.
//!
//! What the client sends of an unknown protocol is let go when it pauses, since the server may have to answer first.
//! What it sends without a pause passes in windows.

use super::decide::{Outcome, Progress, Warden};
use super::engine::PREFACE;
use super::h1::Http1;
use super::mqtt;
use super::redact::bytes_of;
use super::strain::Strain;
use super::wire::{Ended, Wire, send, strained};
use super::{Decision, Share};
use dyetrace_case::Protocol;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// Long enough for what was written in one go to arrive in one go, too short to be felt.
const PAUSE: Duration = Duration::from_millis(15);

/// Passes bytes until both sides are done. `is_told` says whether it is known already that they cannot be read.
pub(super) async fn run<C, S>(both: Http1<C, S>, is_told: bool) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send,
    S: AsyncRead + AsyncWrite + Send,
{
    let Http1 { warden, client, mut to_client, mut server, to_server } = both;
    let mut raw = Raw { warden: &warden, client, to_server, is_told };
    let up = async {
        let outcome = raw.run().await;
        if let Err(Ended::Refused(why)) = &outcome {
            // It is a packet's head that was refused, of which nothing has left.
            warden.tell_why(Decision::Refused, why, 0).await;
        }
        outcome.map_err(io::Error::from)
    };
    tokio::try_join!(up, server.pass(&mut to_client)).map(|_| ())
}

struct Raw<'a, R, W> {
    warden: &'a Warden,
    client: Wire<R>,
    to_server: W,
    is_told: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Raw<'_, R, W> {
    async fn run(&mut self) -> Result<(), Ended> {
        while mqtt::may_begin(self.client.bytes()).is_none() {
            match self.client.fill_for(self.warden.pause(PAUSE)).await? {
                Some(true) => {}
                None if self.client.bytes().is_empty() => {}
                Some(false) | None => break,
            }
        }
        if mqtt::may_begin(self.client.bytes()) == Some(true) {
            self.packets().await?;
        }
        self.bytes().await?;
        // Its peer may have gone already.
        let _ = self.to_server.shutdown().await;
        Ok(())
    }

    /// Passes packets of MQTT; returns at the end, or at a packet for which there is no room.
    async fn packets(&mut self) -> Result<(), Ended> {
        loop {
            let Some(length) = mqtt::length(self.client.bytes()).map_err(Ended::Refused)? else {
                if self.client.fill().await? {
                    continue;
                }
                return Ok(());
            };
            let mut share = Share::of(&self.warden.guarding);
            if length > self.warden.guarding.settings.hold_limit || !share.take(length) {
                return Ok(());
            }
            while self.client.bytes().len() < length {
                if !self.client.fill().await? {
                    return Ok(());
                }
            }
            let packet = self.client.bytes().get(..length).unwrap_or_default().to_vec();
            self.client.advance(length);
            let mut record = self.warden.record_of(Protocol::Mqtt, packet);
            if let Outcome::Stopped(what) = self.warden.judge(&mut record, Progress::default()).await {
                return Err(Ended::Stopped(what));
            }
            send(&mut self.to_server, &record.request.as_ref().map(bytes_of).unwrap_or_default()).await?;
        }
    }

    async fn bytes(&mut self) -> Result<(), Ended> {
        let mut strain = Strain::new(self.warden.guarding.guard.longest(), None);
        let (mut all, mut opening) = (false, Opening::default());
        loop {
            if opening.begins_unread(self.client.bytes()) && !std::mem::replace(&mut self.is_told, true) {
                let why = "TLS or HTTP/2 begins within a stream";
                if !self.warden.unreadable(why, strain.left()).await {
                    return Err(Ended::Stopped(Vec::new()));
                }
            }
            strain.push(self.client.bytes());
            self.client.advance(usize::MAX);
            while let Some(out) = strained(self.warden, Protocol::Tcp, &mut strain, all).await? {
                if !out.is_empty() {
                    send(&mut self.to_server, &out).await?;
                }
            }
            if strain.is_empty() {
                opening.pause();
            }
            let patience = if strain.is_empty() { Duration::MAX } else { self.warden.pause(PAUSE) };
            match self.client.fill_for(patience).await? {
                Some(true) => all = false,
                Some(false) if strain.is_empty() => return Ok(()),
                Some(false) | None => all = true,
            }
        }
    }
}

/// What the client said first since it paused, as far as that may begin a protocol that cannot be read here: where a
/// server was asked for one (`STARTTLS`), or a proxy for a tunnel.
#[derive(Default)]
struct Opening {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Opening {
    /// Takes what came; true where such a protocol begins.
    fn begins_unread(&mut self, fresh: &[u8]) -> bool {
        if self.is_over || fresh.is_empty() {
            return false;
        }
        let wanted = PREFACE.len().saturating_sub(self.bytes.len()).min(fresh.len());
        self.bytes.extend_from_slice(fresh.get(..wanted).unwrap_or_default());
        // A record of a handshake, version 3.0 to 3.4 (RFC 8446 section 5.1).
        let is_tls = matches!(self.bytes.as_slice(), [22, 3, 0..=4, ..]);
        let may_be_tls = matches!(self.bytes.as_slice(), [22] | [22, 3]);
        let begins = is_tls || self.bytes == PREFACE;
        self.is_over = begins || !may_be_tls && !PREFACE.starts_with(&self.bytes);
        begins
    }

    /// What comes next begins anew, unless the beginning itself came in pieces.
    fn pause(&mut self) {
        if std::mem::take(&mut self.is_over) {
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_and_http2_are_noticed_behind_a_pause_however_they_are_cut() {
        for begin in [&b"\x16\x03\x01\x02\0"[..], PREFACE] {
            let mut opening = Opening::default();
            assert!(!opening.begins_unread(b"STARTTLS\r\n") && !opening.begins_unread(begin), "no pause yet");
            opening.pause();
            let told = begin.iter().filter(|byte| {
                let told = opening.begins_unread(&[**byte]);
                opening.pause();
                told
            });
            assert_eq!(told.count(), 1);
        }
        assert!(!Opening::default().begins_unread(b"\x16\x0d\x01") && !Opening::default().begins_unread(b"PRI x"));
    }
}
