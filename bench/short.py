"""The short benchmark for every change: fails if a case is much more expensive than recorded.

`python -m bench.short` measures each case as a ratio to the floor of the same run and compares it with `recorded.json`.
`--record` writes that file: the median of a few attempts. The comparison uses the best of as many attempts, since other
programs can only make a case more expensive.
"""

import argparse
import json
import os
import socket
import statistics
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.fanout import Rig, floor, product
from bench.load.plan import Plan
from bench.server import PROFILE, measure

RECORDED = Path(__file__).with_name("recorded.json")
TOLERANCE = 1.3
ATTEMPTS = 5
VIEWERS = 30
FANOUT_PACKETS = 100
FANOUT_ROUNDS = 5
WINDOW_S = 3.0


def fanout_ratio(viewers: int) -> float:
    """Return the cost of the fan-out, relative to the floor."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        rig = Rig(viewers, PROFILE, sink)
        ratios = []
        for i in range(FANOUT_ROUNDS):
            first = 1 + i * FANOUT_PACKETS
            dear = product(rig, viewers, FANOUT_PACKETS, first)
            ratios.append(dear / floor(rig, viewers, FANOUT_PACKETS, first))
        rig.socket.close()
    return statistics.median(ratios)


def server_ratio(viewers: int, burst: int) -> float:
    """Return the cost of the whole server, relative to the floor. RuntimeError if a viewer did not get all packets."""
    plan = Plan("", viewers=viewers, burst=burst, duration=WINDOW_S)
    case = measure(plan, os.sched_getaffinity(0))
    if not case.result.is_good:
        raise RuntimeError(f"not all viewers received what was sent: {case.result.summary()}")
    return case.ratio


CASES: Mapping[str, Callable[[], float]] = {
    f"fan-out to {VIEWERS} viewers": partial(fanout_ratio, VIEWERS),
    f"server, {VIEWERS} viewers, single packets": partial(server_ratio, VIEWERS, 1),
    f"server, {VIEWERS} viewers, bursts of 7": partial(server_ratio, VIEWERS, 7),
}


def compare(cases: Mapping[str, Callable[[], float]], recorded: Mapping[str, float]) -> list[str]:
    """Measure; return a line for each case that is too expensive in every attempt."""
    dear = []
    for name, case in cases.items():
        limit = TOLERANCE * recorded[name]
        best = float("inf")
        for _ in range(ATTEMPTS):
            best = min(best, case())
            if best <= limit:
                break
        line = f"{name}: {best:.2f} times the floor, recorded {recorded[name]:.2f}"
        print(line, flush=True)
        if best > limit:
            dear.append(line)
    return dear


def main() -> int:
    """Compare, or record; return 1 if a case is too expensive."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="record the ratios for later comparisons")
    if parser.parse_args().record:
        usual = {
            name: round(statistics.median(case() for _ in range(ATTEMPTS)), 2) for name, case in CASES.items()
        }
        RECORDED.write_text(json.dumps(usual, indent=2) + "\n")
        print(usual)
        return 0
    return 1 if compare(CASES, json.loads(RECORDED.read_text())) else 0


if __name__ == "__main__":
    sys.exit(main())
