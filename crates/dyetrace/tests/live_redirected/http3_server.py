"""A server that offers HTTP/3: `http3_server.py ADDRESS CERTIFICATE KEY`.

HTTP/1.1 in TLS with Alt-Svc (RFC 7838), HTTP/3, and names with an HTTPS record (RFC 9460) that offers `h3`. Says on
standard output by which protocol each page was asked for, and `ready`. Needs aioquic.
"""

import asyncio
import socket
import ssl
import struct
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

ADDRESS, CERTIFICATE, KEY = sys.argv[1:]
NAME = "api.example.test"
PAGE = b"<!doctype html><title>shop</title><h1>page loaded</h1>"
OFFER = b'h3=":443"; ma=86400'
A, HTTPS = 1, 65


def say(*words):
    print(*words, flush=True)


class Http3(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        for event in self.http.handle_event(event) if self.http else ():
            if isinstance(event, HeadersReceived):
                say("h3", dict(event.headers)[b":path"].decode())
                head = [(b":status", b"200"), (b"content-type", b"text/html"), (b"alt-svc", OFFER)]
                self.http.send_headers(event.stream_id, head)
                self.http.send_data(event.stream_id, PAGE, True)
                self.transmit()


async def http1(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            say("tcp", head.split(b" ")[1].decode())
            fields = b"Content-Type: text/html\r\nAlt-Svc: " + OFFER + b"\r\nContent-Length: %d\r\n\r\n" % len(PAGE)
            writer.write(b"HTTP/1.1 200 OK\r\n" + fields + PAGE)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, question, client):
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        (kind,) = struct.unpack(">H", question[at + 1 : at + 3])
        known = ".".join(labels).lower() == NAME
        data = {
            A: socket.inet_aton(ADDRESS),
            # Priority 1, the owner's own name, and alpn=h3,http/1.1.
            HTTPS: struct.pack(">HBHH", 1, 0, 1, 12) + b"\x02h3\x08http/1.1",
        }.get(kind) if known else None
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data if data else b""
        head = struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, bool(data), 0, 0)
        self.transport.sendto(question[:2] + head + question[12 : at + 5] + record, client)


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE, KEY)
    tls.set_alpn_protocols(["http/1.1"])
    await asyncio.start_server(http1, ADDRESS, 443, ssl=tls)
    quic = QuicConfiguration(alpn_protocols=["h3"], is_client=False)
    quic.load_cert_chain(CERTIFICATE, KEY)
    await serve(ADDRESS, 443, configuration=quic, create_protocol=Http3)
    await asyncio.get_running_loop().create_datagram_endpoint(Names, local_addr=(ADDRESS, 53))
    say("ready")
    await asyncio.Event().wait()


asyncio.run(main())
