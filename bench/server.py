"""The whole server with real clients, beside the floor of the fan-out in the same run.

`python -m bench.server` runs `lectern serve` on one core, and publisher and viewers (bench.load.command) on the others.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.fanout import Rig, floor
from bench.load.command import load
from bench.load.plan import Plan
from bench.load.report import Result

CASES = tuple(Plan("", viewers=viewers, burst=burst) for burst in (1, 7) for viewers in (10, 30, 60))
PROFILE = "AES-128-GCM"
FLOOR_ROUNDS = 5
START_ATTEMPTS = 3
# Linux caches the route to a loopback address as it does the one to another machine, but not the route to its own
# address on another interface: each packet would look for it again, for a twentieth of its cost.
LOOPBACK = ("--external-ip", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement."""

    plan: Plan
    us_per_packet: float
    "The server's CPU time per packet received by viewers, in microseconds."
    floor_us: float
    "CPU time per packet of encryption and sendmmsg alone, in microseconds."
    result: Result

    @property
    def ratio(self) -> float:
        """The cost of the server, relative to the floor."""
        return self.us_per_packet / self.floor_us


def floor_us(viewers: int) -> float:
    """Return the floor for this many viewers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        rig = Rig(viewers, PROFILE, sink)
        count = max(20, 6_000 // viewers)
        rounds = [floor(rig, viewers, count, 1 + i * count) for i in range(FLOOR_ROUNDS)]
        rig.socket.close()
    return statistics.median(rounds) * 1e6


@contextmanager
def serving(*options: str, core: int | None = 0, lectern: Path | None = None) -> Iterator[tuple[str, int]]:
    """Run `lectern serve --dev` on free ports and one core until the end of the block: (URL, process id).

    `lectern` is the program of another build.
    """
    program = lectern or Path(sys.executable).with_name("lectern")
    with tempfile.TemporaryDirectory() as data:
        for _ in range(START_ATTEMPTS):
            process, port = _start([str(program), "serve", "--dev", "--data-dir", data, *options], core, data)
            assert process.stdout is not None
            if b"ready" in process.stdout.readline():
                break
            process.communicate()
        else:
            raise RuntimeError("the server did not start")
        try:
            yield f"ws://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _start(command: list[str], core: int | None, folder: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server on ports that were free just before; each further worker uses the next port, free or not.

    It runs in `folder`, since Python also looks for modules in the current folder, where those of another build may be.
    """
    ports = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    command = [*command, "--http-port", str(ports[0]), "--udp-port", str(ports[1]), *LOOPBACK]
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})  # inherited by all processes of the server
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
    os.sched_setaffinity(0, before)
    return process, ports[0]


def measure(plan: Plan, cores: set[int], *options: str) -> Case:
    """Measure a fresh server with `options` on the first of `cores`, with the plan's clients on the others."""
    server_core, *others = sorted(cores)
    os.sched_setaffinity(0, set(others) or cores)  # inherited by the processes of clients
    with serving("--workers", "1", *options, core=server_core) as (url, pid):
        result = load(replace(plan, host=url, pid=pid, prefix="bench"))
    os.sched_setaffinity(0, {server_core})
    low = floor_us(plan.viewers)
    os.sched_setaffinity(0, cores)
    return Case(plan, result.us_per_packet, low, result)


def main() -> int:
    """Print a line per case; return 1 if a join failed or a payload was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--duration", type=float, default=8.0, help="seconds per case (default %(default)s)")
    parser.add_argument(
        "--no-native", action="store_true", help="run the server without its native data plane"
    )
    asked = parser.parse_args()
    options = ["--no-native"] if asked.no_native else []
    cores = os.sched_getaffinity(0)
    print("viewers burst   us/packet  floor us  ratio    loss  latency ms p50/p99  first packet ms p50  core")
    for plan in CASES:
        case = measure(replace(plan, duration=asked.duration), cores, *options)
        summary = case.result.summary()
        print(
            f"{plan.viewers:7} {plan.burst:5} "
            f"{case.us_per_packet:11.2f} {case.floor_us:9.2f} {case.ratio:6.2f} "
            f"{summary['loss']:7.4f} {summary['latency_ms_p50']:9.2f} / {summary['latency_ms_p99']:<6.2f} "
            f"{summary['first_media_ms_p50']:10.0f} {summary['server_cpu']:14.2f}",
            flush=True,
        )
        if not case.result.is_good:
            print(f"wrong payloads: {case.result.total.wrong}, failed joins: {case.result.failed}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
