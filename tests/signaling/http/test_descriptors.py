"""The limit of open files, raised in processes of their own."""

import resource
import subprocess
import sys

import pytest

from signaling.http.descriptors import LEAST_CONNECTIONS, MOST, RESERVED, connection_budget, open_files


def limits_after_raising(soft, hard):
    code = (
        "import resource; from signaling.http import descriptors\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(descriptors.raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def test_the_soft_limit_becomes_the_hard_one():
    assert limits_after_raising(64, 300) == [300, 300, 300]


def test_a_hard_limit_without_sense_is_not_followed():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= MOST:
        pytest.skip("needs a hard limit above what is raised to")
    assert limits_after_raising(64, hard)[:2] == [MOST, MOST]


@pytest.mark.parametrize(
    ("most", "opened", "budget"),
    [
        (65536, 30, 65536 - 30 - RESERVED),
        (1024, 24, 1000 - RESERVED),
        (256, 20, 256 - 20 - 64),
        (16, 30, LEAST_CONNECTIONS),
    ],
)
def test_connections_leave_a_reserve(most, opened, budget):
    assert connection_budget(most, opened) == budget


def test_open_files_are_counted(tmp_path):
    before = open_files()
    with (tmp_path / "file").open("w"):
        assert open_files() == before + 1
