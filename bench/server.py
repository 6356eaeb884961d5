"""The whole server under real viewers, next to the floor of the fan-out in the same run.

`python -m bench.server` starts `lectern serve` on one core, and publisher and viewers (bench.load) on the others. With
`--short` it measures one case for seconds and fails when the ratio is more than 30 % above the recorded one.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.fanout import Rig, floor
from bench.load import Plan, Result, run

CASES = tuple((viewers, burst) for burst in (1, 7) for viewers in (10, 30, 60))
SHORT_CASES = ((30, 1), (30, 7))
RECORDED = Path(__file__).with_name("recorded.json")
TOLERANCE = 1.3
PROFILE = "AES-128-GCM"
FLOOR_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement."""

    viewers: int
    burst: int
    us_per_packet: float
    "CPU of the server per packet that viewers received, microseconds."
    floor_us: float
    "CPU of crypto and sendmmsg alone, microseconds."
    result: Result

    @property
    def name(self) -> str:
        """As in the file of recorded ratios."""
        return f"{self.viewers} viewers, bursts of {self.burst}"

    @property
    def ratio(self) -> float:
        """Of the server to the floor."""
        return self.us_per_packet / self.floor_us


def floor_us(viewers: int) -> float:
    """The floor for that many viewers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        rig = Rig(viewers, PROFILE, sink)
        count = max(20, 6_000 // viewers)
        rounds = [floor(rig, viewers, count, 1 + i * count) for i in range(FLOOR_ROUNDS)]
        rig.socket.close()
    return statistics.median(rounds) * 1e6


@contextmanager
def serving(*options: str, core: int | None = 0) -> Iterator[tuple[str, int]]:
    """`lectern serve --dev` on free ports and one core until the end of the block: (URL, process id)."""
    ports = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(str(probe.getsockname()[1]))
    lectern = Path(sys.executable).with_name("lectern")
    data = tempfile.TemporaryDirectory()
    command = [str(lectern), "serve", "--dev", "--data-dir", data.name]
    command += ["--http-port", ports[0], "--udp-port", ports[1], *options]
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})  # inherited, by the server's own processes too
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(0, before)
    try:
        assert process.stdout is not None
        if b"ready" not in process.stdout.readline():
            raise RuntimeError("the server did not start")
        yield f"ws://127.0.0.1:{ports[0]}", process.pid
    finally:
        process.terminate()
        process.communicate(timeout=30)
        data.cleanup()


def measure(viewers: int, burst: int, duration_s: float, cores: set[int], *options: str) -> Case:
    """One case: a fresh server with `options` on the first of `cores`, all else on the others."""
    server_core, *others = sorted(cores)
    os.sched_setaffinity(0, set(others) or cores)  # inherited by the processes of clients
    with serving("--workers", "1", *options, core=server_core) as (url, pid):
        plan = Plan(
            url,
            "devkey",
            "secret",
            viewers=viewers,
            duration_s=duration_s,
            burst=burst,
            pid=pid,
            prefix="bench",
        )
        result = run(plan)
    os.sched_setaffinity(0, {server_core})
    low = floor_us(viewers)
    os.sched_setaffinity(0, cores)
    return Case(viewers, burst, result.us_per_packet, low, result)


def main() -> int:
    """Print a line per case; with `--short` 1 when one is much dearer than recorded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="two cases, compared with the recorded ratios")
    parser.add_argument(
        "--record", action="store_true", help="write the ratios down as those to compare with"
    )
    parser.add_argument("--duration", type=float, default=8.0, help="seconds per case (default %(default)s)")
    parser.add_argument("--no-native", action="store_true", help="the server without its native kernel")
    asked = parser.parse_args()
    options = ["--no-native"] if asked.no_native else []
    cores = os.sched_getaffinity(0)
    cases = []
    print("viewers burst   us/packet  floor us  ratio    loss  latency ms p50/p99  first packet ms p50")
    for viewers, burst in SHORT_CASES if asked.short else CASES:
        case = measure(viewers, burst, 3.0 if asked.short else asked.duration, cores, *options)
        cases.append(case)
        summary = case.result.summary()
        print(
            f"{viewers:7} {burst:5} {case.us_per_packet:11.2f} {case.floor_us:9.2f} {case.ratio:6.2f} "
            f"{summary['loss']:7.4f} {summary['latency_ms_p50']:9.2f} / {summary['latency_ms_p99']:<6.2f} "
            f"{summary['first_media_ms_p50']:10.0f}",
            flush=True,
        )
        if case.result.failed or case.result.media.wrong:
            print(f"wrong payloads: {case.result.media.wrong}, failed joins: {case.result.failed}")
            return 1
    if asked.record:
        RECORDED.write_text(json.dumps({case.name: round(case.ratio, 2) for case in cases}, indent=2) + "\n")
    if not asked.short:
        return 0
    recorded: dict[str, float] = json.loads(RECORDED.read_text())
    dear = [case for case in cases if case.ratio > TOLERANCE * recorded[case.name]]
    for case in dear:
        print(f"{case.name}: {case.ratio:.2f} times the floor, recorded was {recorded[case.name]:.2f}")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
