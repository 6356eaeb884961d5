"""Lessons as they are: `python -m bench.mesh [--rooms 25] [--people 4]`.

Everybody, or the first `--senders` of a room, sends 150 packets of video and 50 of audio a second to all others of the
room, with transport-wide feedback 20 times a second, receiver reports and consent checks. `--rate`, `--burst` and
`--voice` change the packets. The server has one core and the clients the other; with two workers all share both.
`--lectern PROGRAM` measures another build of the server. With `--joins`, participants of another room join, listen for
two seconds and leave, again and again, at this rate.
"""

import argparse
import asyncio
import os
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench.load.command import LoadError, load
from bench.load.plan import Plan
from bench.mesh.generator import Generator, Sending, Totals
from bench.mesh.people import People
from bench.server import serving

WARM_UP_S = 3.0
JOIN_STAY_S = 2.0


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement."""

    totals: Totals
    window_s: float
    worker_cpu: tuple[float, ...]
    "CPU time of each worker, as a share of a core."
    main_cpu: float
    "CPU time of the main process, as a share of a core."

    @property
    def server_cpu(self) -> float:
        """CPU time of all the server's processes, as a share of a core."""
        return sum(self.worker_cpu) + self.main_cpu

    @property
    def us_per_packet(self) -> float:
        """The server's CPU time per packet that a client received, in microseconds."""
        return self.server_cpu * self.window_s / self.totals.received * 1e6

    @property
    def loss(self) -> float:
        """The share of packets that were not received."""
        return self.totals.missing / (self.totals.received + self.totals.missing)


async def _join(plan: Plan, senders: int, people: People) -> Generator:
    for number in range(plan.seated):
        paces = plan.tracks if number < plan.rooms * senders else ()
        tracks = [Sending(secrets.randbits(31), pace.media, pace.rate, pace.burst) for pace in paces]
        await people.join(plan.room(number), f"person-{number}", tracks)
    return people.hand_over()


async def measure(plan: Plan, senders: int) -> Case:
    """Join, send for a while, then measure, beside `plan.joins_per_s` joins of others if `plan.joins` is not 0.

    The errors of `People.join`; LoadError.
    """
    people = People(plan)
    generator = await _join(plan, senders, people)
    others = asyncio.create_task(asyncio.to_thread(load, _joining(plan))) if plan.joins else None
    await asyncio.to_thread(generator.run, WARM_UP_S)
    generator.reset()
    main = psutil.Process(plan.pid)
    processes = [main, *main.children(recursive=True)]
    before = [_cpu_s(process) for process in processes]
    await asyncio.to_thread(generator.run, plan.duration)
    used = [(_cpu_s(process) - then) / plan.duration for process, then in zip(processes, before, strict=True)]
    totals = generator.totals()
    if others and (failed := (await others).failed):
        raise LoadError(f"{failed} of the other participants could not join")
    await people.leave()
    generator.close()
    return Case(totals, plan.duration, tuple(used[1:]), used[0])


def _joining(plan: Plan) -> Plan:
    """Return the plan of a room of listeners who join, stay for a while and leave."""
    return Plan(
        plan.host,
        viewers=round(plan.joins_per_s * JOIN_STAY_S),
        rate=50.0,
        media="audio",
        joins_per_s=plan.joins_per_s,
        stay=JOIN_STAY_S,
        joins=plan.joins,
        prefix="joins",
    )


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of the living threads of a process: exact, while that of the process has ticks of 10 ms."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def run(
    plan: Plan,
    cores: list[int],
    *options: str,
    senders: int | None = None,
    workers: int = 1,
    lectern: Path | None = None,
) -> Case:
    """Measure a fresh server on the first of `cores` and the clients on the last; more workers share all cores."""
    shared = workers > 1
    if not shared:
        os.sched_setaffinity(0, {cores[-1]})
    core = None if shared else cores[0]
    with serving("--workers", str(workers), *options, core=core, lectern=lectern) as (url, pid):
        return asyncio.run(measure(replace(plan, host=url, pid=pid), senders or plan.viewers))


def main() -> int:
    """Print a line; return 1 if somebody lacked a stream or a payload was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", type=int, default=25)
    parser.add_argument("--people", type=int, default=4, help="in each room (default %(default)s)")
    parser.add_argument("--senders", type=int, help="of them, those who send (default: everybody)")
    parser.add_argument("--rate", type=float, default=150.0, help="packets of video per second")
    parser.add_argument("--burst", type=int, default=1, help="of which so many are back to back")
    parser.add_argument("--voice", type=float, default=50.0, help="packets of audio per second")
    parser.add_argument("--duration", type=float, default=8.0, help="seconds (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--joins", type=float, default=0.0, help="joins of others per second")
    parser.add_argument("--lectern", type=Path, help="the program to measure")
    parser.add_argument(
        "--no-native", action="store_true", help="run the server without its native data plane"
    )
    asked = parser.parse_args()
    plan = Plan(
        "",
        rooms=asked.rooms,
        viewers=asked.people,
        mesh=True,
        rate=asked.rate,
        burst=asked.burst,
        voice=asked.voice,
        duration=asked.duration,
        joins_per_s=asked.joins or 1.0,
        joins=round(asked.joins * (WARM_UP_S + asked.duration)),
        prefix="mesh",
    )
    cores = sorted(os.sched_getaffinity(0))
    options = ["--no-native"] if asked.no_native else []
    senders = asked.senders or asked.people
    case = run(plan, cores, *options, senders=senders, workers=asked.workers, lectern=asked.lectern)
    totals = case.totals
    workers = " + ".join(f"{share:.2f}" for share in case.worker_cpu)
    print(
        f"{asked.rooms} rooms of {asked.people}: {totals.sent / plan.duration:.0f} packets/s in, "
        f"{totals.received / plan.duration:.0f} out; workers {workers}, main process {case.main_cpu:.2f} of a core, "
        f"{case.us_per_packet:.1f} us a packet; loss {case.loss:.5f}; "
        f"latency p50 {totals.latency_s(0.5) * 1e3:.2f} ms, p99 {totals.latency_s(0.99) * 1e3:.2f} ms; "
        f"clients {totals.busy_s / plan.duration:.2f} of a core, {totals.late} packets sent late, "
        f"{totals.sampled} compared, {totals.wrong} wrong"
    )
    streams = asked.rooms * senders * (asked.people - 1) * len(plan.tracks)
    return int(bool(totals.wrong) or totals.streams != streams)


if __name__ == "__main__":
    sys.exit(main())
