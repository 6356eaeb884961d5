"""The world of `router_world` beside a native data plane: real SRTP over a loopback socket, in simulated time."""

import importlib.util
import os
import socket
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi as srtp_ffi
from router_world import World

from sfu.dataplane.plane import Plane
from sfu.engine.core import Core
from sfu.settings import MediaSettings
from sfu.shell import udp
from sfu.shell.endpoint import MediaEndpoint, PeerTransport
from sfu.wire import rtcp
from tools.build_dataplane import build

PROFILE, KEY_BYTES = Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28
SETTINGS = MediaSettings(max_packets_per_s=1e6, max_bitrate_bps=1e10)


def imported(path):
    """The module that was built there."""
    spec = importlib.util.spec_from_file_location("sfu.dataplane._plane", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_module():
    """The module, built into a folder of its own; BuildError. LECTERN_TESTED_PLANE names another build of it."""
    if tested := os.environ.get("LECTERN_TESTED_PLANE"):
        return imported(tested)
    flags = ("-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror")
    return imported(build(Path(tempfile.mkdtemp()), flags))


def _session(kind, key):
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=PROFILE)
    policy.window_size = 1 << 14
    policy.allow_repeat_tx = True  # a network repeats packets
    return Session(policy)


def _address(session):
    return int(srtp_ffi.cast("uintptr_t", session._srtp[0]))


class PlaneWorld(World):
    """As `World`, whose engine leaves to the plane what it can."""

    def __init__(self, module, kind="video"):
        self._module = module
        self._clients = {}
        super().__init__(kind)

    def _make_core(self):
        drops = Counter()
        self.endpoint = MediaEndpoint(SETTINGS, drops)
        self.arena, self.outbox = self.endpoint._arena, self.endpoint.rows
        self.media = udp.open_socket(0, self.arena)
        self.plane = self.endpoint.plane = Plane(
            self._module, self.outbox, self.media, drops, lambda: self.now
        )
        self.outbox.open(self.plane.rows)
        self.core = Core(self.outbox, self.events.append, drops)
        self.endpoint._handlers = SimpleNamespace(
            slow_path=self.core.slow_path, rtcp=self.core.reports.on_rtcp
        )

    def close(self):
        self.drain()
        for client in self._clients.values():
            client.socket.close()
        self.plane.close()
        self.media.close()

    def peer(self, name):
        peer, heard = super().peer(name)
        link = peer.link
        client = self._clients[name] = SimpleNamespace(heard=heard, plain={})
        client.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.socket.bind(("127.0.0.1", 0))
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client.socket.setblocking(False)
        up, down = bytes([2 * link.transport]) * KEY_BYTES, bytes([2 * link.transport + 1]) * KEY_BYTES
        client.protect, client.inbound = (
            _session(Policy.SSRC_ANY_OUTBOUND, up),
            _session(Policy.SSRC_ANY_INBOUND, up),
        )
        client.outbound, client.unprotect = (
            _session(Policy.SSRC_ANY_OUTBOUND, down),
            _session(Policy.SSRC_ANY_INBOUND, down),
        )
        client.path = udp.pack_path(*client.socket.getsockname(), self.media.family, "127.0.0.1")
        link.inbound = client.inbound._srtp[0]
        connection = PeerTransport(peer)
        connection.addresses = {client.path}
        self.endpoint._connect_plane(self.plane, connection, _address(client.outbound))
        self.endpoint._move(peer, client.path)
        return peer, heard

    def _forget_keyframe(self, layer):
        layer.state.keyframe_sequence = -1

    def feed(self, packet, name="publisher"):
        """Receive a packet of a peer, and process what is punted."""
        client = self._clients[name]
        is_rtcp = 192 <= packet[1] <= 223
        protect = client.protect.protect_rtcp if is_rtcp else client.protect.protect
        try:
            datagram = protect(packet)
        except Exception:  # noqa: BLE001 - what libsrtp does not send cannot arrive
            return
        self.endpoint._update_feedback(self.publisher)  # as after each negotiation
        self.plane.process(datagram, client.path, self.now)
        self.punted()

    def feed_rtcp(self, name, packet):
        """See the base class."""
        self.feed(packet, name)

    def punted(self):
        for _ in range(3):  # what is punted can lead to punts: a first packet, and what follows from it
            self.endpoint._punted()
        self.drain()

    def run_due(self):
        self.plane.run_duties(self.now)
        self.core.deadlines.run_due(self.now)
        self.outbox.flush()
        self.drain()

    def drain(self):
        """Take what the clients have been sent."""
        for name, client in self._clients.items():
            while True:
                try:
                    datagram = client.socket.recv(4096)
                except BlockingIOError:
                    break
                if 192 <= datagram[1] <= 223:
                    client.heard.extend(rtcp.parse(client.unprotect.unprotect_rtcp(datagram)))
                else:
                    # a packet that is sent again as it was; libsrtp takes no number twice
                    if datagram not in client.plain:
                        client.plain[datagram] = client.unprotect.unprotect(datagram)
                    self.sent.append((name, client.plain[datagram]))
