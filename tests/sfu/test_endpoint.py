"""What the endpoint says of its addresses; test_server drives the rest of it over a real socket."""

from collections import Counter
from types import SimpleNamespace

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi

from sfu import endpoint, rtcp
from sfu.endpoint import Connection, Endpoint, candidates
from sfu.estimator import Estimator
from sfu.ice import IceAgent
from sfu.peer import Peer
from sfu.receive import TransportFeedback
from sfu.sentlog import SentLog
from sfu.settings import MediaSettings


def test_candidates(monkeypatch):
    monkeypatch.setattr(endpoint, "local_addresses", lambda: ["192.0.2.1", "2001:db8::1"])
    assert [line.split()[4:6] for line in candidates(MediaSettings(announce_loopback=True), 7882)] == [
        ["192.0.2.1", "7882"],
        ["2001:db8::1", "7882"],
        ["127.0.0.1", "7882"],
    ]
    assert [line.split()[4] for line in candidates(MediaSettings(external_ip="203.0.113.9"), 1)] == [
        "203.0.113.9"
    ]


def test_local_addresses_have_no_loopback():
    assert not any(host.startswith(("127.", "fe80")) or host == "::1" for host in endpoint.local_addresses())


class Reporter:
    """A connected peer that sends reports of arrivals to an endpoint, without a socket between."""

    ADDRESS = bytes(28)

    def __init__(self):
        key = bytes(28)
        gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        self._session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=gcm))
        self._inbound = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=gcm))
        peer = Peer("p", "room", IceAgent("u", "p"), TransportFeedback(1), 1, "1")
        peer.connected, peer.inbound = True, self._inbound._srtp[0]
        peer.estimator = self.estimator = Estimator(SentLog(), 0)
        self.drops, self.heard = Counter(), []
        self.endpoint = Endpoint(MediaSettings(), self.drops)
        self.endpoint._by_address[self.ADDRESS] = Connection(peer)
        buffer = bytearray(2048)
        self.endpoint._socket = SimpleNamespace(buffer=buffer)
        self.endpoint._receive_pointers = [ffi.cast("char *", ffi.from_buffer(buffer))]
        self.endpoint._handlers = SimpleNamespace(rtcp=lambda _peer, packet, *_: self.heard.append(packet))

    def send(self, packet, now):
        datagram = self._session.protect_rtcp(packet)
        self.endpoint._socket.buffer[: len(datagram)] = datagram
        self.endpoint._srtp(0, 0, len(datagram), self.ADDRESS, now)


def test_reports_that_nobody_reads_are_not_decrypted():
    reporter = Reporter()
    report, request = rtcp.transport_feedback(1, 2, bytes(12)), rtcp.pli(1, 2)
    reporter.estimator.read_from = 10.0
    reporter.send(report, 9.9)
    reporter.send(request, 9.9)
    reporter.send(report + request, 9.9)
    reporter.send(report, 10.0)
    assert reporter.heard == [request, report + request, report]
    assert not reporter.drops
