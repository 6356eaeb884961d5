"""A PostgreSQL of Debian's package, for the tests alone: a fresh folder, a socket in it, no port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

# Nothing of it has to survive the machine.
OPTIONS = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=50",
]


def find(program: str) -> str | None:
    """Debian keeps the server's programs outside of PATH, in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(found[-1]) if found else shutil.which(program)


@contextmanager
def running() -> Iterator[Callable[[], str]]:
    """Gives a function that makes an empty database and returns its address."""
    initdb, postgres, psql = find("initdb"), find("postgres"), find("psql")
    if not (initdb and postgres and psql):
        pytest.skip("needs PostgreSQL (Debian's package postgresql)")
    # It refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="lectern-postgres-"))
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        _run([*user, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], cwd=folder)
        options = [
            each for option in [*OPTIONS, f"unix_socket_directories={folder}"] for each in ("-c", option)
        ]
        pg_ctl = [*user, str(Path(postgres).with_name("pg_ctl")), "-D", data, "-w", "-t", "60"]
        log = folder / "log"
        _run([*pg_ctl, "-l", log, "-o", " ".join(options), "start"], cwd=folder)
        try:
            names = (f"test_{number}" for number in count())

            def make() -> str:
                name = next(names)
                command = [psql, "-h", folder, "-U", "postgres", "-qc", f"CREATE DATABASE {name}"]
                _run(command, cwd=folder)
                return f"postgresql://postgres@/{name}?host={folder}"

            yield make
        finally:
            _run([*pg_ctl, "-m", "immediate", "stop"], cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str | Path], cwd: Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd)
