"""A process of media clients: `python -m bench.load.clients FD` executes commands from a socket, as lines of JSON.

A command is `{"number", "name", "arguments"}`, its reply `{"number", "result"}` or `{"number", "error"}`. The process
ends when the socket is closed.
"""

import asyncio
import itertools
import socket
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiortc.rtcdtlstransport import RTCCertificate

from bench.load.descriptions import Address, Local, Remote
from bench.load.media import Publisher, Report, Viewer, asks_for_keyframe
from bench.load.transport import Transport
from sfu.wire.rtp import is_rtcp

SAMPLE_EVERY = 50
FIRST_MEDIA_TIMEOUT_S = 30.0
# a report contains every sampled latency
LINE_BYTES = 1 << 26


class Order(msgspec.Struct):
    """One line of input: a command."""

    number: int
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A new client, and the values for its offer."""

    client: int
    local: Local


@dataclass(slots=True)
class Count:
    """The counts of the clients of a process."""

    sent: int
    "Packets sent by the process's publishers since the start."
    media: dict[str, Report]
    "Packets that its viewers received since the window began, by room."


class Pace(msgspec.Struct, frozen=True):
    """How a track is sent."""

    media: str
    "A key of `bench.load.media.FORMATS`."
    rate: float
    "Packets per second."
    burst: int
    "Packets back to back."


@dataclass(slots=True)
class _Client:
    room: str
    transport: Transport
    paces: list[Pace]
    tracks: list[Publisher]
    viewer: Viewer | None
    running: list[asyncio.Task[None]] = field(default_factory=list)

    def received(self, datagram: bytes, now: float) -> None:
        """Process SRTP or SRTCP."""
        if not is_rtcp(datagram):
            if self.viewer is not None:
                self.viewer.received(datagram, now)
        elif self.tracks and asks_for_keyframe(self.transport, datagram):
            for track in self.tracks:
                track.send_keyframe()


class Clients:
    """The clients of this process; the public methods are the commands."""

    def __init__(self) -> None:
        """Start without clients."""
        self._certificate = RTCCertificate.generateCertificate()
        self._clients: dict[int, _Client] = {}
        self._numbers = itertools.count(1)
        self._sent = 0
        "Packets sent by publishers that have left."
        self._left: dict[str, Report] = defaultdict(Report)
        "Packets received by viewers that have left."

    async def open(self, *, room: str, srtp: str, tracks: list[Any], view: bool) -> Opened:
        """Create a client that sends `tracks` and, if `view`, receives; not connected yet."""
        transport = Transport(self._certificate, srtp)
        paces = msgspec.convert(tracks, list[Pace])
        numbers = itertools.count()
        publishers = [Publisher(transport, pace.media, mid, numbers) for mid, pace in enumerate(paces)]
        client = _Client(
            room, transport, paces, publishers, Viewer(transport, SAMPLE_EVERY) if view else None
        )
        transport.on_packet = client.received
        number = next(self._numbers)
        self._clients[number] = client
        fingerprint = self._certificate.getFingerprints()[0].value
        ssrcs = tuple(track.ssrc for track in publishers)
        return Opened(number, Local(transport.ufrag, transport.pwd, fingerprint, ssrcs))

    async def connect(self, *, client: int, remote: Any) -> float:
        """Connect a client and start its media or feedback; return when (monotonic). Raises as `Transport.connect`."""
        known = self._clients[client]
        await known.transport.connect(msgspec.convert(remote, Remote, strict=False))
        work = [
            track.run(pace.rate, pace.burst) for track, pace in zip(known.tracks, known.paces, strict=True)
        ]
        if known.viewer is not None:
            work.append(known.viewer.give_feedback())
        known.running = [asyncio.create_task(each) for each in work]
        return time.monotonic()

    async def renew(self, *, client: int, remote: Any) -> None:
        """Store a later description of the server."""
        self._clients[client].transport.remote = msgspec.convert(remote, Remote, strict=False)

    async def add_address(self, *, client: int, address: Address) -> None:
        """Add an address that the server trickled."""
        self._clients[client].transport.add_address((address[0], address[1]))

    async def first_media(self, *, client: int) -> float:
        """Wait for a viewer's first packet; return when it was received (monotonic). TimeoutError."""
        viewer = self._clients[client].viewer
        assert viewer is not None
        async with asyncio.timeout(FIRST_MEDIA_TIMEOUT_S):
            await viewer.first_media.wait()
        return viewer.first_at

    async def close(self, *, client: int) -> float:
        """End a client; return when its last packet was received (0: none)."""
        known = self._clients.pop(client)
        for task in known.running:
            task.cancel()
        await asyncio.gather(*known.running, return_exceptions=True)
        await known.transport.close()
        self._sent += sum(track.sent for track in known.tracks)
        if known.viewer is None:
            return 0.0
        self._left[known.room].add(known.viewer.end_window(time.monotonic()))
        return known.viewer.last_at

    async def start(self) -> Count:
        """Start the window."""
        self._left.clear()
        for known in self._clients.values():
            if known.viewer is not None:
                known.viewer.start_window()
        return self._count()

    async def report(self) -> Count:
        """End the window."""
        return self._count()

    def _count(self) -> Count:
        now, sent = time.monotonic(), self._sent
        media: dict[str, Report] = defaultdict(Report)
        for room, report in self._left.items():
            media[room].add(report)
        for known in self._clients.values():
            sent += sum(track.sent for track in known.tracks)
            if known.viewer is not None:
                media[known.room].add(known.viewer.end_window(now))
        return Count(sent, media)


async def serve(connection: socket.socket) -> None:
    """Execute commands until the socket is closed."""
    reader, writer = await asyncio.open_connection(sock=connection, limit=LINE_BYTES)
    clients = Clients()
    obeying: set[asyncio.Task[None]] = set()
    decode = msgspec.json.Decoder(Order).decode

    async def obey(order: Order) -> None:
        try:
            result = await getattr(clients, order.name)(**order.arguments)
            reply = {"number": order.number, "result": result}
        except (OSError, TimeoutError, KeyError, ValueError) as error:
            reply = {"number": order.number, "error": str(error) or repr(error)}
        writer.write(msgspec.json.encode(reply) + b"\n")

    while line := await reader.readline():
        task = asyncio.create_task(obey(decode(line)))
        obeying.add(task)
        task.add_done_callback(obeying.discard)
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))
