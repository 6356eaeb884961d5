"""Publishers and viewers around a router in simulated time, without sockets and without encryption."""

import struct

from sfu.engine.core import Core
from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.fanout.arena import Arena
from sfu.fanout.row_buffer import PortableWriter, RowBuffer
from sfu.fanout.template import TemplateClass
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import Layer, Preferences, PublicationSpec
from sfu.wire import rtcp
from sfu.wire.rtp import URI_AUDIO_LEVEL, URI_MID, URI_RID, build_extensions

VIEWER_KIND = TemplateClass((("opus", 111), ("vp8", 96)), ())
NTP = rtcp.ntp_time(1_700_000_000)
SRTP_TAG_BYTES = 16


def parameters(kind):
    codec = (
        NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97)
        if kind == "video"
        else NegotiatedCodec("opus", 111, 48_000, 2, "", (), None)
    )
    rids = ("q", "h", "f") if kind == "video" else ()
    ids = {URI_MID: 4, URI_RID: 10, URI_AUDIO_LEVEL: 1}
    return SectionParameters("0", kind, True, "recvonly", (codec,), ids, {}, rids, rids)


class World:
    """One publisher, its publication, and viewers."""

    def __init__(self, kind="video"):
        self.now = 100.0
        self.events = []
        self.sent = []
        self.names = {}
        "Of peers, by transport."
        self._make_core()
        self.publisher, self.feedback = self.peer("publisher")
        layers = (
            (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720)) if kind == "video" else ()
        )
        self.published = Publication(PublicationSpec("TR_1", kind, layers=layers), self.publisher.link)
        section = receive_section(parameters(kind), (), ())
        self.publisher.negotiated.inbound["0"] = section
        self.publisher.published["TR_1"] = self.published
        self.publisher.bind("0", self.published)
        self.numbers = {}

    def _make_core(self):
        self.arena = Arena()
        self.outbox = RowBuffer(self.arena)
        self.outbox.open(PortableWriter(self.arena, self.outbox.transports, self._take))
        self.core = Core(self.outbox, self.events.append)

    def _take(self, count):
        for i in range(count):
            self.sent.append(
                (self.names[self.arena.transports[i]], self.arena.rows[i, : self.arena.lengths[i]].tobytes())
            )
        self.arena.lengths[:count] += SRTP_TAG_BYTES
        return self.now

    def peer(self, name):
        agent = IceAgent(name, "password")
        agent.selected = bytes(28)
        peer = Peer(name, "room", agent, Link(name, 1), Negotiated("1"))
        heard = []
        peer.link.send_rtcp = lambda packet: heard.extend(rtcp.parse(packet))
        peer.link.connected = True
        peer.link.transport = self.outbox.transports.add()
        self.names[peer.link.transport] = name
        self.core.peers[name] = peer
        return peer, heard

    def peer_of(self, subscription):
        return self.core.peers[subscription.subscriber.connection_id]

    def viewer(self, name="viewer", *, replay=False, **preferences):
        """A viewer that joins; without `replay` nothing is kept for it, so that it needs a keyframe."""
        if not replay:
            for layer in self.published.layers.values():
                self._forget_keyframe(layer)
        return self.subscribed(name, OutboundSection("1", VIEWER_KIND, {"vp8": 97}), **preferences)

    def _forget_keyframe(self, layer):
        layer.keyframe_sequence = -1

    def subscribed(self, name, section, **preferences):
        peer, heard = self.peer(name)
        subscription = peer.subscribe(self.published, "stream", (0xAAAA, 0xBBBB, 500))
        subscription.section = section
        subscription.preferences = Preferences(**preferences)
        peer.by_ssrc[0xAAAA] = subscription
        self.core.delivery.select_layer(subscription, self.now)
        return subscription, heard

    def video(self, rid, key=False, timestamp=None, sequence=None, payload=b"x"):
        """One frame of one packet on a layer; its picture id and sequence number count up."""
        ssrc = 1000 + "qhf".index(rid)
        number, picture = self.numbers.get(rid, (100 * ssrc, 10 * ssrc))
        if sequence is None:
            self.numbers[rid] = (number + 1, picture + 1)
        else:
            number = sequence
        extension = build_extensions([(4, b"0"), (10, rid.encode())])
        descriptor = struct.pack("!BBHB", 0x90, 0xC0, 0x8000 | picture & 0x7FFF, picture & 0xFF)
        head = struct.pack(
            "!BBHII", 0x90, 0x80 | 96, number & 0xFFFF, timestamp or int(self.now * 90_000) & 0xFFFFFFFF, ssrc
        )
        packet = head + extension + descriptor + (b"\x10" if key else b"\x11") + payload
        self.feed(packet)
        return packet

    def feed(self, packet):
        self.core.router.on_rtp(self.publisher, packet, self.now)
        self.outbox.flush()

    def feed_rtcp(self, name, packet):
        """A report or request of a peer."""
        self.core.reports.on_rtcp(self.core.peers[name], packet, self.now, NTP)
        self.outbox.flush()

    def tick(self, seconds, *rids):
        """Let time pass, with a frame on each of the layers every 50 ms."""
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            for rid in rids:
                self.video(rid)
            self.run_due()

    def run_due(self):
        self.core.deadlines.run_due(self.now)

    def drain(self):
        """Take what was sent; here, nothing is on the way."""

    def received(self, name="viewer"):
        return [packet for session, packet in self.sent if session == name]


def header(packet):
    _, kind, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", packet)
    return kind & 0x7F, sequence, timestamp, ssrc


def remb(bitrate_bps):
    """Receiver's estimate (draft-alvestrand-rmcat-remb-03 section 2.2): 6 bits of exponent, 18 of mantissa."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    value = exponent << 18 | bitrate_bps >> exponent
    body = struct.pack("!II4sI", 1, 0, b"REMB", value)
    return struct.pack("!BBH", 0x8F, 206, len(body) // 4) + body
