"""versitygw, an S3 server in Go that verifies signatures, built once for each machine."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.s3 import CREDENTIALS

# Newer versions may need a newer Go.
MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
GO = shutil.which("go", path=os.pathsep.join([os.environ["PATH"], "/usr/local/go/bin", "/usr/lib/go/bin"]))


def program():
    """The server's path. It is kept between test runs, since the first build takes minutes of a core."""
    if GO is None:
        pytest.skip("needs Go")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lectern"
    built = cache / f"versitygw-{hashlib.sha256(MODULE.encode()).hexdigest()[:16]}"
    if not built.is_file():
        folder = cache / f"versitygw.{os.getpid()}"
        environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"}
        made = subprocess.run(
            [GO, "install", MODULE], env=environment, capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"needs versitygw: {made.stderr.strip().splitlines()[-1]}")
        (folder / "versitygw").replace(built)
        folder.rmdir()
    return built


@contextmanager
def running(folder):
    """Start the server on files in a folder; yields its origin."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("objects", "attributes"):
        (folder / name).mkdir()
    command = [program(), "--port", f"127.0.0.1:{port}", "--access", CREDENTIALS.access_key]
    command += [
        "--secret",
        CREDENTIALS.secret,
        "posix",
        "--sidecar",
        folder / "attributes",
        folder / "objects",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not _is_listening(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "versitygw does not listen"
            time.sleep(0.1)  # a poll of another process
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _is_listening(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
