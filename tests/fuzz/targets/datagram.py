"""The whole datagram path of an engine, over a real socket, from a peer with ICE, DTLS and SRTP.

The first octet of an input says how the rest goes out: as it is, as authentic SRTP or SRTCP, as DTLS application data
(SCTP), or as a check that is signed with the right password.
"""

import asyncio
import dataclasses
import socket

import pylibsrtp
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate

from bench.load.descriptions import Local, offer, read_remote, receiving
from bench.load.transport import Transport
from sfu.settings import MediaSettings
from sfu.shell.server import MediaServer
from sfu.values import PeerClosed, PublicationSpec
from tests.fuzz.errors import ErrorLog
from tests.fuzz.targets import rtcp, stun
from tests.sfu.rtp_samples import SAMPLES

PLAIN, SRTP, SRTCP, STRANGER, CHECK = range(5)
TURNS = 3


def seeds():
    packets = [sample.packet for sample in SAMPLES[:12]]
    made = [bytes([kind]) + packet for kind in (PLAIN, SRTP, STRANGER) for packet in packets]
    made += [bytes([kind]) + report for kind in (PLAIN, SRTCP) for report in rtcp.seeds()]
    made += [bytes([kind]) + check for kind in (PLAIN, STRANGER, CHECK) for check in stun.seeds()]
    records = [
        bytes.fromhex(head + "000000000000000000") for head in ("16fefd", "14fefd", "15fefd", "17fefd")
    ]
    return [*made, *(bytes([kind]) + each + bytes(40) for kind in (PLAIN, STRANGER) for each in records)]


class Engine:
    """A media engine and one peer that publishes; it comes back when the engine ended it."""

    def __init__(self):
        self.errors = ErrorLog().install()
        self.loop = asyncio.new_event_loop()
        self.certificate = RTCCertificate.generateCertificate()
        digest = rtcdtlstransport.certificate_digest(self.certificate._cert, "sha-256")
        self.fingerprint = digest
        self.closed, self.peers, self.transport = False, 0, None
        self.media = MediaServer(MediaSettings(udp_port=0, announce_loopback=True), self._event)
        self.loop.run_until_complete(self.media.start())
        self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.loop.run_until_complete(self.come())

    def _event(self, event):
        self.closed |= isinstance(event, PeerClosed)

    async def come(self):
        if self.transport is not None:
            self.media.close_peer(f"peer-{self.peers}")
            await self.transport.close()
        self.peers += 1
        self.closed = False
        name = f"peer-{self.peers}"
        self.transport = Transport(self.certificate, "gcm")
        local = Local(self.transport.ufrag, self.transport.pwd, self.fingerprint)
        self.media.open_peer(name, "room")
        self.media.publish(name, PublicationSpec("TR_1", "video", track_ids=("cid",)))
        answer = read_remote(
            (await self.media.negotiate(name, offer(local, receiving("video", 2, cid="cid")))).sdp
        )
        loopback = tuple(address for address in answer.addresses if address[0] == "127.0.0.1")
        self.answer = dataclasses.replace(answer, addresses=loopback)
        await self.transport.connect(self.answer)

    def send(self, kind, content):
        peer = self.transport.socket
        try:
            if kind == STRANGER:
                self.stranger.sendto(content, self.answer.addresses[0])
            elif kind == SRTP:
                peer.send(self.transport.dtls.protect(content))
            elif kind == SRTCP:
                peer.send(self.transport.dtls.protect_rtcp(content))
            elif kind == CHECK:
                username = f"{self.answer.ufrag}:{self.transport.ufrag}"
                peer.send(stun.signed(content, username, self.answer.pwd))
            else:
                peer.send(content)
        except (OSError, ValueError, pylibsrtp.Error):
            pass  # too long for a datagram, or nothing that this client can protect

    async def feed(self, data):
        if self.closed:
            await self.come()
        self.send(data[0] % 5, data[1:])
        for _ in range(TURNS):
            await asyncio.sleep(0)
        faults = self.media.metrics()["dropped_error"]
        assert not faults or self.errors.records, "an error was dropped and not logged"
        self.errors.check()


def make():
    engine = Engine()

    def feed(data):
        if data:
            engine.loop.run_until_complete(engine.feed(data))

    return feed
