"""Handshakes with aiortc's transport as the client, over queues instead of a network."""

import asyncio
import random

import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport

from sfu.shell import dtls
from sfu.shell.dtls import HANDSHAKE_BYTES, QUEUE_DATAGRAMS, Certificate, DatagramPort, DtlsTransport

CERTIFICATE = Certificate.generateCertificate()
CLIENT = Certificate.generateCertificate()
FINGERPRINTS = (("sha-256", CLIENT.sha256),)


class Pair:
    """A server's transport and a client's; `mangle` may change, drop or repeat what the client sends."""

    def __init__(self, mangle=lambda datagram: [datagram], *, opens=False):
        self.client_port = DatagramPort(self._to_server)
        self.port = DatagramPort(self.client_port.feed)
        self.mangle = mangle
        self.server = DtlsTransport(self.port, CERTIFICATE, client=opens)
        self.client = RTCDtlsTransport(self.client_port, [CLIENT])
        self.client._set_role("server" if opens else "client")

    def _to_server(self, datagram):
        for part in self.mangle(datagram):
            self.port.feed(part)

    async def connect(self, fingerprints=FINGERPRINTS):
        started = asyncio.create_task(self.client.start(DtlsTransport.getLocalParameters(self.server)))
        failure = await self.server.connect(fingerprints)
        if failure is None:
            await started
        else:
            started.cancel()
            await asyncio.gather(started, return_exceptions=True)
        return failure

    async def stop(self):
        await self.server.stop()
        await self.client.stop()
        self.port.close()
        self.client_port.close()


@pytest.fixture
async def connect():
    pairs = []

    async def make(fingerprints=FINGERPRINTS, **rest):
        pairs.append(Pair(**rest))
        return pairs[-1], await pairs[-1].connect(fingerprints)

    yield make
    for pair in pairs:
        await pair.stop()


@pytest.mark.parametrize("opens", [False, True])
async def test_a_handshake_gives_keys_of_the_cheap_profile(connect, opens):
    pair, failure = await connect(opens=opens)
    assert failure is None
    assert pair.server.is_client is opens
    if not opens:  # the DTLS server chooses (RFC 5764 section 4.1.1)
        assert pair.server.srtp_profile == "SRTP_AEAD_AES_128_GCM"
    protected = pair.server.protect_rtcp(bytes.fromhex("80c90001000000aa"))
    assert pair.client._rx_srtp.unprotect_rtcp(protected) == bytes.fromhex("80c90001000000aa")
    assert pair.server.inbound != pair.server.outbound


async def test_another_certificate_than_the_announced_one_is_refused(connect):
    _, failure = await connect((("sha-256", CERTIFICATE.sha256),))
    assert failure == "handshake_failed"


async def test_a_client_that_never_speaks_is_given_up(connect, monkeypatch):
    monkeypatch.setattr(dtls, "HANDSHAKE_TIMEOUT_S", 0.05)
    _, failure = await connect(mangle=lambda _datagram: [])
    assert failure == "handshake_timeout"


async def test_a_flood_instead_of_a_handshake_ends_it(connect):
    record = bytes.fromhex("16feff0000000000000000") + (1200).to_bytes(2, "big") + bytes(1200)
    flood = [record] * (HANDSHAKE_BYTES // len(record) + 2)
    _, failure = await connect(mangle=lambda _datagram: flood)
    assert failure == "handshake_failed"


@pytest.mark.parametrize("seed", range(20))
async def test_mutated_records_fail_or_are_survived(connect, monkeypatch, seed):
    """Whatever comes in a handshake: a plain verdict, and no exception but that."""
    monkeypatch.setattr(dtls, "HANDSHAKE_TIMEOUT_S", 0.2)
    chance = random.Random(seed)

    def mangle(datagram):
        mutated = bytearray(datagram)
        for _ in range(chance.randrange(4)):
            mutated[chance.randrange(len(mutated))] ^= 1 << chance.randrange(8)
        return [bytes(mutated[: chance.randrange(1, len(mutated) + 1)]), datagram][: chance.randrange(1, 3)]

    _, failure = await connect(mangle=mangle)
    assert failure in {None, "handshake_failed", "handshake_timeout"}


async def test_one_context_serves_all_transports():
    context = CERTIFICATE._create_ssl_context(dtls.SRTP_PROFILES)
    assert CERTIFICATE._create_ssl_context(dtls.SRTP_PROFILES) is context


async def test_a_full_queue_drops_and_can_still_be_closed():
    port = DatagramPort(lambda _datagram: None)
    assert [port.feed(b"x") for _ in range(QUEUE_DATAGRAMS + 1)] == [True] * QUEUE_DATAGRAMS + [False]
    port.close()
    for _ in range(QUEUE_DATAGRAMS - 1):
        assert await port._recv() == b"x"
    with pytest.raises(ConnectionError):
        await port._recv()
