//! Streams that are no HTTP: MQTT packet by packet, everything else as it comes.
//!
//! What the client sends of an unknown protocol is let go when it pauses, since the server may have to answer first.
//! What it sends without a pause passes in windows.

use super::Decision;
use super::decide::{Outcome, Progress, Warden};
use super::h1::Http1;
use super::mqtt;
use super::redact::bytes_of;
use super::strain::Strain;
use super::wire::{Ended, Wire, send, strained};
use dyetrace_case::Protocol;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// Long enough for what was written in one go to arrive in one go, too short to be felt.
const PAUSE: Duration = Duration::from_millis(15);

/// Passes bytes until both sides are done.
pub(super) async fn run<C, S>(both: Http1<C, S>) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send,
    S: AsyncRead + AsyncWrite + Send,
{
    let Http1 { warden, client, mut to_client, mut server, to_server } = both;
    let mut raw = Raw { warden: &warden, client, to_server };
    let up = async {
        let outcome = raw.run().await;
        if let Err(Ended::Refused(why)) = &outcome {
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

    /// Passes packets of MQTT; returns at the end, or at a packet that is too long to be held.
    async fn packets(&mut self) -> Result<(), Ended> {
        loop {
            let Some(length) = mqtt::length(self.client.bytes()).map_err(Ended::Refused)? else {
                if self.client.fill().await? {
                    continue;
                }
                return Ok(());
            };
            if length > self.warden.guarding.settings.hold_limit {
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
        let mut all = false;
        loop {
            strain.push(self.client.bytes());
            self.client.advance(usize::MAX);
            while let Some(out) = strained(self.warden, Protocol::Tcp, &mut strain, all).await? {
                if !out.is_empty() {
                    send(&mut self.to_server, &out).await?;
                }
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
