"""Load on a LiveKit server by real connections: `python -m bench.load --url ws://HOST:7880 --rooms 2 --viewers 30`.

Each room has one publisher of numbered packets; viewers are spread over processes. What is reported: joins a second,
time to the first packet, loss, latency, wrong payloads, and the server's CPU where its process is on this machine.
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiortc.rtcdtlstransport import RTCCertificate

from bench.connection import Client, Target
from bench.media import PACKET_BYTES, Publisher, Report, Viewer
from signaling.tokens import Signer, mint

SAMPLE_EVERY = 50
WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What load to make."""

    url: str
    key: str
    secret: str
    rooms: int = 1
    viewers: int = 10
    "In each room."
    duration_s: float = 10.0
    "Of the window in which everything is counted, after all have joined."
    rate: float = 200.0
    "Packets a second from each publisher."
    burst: int = 1
    "Packets back to back."
    joins_per_s: float = 20.0
    "Over all rooms."
    processes: int = 1
    profile: str = "gcm"
    prefix: str = "load"
    "Of the rooms' names."
    pid: int = 0
    "Of the server, for its CPU; 0: unknown."


@dataclass(slots=True)
class Result:
    """What came of a plan."""

    joined: int = 0
    failed: list[str] = field(default_factory=list)
    "Why, for each viewer that could not join."
    join_s: list[float] = field(default_factory=list)
    "From the first byte to a connected transport, for each viewer."
    first_media_s: list[float] = field(default_factory=list)
    "From the first byte to the first packet of media."
    dropped: int = 0
    "Viewers whose session the server ended meanwhile."
    window_s: float = 0.0
    sent: int = 0
    "By all publishers in the window."
    ramp_s: float = 0.0
    "From the first join to the last connected viewer."
    cpu_s: float = math.nan
    "Of the server in the window, all its threads and processes."
    rss_bytes: int = 0
    "Of the server at the end."
    media: Report = field(default_factory=Report)

    @property
    def loss(self) -> float:
        """Share of the packets that never came."""
        expected = self.media.received + self.media.lost
        return self.media.lost / expected if expected else math.nan

    @property
    def us_per_packet(self) -> float:
        """Server CPU per packet that viewers received, in microseconds."""
        return self.cpu_s / self.media.received * 1e6 if self.media.received else math.nan

    def summary(self) -> dict[str, Any]:
        """The figures by name, for a report."""
        return {
            "joined": self.joined,
            "failed": len(self.failed),
            "dropped": self.dropped,
            "joins_per_s": round(self.joined / self.ramp_s, 1) if self.ramp_s else None,
            "join_ms_p50": _milliseconds(self.join_s, 0.5),
            "join_ms_p99": _milliseconds(self.join_s, 0.99),
            "first_media_ms_p50": _milliseconds(self.first_media_s, 0.5),
            "first_media_ms_p99": _milliseconds(self.first_media_s, 0.99),
            "packets": self.media.received,
            "packets_per_s": round(self.media.received / self.window_s) if self.window_s else None,
            "loss": round(self.loss, 6),
            "duplicates": self.media.duplicates,
            "sampled": self.media.sampled,
            "wrong": self.media.wrong,
            "latency_ms_p50": round(self.media.latency_s(0.5) * 1e3, 2),
            "latency_ms_p99": round(self.media.latency_s(0.99) * 1e3, 2),
            "server_cpu": round(self.cpu_s / self.window_s, 3) if self.window_s else None,
            "us_per_packet": round(self.us_per_packet, 2),
            "server_rss_mb": round(self.rss_bytes / 1e6, 1),
        }


def _milliseconds(values: list[float], share: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 1)


def token(plan: Plan, room: int, identity: str, *, publish: bool) -> str:
    """An access token for one participant of the load."""
    video = {"room": f"{plan.prefix}-{room}", "roomJoin": True, "canPublish": publish}
    return mint({"sub": identity, "video": video}, Signer(plan.key, plan.secret), time.time(), 3600)


# --- one process of clients ----------------------------------------------------------------------------------------


async def publish(plan: Plan, orders: Connection) -> None:
    """Run one publisher for each room; orders come and facts go over the pipe."""
    certificate = RTCCertificate.generateCertificate()
    async with aiohttp.ClientSession() as http:
        targets = [
            Target(plan.url, token(plan, room, "publisher", publish=True), plan.profile, publish=True)
            for room in range(plan.rooms)
        ]
        clients = [Client(target, http, certificate) for target in targets]
        for client in clients:
            await client.connect()
        publishers = [Publisher(client) for client in clients]
        running = [
            asyncio.ensure_future(publisher.run(plan.rate, plan.burst, math.inf)) for publisher in publishers
        ]
        orders.send("ready")
        while (order := await asyncio.to_thread(orders.recv)) != "stop":
            orders.send(sum(publisher.sent for publisher in publishers) if order == "count" else None)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(client.close() for client in clients))


async def view(plan: Plan, index: int, orders: Connection) -> None:
    """Run every `processes`-th viewer from `index` on."""
    certificate = RTCCertificate.generateCertificate()
    start_at = time.monotonic()
    result = Result()
    viewers: list[Viewer] = []
    clients: list[Client] = []
    feedback: list[asyncio.Task[None]] = []

    async def join(number: int, http: aiohttp.ClientSession) -> None:
        await asyncio.sleep(max(0.0, start_at + number / plan.joins_per_s - time.monotonic()))
        room = number % plan.rooms
        client = Client(
            Target(plan.url, token(plan, room, f"viewer-{number}", publish=False), plan.profile),
            http,
            certificate,
        )
        viewer = Viewer(client, SAMPLE_EVERY)
        try:
            await client.connect()
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            result.failed.append(repr(error))
            await client.close()
            return
        clients.append(client)
        viewers.append(viewer)
        feedback.append(asyncio.create_task(viewer.give_feedback()))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        numbers = range(index, plan.rooms * plan.viewers, plan.processes)
        await asyncio.gather(*(join(number, http) for number in numbers))
        result.ramp_s = time.monotonic() - start_at
        orders.send("ready")
        while (order := await asyncio.to_thread(orders.recv)) != "stop":
            if order == "start":
                for viewer in viewers:
                    viewer.start_window()
                orders.send(None)
            elif order == "report":
                result.joined = len(clients)
                result.dropped = sum(client.lost for client in clients)
                result.join_s = [client.times.connected - client.times.started for client in clients]
                result.first_media_s = [
                    client.times.first_media - client.times.started
                    for client in clients
                    if client.times.first_media
                ]
                for viewer in viewers:
                    result.media.add(viewer.end_window())
                orders.send(result)
        for task in feedback:
            task.cancel()
        await asyncio.gather(*feedback, return_exceptions=True)
        await asyncio.gather(*(client.close() for client in clients))


class LoadError(Exception):
    """The load could not be made; the text says why."""


def _child(role: str, plan: Plan, index: int, orders: Connection) -> None:
    try:
        asyncio.run(publish(plan, orders) if role == "publish" else view(plan, index, orders))
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        orders.send(LoadError(f"the {role}ers: {error or repr(error)}"))


def _receive(pipe: Connection) -> Any:
    """What a process of clients says. LoadError when it failed."""
    try:
        said = pipe.recv()
    except EOFError as error:
        raise LoadError("a process of clients ended") from error
    if isinstance(said, LoadError):
        raise said
    return said


# --- the whole -----------------------------------------------------------------------------------------------------


def server_cpu_s(pid: int) -> tuple[float, int]:
    """(CPU seconds so far, resident bytes) of a process and its children."""
    if not pid:
        return math.nan, 0
    root = psutil.Process(pid)
    cpu_s, rss = 0.0, 0
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        cpu_s += times.user + times.system
        rss += process.memory_info().rss
    return cpu_s, rss


def run(plan: Plan) -> Result:
    """Make the load and return what came of it. LoadError when nobody can publish."""
    context = multiprocessing.get_context("spawn")
    children = []

    def start(role: str, index: int) -> Connection:
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(role, plan, index, theirs), daemon=True)
        process.start()
        theirs.close()
        children.append(process)
        return ours

    try:
        publishers = start("publish", 0)
        _receive(publishers)
        views = [start("view", index) for index in range(plan.processes)]
        for pipe in views:
            _receive(pipe)
        time.sleep(WARM_UP_S)
        for pipe in views:
            pipe.send("start")
        for pipe in views:
            _receive(pipe)
        publishers.send("count")
        sent, (cpu_s, _), started = _receive(publishers), server_cpu_s(plan.pid), time.monotonic()
        time.sleep(plan.duration_s)
        cpu_end_s, rss = server_cpu_s(plan.pid)
        window_s = time.monotonic() - started
        publishers.send("count")
        result = Result(
            sent=_receive(publishers) - sent, window_s=window_s, cpu_s=cpu_end_s - cpu_s, rss_bytes=rss
        )
        for pipe in views:
            pipe.send("report")
        for pipe in views:
            part: Result = _receive(pipe)
            result.joined += part.joined
            result.failed += part.failed
            result.dropped += part.dropped
            result.join_s += part.join_s
            result.first_media_s += part.first_media_s
            result.ramp_s = max(result.ramp_s, part.ramp_s)
            result.media.add(part.media)
        for pipe in (publishers, *views):
            pipe.send("stop")
        for process in children:
            process.join(30)
        return result
    finally:
        for process in children:
            process.terminate()
            process.join()


def picture(result: Result, path: Path) -> None:
    """Draw the joins' and the packets' times into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - a second of imports that only this needs

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, 3, figsize=(13, 4))
    series = (
        ("join", result.join_s),
        ("first packet", result.first_media_s),
        ("latency of packets", result.media.latencies_s),
    )
    for axis, (title, values) in zip(axes, series, strict=True):
        if values:
            ordered = sorted(value * 1e3 for value in values)
            axis.plot(ordered, [i / len(ordered) for i in range(1, len(ordered) + 1)])
            axis.set_title(f"{title}: p50 {statistics.median(ordered):.2f} ms")
        axis.set_xlabel("ms")
        axis.set_ylim(0, 1)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> int:
    """Parse the command line, run, and report; 1 when a viewer could not join or something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="ws://127.0.0.1:7880")
    parser.add_argument("--key", default="devkey")
    parser.add_argument("--secret", default="secret")
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--viewers", type=int, default=10, help="in each room")
    parser.add_argument("--duration", type=float, default=10.0, dest="duration_s", help="seconds")
    parser.add_argument("--rate", type=float, default=200.0, help="packets a second from each publisher")
    parser.add_argument("--burst", type=int, default=1, help="packets back to back")
    parser.add_argument("--joins-per-s", type=float, default=20.0)
    parser.add_argument("--processes", type=int, default=1, help="of viewers")
    parser.add_argument("--profile", choices=("gcm", "cm"), default="gcm", help="of SRTP")
    parser.add_argument(
        "--pid", type=int, default=0, help="of the server, if it runs here: its CPU is reported"
    )
    parser.add_argument("--prefix", default="load", help="of the rooms' names, for two loads side by side")
    parser.add_argument("--out", type=Path, help="folder for report.json and report.png")
    asked = vars(parser.parse_args())
    out: Path | None = asked.pop("out")
    plan = Plan(**asked)
    try:
        result = run(plan)
    except LoadError as error:
        print(f"no load: {error}", file=sys.stderr)
        return 1
    summary = result.summary()
    for name, value in summary.items():
        print(f"{name:20} {value}")
    for reason in sorted(set(result.failed)):
        print(f"failed: {reason} ({result.failed.count(reason)} times)", file=sys.stderr)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        known = {name: value for name, value in asdict(plan).items() if name != "secret"}
        (out / "report.json").write_text(json.dumps({"plan": known, **summary}, indent=2) + "\n")
        picture(result, out / "report.png")
    bandwidth = result.media.received * PACKET_BYTES * 8 / result.window_s / 1e6
    print(f"{bandwidth:.0f} Mbit/s to {result.joined} viewers")
    return 1 if result.failed or result.dropped or result.media.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
