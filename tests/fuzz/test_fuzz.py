"""Each target for a moment, in a process of its own; `make fuzz` is the long form."""

import asyncio
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fuzz import harness, targets
from tests.fuzz.harness import Mutator, run

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.5


@pytest.mark.parametrize("name", targets.names())
async def test_nothing_escapes_and_every_input_is_cheap(name):
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.fuzz", name, "--seed", "1", "--seconds", str(SECONDS)],
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert f"{name} " in output.decode()


def a_target(feed, seeds=(b"seed one", b"another")):
    return SimpleNamespace(seeds=lambda: list(seeds), make=lambda: feed)


def test_a_seed_makes_the_same_inputs_again():
    def first(seed):
        return list(itertools.islice(Mutator([b"abcdefgh" * 4, b"12345"], seed, [b"word"]).inputs(), 2000))

    assert first(7) == first(7) != first(8)
    assert len(set(first(7))) > 1500
    assert max(map(len, first(7))) <= harness.MAX_INPUT


def test_what_escapes_is_reported_with_its_input():
    def feed(data):
        if b"\xff" in data:
            raise KeyError("a fault")

    report = run("target", a_target(feed), inputs=5000)
    assert len(report.escapes) == harness.MAX_ESCAPES
    assert "KeyError: 'a fault'" in report.faults()[0]
    assert all(b"\xff" in escape.input for escape in report.escapes)
    assert bytes.fromhex(report.faults()[0].split("'")[1]) == report.escapes[0].input


def test_a_slow_input_is_reported_when_it_is_slow_each_time():
    calls = []

    def busy(data):
        if data == b"seed one":
            sum(range(6_000_000))
        if data == b"another" and not calls:
            calls.append(sum(range(6_000_000)))  # once only, as a full collection would be

    report = run("target", a_target(busy), inputs=64)
    assert report.slowest == b"seed one"
    assert any("ms for bytes.fromhex" in fault for fault in report.faults())
    assert run("target", a_target(lambda _data: None), inputs=64).faults() == []


def test_memory_that_stays_is_reported():
    kept = []
    report = run("target", a_target(lambda _data: kept.append(bytes(40_000))), inputs=2000)
    assert any("memory grew" in fault for fault in report.faults())
