//! A name server that knows the maker's names, and the phone's side of it (RFC 1035).

use crate::plan::Plan;
use std::io::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

const HEADER: usize = 12;

/// Answers A questions until the process ends.
pub fn serve(socket: &UdpSocket, plan: &Plan) -> Result<()> {
    let mut buffer = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        if let Some(reply) = answer(&buffer[..length], plan) {
            socket.send_to(&reply, from)?;
        }
    }
}

/// Asks for the IPv4 address of a name.
pub fn lookup(name: &str, server: SocketAddr) -> Result<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(1500)))?;
    socket.send_to(&question(name), server)?;
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer)?;
    // The server puts the one address last.
    match buffer[..length].last_chunk::<4>() {
        Some(address) if length > HEADER && buffer[7] == 1 => Ok(Ipv4Addr::from(*address)),
        _ => Err(Error::other("the name server knows no such name")),
    }
}

fn question(name: &str) -> Vec<u8> {
    let id = (std::process::id() as u16).wrapping_mul(31).wrapping_add(name.len() as u16);
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

fn answer(question: &[u8], plan: &Plan) -> Option<Vec<u8>> {
    let name = name_of(question.get(HEADER..)?)?;
    let mut reply = question.to_vec();
    let address = plan.address_of(&name).map(|address| address.ip());
    let Some(IpAddr::V4(address)) = address else {
        reply[2..4].copy_from_slice(&[0x81, 0x83]);
        return Some(reply);
    };
    reply[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
    reply.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    reply.extend(address.octets());
    Some(reply)
}

fn name_of(mut labels: &[u8]) -> Option<String> {
    let mut name = Vec::new();
    while let Some((&length, rest)) = labels.split_first().filter(|(length, _)| **length > 0) {
        let (label, rest) = rest.split_at_checked(length.into())?;
        name.push(String::from_utf8_lossy(label).into_owned());
        labels = rest;
    }
    Some(name.join("."))
}
