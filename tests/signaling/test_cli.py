"""The command line as a user has it: programs, exit codes, what is printed."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from signaling import cli
from signaling.access import tokens
from signaling.config import DEV_KEYS

KEY = "key: " + "s" * 32


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("LECTERN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LECTERN_DATA_DIR", str(tmp_path / "data"))
    yield
    # `serve` in this process has sent the log to a stream that pytest closes
    logging.basicConfig(handlers=[], level=logging.WARNING, force=True)


def test_a_token_can_be_printed(capsys):
    arguments = ["token", "--dev", "--room", "maths", "--identity", "ada", "--name", "Ada", "--ttl", "30m"]
    assert cli.main(arguments) == 0
    claims = tokens.verify(capsys.readouterr().out.strip(), DEV_KEYS, time.time())
    tokens.check_join(claims)
    assert (claims.room, claims.identity, claims.name) == ("maths", "ada", "Ada")
    assert abs(claims.expires_at - time.time() - 1800) < 60
    assert claims.permissions.can_publish
    assert not claims.permissions.hidden


def test_a_restricted_token_can_be_printed(capsys, monkeypatch):
    monkeypatch.setenv("LECTERN_KEYS", KEY)
    assert cli.main(["token", "--room", "r", "--identity", "i", "--no-publish", "--hidden"]) == 0
    claims = tokens.verify(capsys.readouterr().out.strip(), {"key": "s" * 32}, time.time())
    permissions = claims.permissions
    assert (permissions.can_publish, permissions.can_publish_data, permissions.hidden) == (False, False, True)
    assert permissions.can_subscribe


def link(capsys, *arguments):
    assert cli.main(["link", "--dev", *arguments]) == 0
    address, _, token = capsys.readouterr().out.strip().partition("#token=")
    return address, tokens.verify(token, DEV_KEYS, time.time())


def test_a_link_that_opens_the_page_can_be_printed(capsys):
    public = ["--public-url", "https://school.example/lectern/"]
    arguments = ["--room", "Maths 1/ä", "--identity", "ada", "--ttl", "1h"]
    address, claims = link(capsys, *arguments, *public)
    assert address == "https://school.example/lectern/join/Maths%201%2F%C3%A4"
    tokens.check_join(claims)
    assert (claims.room, claims.identity, claims.name) == ("Maths 1/ä", "ada", "")
    assert claims.permissions.can_update_own_metadata  # the page asks for a name
    address, claims = link(
        capsys, "--room", "maths", "--identity", "ben", "--name", "Ben", "--http-port", "7000"
    )
    assert address == "http://127.0.0.1:7000/join/maths"
    assert (claims.name, claims.permissions.can_update_own_metadata) == ("Ben", False)


def test_the_version_can_be_printed(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert re.fullmatch(r"lectern \d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["link", "--dev", "--room", "..", "--identity", "i"], 3, "no link"),
        (["link", "--dev", "--room", "r" * 257, "--identity", "i"], 3, "--room has more than 256"),
        (["turn-config"], 3, "--turn-secret"),
        (["serve"], 3, "LECTERN_KEYS"),
        (["token", "--room", "r", "--identity", "i"], 3, "LECTERN_KEYS"),
        (["serve", "--config", "/does/not/exist"], 3, "cannot be read"),
        (["serve", "--dev", "--turn-url", "nonsense", "--turn-secret", "x"], 3, "TURN"),
        (["serve", "--dev", "--turn-url", "turn:r.example", "--turn-secret", "\u00fc" * 40], 3, "TURN"),
        (["db", "upgrade", "--database-url", "mysql://ada@db.example/x"], 3, "postgresql://"),
        (["turn-config", "--media-address", "192.0.2.1"], 3, "give it by --turn-secret"),
        (["turn-config", "--turn-secret", "s" * 40], 3, "--media-address"),
        (["turn-config", "--turn-secret", "short", "--media-address", "192.0.2.1"], 3, "TURN secret"),
        (["turn-config", "--turn-secret", "s" * 40, "--media-address", "127.0.0.1"], 3, "127.0.0.1"),
    ],
)
def test_a_refused_configuration_has_its_exit_code(arguments, code, text, capsys):
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.err.startswith("lectern: ")
    assert len(captured.err.splitlines()) == 1


def test_a_weak_secret_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("LECTERN_KEYS", "key: hush-hush")
    assert cli.main(["serve"]) == 3
    message = capsys.readouterr().err
    assert "32" in message
    assert "hush" not in message


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["serve", "--http-port", "x"], ["token", "--room", "r"], ["token", "--ttl", "soon"]],
)
def test_a_senseless_command_line_has_its_exit_code(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_coturns_configuration_can_be_printed(capsys):
    arguments = ["turn-config", "--turn-secret", "s" * 40, "--external-ip", "192.0.2.1", "--udp-port", "7000"]
    assert cli.main(arguments) == 0
    assert f"static-auth-secret={'s' * 40}" in capsys.readouterr().out
    tls = [
        "--tls-port",
        "443",
        "--cert",
        "/etc/c.pem",
        "--key",
        "/etc/k.pem",
        "--listening-address",
        "192.0.2.9",
    ]
    assert cli.main([*arguments, *tls, "--realm", "school.example"]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = {"tls-listening-port=443", "cert=/etc/c.pem", "listening-ip=192.0.2.9", "realm=school.example"}
    assert expected <= set(lines)
    assert cli.main([*arguments, "--firewall"]) == 0
    firewall = capsys.readouterr().out
    assert "192.0.2.1" in firewall
    assert "7000" in firewall


def test_a_sample_file_can_be_printed(capsys):
    assert cli.main(["config-sample"]) == 0
    assert "# http_port = 7880" in capsys.readouterr().out


def lectern(*arguments, **environ):
    return subprocess.Popen(
        [sys.executable, "-m", "signaling.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def memory(pid):
    """Return what a process holds, in MB: its private memory, and its share of all (`smaps_rollup` of proc(5))."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(
        int(re.search(rf"^{name}: +(\d+) kB", text, re.MULTILINE)[1]) / 1024 for name in ("Pss_Anon", "Pss")
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_where_it_is_and_ends_cleanly(number):
    with lectern("serve", "--dev", "--http-port", "0", "--udp-port", "0", "--workers", "1") as process:
        lines = [process.stdout.readline() for _ in range(4)]
        port = int(re.search(r"http://localhost:(\d+)", lines[0])[1])
        assert "UDP" in lines[2]
        assert "devkey" in lines[3]
        assert "secret" in lines[3]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            assert response.status == 200
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        private, share = map(sum, zip(*map(memory, [process.pid, *children]), strict=True))
        # 96 and 105 MB with Python 3.11; tests/sfu/test_stand_ins.py names the module that should not be there
        assert private < 115
        assert share < 150
        process.send_signal(number)
        assert process.wait(10) == 0
        errors = process.stderr.read()
        assert "Traceback" not in errors
        assert [line.partition("signaling.app: ")[2] for line in errors.splitlines()[-2:]] == [
            "stopping: 0 participants are disconnected",
            "stopped",
        ]


def test_all_that_a_server_writes_for_machines_is_json():
    arguments = [
        "serve",
        "--dev",
        "--http-port",
        "0",
        "--udp-port",
        "0",
        "--workers",
        "0",
        "--log-format",
        "json",
    ]
    with lectern(*arguments) as process:
        first = process.stderr.readline()
        process.terminate()
        printed, errors = process.communicate(timeout=20)
    assert printed == ""
    messages = [json.loads(line)["message"] for line in (first, *errors.splitlines())]
    assert messages[0].startswith("Lectern is ready: http://localhost:")
    assert messages[-1] == "stopped"


@pytest.mark.parametrize(
    ("kind", "flag"), [(socket.SOCK_STREAM, "--http-port"), (socket.SOCK_DGRAM, "--udp-port")]
)
def test_a_taken_port_is_one_clear_line(kind, flag):
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = str(taken.getsockname()[1])
        other = "--udp-port" if flag == "--http-port" else "--http-port"
        with lectern("serve", "--dev", "--workers", "1", flag, port, other, "0") as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 4
    assert errors.strip().splitlines()[-1].startswith("lectern: cannot listen")
    assert f"port {port}" in errors
    assert "address already in use" in errors
    assert "Traceback" not in errors


def test_an_unusable_data_folder_is_a_refused_configuration(tmp_path):
    (tmp_path / "file").write_text("")
    with lectern("serve", "--dev", "--workers", "1", "--data-dir", str(tmp_path / "file")) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert errors.startswith("lectern: the data folder")


def test_the_database_can_be_made_beforehand(tmp_path, capsys):
    assert cli.main(["db", "upgrade"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert (tmp_path / "data" / "lectern.db").is_file()


def test_a_data_folder_has_one_server(tmp_path):
    ports = ["--http-port", "0", "--udp-port", "0", "--workers", "1"]
    with lectern("serve", "--dev", *ports) as first:
        assert "ready" in first.stdout.readline()
        with lectern("serve", "--dev", *ports) as second:
            _, errors = second.communicate(timeout=20)
        first.terminate()
        first.communicate(timeout=20)
    assert second.returncode == 3
    assert errors.startswith("lectern: another server uses the data folder")


def test_a_server_keeps_its_things_in_postgresql(postgres, tmp_path):
    url = postgres()
    arguments = ["serve", "--dev", "--http-port", "0", "--udp-port", "0", "--workers", "1"]
    with lectern(*arguments, "--database-url", url) as first:
        assert "ready" in first.stdout.readline()
        with lectern(*arguments, "--database-url", url, "--data-dir", str(tmp_path / "other")) as second:
            _, errors = second.communicate(timeout=20)
        first.terminate()
        first.communicate(timeout=20)
    assert (first.returncode, second.returncode) == (0, 3)
    assert errors.strip().splitlines()[-1] == "lectern: another server uses this database"


def test_outside_dev_mode_the_secret_is_not_printed():
    environ = {"LECTERN_KEYS": KEY, "LECTERN_HOST": "127.0.0.1"}
    with lectern("serve", "--http-port", "0", "--udp-port", "0", **environ) as process:
        line = process.stdout.readline()
        process.terminate()
        rest, errors = process.communicate(timeout=20)
    assert "Lectern is ready" in line
    assert "s" * 32 not in line + rest + errors
    assert process.returncode == 0
