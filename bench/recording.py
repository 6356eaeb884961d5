"""The cost of recording: CPU of a worker's media path with and without a recording, alternating in one run.

`python -m bench.recording [--viewers 12] [--seconds 5] [--rounds 3]` forwards a lesson in real time (a camera, a shared
screen, ten microphones) through an engine whose publishers have no sockets, to viewers with real SRTP contexts and
sendmmsg; then the same with a recorder process. Decryption of the publishers' packets and wake-ups by the network are
left out, so the ratio is higher than in a server.
"""

import argparse
import asyncio
import os
import socket
import statistics
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.fanout import Rig
from bench.load.media import vp8_start
from recording.files.encryption import new_key
from sfu.engine.core import Core
from sfu.engine.peers.link import ConnectionId, Link
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.fanout.template import TemplateClass
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.settings import MediaSettings
from sfu.shell.recordings import Recordings
from sfu.values import (
    Kind,
    Mid,
    PeerId,
    PublicationId,
    PublicationSpec,
    RecordedTrack,
    RecordedTrackId,
    RecordingId,
    RoomId,
)
from sfu.wire.rtp import URI_MID, build_extensions

MICROPHONES = 10
INTERVAL_S = 0.02
KIND = TemplateClass((("opus", 111), ("vp8", 96)), ())
RECORDING, ROOM, MID = RecordingId("bench"), RoomId("room"), Mid("0")


@dataclass(frozen=True, slots=True)
class Load:
    """The packets that a publication sends in each interval."""

    kind: Kind
    packets: int
    octets: int


# 1.4 Mbit/s of camera, 1.4 Mbit/s of screen, 32 kbit/s of each microphone
LOADS = (Load("video", 3, 1200), Load("video", 3, 1200), *[Load("audio", 1, 80)] * MICROPHONES)


class Source:
    """A publisher with one publication."""

    def __init__(self, core: Core, index: int, load: Load) -> None:
        """Publish `load` in the engine."""
        self.load = load
        self.sequence = self.frames = 0
        self.ssrc = 1000 + index
        self.peer = _peer(core, f"publisher {index}")
        spec = PublicationSpec(PublicationId(f"TR_{index}"), load.kind, red=False)
        self.published = Publication(spec, self.peer.link)
        codec = (
            NegotiatedCodec("vp8", 96, 90_000, 1, "", (), None)
            if load.kind == "video"
            else NegotiatedCodec("opus", 111, 48_000, 2, "", (), None)
        )
        parameters = SectionParameters(MID, load.kind, True, "recvonly", (codec,), {URI_MID: 4}, {}, (), ())
        self.peer.negotiated.inbound[MID] = receive_section(parameters, (), ())
        self.peer.publish(self.published)
        self.peer.bind(MID, self.published)
        self.filler = os.urandom(load.octets)

    def packets(self) -> list[bytes]:
        """Return the packets of the next interval; the first frame is a keyframe."""
        video, found = self.load.kind == "video", []
        rate = 90_000 if video else 48_000
        timestamp = int(self.frames * INTERVAL_S * rate) & 0xFFFFFFFF
        for i in range(self.load.packets):
            last = i == self.load.packets - 1
            kind = (96 if video else 111) | (0x80 if last else 0)
            head = struct.pack("!BBHII", 0x90, kind, self.sequence & 0xFFFF, timestamp, self.ssrc)
            # a VP8 payload descriptor without S (RFC 7741) for the packets inside a frame
            start = vp8_start(self.frames, keyframe=not self.frames) if not i else b"\0"
            start = start if video else b""
            found.append(head + build_extensions([(4, b"0")]) + start + self.filler)
            self.sequence += 1
        self.frames += 1
        return found


def _peer(core: Core, name: str) -> Peer:
    connection_id = ConnectionId(PeerId(name))
    agent = IceAgent(name, "password")
    peer = Peer(connection_id, ROOM, agent, Link(connection_id, 1), Negotiated("1"))
    peer.link.connected = True
    core.peers[connection_id] = peer
    return peer


@dataclass(frozen=True, slots=True)
class Window:
    """The result of one measurement."""

    cpu: float
    "Share of one core."
    p99_ms: float
    "Milliseconds in which the packets of one interval were forwarded."


class Lesson:
    """An engine with the publishers and viewers of a lesson."""

    def __init__(self, rig: Rig, viewers: int, folder: Path, key: bytes) -> None:
        """Subscribe each viewer to everything; recordings are encrypted with the key, if it is not empty."""
        self._key = key
        self.core = Core(rig.outbox, lambda _event: None)
        self._rows = rig.outbox
        self.sources = [Source(self.core, index, load) for index, load in enumerate(LOADS)]
        now = time.monotonic()
        for number in range(viewers):
            viewer = _peer(self.core, f"viewer {number}")
            viewer.link.transport = number
            for index, source in enumerate(self.sources):
                seed = (number << 8 | index, 1 << 20 | number << 8 | index, 1)
                subscription = viewer.subscribe(source.published, "stream", seed)
                subscription.section = OutboundSection(Mid("1"), KIND)
                self.core.delivery.select_layer(subscription, now)
        publications = {source.published.spec.id: source.published for source in self.sources}
        settings = MediaSettings(recordings_folder=str(folder), recordings_reserve_octets=0)
        self.recordings = Recordings(settings, self.core.taps, publications, lambda _event: None)

    async def run(self, seconds: float) -> Window:
        """Forward in real time for this long."""
        bursts: list[float] = []
        begun, spent = time.monotonic(), time.process_time()
        for interval in range(round(seconds / INTERVAL_S)):
            await asyncio.sleep(max(0.0, begun + interval * INTERVAL_S - time.monotonic()))
            # Created before the clock starts: in a server, the packets come from the socket.
            made = [(source, source.packets()) for source in self.sources]
            started = time.perf_counter()
            now = time.monotonic()
            for source, packets in made:
                for packet in packets:
                    self.core.router.on_rtp(source.peer, packet, now)
            self._rows.flush()
            self.core.deadlines.run_due(now)
            bursts.append(time.perf_counter() - started)
        cpu = (time.process_time() - spent) / (time.monotonic() - begun)
        return Window(cpu, 1000 * sorted(bursts)[int(len(bursts) * 0.99)])

    async def start_recording(self) -> None:
        """Record everything, and wait until the recorder is writing."""
        self.recordings.start(RECORDING, ROOM, self._key)
        for source in self.sources:
            source.frames = 0  # the next frame is a keyframe
            self.recordings.record(
                RECORDING, source.published.spec.id, RecordedTrack(RecordedTrackId(source.published.spec.id))
            )
        await self.run(1.5)


def _children_cpu_s() -> float:
    times = [child.cpu_times() for child in psutil.Process().children()]
    return sum(each.user + each.system for each in times)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def measure(viewers: int, seconds: float, rounds: int, key: bytes) -> None:
    """Print each round and the medians."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        rig = Rig(viewers, "AES-128-GCM", sink, native=True)  # the rig owns the SRTP contexts
        lesson = Lesson(rig, viewers, Path(folder), key)
        await lesson.run(1)
        ratios, delays = [], []
        print(
            f"{viewers} viewers    without: CPU  p99 ms    recorded: CPU  p99 ms   more CPU  recorder's CPU"
        )
        for _ in range(rounds):
            without = await lesson.run(seconds)
            await lesson.start_recording()
            before = _children_cpu_s()
            recorded = await lesson.run(seconds)
            recorder = (_children_cpu_s() - before) / seconds
            await lesson.recordings.stop()
            ratios.append(recorded.cpu / without.cpu - 1)
            delays.append(recorded.p99_ms - without.p99_ms)
            print(
                f"{without.cpu:24.1%} {without.p99_ms:7.2f} {recorded.cpu:16.1%} {recorded.p99_ms:7.2f}"
                f" {ratios[-1]:10.1%} {recorder:15.1%}",
                flush=True,
            )
        octets = _size(Path(folder))
    recorded_s = rounds * (seconds + 1.5)
    print(f"median: {statistics.median(ratios):.1%} more CPU, {statistics.median(delays):+.2f} ms to the p99")
    print(f"on the disk: {octets * 8 / recorded_s / 1e6:.2f} Mbit/s")


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each window (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="without encryption")
    asked = parser.parse_args()
    asyncio.run(measure(asked.viewers, asked.seconds, asked.rounds, b"" if asked.plain else new_key()))


if __name__ == "__main__":
    main()
