"""The C code alone (harness.c), under sanitizers: random datagrams and edits, and three threads at once.

`LECTERN_FUZZ_INPUTS` makes the first longer: ten million take half a minute.
"""

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tools.build_dataplane import FOLDER

HARNESS = Path(__file__).with_name("harness.c")
INPUTS = int(os.environ.get("LECTERN_FUZZ_INPUTS", "1000000"))


def harness(folder, *sanitizers):
    """Build it; skip where the compiler has no sanitizers."""
    program = folder / "harness"
    flags = [
        "-std=gnu11",
        "-g",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{FOLDER}",
        *(f"-fsanitize={name}" for name in sanitizers),
    ]
    flags += ["-fno-sanitize-recover=all"]
    sources = [str(HARNESS), *map(str, sorted(FOLDER.glob("*.c")))]
    command = [
        *shlex.split(os.environ.get("CC", "cc")),
        *flags,
        *sources,
        "-lm",
        "-pthread",
        "-o",
        str(program),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    if done.returncode and "cannot find" in done.stderr and "san" in done.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert not done.returncode, done.stderr
    return program


@pytest.mark.timeout(300)
def test_no_datagram_and_no_edit_reads_or_writes_beside_the_tables(tmp_path):
    program = harness(tmp_path, "address", "undefined")
    seed = str(time.time_ns() % 1_000_000)
    done = subprocess.run(
        [program, "fuzz", seed, str(INPUTS)], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr[-4000:]}"


def test_edits_and_packets_do_not_race(tmp_path):
    program = harness(tmp_path, "thread")
    done = subprocess.run([program, "race", "2"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{done.stdout}{done.stderr[-4000:]}"
    assert "WARNING" not in done.stderr
