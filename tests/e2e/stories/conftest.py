"""One real server for all stories; each application has a tenant of its own on it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import Server, free_media_port, free_port
from tests.signaling.school_client import School


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    http_port, udp_port = free_port(socket.SOCK_STREAM), free_media_port(len(os.sched_getaffinity(0)))
    command = [Path(sys.executable).with_name("lectern"), "serve", "--dev"]
    options = ["--http-port", str(http_port), "--udp-port", str(udp_port)]
    options += ["--data-dir", str(tmp_path_factory.mktemp("data"))]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, env=environ) as process:
        assert b"ready" in process.stdout.readline()
        yield Server(http_port, udp_port, process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


@pytest.fixture
async def school(server, request):
    """The application of one story and its people."""
    async with aiohttp.ClientSession() as http:
        yield School(http, server.page, tenant=request.module.__name__.rpartition(".")[2])
