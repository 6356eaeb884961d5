import sys

import pytest

from tools import build_dataplane
from tools.build_dataplane import BuildError, CompileError, build


def test_a_machine_without_a_compiler_is_told_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    with pytest.raises(BuildError, match="no C compiler"):
        build(tmp_path)
    assert build_dataplane.main() == 1
    assert capsys.readouterr().err.startswith("the native data plane was not built: there is no C compiler")


def test_a_machine_without_headers_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setattr(build_dataplane.sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(BuildError, match="python3-dev"):
        build(tmp_path)


def test_a_compiler_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "false")
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "Python.h").touch()
    monkeypatch.setattr(build_dataplane.sysconfig, "get_path", lambda _name: str(tmp_path / "include"))
    with pytest.raises(CompileError):
        build(tmp_path / "to")
    assert not (tmp_path / "to").exists()
