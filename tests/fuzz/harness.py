"""Fuzzes the parsers of network input: seeds are mutated with their structure in mind, and bounds are asserted.

A target is a module of `tests/fuzz/targets` with two functions:

    seeds() -> list[bytes]                   valid inputs, from which all others are made
    make() -> Callable[[bytes], None]        the parser with its state, which lets out only undocumented exceptions
    words() -> list[bytes]                   (may be absent) tokens of the format, which are put in here and there

`python -m tests.fuzz [TARGET...] [--seconds N | --inputs N] [--seed N]` runs targets until the time is over or the
inputs are used up. The same seed makes the same inputs, whatever the machine's speed.
"""

import ctypes
import gc
import os
import random
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

MAX_INPUT = 16 * 1024
# No single input may hold a loop longer than this; CPU time of the thread, which others on the machine do not change.
MAX_INPUT_S = 0.05
# Tries again alone before a slow input is believed: a page fault or a full collection is not the input's cost.
RETRIES = 5
# Caches and the allocator's arenas go on growing a little; a leak of 100 octets an input exceeds this in a long run.
MAX_GROWTH_OCTETS = 24 << 20
# Inputs after which the memory is taken for the first time.
WARM_UP_SHARE = 0.25
MAX_ESCAPES = 10
INTERESTING = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    31,
    63,
    64,
    127,
    128,
    192,
    254,
    255,
    256,
    511,
    1023,
    0x1FFF,
    0x7FFF,
    0x8000,
)
WIDE = (0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


# Event loops and sockets of targets stay until the process ends: collected earlier, they complain of open tasks.
_MADE: list[Callable[[bytes], None]] = []


@dataclass(frozen=True)
class Escape:
    """An exception that a target let out, and the input that made it."""

    input: bytes
    error: str

    def __str__(self) -> str:
        """Text to make a test of."""
        return f"bytes.fromhex({self.input.hex()!r})\n{self.error}"


@dataclass
class Report:
    """What a run found."""

    target: str
    seed: int
    inputs: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    "CPU time of the slowest input, measured again alone if it was over the bound."
    slowest: bytes = b""
    growth: int = 0
    "Octets of resident memory from the warm-up to the end."
    escapes: list[Escape] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What was outside the bounds, as text."""
        found = [str(escape) for escape in self.escapes]
        if self.slowest_s > MAX_INPUT_S:
            found.append(f"{1000 * self.slowest_s:.0f} ms for bytes.fromhex({self.slowest.hex()!r})")
        if self.growth > MAX_GROWTH_OCTETS:
            found.append(f"memory grew by {self.growth >> 20} MiB in {self.inputs} inputs")
        return found

    def __str__(self) -> str:
        """One line."""
        rate = self.inputs / self.seconds if self.seconds else 0.0
        return (
            f"{self.target:<14} {self.inputs:>9} inputs  {rate:>8.0f}/s  slowest {1000 * self.slowest_s:6.1f} ms"
            f"  memory {self.growth / (1 << 20):+6.1f} MiB  escapes {len(self.escapes)}  seed {self.seed}"
        )


class Mutator:
    """Makes inputs of seeds; all of its randomness comes from one seed."""

    def __init__(self, seeds: list[bytes], seed: int, words: list[bytes] | None = None) -> None:
        """`seeds` is not empty."""
        self._seeds = seeds
        self._words = words or []
        self._random = random.Random(seed)

    def inputs(self) -> Iterator[bytes]:
        """Each seed as it is, then mutations without an end."""
        yield from self._seeds
        while True:
            yield self.one()

    def one(self) -> bytes:
        """A seed after one to eight changes, few being likelier."""
        chance = self._random
        data = bytearray(chance.choice(self._seeds))
        for _ in range(min(1 + int(chance.expovariate(0.7)), 8)):
            chance.choice(_CHANGES)(self, data)
        return bytes(data[:MAX_INPUT])

    def _at(self, data: bytearray) -> int:
        # heads hold most of the structure
        if not data:
            return 0
        return self._random.randrange(min(len(data), 32) if self._random.random() < 0.5 else len(data))

    def flip(self, data: bytearray) -> None:
        """Turn a bit over."""
        if data:
            data[self._at(data)] ^= 1 << self._random.randrange(8)

    def set_octet(self, data: bytearray) -> None:
        """Replace an octet by any other."""
        if data:
            data[self._at(data)] = self._random.randrange(256)

    def interesting(self, data: bytearray) -> None:
        """Write a number of one, two or four octets at which code is often wrong, in either order of octets."""
        size = self._random.choice((1, 2, 4))
        value = self._random.choice(INTERESTING + WIDE) & ((1 << 8 * size) - 1)
        at = self._at(data)
        data[at : at + size] = value.to_bytes(size, self._random.choice(("big", "little")))

    def length(self, data: bytearray) -> None:
        """Change a number of 16 bits by a little, or make it what is left of the input: lengths are such numbers."""
        if len(data) < 4:
            return
        at = self._random.randrange(len(data) - 1)
        left = len(data) - at
        change = self._random.choice((-4, -1, 1, 4))
        value = self._random.choice(
            (int.from_bytes(data[at : at + 2], "big") + change, left, left // 4, left - 2, 0)
        )
        data[at : at + 2] = (value & 0xFFFF).to_bytes(2, "big")

    def cut(self, data: bytearray) -> None:
        """Take a part out, often the end."""
        at = self._at(data)
        end = len(data) if self._random.random() < 0.5 else at + self._random.randrange(1, 16)
        del data[at:end]

    def repeat(self, data: bytearray) -> None:
        """Repeat a part, a few times or very often."""
        if not data:
            return
        at = self._at(data)
        part = bytes(data[at : at + self._random.choice((1, 2, 4, 8, 16, 64))])
        times = self._random.choice((1, 1, 2, 4, 16, 256))
        data[at:at] = (part * times)[:MAX_INPUT]

    def insert(self, data: bytearray) -> None:
        """Put some octets in."""
        at = self._at(data)
        data[at:at] = self._random.randbytes(self._random.choice((1, 2, 4, 8, 32)))

    def word(self, data: bytearray) -> None:
        """Put a word of the format in, or in the place of what has letters or digits there."""
        if not self._words:
            return self.flip(data)
        at = end = self._at(data)
        if self._random.random() < 0.7:
            while end < len(data) and chr(data[end]).isalnum():
                end += 1
        data[at:end] = self._random.choice(self._words)
        return None

    def splice(self, data: bytearray) -> None:
        """Go on with a part of another seed."""
        other = self._random.choice(self._seeds)
        begin = self._random.randrange(len(other) + 1)
        data[self._at(data) :] = other[begin:]

    def swap(self, data: bytearray) -> None:
        """Exchange two parts of the same size."""
        size = self._random.choice((1, 2, 4, 12))
        first, second = self._at(data), self._at(data)
        if abs(first - second) >= size and max(first, second) + size <= len(data):
            one, two = data[first : first + size], data[second : second + size]
            data[first : first + size], data[second : second + size] = two, one


_CHANGES: tuple[Callable[[Mutator, bytearray], None], ...] = (
    Mutator.flip,
    Mutator.flip,
    Mutator.set_octet,
    Mutator.interesting,
    Mutator.interesting,
    Mutator.length,
    Mutator.length,
    Mutator.cut,
    Mutator.repeat,
    Mutator.insert,
    Mutator.word,
    Mutator.word,
    Mutator.splice,
    Mutator.swap,
)


def run(
    name: str,
    target: ModuleType,
    *,
    seed: int = 1,
    inputs: int | None = None,
    seconds: float | None = None,
) -> Report:
    """Feed a target until `inputs` are used up or `seconds` have passed, whichever is given."""
    if inputs is None and seconds is None:
        raise ValueError("either inputs or seconds")
    feed = target.make()
    _MADE.append(feed)
    words = target.words() if hasattr(target, "words") else []
    report = Report(name, seed)
    started, warm = time.monotonic(), None
    slow: list[bytes] = []
    for data in Mutator(target.seeds(), seed, words).inputs():
        spent = _feed(feed, data, report)
        report.inputs += 1
        if spent > MAX_INPUT_S:
            slow = [*slow, data][:MAX_ESCAPES]
        elif spent > report.slowest_s:
            report.slowest_s, report.slowest = spent, data
        if report.inputs % 64 == 0 or report.inputs == inputs:
            report.seconds = time.monotonic() - started
            done = _share(report, inputs, seconds)
            if warm is None and done >= WARM_UP_SHARE:
                warm = _resident()
            if done >= 1 or len(report.escapes) >= MAX_ESCAPES:
                break
    report.growth = _resident() - (warm or 0) if warm is not None else 0
    _measure_again(report, slow, target.make)
    return report


def _share(report: Report, inputs: int | None, seconds: float | None) -> float:
    return max(report.inputs / inputs if inputs else 0.0, report.seconds / seconds if seconds else 0.0)


def _feed(target: Callable[[bytes], None], data: bytes, report: Report) -> float:
    before = time.thread_time()
    try:
        target(data)
    except Exception:  # noqa: BLE001 - whatever escapes is what is looked for
        if len(report.escapes) < MAX_ESCAPES:
            report.escapes.append(Escape(data, traceback.format_exc(limit=-6)))
    return time.thread_time() - before


def _measure_again(report: Report, slow: list[bytes], make: Callable[[], Callable[[bytes], None]]) -> None:
    """Believe that an input is slow when it is slow alone, too, and each time."""
    for data in slow:
        target = make()
        _MADE.append(target)
        gc.collect()
        spent = min(_feed(target, data, Report("again", 0)) for _ in range(RETRIES))
        if spent > report.slowest_s:
            report.slowest_s, report.slowest = spent, data


def _resident() -> int:
    """Octets of resident memory without what the allocator only keeps for the next one (glibc: malloc_trim)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
