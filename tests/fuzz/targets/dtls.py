"""DTLS records before the handshake is over: rows of datagrams, each behind two octets of length."""

import asyncio
import struct

from sfu.shell import dtls
from sfu.shell.dtls import Certificate, DatagramPort, DtlsTransport
from tests.fuzz.errors import ErrorLog

SERVER, CLIENT = Certificate.generateCertificate(), Certificate.generateCertificate()
TURNS = 6


class Client(DtlsTransport):
    """The client's side, of which the flights are kept."""

    def __init__(self, port):
        super().__init__(port, CLIENT)
        self._set_role("client")


async def shake_hands():
    """What a client sends in a handshake that succeeds, datagram by datagram."""
    sent = []
    client_port = DatagramPort(lambda datagram: (sent.append(datagram), server_port.feed(datagram)))
    server_port = DatagramPort(client_port.feed)
    server, client = DtlsTransport(server_port, SERVER), Client(client_port)
    results = await asyncio.gather(
        server.connect((("sha-256", CLIENT.sha256),)), client.connect((("sha-256", SERVER.sha256),))
    )
    assert results == [None, None]
    await asyncio.gather(server.stop(), client.stop())
    return sent


def row(datagrams):
    return b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams)


def seeds():
    loop = asyncio.new_event_loop()
    flights = loop.run_until_complete(shake_hands())
    loop.close()
    singles = [row([flight]) for flight in flights]
    return [row(flights), row(flights[:1] * 3), row(flights[1:]), *singles]


def datagrams(data):
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


async def feed_one(data):
    """A handshake that gets these datagrams, and ends with a verdict."""
    port = DatagramPort(lambda _datagram: None)
    transport = DtlsTransport(port, SERVER)
    connecting = asyncio.ensure_future(transport.connect((("sha-256", CLIENT.sha256),)))
    await asyncio.sleep(0)
    for datagram in datagrams(data):
        port.feed(datagram)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    port.close()
    async with asyncio.timeout(dtls.HANDSHAKE_TIMEOUT_S):
        assert await connecting in {None, "handshake_failed", "handshake_timeout"}
    await transport.stop()


def make():
    errors, loop = ErrorLog().install(), asyncio.new_event_loop()

    def feed(data):
        loop.run_until_complete(feed_one(data))
        errors.check()

    return feed
