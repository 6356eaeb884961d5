"""Measures the highest packet rate of one worker on one core: `python -m bench.capacity [--viewers 60]`.

Viewers join with real ICE and DTLS, then only count packets, so that their core keeps up; they send no feedback. The
publisher's rate rises step by step. The server has one core, as far as other programs on this machine leave it alone;
its CPU time per packet is valid even if they take part of that core.
"""

import argparse
import asyncio
import contextlib
import itertools
import math
import os
import socket
import threading
import time
from dataclasses import dataclass

import psutil
from aiortc.rtcdtlstransport import RTCCertificate

from bench.load.descriptions import VP8, Address, Local
from bench.load.media import Publisher, asks_for_keyframe
from bench.load.plan import Plan
from bench.load.session import Listener, Part, Session
from bench.load.transport import Transport
from bench.load.visit import token
from bench.server import serving

RATES = (500, 1500, 2500, 3400, 4200, 5000)
BURST = 7
SETTLE_S = 1.0
FIRST_MEDIA_TIMEOUT_S = 30.0
HEADER_BYTES = 12
# from asm-generic/socket.h; Python has no name for it
_SO_RCVBUFFORCE = 33


class Counter:
    """Counts a viewer's packets by reading only their first bytes."""

    def __init__(self, transport: Transport) -> None:
        """Read the socket of a connected transport instead of the transport; its consent checks continue."""
        self.media = 0
        "Number of media packets so far."
        taken = transport.socket
        with contextlib.suppress(OSError):  # needs root; 0.5 s at 200,000 packets/s to 60 viewers
            taken.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        self._header = bytearray(HEADER_BYTES)
        self._receive_into = taken.recv_into
        loop = asyncio.get_running_loop()
        loop.remove_reader(taken)
        loop.add_reader(taken, self._readable)

    def _readable(self) -> None:
        header, receive_into = self._header, self._receive_into
        try:
            while True:
                receive_into(header)
                self.media += header[1] & 0x7F == VP8
        except BlockingIOError:
            pass


@dataclass(frozen=True, slots=True)
class Step:
    """The result for one rate of the publisher."""

    rate: float
    "Packets per second from the publisher."
    sent_per_s: float
    "Packets per second received by all viewers together."
    loss: float
    cpu: float
    "CPU time of all the server's processes, as a share of one core."

    @property
    def us_per_packet(self) -> float:
        """The server's CPU time per received packet, in microseconds."""
        return self.cpu / self.sent_per_s * 1e6 if self.sent_per_s else math.nan


class Room:
    """One publisher and its viewers."""

    def __init__(self, plan: Plan) -> None:
        """Start without participants."""
        self._plan = plan
        self._certificate = RTCCertificate.generateCertificate()
        self._sessions: list[Session] = []
        self._transports: list[Transport] = []

    async def publish(self) -> Publisher:
        """Connect the publisher. SessionError, TimeoutError, ConnectionError, as below."""
        transport = Transport(self._certificate, self._plan.srtp)
        publisher = Publisher(transport, self._plan.media, 0, itertools.count())

        def feedback(datagram: bytes, _now: float) -> None:
            if asks_for_keyframe(transport, datagram):
                publisher.send_keyframe()

        transport.on_packet = feedback
        await self._connect(transport, (publisher.ssrc,))
        return publisher

    async def view(self) -> Transport:
        """Connect one more viewer."""
        transport = Transport(self._certificate, self._plan.srtp)
        await self._connect(transport)
        return transport

    async def _connect(self, transport: Transport, ssrcs: tuple[int, ...] = ()) -> None:
        plan, loop = self._plan, asyncio.get_running_loop()
        fingerprint = self._certificate.getFingerprints()[0].value
        session = await asyncio.to_thread(
            Session,
            plan.host,
            token(plan, plan.room(0), f"capacity-{len(self._sessions)}", publish=bool(ssrcs), view=not ssrcs),
            Local(transport.ufrag, transport.pwd, fingerprint, ssrcs),
            Part([plan.media] * len(ssrcs), not ssrcs),
        )
        self._sessions.append(session)
        self._transports.append(transport)

        def add(address: Address) -> None:
            loop.call_soon_threadsafe(transport.add_address, address)

        listener = Listener(lambda _remote: None, add)
        threading.Thread(target=session.listen, args=(listener,), daemon=True).start()
        await transport.connect(session.remote)

    async def leave(self) -> None:
        """Disconnect all participants."""
        for session in self._sessions:
            await asyncio.to_thread(session.leave)
        await asyncio.gather(*(transport.close() for transport in self._transports))


async def measure(plan: Plan, rates: tuple[int, ...]) -> list[Step]:
    """Join, then measure each rate."""
    room = Room(plan)
    publisher = await room.publish()
    idle = asyncio.create_task(publisher.run(50.0, 1))
    viewers = []
    for _ in range(plan.viewers):
        viewers.append(await room.view())
        await _media(viewers[-1])
    counters = [Counter(viewer) for viewer in viewers]
    idle.cancel()
    await asyncio.sleep(SETTLE_S)
    steps = [await _step(plan, publisher, counters, rate) for rate in rates]
    await room.leave()
    return steps


async def _media(viewer: Transport) -> None:
    """Wait for a viewer's first media packet. TimeoutError."""
    began = asyncio.Event()

    def received(datagram: bytes, _now: float) -> None:
        if datagram[1] & 0x7F == VP8:
            began.set()

    viewer.on_packet = received
    async with asyncio.timeout(FIRST_MEDIA_TIMEOUT_S):
        await began.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU seconds used so far by a process and its children."""
    root = psutil.Process(pid)
    return sum(sum(process.cpu_times()[:2]) for process in (root, *root.children(recursive=True)))


async def _step(plan: Plan, publisher: Publisher, counters: list[Counter], rate: float) -> Step:
    started, used_s = time.monotonic(), cpu_s(plan.pid)
    sent, received = publisher.sent, sum(counter.media for counter in counters)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(plan.duration):
            await publisher.run(rate, plan.burst)
    elapsed_s = time.monotonic() - started
    await asyncio.sleep(SETTLE_S)  # no packet is in flight any more
    used_s = cpu_s(plan.pid) - used_s
    sent, received = publisher.sent - sent, sum(counter.media for counter in counters) - received
    return Step(rate, received / elapsed_s, 1 - received / (sent * len(counters)), used_s / elapsed_s)


def main() -> None:
    """Print a line per rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=60)
    parser.add_argument("--duration", type=float, default=4.0, help="seconds per rate (default %(default)s)")
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="packets/s from the publisher")
    parser.add_argument(
        "--no-native", action="store_true", help="run the server without its native data plane"
    )
    asked = parser.parse_args()
    server_core, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(others) or {server_core})
    options = ["--no-native"] if asked.no_native else []
    with serving("--workers", "1", *options, core=server_core) as (url, pid):
        plan = Plan(
            url, viewers=asked.viewers, duration=asked.duration, burst=BURST, pid=pid, prefix="capacity"
        )
        steps = asyncio.run(measure(plan, tuple(asked.rates)))
    print("packets/s in  packets/s out    loss  server CPU  us/packet")
    for step in steps:
        print(
            f"{step.rate:12} {step.sent_per_s:14.0f} {step.loss:7.4f} {step.cpu:11.2f} {step.us_per_packet:10.2f}"
        )


if __name__ == "__main__":
    main()
