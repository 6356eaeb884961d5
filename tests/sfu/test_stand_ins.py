import importlib
import subprocess
import sys

import pytest

from sfu.stand_ins import StandIn, stand_ins


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose import is expensive, with a module that is wanted and one that is not."""
    folder = tmp_path / "heavy"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import light, unwanted\n")
    (folder / "unwanted.py").write_text("class Unwanted:\n    REAL = True\n")
    (folder / "light.py").write_text("from .unwanted import Unwanted\n\ndef use(_: Unwanted): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [each for each in sys.modules if each.partition(".")[0] == "heavy"]:
        del sys.modules[name]


def test_a_module_is_imported_without_its_package(package):
    with stand_ins("heavy", "heavy.unwanted"):
        from heavy import light

        assert isinstance(sys.modules["heavy.unwanted"], StandIn)
    assert not hasattr(light.use.__annotations__["_"], "REAL")


def test_afterwards_the_package_can_be_imported_in_full(package):
    with stand_ins("heavy", "heavy.unwanted"):
        from heavy import light as first
    import heavy

    assert heavy.unwanted.Unwanted.REAL
    assert heavy.light is not first
    assert heavy.light.use.__annotations__["_"] is heavy.unwanted.Unwanted


def test_what_was_imported_before_stays(package):
    import heavy

    with stand_ins("heavy", "heavy.unwanted"):
        from heavy import light
    assert light is heavy.light
    assert sys.modules["heavy"] is heavy


def test_a_module_that_does_not_exist_is_reported_as_usual(package):
    with pytest.raises(ImportError), stand_ins("heavy"):
        importlib.import_module("heavy.missing")
    assert "heavy" not in sys.modules


# What one process of a server at rest does without, with what it costs.
HEAVY = {
    "sfu.shell.worker": [
        *["aiohttp", "sqlalchemy"],
        *["aiortc.codecs", "aiortc.rtcpeerconnection", "av"],  # 16 MB
        *["aioice.ice", "dns"],  # 4 MB
    ],
    "signaling.app": [
        *["aioice", "aiortc", "numpy", "OpenSSL", "pylibsrtp"],  # the worker's: 30 MB
        *["sqlalchemy.orm"],  # 6 MB
        *["alembic", "mako"],  # 13 MB
        *["faster_whisper", "icalendar", "obstore", "PIL", "pycrdt", "pypdfium2"],
    ],
    "signaling.cli": ["aiohttp", "cryptography", "jwt", "sqlalchemy", "signaling.app"],
}


@pytest.mark.parametrize("module", HEAVY)
def test_a_process_starts_without_what_it_does_not_need_at_rest(module):
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(HEAVY[module]) & set(loaded.stdout.split()) == set()
