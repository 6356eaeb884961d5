import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.build_dataplane import NAME, BuildError, build

ROOT = Path(__file__).resolve().parents[2]


def built(folder, **environment):
    """The one wheel that Hatch makes of the checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
    (wheel,) = folder.iterdir()
    return wheel


def test_a_wheel_without_a_compiler_fits_every_machine(tmp_path):
    wheel = built(tmp_path, CC="no-such-compiler")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "sfu/dataplane/plane.c" in names
    assert not [name for name in names if name.endswith(".so")]


def test_a_wheel_with_the_data_plane_names_its_machine(tmp_path):
    try:
        build(tmp_path / "kernel")
    except BuildError as error:
        pytest.skip(f"the native data plane cannot be built here: {error}")
    wheel = built(tmp_path / "wheel")
    assert re.search(r"-cp3\d+-abi3-linux_\w+\.whl$", wheel.name)
    archive = zipfile.ZipFile(wheel)
    archive.extract(f"sfu/dataplane/{NAME}", tmp_path)
    spec = importlib.util.spec_from_file_location(
        "sfu.dataplane._plane", tmp_path / "sfu" / "dataplane" / NAME
    )
    assert hasattr(importlib.util.module_from_spec(spec), "lib")
