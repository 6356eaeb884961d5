import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tools import build_dataplane
from tools.build_dataplane import (
    LIMITED_API,
    MACHINES,
    OLDEST_PYTHON,
    BuildError,
    CompileError,
    Compiler,
    NoCompilerError,
    build,
    find_compiler,
)

ROOT = Path(__file__).resolve().parents[2]
# EM_X86_64, EM_AARCH64 of the ELF header (elf.h)
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}


def test_a_machine_without_a_compiler_is_told_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    with pytest.raises(NoCompilerError, match="no C compiler"):
        build(tmp_path)
    assert build_dataplane.main() == build_dataplane.EXIT_NO_COMPILER
    assert capsys.readouterr().err.startswith("the native data plane was not built: there is no C compiler")


def test_a_machine_without_headers_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setattr(build_dataplane.sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(NoCompilerError, match="python3-dev"):
        build(tmp_path)


def test_a_compiler_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "false")
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "Python.h").touch()
    monkeypatch.setattr(build_dataplane.sysconfig, "get_path", lambda _name: str(tmp_path / "include"))
    with pytest.raises(CompileError):
        build(tmp_path / "to")
    assert not (tmp_path / "to").exists()


def with_zig(monkeypatch):
    monkeypatch.setattr(build_dataplane.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(build_dataplane.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(build_dataplane.platform, "libc_ver", lambda: ("glibc", "2.36"))


def test_zig_is_taken_where_there_is_no_other_compiler(monkeypatch):
    with_zig(monkeypatch)
    monkeypatch.setenv("CC", "no-such-compiler")
    compiler = find_compiler()
    assert "aarch64-linux-gnu.2.17" in compiler.command
    assert compiler.tag == "cp311-abi3-manylinux_2_17_aarch64"
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setattr(build_dataplane.sysconfig, "get_path", lambda _name: str(LIMITED_API))
    assert find_compiler().command == (sys.executable,)


def test_zig_compiles_for_a_named_processor(monkeypatch):
    with_zig(monkeypatch)
    assert find_compiler("x86_64").tag == "cp311-abi3-manylinux_2_17_x86_64"
    with pytest.raises(NoCompilerError, match="riscv64"):
        find_compiler("riscv64")
    monkeypatch.setattr(build_dataplane.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(NoCompilerError, match="ziglang"):
        find_compiler("x86_64")


def test_our_header_declares_what_the_binding_uses(tmp_path):
    """By the machine's compiler: a change to the binding that needs more is found without Zig."""
    try:
        own = find_compiler()
    except BuildError as error:
        pytest.skip(str(error))
    version = "-DPy_LIMITED_API=0x{:02x}{:02x}0000".format(*OLDEST_PYTHON)
    command = (*own.command, version, "-Wall", "-Wextra", "-Werror=implicit-function-declaration")
    module = build(tmp_path, compiler=Compiler(command, (str(LIMITED_API),), ""))
    script = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("sfu.dataplane._plane", {str(module)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert len(module.ffi.string(module.lib.SOURCE_DIGEST)) == 64
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def zig_python(tmp_path_factory):
    """A Python with Zig, as set-up makes one."""
    uv = next((ROOT / ".make").glob("uv-*"), None)
    if uv is None:
        pytest.skip("set-up has not fetched uv")
    folder = tmp_path_factory.mktemp("zig")
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never"}
    command = [uv, "sync", "--frozen", "--only-group", "zig"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder / "bin" / "python"


def build_by(python, folder, machine):
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, ".")
from tools.build_dataplane import build, find_compiler
build(Path({str(folder)!r}), compiler=find_compiler({machine!r}))
"""
    # no cc, no gcc, no linker
    environment = {"PATH": "/nonexistent", "HOME": str(folder)}
    subprocess.run([python, "-c", script], cwd=ROOT, env=environment, check=True)
    return folder / build_dataplane.NAME


@pytest.mark.long
@pytest.mark.timeout(600)
def test_zig_builds_a_plane_that_forwards(zig_python, tmp_path):
    module = build_by(zig_python, tmp_path, "")
    command = [sys.executable, "-m", "pytest", "-q", "tests/sfu/dataplane/test_plane.py"]
    command += ["tests/sfu/dataplane/test_differential.py", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "LECTERN_TESTED_PLANE": str(module)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\d\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("machine", MACHINES)
def test_zig_builds_for_every_processor(zig_python, tmp_path, machine):
    content = build_by(zig_python, tmp_path, machine).read_bytes()
    assert content[:6] == b"\x7fELF\x02\x01"
    assert struct.unpack_from("<H", content, 18)[0] == ELF_MACHINES[machine]
    assert b"\0PyInit__plane\0" in content
    needed = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"\0GLIBC_([\d.]+)(?=\0)", content)}
    assert needed
    assert max(needed) <= (2, 17)
