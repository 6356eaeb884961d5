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
from dataclasses import dataclass
from typing import Any

import msgspec
from aiortc.rtcdtlstransport import RTCCertificate

from bench.load.media import Publisher, Report, Viewer
from bench.load.session import Local
from bench.load.transport import Transport, read_answer

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


@dataclass(slots=True)
class _Client:
    room: str
    transport: Transport
    role: Publisher | Viewer
    running: asyncio.Task[None] | None = None


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

    async def open(self, *, room: str, media: str, srtp: str, publish: bool) -> Opened:
        """Create a client, not connected yet."""
        transport = Transport(self._certificate, srtp)
        role = Publisher(transport, media) if publish else Viewer(transport, media, SAMPLE_EVERY)
        number = next(self._numbers)
        self._clients[number] = _Client(room, transport, role)
        fingerprint = self._certificate.getFingerprints()[0].value
        return Opened(number, Local(transport.ufrag, transport.pwd, fingerprint))

    async def connect(self, *, client: int, answer: str, rate: float, burst: int) -> float:
        """Connect a client and start its media or feedback; return when (monotonic). Raises as `Transport.connect`."""
        known = self._clients[client]
        await known.transport.connect(read_answer(answer))
        role = known.role
        work = role.run(rate, burst) if isinstance(role, Publisher) else role.give_feedback()
        known.running = asyncio.create_task(work)
        return time.monotonic()

    async def renew(self, *, client: int, answer: str) -> None:
        """Store a later answer."""
        self._clients[client].transport.answer = read_answer(answer)

    async def first_media(self, *, client: int) -> float:
        """Wait for a viewer's first packet; return when it was received (monotonic). TimeoutError."""
        viewer = self._clients[client].role
        assert isinstance(viewer, Viewer)
        async with asyncio.timeout(FIRST_MEDIA_TIMEOUT_S):
            await viewer.first_media.wait()
        return viewer.first_at

    async def close(self, *, client: int) -> float:
        """End a client; return when its last packet was received (0: none)."""
        known = self._clients.pop(client)
        if known.running is not None:
            known.running.cancel()
            await asyncio.gather(known.running, return_exceptions=True)
        await known.transport.close()
        if isinstance(known.role, Publisher):
            self._sent += known.role.sent
            return 0.0
        self._left[known.room].add(known.role.end_window(time.monotonic()))
        return known.role.last_at

    async def start(self) -> Count:
        """Start the window."""
        self._left.clear()
        for known in self._clients.values():
            if isinstance(known.role, Viewer):
                known.role.start_window()
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
            if isinstance(known.role, Publisher):
                sent += known.role.sent
            else:
                media[known.room].add(known.role.end_window(now))
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
