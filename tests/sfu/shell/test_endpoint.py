"""What the endpoint says of its addresses; test_server drives the rest of it over a real socket."""

from collections import Counter
from types import SimpleNamespace

import pytest
from aioice import stun
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi

from sfu.drops import DropReason
from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import Peer
from sfu.limits import CLOSED_AFTER_S
from sfu.session.ice import MAX_ADDRESSES, IceAgent
from sfu.session.negotiated import Negotiated
from sfu.settings import MediaSettings
from sfu.shell import endpoint
from sfu.shell.endpoint import MediaEndpoint, PeerTransport
from sfu.shell.udp import pack_path
from sfu.wire import rtcp


def test_an_address_that_comes_to_the_machine_later_is_announced(monkeypatch):
    addresses, now = ["192.0.2.1"], [100.0]
    monkeypatch.setattr("sfu.shell.addresses.local_addresses", lambda interface="": list(addresses))
    monkeypatch.setattr(endpoint.time, "monotonic", lambda: now[0])
    crowd = Crowd()
    crowd.endpoint._socket.port = 7882
    assert len(crowd.endpoint.identity.candidates) == 1
    addresses.append("192.0.2.77")
    assert len(crowd.endpoint.identity.candidates) == 1
    now[0] += 5
    assert [line.split()[4] for line in crowd.endpoint.identity.candidates] == addresses


@pytest.mark.parametrize(
    ("host", "answered"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.0.2.1", True), ("198.51.100.7", False)],
)
def test_only_this_machine_is_answered_where_media_is_local(monkeypatch, host, answered):
    monkeypatch.setattr(endpoint, "local_addresses", lambda interface="": ["192.0.2.1"])
    crowd = Crowd(MediaSettings(local_only=True))
    crowd.open("ada")
    assert crowd.check("ada", 5000, 1.0, host=host) is answered
    assert crowd.drops[DropReason.UNKNOWN_SOURCE] == (0 if answered else 1)


def test_an_address_that_comes_to_the_machine_later_is_this_machine_too(monkeypatch):
    monkeypatch.setattr(endpoint, "local_addresses", lambda interface="": [])
    crowd = Crowd(MediaSettings(local_only=True))
    crowd.open("ada")
    assert not crowd.check("ada", 5000, 1.0, host="192.0.2.7", local="192.0.2.1")
    assert crowd.check("ada", 5000, 1.0, host="192.0.2.7", local="192.0.2.7")


class Reporter:
    """A connected peer that sends reports of arrivals to an endpoint, without a socket between."""

    ADDRESS = bytes(28)

    def __init__(self):
        key = bytes(28)
        gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        self._session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=gcm))
        self._inbound = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=gcm))
        peer = Peer("p", "room", IceAgent("u", "p"), Link("p", 1), Negotiated("1"))
        peer.link.connected, peer.link.inbound = True, self._inbound._srtp[0]
        self.peer = peer
        self.drops, self.heard = Counter(), []
        self.endpoint = MediaEndpoint(MediaSettings(), self.drops)
        self.endpoint._by_address[self.ADDRESS] = PeerTransport(peer)
        buffer = bytearray(2048)
        self.endpoint._socket = SimpleNamespace(buffer=buffer)
        self.endpoint._receive_pointers = [ffi.cast("char *", ffi.from_buffer(buffer))]
        self.endpoint._handlers = SimpleNamespace(rtcp=lambda _peer, packet, *_: self.heard.append(packet))

    def send(self, packet, now):
        datagram = self._session.protect_rtcp(packet)
        self.endpoint._socket.buffer[: len(datagram)] = datagram
        self.endpoint._srtp(0, 0, len(datagram), self.ADDRESS, now)


class Crowd:
    """An endpoint without a socket, and peers that send it checks and hear what it sends."""

    def __init__(self, settings=None):
        self.drops, self.sent = Counter(), []
        self.endpoint = MediaEndpoint(settings or MediaSettings(), self.drops)
        self.endpoint._socket = SimpleNamespace(
            send=lambda reply, address: self.sent.append((address, reply))
        )
        self.shut = []
        self.endpoint._spawn = lambda coroutine: (coroutine.close(), self.shut.append(coroutine))
        self.started = 0

    def open(self, name):
        agent = IceAgent(name, "p" + name)
        peer = Peer(name, "room", agent, Link(name, 1), Negotiated("1"))
        peer.link.transport = self.endpoint.rows.transports.add()
        connection = PeerTransport(peer)
        self.endpoint.add(connection)
        return connection

    def restart(self, connection, name):
        connection.peer.ice.restart(name, "p" + name)
        self.endpoint.add(connection)

    def check(self, ufrag, address, now, pwd=None, host="192.0.2.1", local=""):
        """Whether a nominating check from port number `address` of `host` was answered."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{ufrag}:client"
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(("p" + ufrag if pwd is None else pwd).encode())
        before = len(self.sent)
        self.endpoint._stun(bytes(request), pack_path(host, address, local=local), now)
        return len(self.sent) > before


def test_every_table_ends_with_its_peer():
    crowd = Crowd()
    connections = []
    for i in range(50):
        connection = crowd.open(f"u{i}")
        connections.append(connection)
        for place in range(30):  # more than are kept
            assert crowd.check(f"u{i}", 1000 + 100 * i + place, float(place))
        for restart in range(5):
            crowd.restart(connection, f"u{i}r{restart}")
            if restart % 2:
                assert crowd.check(f"u{i}r{restart}", 1000 + 100 * i, 100.0)
    assert len(crowd.endpoint._by_ufrag) == 2 * 50
    assert len(crowd.endpoint._by_address) <= 50 * MAX_ADDRESSES
    for connection in connections:
        crowd.endpoint.remove(connection)
        crowd.endpoint.remove(connection)
        crowd.endpoint.add(connection)  # a command that was under way
    assert crowd.endpoint._by_ufrag == {}
    assert crowd.endpoint._by_address == {}
    assert not any(connection.ufrags or connection.addresses for connection in connections)
    assert len(crowd.shut) == 50


def test_a_peer_that_is_gone_is_neither_answered_nor_connected():
    crowd = Crowd()
    connection = crowd.open("gone")
    assert crowd.check("gone", 1, 0.0)
    crowd.restart(connection, "again")
    crowd.endpoint.remove(connection)
    connection.peer.negotiated.remote = SimpleNamespace()
    for ufrag, pwd in (("gone", "pgone"), ("again", "pagain"), ("gone", ""), ("again", "")):
        assert not crowd.check(ufrag, 1, 1.0, pwd)
    assert connection.dtls is None
    assert crowd.drops[DropReason.STUN] == 4


def test_superseded_ufrags_leave_the_table_with_the_first_check():
    crowd = Crowd()
    connection = crowd.open("one")
    assert crowd.check("one", 1, 0.0)
    crowd.restart(connection, "two")
    assert set(crowd.endpoint._by_ufrag) == {"one", "two"}
    assert crowd.check("two", 1, 1.0)
    assert set(crowd.endpoint._by_ufrag) == {"two"}
    assert not crowd.check("one", 2, 2.0)
    assert not crowd.check("one", 2, 2.0, pwd="")
    assert len(crowd.endpoint._by_address) == 1


def test_a_forged_source_address_does_not_cut_off_the_peer_that_uses_it():
    crowd = Crowd()
    victim, thief = crowd.open("victim"), crowd.open("thief")
    place = pack_path("192.0.2.1", 7)
    assert crowd.check("victim", 7, 0.0)
    victim.peer.link.connected = True
    assert not crowd.check("thief", 7, 5.0)
    assert crowd.drops[DropReason.ICE_ADDRESS] == 1
    assert crowd.endpoint._by_address[place] is victim
    # silent for longer than clients are: its NAT has given the port to somebody else
    assert crowd.check("thief", 7, 20.0)
    assert crowd.endpoint._by_address[place] is thief
    assert victim.peer.ice.selected is None
    assert not victim.addresses
    assert not crowd.endpoint.rows.transports.addresses[victim.peer.link.transport].any()


def test_excess_is_dropped_before_it_is_decrypted():
    reporter = Reporter()
    reporter.endpoint._handlers.rtp = lambda *_: reporter.heard.append(b"media")
    request = rtcp.nack(1, 2, range(0, 17 * 200, 17))
    for _ in range(500):
        reporter.send(request, 1.0)
    taken = len(reporter.heard)
    assert 50 < taken < 100
    assert reporter.drops[DropReason.RTCP_RATE] == 500 - taken
    reporter = Reporter()
    # garbage of the same shape costs as much, so it is paid for as well; nothing of it is authentic
    for _ in range(1000):
        reporter.endpoint._socket.buffer[:200] = bytes((0x80, 96)) + bytes(198)
        reporter.endpoint._srtp(0, 0, 200, reporter.ADDRESS, 1.0)
    assert reporter.drops[DropReason.UNAUTHENTIC] == 300
    assert reporter.drops[DropReason.RTP_RATE] == 700
    # it may be a stranger's, who forges the peer's address
    for _ in range(CLOSED_AFTER_S + 1):
        assert reporter.peer.link.limits.close_second() == {}


def test_what_a_peer_replays_is_its_own():
    reporter = Reporter()
    datagram = reporter._session.protect_rtcp(rtcp.pli(1, 2))
    for _ in range(2000):
        reporter.endpoint._socket.buffer[: len(datagram)] = datagram
        reporter.endpoint._srtp(0, 0, len(datagram), reporter.ADDRESS, 1.0)
    assert len(reporter.heard) == 1
    assert reporter.drops[DropReason.UNAUTHENTIC] > 100
    reporter.peer.link.limits.close_second()
    assert reporter.peer.link.limits.flooded_s == 1


def test_dtls_beyond_the_limit_is_dropped():
    reporter = Reporter()
    connection = reporter.endpoint._by_address[reporter.ADDRESS]
    fed = []
    connection.port = SimpleNamespace(feed=lambda datagram: not fed.append(datagram))
    for _ in range(1000):
        reporter.endpoint._dtls(bytes(50), reporter.ADDRESS, 1.0)
    assert len(fed) == 300
    assert reporter.drops[DropReason.DTLS_RATE] == 700


def test_media_of_a_peer_without_budget_is_not_looked_at_for_a_moment():
    reporter = Reporter()
    endpoint, address = reporter.endpoint, reporter.ADDRESS
    limits = endpoint._by_address[address].peer.link.limits
    endpoint._held[address] = 5.0, limits, 7

    def arrives(first, now):
        endpoint._socket.buffer[0] = first
        return not endpoint._is_held(0, address, now)

    assert [arrives(first, 4.9) for first in (0x80, 0x90, 0x00, 0x16)] == [False, False, True, True]
    assert reporter.drops[DropReason.RTP_RATE] == 2
    assert arrives(0x80, 5.0)
    assert address not in endpoint._held
