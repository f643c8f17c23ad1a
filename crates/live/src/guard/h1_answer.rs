//! Answers on HTTP/1: they pass as they are, and are followed to where they end.

use super::framing::Unframer;
use super::head::{self, Framing, HEAD, RequestHead};
use super::websocket::Terms;
use super::wire::{Wire, send};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// What comes behind an answer.
#[derive(Debug)]
pub(super) enum Answered {
    /// Another request may.
    Whole,
    /// The connection's end.
    Over,
    /// A WebSocket, under these terms.
    WebSocket(Terms),
    /// Bytes of another protocol, which the server agreed to (101).
    Upgraded,
    /// Bytes of any protocol, behind a proxy.
    Tunnel,
}

/// Passes the answer to a request. `has_begun` says whether the client got any of it.
pub(super) async fn answer(
    server: &mut Wire<impl AsyncRead + Unpin>,
    to_client: &mut (impl AsyncWrite + Unpin),
    request: &RequestHead,
    has_begun: &mut bool,
) -> io::Result<Answered> {
    loop {
        let Some(end) = head_end(server).await? else {
            // No answer, or none of HTTP.
            *has_begun |= !server.bytes().is_empty();
            server.pass(to_client).await?;
            return Ok(Answered::Over);
        };
        let head = server.bytes().get(..end).and_then(head::answer);
        let Some(head) = head else {
            *has_begun = true;
            server.pass(to_client).await?;
            return Ok(Answered::Over);
        };
        let is_interim = (100..200).contains(&head.status) && head.status != 101;
        *has_begun |= !is_interim;
        let becomes = match head.status {
            101 => Some(Terms::agreed(&request.fields, &head.fields).map_or(Answered::Upgraded, Answered::WebSocket)),
            200..300 if request.method == "CONNECT" => Some(Answered::Tunnel),
            _ => None,
        };
        if is_interim || becomes.is_some() {
            send(to_client, server.bytes().get(..end).unwrap_or_default()).await?;
            server.advance(end);
        }
        match becomes {
            Some(becomes) => return Ok(becomes),
            None if is_interim => {}
            None => return rest(server, to_client, end, head.framing(&request.method)).await,
        }
    }
}

async fn head_end(server: &mut Wire<impl AsyncRead + Unpin>) -> io::Result<Option<usize>> {
    let mut searched = 0;
    loop {
        if let Some(end) = head::end_of_answer(server.bytes(), searched) {
            return Ok(Some(end));
        }
        searched = server.bytes().len();
        if searched > HEAD || !server.fill().await? {
            return Ok(None);
        }
    }
}

/// Passes a head that ends there and the body behind it.
async fn rest(
    server: &mut Wire<impl AsyncRead + Unpin>,
    to_client: &mut (impl AsyncWrite + Unpin),
    head: usize,
    framing: Framing,
) -> io::Result<Answered> {
    let mut unframer = Unframer::new(framing);
    let mut ready = head;
    loop {
        while let Some(input) = server.bytes().get(ready..).filter(|input| !input.is_empty() && !unframer.is_done()) {
            let Ok(step) = unframer.step(input) else {
                server.pass(to_client).await?;
                return Ok(Answered::Over);
            };
            ready += step.consumed;
        }
        send(to_client, server.bytes().get(..ready).unwrap_or_default()).await?;
        server.advance(ready);
        ready = 0;
        if unframer.is_done() {
            return Ok(Answered::Whole);
        }
        if !server.fill().await? {
            let _ = to_client.shutdown().await;
            return Ok(Answered::Over);
        }
    }
}
