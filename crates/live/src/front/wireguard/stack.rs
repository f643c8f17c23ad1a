//! TCP towards the client: it is answered for every address there is, one socket for each connection.

use super::pipe::{Pipe, PipeStream, WAITING};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{self, Socket, State};
use smoltcp::wire::{HardwareAddress, IpCidr, IpEndpoint};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Bytes of a packet: what is left of 1500 under WireGuard over IPv6.
pub(super) const MTU: usize = 1420;
/// Bytes of a socket's buffer, in each direction.
const BUFFER: usize = 128 << 10;
/// Packets that wait for the tunnel before no more are made.
pub(super) const PACKETS: usize = 256;
/// How long a connection whose stream is gone may take to end as TCP ends.
const LINGER: Duration = Duration::from_secs(30);

/// Client and server of a connection.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// The client's connections.
pub(super) struct Stack {
    interface: Interface,
    queues: Queues,
    sockets: SocketSet<'static>,
    flows: HashMap<Ends, Flow>,
    wake: Arc<Notify>,
    began: Instant,
}

impl Stack {
    /// A stack that is at these addresses itself, in networks of those prefix lengths; what waits in a stream for
    /// the stack is told to `wake`.
    pub(super) fn new(own: &[(IpAddr, u8)], wake: Arc<Notify>) -> Self {
        let mut queues = Queues::default();
        let began = Instant::now();
        let mut config = Config::new(HardwareAddress::Ip);
        // Sequence numbers that nobody guesses: hashed with keys that the system chose.
        config.random_seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), began);
        let mut interface = Interface::new(config, &mut queues, smoltcp::time::Instant::ZERO);
        interface.set_any_ip(true);
        interface.update_ip_addrs(|addresses| {
            for (address, prefix) in own {
                let _ = addresses.push(IpCidr::new((*address).into(), *prefix));
            }
        });
        Self { interface, queues, sockets: SocketSet::new(Vec::new()), flows: HashMap::new(), wake, began }
    }

    /// Connections there are.
    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether a segment that opens a connection belongs to one that there is.
    pub(super) fn has(&mut self, ends: Ends) -> bool {
        let Some(flow) = self.flows.get(&ends) else { return false };
        let handle = flow.handle;
        if matches!(self.sockets.get::<Socket<'_>>(handle).state(), State::TimeWait | State::Closed) {
            self.flows.remove(&ends);
            self.sockets.remove(handle);
            return false;
        }
        true
    }

    /// Answers a segment that opens a connection. `None` where it is none.
    pub(super) fn accept(&mut self, ends: Ends, opening: Vec<u8>) -> Option<PipeStream> {
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        socket.set_congestion_control(tcp::CongestionControl::Reno);
        socket.listen(IpEndpoint::from(ends.1)).ok()?;
        let handle = self.sockets.add(socket);
        self.queues.received.push_back(opening);
        self.poll();
        let socket = self.sockets.get::<Socket<'_>>(handle);
        // The socket that listens is gone at once, so that it takes nobody else's connection.
        if socket.remote_endpoint() != Some(ends.0.into()) {
            self.sockets.remove(handle);
            return None;
        }
        let pipe = Pipe::new(Arc::clone(&self.wake));
        let stream = pipe.stream();
        self.flows.insert(ends, Flow { handle, pipe, until: None });
        Some(stream)
    }

    /// Takes a packet from the client.
    pub(super) fn take(&mut self, packet: Vec<u8>) {
        self.queues.received.push_back(packet);
    }

    /// A packet for the client.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        self.queues.sent.pop_front()
    }

    /// Moves what can be moved; there may be more to do once the packets for the client are gone.
    pub(super) fn work(&mut self) {
        loop {
            self.poll();
            if !self.pump() || self.queues.is_full() {
                break;
            }
        }
        self.sweep();
    }

    /// How long there is nothing to do unless something comes.
    pub(super) fn rest(&mut self) -> Option<Duration> {
        let now = self.now();
        self.interface.poll_delay(now, &self.sockets).map(Into::into)
    }

    fn now(&self) -> smoltcp::time::Instant {
        smoltcp::time::Instant::from_micros(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    fn poll(&mut self) {
        let now = self.now();
        self.interface.poll(now, &mut self.queues, &mut self.sockets);
    }

    fn pump(&mut self) -> bool {
        let mut moved = false;
        for flow in self.flows.values_mut() {
            moved |= flow.pump(self.sockets.get_mut(flow.handle));
        }
        moved
    }

    /// Forgets connections that have ended, and have told the client so.
    fn sweep(&mut self) {
        let sockets = &mut self.sockets;
        self.flows.retain(|_, flow| {
            let socket = sockets.get::<Socket<'_>>(flow.handle);
            let has_ended = socket.state() == State::Closed && socket.remote_endpoint().is_none();
            if has_ended {
                flow.pump(sockets.get_mut(flow.handle));
                sockets.remove(flow.handle);
            }
            !has_ended
        });
    }
}

/// One connection.
struct Flow {
    handle: SocketHandle,
    pipe: Pipe,
    /// When it is cut, once nobody holds its stream.
    until: Option<Instant>,
}

impl Flow {
    /// Moves bytes between socket and stream. Whether the socket may have to send something.
    fn pump(&mut self, socket: &mut Socket<'_>) -> bool {
        let mut state = self.pipe.lock();
        let mut moved = false;
        while socket.can_recv() {
            let room = if state.dropped { BUFFER } else { WAITING.saturating_sub(state.up.len()) };
            let take = |bytes: &mut [u8]| {
                let taken = bytes.len().min(room);
                if !state.dropped {
                    state.up.extend(bytes.iter().take(taken));
                }
                (taken, taken)
            };
            if room == 0 || socket.recv(take).unwrap_or(0) == 0 {
                break;
            }
            moved = true;
            state.wake_reader();
        }
        let says_no_more =
            matches!(socket.state(), State::CloseWait | State::Closing | State::LastAck | State::TimeWait);
        if says_no_more && !state.up_ended && !socket.can_recv() {
            state.up_ended = true;
            state.wake_reader();
        }
        while socket.can_send() && !state.down.is_empty() {
            let sent = socket.send_slice(state.down.as_slices().0).unwrap_or(0);
            state.down.drain(..sent);
            moved |= sent > 0;
            state.wake_writer();
            if sent == 0 {
                break;
            }
        }
        if socket.state() == State::Closed {
            state.cut = true;
            state.wake_reader();
            state.wake_writer();
            return moved;
        }
        if state.down_ended && state.down.is_empty() && socket.may_send() {
            socket.close();
            moved = true;
        }
        if state.dropped {
            let until = *self.until.get_or_insert_with(|| Instant::now() + LINGER);
            // A stream that was not ended was given up: the client is to see that.
            if !state.down_ended || Instant::now() > until {
                socket.abort();
                moved = true;
            }
        }
        moved
    }
}

/// Packets from and to the client.
#[derive(Default)]
struct Queues {
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

impl Queues {
    fn is_full(&self) -> bool {
        self.sent.len() >= PACKETS
    }
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Received, Sending<'_>)> {
        if self.is_full() {
            return None;
        }
        let packet = self.received.pop_front()?;
        Some((Received(packet), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Sending<'_>> {
        (!self.is_full()).then_some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
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
