//! A phone in this process: the client's end of WireGuard, and TCP on it.

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use dyetrace_live::front::wireguard::{CLIENT_V4, Keys};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{HardwareAddress, IpCidr};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

const PIECE: usize = 64 << 10;

/// What tests ask of the phone.
pub(crate) struct Phone {
    connect: mpsc::UnboundedSender<(SocketAddr, DuplexStream)>,
    packets: mpsc::UnboundedSender<(Vec<u8>, oneshot::Sender<Vec<u8>>)>,
}

impl Phone {
    pub(crate) async fn new(server: SocketAddr, keys: &Keys) -> Self {
        let (own, public) = keys.of_client();
        let session = Tunn::new(StaticSecret::from(own), PublicKey::from(public), None, None, 1, None);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.connect(server).await.unwrap();
        let (connect, connecting) = mpsc::unbounded_channel();
        let (packets, sending) = mpsc::unbounded_channel();
        tokio::spawn(Running::new(socket, session).run(connecting, sending));
        Self { connect, packets }
    }

    /// A connection through the tunnel. It ends at once where it was refused.
    pub(crate) fn connect(&self, target: SocketAddr) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIECE);
        self.connect.send((target, theirs)).unwrap();
        ours
    }

    /// Sends a packet; the next packet that is none of TCP's is given back.
    pub(crate) async fn ask(&self, packet: Vec<u8>) -> Vec<u8> {
        let (answer, answered) = oneshot::channel();
        self.packets.send((packet, answer)).unwrap();
        tokio::time::timeout(Duration::from_secs(10), answered).await.unwrap().unwrap()
    }
}

struct Connection {
    handle: SocketHandle,
    stream: DuplexStream,
    up: VecDeque<u8>,
    ended: bool,
}

struct Running {
    socket: UdpSocket,
    session: Tunn,
    queues: Queues,
    interface: Interface,
    sockets: SocketSet<'static>,
    connections: Vec<Connection>,
    asked: VecDeque<oneshot::Sender<Vec<u8>>>,
    began: Instant,
    next_port: u16,
}

impl Running {
    fn new(socket: UdpSocket, session: Tunn) -> Self {
        let mut queues = Queues::default();
        let now = smoltcp::time::Instant::ZERO;
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut queues, now);
        interface.update_ip_addrs(|all| all.push(IpCidr::new(CLIENT_V4.into(), 24)).unwrap());
        interface.routes_mut().add_default_ipv4_route(Ipv4Addr::new(10, 213, 7, 1)).unwrap();
        let (sockets, began) = (SocketSet::new(Vec::new()), Instant::now());
        let (connections, asked) = (Vec::new(), VecDeque::new());
        Self { socket, session, queues, interface, sockets, connections, asked, began, next_port: 40_000 }
    }

    async fn run(
        mut self,
        mut connecting: mpsc::UnboundedReceiver<(SocketAddr, DuplexStream)>,
        mut sending: mpsc::UnboundedReceiver<(Vec<u8>, oneshot::Sender<Vec<u8>>)>,
    ) {
        let mut out = vec![0; 70_000];
        loop {
            // Nothing here wakes it: it looks a thousand times a second.
            let _ = tokio::time::timeout(Duration::from_millis(1), self.socket.readable()).await;
            self.receive();
            while let Ok((target, stream)) = connecting.try_recv() {
                self.open(target, stream);
            }
            while let Ok((packet, answer)) = sending.try_recv() {
                self.queues.sent.push_back(packet);
                self.asked.push_back(answer);
            }
            for _ in 0..8 {
                let micros = self.began.elapsed().as_micros() as i64;
                let now = smoltcp::time::Instant::from_micros(micros);
                self.interface.poll(now, &mut self.queues, &mut self.sockets);
                self.pump();
            }
            if let TunnResult::WriteToNetwork(datagram) = self.session.update_timers(&mut out) {
                let _ = self.socket.try_send(datagram);
            }
            while let Some(packet) = self.queues.sent.pop_front() {
                if let TunnResult::WriteToNetwork(datagram) = self.session.encapsulate(&packet, &mut out) {
                    let _ = self.socket.send(datagram).await;
                }
            }
        }
    }

    fn receive(&mut self) {
        let (mut datagram, mut out) = (vec![0; 70_000], vec![0; 70_000]);
        for _ in 0..64 {
            let Ok(length) = self.socket.try_recv(&mut datagram) else { return };
            let mut result = self.session.decapsulate(None, &datagram[..length], &mut out);
            while let TunnResult::WriteToNetwork(answer) = result {
                let _ = self.socket.try_send(answer);
                result = self.session.decapsulate(None, &[], &mut out);
            }
            if let TunnResult::WriteToTunnelV4(packet, _) = result {
                match self.asked.pop_front() {
                    Some(answer) if packet[9] != 6 => answer.send(packet.to_vec()).unwrap(),
                    other => {
                        self.asked.extend(other);
                        self.queues.received.push_back(packet.to_vec());
                    }
                }
            }
        }
    }

    fn open(&mut self, target: SocketAddr, stream: DuplexStream) {
        let buffer = || SocketBuffer::new(vec![0; 128 << 10]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_congestion_control(smoltcp::socket::tcp::CongestionControl::Reno);
        self.next_port += 1;
        socket.connect(self.interface.context(), target, self.next_port).unwrap();
        let handle = self.sockets.add(socket);
        self.connections.push(Connection { handle, stream, up: VecDeque::new(), ended: false });
    }

    fn pump(&mut self) {
        let sockets = &mut self.sockets;
        self.connections.retain_mut(|connection| {
            let goes_on = connection.pump(sockets.get_mut(connection.handle));
            if !goes_on {
                sockets.remove(connection.handle);
            }
            goes_on
        });
    }
}

impl Connection {
    /// Whether it goes on.
    fn pump(&mut self, socket: &mut Socket<'_>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        if socket.state() == State::Closed {
            return false;
        }
        if self.up.is_empty() && !self.ended {
            let mut piece = vec![0; PIECE];
            let mut read = ReadBuf::new(&mut piece);
            if Pin::new(&mut self.stream).poll_read(&mut context, &mut read).is_ready() {
                self.ended = read.filled().is_empty();
                self.up.extend(read.filled());
            }
        }
        if socket.can_send() && !self.up.is_empty() {
            let sent = socket.send_slice(self.up.make_contiguous()).unwrap();
            self.up.drain(..sent);
        }
        if self.ended && self.up.is_empty() {
            socket.close();
        }
        while socket.can_recv() {
            let stream = &mut self.stream;
            let taken = socket.recv(|bytes| match Pin::new(stream).poll_write(&mut context, bytes) {
                std::task::Poll::Ready(written) => (written.unwrap_or(bytes.len()), true),
                std::task::Poll::Pending => (0, false),
            });
            if !taken.unwrap() {
                break;
            }
        }
        if !socket.can_recv() && !socket.may_recv() && socket.state() != State::SynSent {
            let _ = Pin::new(&mut self.stream).poll_shutdown(&mut context);
        }
        true
    }
}

#[derive(Default)]
struct Queues {
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Received, Sending<'_>)> {
        let packet = self.received.pop_front()?;
        Some((Received(packet), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Sending<'_>> {
        (self.sent.len() < 256).then_some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        (capabilities.medium, capabilities.max_transmission_unit) = (Medium::Ip, 1420);
        capabilities
    }
}

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

struct Sending<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = vec![0; length];
        let result = write(&mut packet);
        self.0.push_back(packet);
        result
    }
}
