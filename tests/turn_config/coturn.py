"""Starts a real coturn with a rendered configuration, for tests here and in tests/e2e."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aioice import stun

from turn_config.coturn import TurnSettings, render

TURNSERVER = shutil.which("turnserver")
# Debian's coturn starts in well under a second; the rest is for a machine busy with browsers.
START_TIMEOUT_S = 20.0

needs_coturn = pytest.mark.skipif(TURNSERVER is None, reason="needs coturn: apt-get install coturn")


def machine_address() -> str:
    """Return an IPv4 address of this machine other than loopback; skip the test on a machine without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; the kernel only picks the source address of a route.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("the machine has no address besides loopback, and coturn must not relay to loopback")
        address: str = probe.getsockname()[0]
    return address


def free_port(address: str, beside: int = 0) -> int:
    """Return a port other than `beside`, free for UDP and TCP now and below coturn's relay ports."""
    for port in range(20000, 32000):
        if port == beside:
            continue
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            contextlib.suppress(OSError),
        ):
            datagrams.bind((address, port))
            stream.bind((address, port))
            return port
    raise AssertionError("no free port")


@contextlib.contextmanager
def running_coturn(settings: TurnSettings, user: str | None = None) -> Iterator[Path]:
    """Run coturn with `settings` until the block ends, then stop it by its process id; gives its log's path.

    `settings` name at least one listening address. `user` is the system user to run as (root can change it).
    """
    assert TURNSERVER is not None
    with tempfile.TemporaryDirectory(prefix="lectern-coturn-") as name:
        directory = Path(name)
        configuration = directory / "turnserver.conf"
        configuration.write_text(render(settings))
        if user is not None:
            shutil.chown(directory, user)
        log_path = directory / "turnserver.log"
        # No pid file and a database of its own: nothing outside the directory is touched.
        command = [TURNSERVER, "-c", str(configuration), "--pidfile=", f"--userdb={directory / 'turndb'}"]
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=name, user=user)
        try:
            _wait_until_it_answers(process, settings, log_path)
            yield log_path
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], settings: TurnSettings, log_path: Path) -> None:
    server = (settings.listening_addresses[0], settings.listening_port)
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    deadline = time.monotonic() + START_TIMEOUT_S
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        while process.poll() is None and time.monotonic() < deadline:
            binding = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
            with contextlib.suppress(OSError):  # refused or silent until it listens
                probe.sendto(bytes(binding), server)
                probe.recv(2048)
                return
    raise AssertionError(f"coturn did not start:\n{log_path.read_text(errors='replace')[-4000:]}")
