"""A PostgreSQL of Debian's package, for the tests alone: a fresh folder, a socket in it, no port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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


class Postgres:
    """One server in a folder of its own."""

    def __init__(self, folder: Path, programs: dict[str, str]) -> None:
        self._folder = folder
        self._programs = programs
        self._names = (f"test_{number}" for number in count())
        # It refuses to run as root.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")

    def start(self) -> None:
        options = [*OPTIONS, f"unix_socket_directories={self._folder}"]
        flags = " ".join(f"-c {option}" for option in options)
        self._run("pg_ctl", "-w", "-t", "60", "-l", self._folder / "log", "-o", flags, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-t", "60", "-m", "fast", "stop")

    def __call__(self) -> str:
        """Make an empty database and return its address."""
        name = next(self._names)
        create = ["-U", "postgres", "-h", self._folder, "-qc", f"CREATE DATABASE {name}"]
        _run([self._programs["psql"], *create], self._folder)
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        data = ["-D", self._folder / "data"]
        _run([*self._user, self._programs[program], *data, *arguments], self._folder)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server until the end of the block."""
    programs = {program: find(program) or "" for program in ("initdb", "postgres", "pg_ctl", "psql")}
    if not all(programs.values()):
        pytest.skip("needs PostgreSQL (Debian's package postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="lectern-postgres-"))
    try:
        server = Postgres(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str | Path], cwd: Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd)
