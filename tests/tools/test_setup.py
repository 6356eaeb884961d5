import functools
import hashlib
import http.server
import io
import subprocess
import threading
import tomllib
import zipfile
from pathlib import Path

import pytest

from tools import build_dataplane, setup

ROOT = Path(__file__).resolve().parents[2]
NAME = setup.UV_WHEELS["x86_64", "glibc"][0]


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index on loopback, in the form of PEP 503; gives a function that offers one wheel."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
        for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(setup.platform, "machine", lambda: "x86_64")
        monkeypatch.setattr(setup.platform, "libc_ver", lambda: ("glibc", "2.36"))

        def offer(name, wheel):
            (tmp_path / "simple" / "uv").mkdir(parents=True, exist_ok=True)
            (tmp_path / "files").mkdir(exist_ok=True)
            (tmp_path / "files" / name).write_bytes(wheel)
            page = f'<html><a href="../../files/{name}#sha256=0">{name}</a></html>'
            (tmp_path / "simple" / "uv" / "index.html").write_text(page)

        yield offer
        server.shutdown()
        thread.join()


def wheel_with(program):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr(f"uv-{setup.UV_VERSION}.data/scripts/uv", program)
    return archive.getvalue()


def pin(monkeypatch, wheel):
    wheels = {("x86_64", "glibc"): (NAME, hashlib.sha256(wheel).hexdigest())}
    monkeypatch.setattr(setup, "UV_WHEELS", wheels)


def test_the_pinned_uv_is_fetched_from_the_configured_index(index, monkeypatch, tmp_path):
    wheel = wheel_with(b"#!/bin/sh\nexit 7\n")
    pin(monkeypatch, wheel)
    index(NAME, wheel)
    monkeypatch.setattr(setup, "STATE", tmp_path)
    uv = setup.find_uv()
    assert uv.read_bytes() == b"#!/bin/sh\nexit 7\n"
    assert uv.stat().st_mode & 0o111


def test_another_file_under_the_pinned_name_is_refused(index, monkeypatch, tmp_path):
    pin(monkeypatch, wheel_with(b"as published"))
    index(NAME, wheel_with(b"tampered with"))
    monkeypatch.setattr(setup, "STATE", tmp_path)
    with pytest.raises(setup.SetupError, match="SHA-256"):
        setup.find_uv()
    assert not (tmp_path / f"uv-{setup.UV_VERSION}").exists()


def test_an_index_without_the_file_is_named(index):
    index("uv-0.0.1-py3-none-any.whl", b"")
    with pytest.raises(setup.SetupError, match="does not offer"):
        setup.fetch_uv_wheel()


def test_a_machine_without_a_pinned_uv_is_told_so(monkeypatch):
    monkeypatch.setattr(setup.platform, "machine", lambda: "sparc64")
    with pytest.raises(setup.SetupError, match="sparc64"):
        setup.fetch_uv_wheel()


@pytest.mark.parametrize(
    ("answer", "suitable"),
    [
        ("v18.19.0", False),  # Debian 12
        ("v20.18.3", False),
        ("v20.19.2", True),  # Debian 13
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.19.0", True),
        ("", False),
        ("node: command not found", False),
    ],
)
def test_which_node_builds_the_page(tmp_path, answer, suitable):
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho '{answer}'\n")
    node.chmod(0o755)
    assert setup.node_is_suitable(str(node)) is suitable


def test_no_node_at_all_is_not_suitable():
    assert not setup.node_is_suitable(None)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty clone, and the commands that setup would have run in it."""
    commands = []
    for name, path in {"ROOT": "", "STATE": ".make", "VENV": ".venv", "WEB": "web"}.items():
        monkeypatch.setattr(setup, name, tmp_path / path)
    for folder in (".make", ".venv/bin", "sfu/dataplane", "sfu/wire", "tools", "web/src", "web/node_modules"):
        (tmp_path / folder).mkdir(parents=True)
    for file in (
        "pyproject.toml",
        "uv.lock",
        "sfu/dataplane/plane.c",
        "sfu/dataplane/plane.h",
        "tools/build_dataplane.py",
        "web/package.json",
        "web/package-lock.json",
        "web/src/main.ts",
    ):
        (tmp_path / file).write_text(file)

    def run(command, _folder, _environment):
        commands.append(" ".join(command[1:]))
        if command[-1] == "build":
            (tmp_path / "web/dist").mkdir(exist_ok=True)
            (tmp_path / "web/dist/index.html").write_text("built")
        if command[1] == "sync":
            (tmp_path / ".venv/bin/lectern").write_text("installed")
        if command[-1] == KERNEL:
            (tmp_path / "sfu/dataplane/_plane.abi3.so").write_text("built")

    monkeypatch.setattr(setup, "run", run)
    monkeypatch.setattr(setup, "find_uv", lambda: tmp_path / "uv")
    monkeypatch.setattr(setup, "node_is_suitable", lambda _node: True)
    monkeypatch.setattr(setup.shutil, "which", lambda name: name)
    return tmp_path, commands


KERNEL = "tools/build_dataplane.py"
SYNC = "sync --frozen --compile-bytecode"
COMPILE = "-m compileall -q classroom recording sfu signaling turn_config"
ALL = [SYNC, COMPILE, KERNEL, "ci --no-audit --no-fund", "run build"]


def test_the_second_start_does_nothing(clone):
    _, commands = clone
    setup.set_up(set())
    assert commands == ALL
    setup.set_up(set())
    assert commands == ALL


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("uv.lock", [SYNC]),
        ("web/src/main.ts", ["run build"]),
        ("web/package-lock.json", ["ci --no-audit --no-fund", "run build"]),
        ("sfu/wire/rtp.py", [COMPILE]),
        ("sfu/dataplane/plane.c", [KERNEL]),
        ("sfu/dataplane/plane.h", [KERNEL]),
    ],
)
def test_a_change_repeats_what_depends_on_it(clone, changed, again):
    folder, commands = clone
    setup.set_up(set())
    (folder / changed).parent.mkdir(exist_ok=True)
    (folder / changed).write_text("changed")
    setup.set_up(set())
    assert commands == ALL + again


def test_groups_that_were_asked_for_once_stay(clone):
    folder, commands = clone
    setup.set_up({"dev"})
    setup.set_up(set())
    (folder / "uv.lock").write_text("changed")
    setup.set_up(set())
    assert [command for command in commands if command.startswith("sync")] == [f"{SYNC} --group dev"] * 2


def test_a_build_that_failed_is_tried_again(clone, monkeypatch):
    folder, commands = clone
    setup.set_up(set())
    (folder / "web/dist/index.html").unlink()
    setup.set_up(set())
    assert commands == [*ALL, "run build"]


ZIG = "sync --frozen --only-group zig"


def test_without_a_compiler_zig_is_fetched_for_the_build_and_removed(clone, monkeypatch):
    folder, commands = clone
    run = setup.run

    def without_compiler(command, *arguments):
        if command[1:] == ZIG.split():
            (folder / ".make/zig/bin").mkdir(parents=True)
        if command[0].endswith(".venv/bin/python") and command[-1] == KERNEL:
            commands.append("none")
            raise subprocess.CalledProcessError(setup.NO_COMPILER, command)
        run(command, *arguments)

    monkeypatch.setattr(setup, "run", without_compiler)
    for _ in range(2):
        setup.set_up(set())
        assert commands == [*ALL[:2], "none", ZIG, *ALL[2:]]
    assert (folder / "sfu/dataplane/_plane.abi3.so").is_file()
    assert not (folder / ".make/zig").exists()


def test_set_up_and_the_build_of_the_data_plane_name_the_same_zig_and_exit_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert build_dataplane.ZIG in project["dependency-groups"][setup.ZIG_GROUP]
    assert build_dataplane.EXIT_NO_COMPILER == setup.NO_COMPILER


def test_without_a_compiler_all_but_the_data_plane_is_set_up(clone, monkeypatch):
    folder, commands = clone
    run = setup.run

    def failing(command, *arguments):
        run(command, *arguments)
        if command[-1] == KERNEL:
            (folder / "sfu/dataplane/_plane.abi3.so").unlink()
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(setup, "run", failing)
    for _ in range(2):
        setup.set_up(set())
        assert commands == ALL
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    setup.set_up(set())
    assert commands == [*ALL, KERNEL]


def test_a_data_plane_that_is_gone_is_built_again(clone):
    folder, commands = clone
    setup.set_up(set())
    (folder / "sfu/dataplane/_plane.abi3.so").unlink()
    setup.set_up(set())
    assert commands == [*ALL, KERNEL]
