//! SOCKS version 5 (RFC 1928), without authentication, `CONNECT` only.

use super::GREETING;
use crate::relay::{Host, Relay, Target, Unreachable};
use crate::upstream::within;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NOTHING_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;

/// Replies (RFC 1928 section 6).
mod reply {
    pub(super) const SUCCEEDED: u8 = 0;
    pub(super) const NOT_ALLOWED: u8 = 2;
    pub(super) const HOST_UNREACHABLE: u8 = 4;
    pub(super) const REFUSED: u8 = 5;
    pub(super) const COMMAND_NOT_SUPPORTED: u8 = 7;
    pub(super) const ADDRESS_NOT_SUPPORTED: u8 = 8;
}

pub(super) async fn serve(mut client: TcpStream, peer: SocketAddr, relay: &Relay) -> io::Result<()> {
    let asked = within(GREETING, "the client did not say where it wants to go", greet(&mut client)).await?;
    let target = match asked {
        Ok(target) => target,
        Err(code) => return answer(&mut client, code).await,
    };
    match relay.reach(peer, &target).await {
        Ok(server) => {
            answer(&mut client, reply::SUCCEEDED).await?;
            relay.relay(client, peer, &target, server).await
        }
        Err(unreachable) => answer(&mut client, code(&unreachable)).await,
    }
}

/// Where the client wants to go, or the reply that says why not.
async fn greet(client: &mut TcpStream) -> io::Result<Result<Target, u8>> {
    let mut head = [0; 2];
    client.read_exact(&mut head).await?;
    let mut methods = vec![0; usize::from(head[1])];
    client.read_exact(&mut methods).await?;
    if head[0] != VERSION || !methods.contains(&NO_AUTHENTICATION) {
        client.write_all(&[VERSION, NOTHING_ACCEPTABLE]).await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    client.write_all(&[VERSION, NO_AUTHENTICATION]).await?;
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => Host::Address(IpAddr::from(read::<4>(client).await?)),
        4 => Host::Address(IpAddr::from(read::<16>(client).await?)),
        3 => match name(client).await? {
            Some(host) => host,
            None => return Ok(Err(reply::ADDRESS_NOT_SUPPORTED)),
        },
        _ => return Ok(Err(reply::ADDRESS_NOT_SUPPORTED)),
    };
    let port = u16::from_be_bytes(read::<2>(client).await?);
    if request[1] != CONNECT {
        return Ok(Err(reply::COMMAND_NOT_SUPPORTED));
    }
    Ok(Ok(Target { host, port }))
}

async fn name(client: &mut TcpStream) -> io::Result<Option<Host>> {
    let length = client.read_u8().await?;
    let mut name = vec![0; usize::from(length)];
    client.read_exact(&mut name).await?;
    Ok(String::from_utf8(name).ok().and_then(|name| Host::read(&name)))
}

async fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// The address bound for the connection is nobody's business.
async fn answer(client: &mut TcpStream, code: u8) -> io::Result<()> {
    client.write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]).await
}

fn code(unreachable: &Unreachable) -> u8 {
    match unreachable {
        Unreachable::Denied(_) => reply::NOT_ALLOWED,
        Unreachable::Failed(error) if error.kind() == io::ErrorKind::ConnectionRefused => reply::REFUSED,
        Unreachable::Failed(_) => reply::HOST_UNREACHABLE,
    }
}
