"""The C code alone (harness.c), under sanitizers: random datagrams and edits, and three threads at once.

`LECTERN_FUZZ_INPUTS` makes the first longer: ten million take half a minute.
"""

import os
import shlex
import subprocess
import sys
import tempfile
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


def priorities(*command, user=None):
    """The thread's scheduling policy and nice value at its start and after each share of a core that it needed."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, user=user)
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]


def policies(*command, user=None):
    """The scheduling policies alone."""
    return [policy for policy, _ in priorities(*command, user=user)]


def may_ask_for_real_time():
    """Whether this process may set a real-time priority."""
    attempt = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    return not subprocess.run(
        [sys.executable, "-c", attempt], stderr=subprocess.DEVNULL, check=False
    ).returncode


def test_a_busy_thread_gives_up_its_real_time_priority_until_its_load_falls(tmp_path):
    seen = policies(harness(tmp_path), "schedule", "0.1", "0.8", "0.6", "0.4", "0.6")
    real_time = os.SCHED_RR if may_ask_for_real_time() else os.SCHED_OTHER
    assert seen == [real_time, real_time, os.SCHED_OTHER, os.SCHED_OTHER, real_time, real_time]


def test_a_policy_that_was_chosen_for_the_server_stays(tmp_path):
    program = harness(tmp_path)
    seen = policies("chrt", "--batch", "0", program, "schedule", "0.1", "0.8", "0.4")
    assert seen == [os.SCHED_BATCH] * 4


def test_a_thread_at_ordinary_priority_has_the_nice_value_of_the_server(tmp_path):
    seen = priorities("nice", "-n", "5", harness(tmp_path), "schedule", "0.8")
    assert seen[-1] == (os.SCHED_OTHER, 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a program as another user")
def test_a_user_without_the_right_to_real_time_priority_runs_at_the_ordinary_one():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        assert (
            policies(harness(Path(folder)), "schedule", "0.1", "0.8", "0.4", user=65534)
            == [os.SCHED_OTHER] * 4
        )
