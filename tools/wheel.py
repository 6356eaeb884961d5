"""A build hook of Hatch: adds the built page and the data plane to the wheel.

LECTERN_WHEEL_MACHINE=x86_64 or aarch64 makes a wheel for any Linux on that processor (`make wheels`). Without it, the
wheel is for this machine. Where no C compiler is found, the build environment gets Zig's.
"""

import os
import platform
import runpy
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltInWheel(BuildHookInterface[Any]):
    """Adds `web/dist` as `signaling/http/_page` and the C module as `sfu/dataplane/_plane.abi3.so`."""

    def dependencies(self) -> list[str]:
        """Return what the isolated build environment needs beside `build-system.requires`."""
        tool, machine = self._tool(), _machine()
        if machine or (sys.platform == "linux" and platform.machine() in tool["MACHINES"]):
            try:
                tool["find_compiler"](machine)
            except tool["NoCompilerError"]:
                return [tool["ZIG"]]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files that exist; an editable install uses the checkout's own instead."""
        if version == "editable":
            return
        if Path(self.root, "web", "dist", "index.html").is_file():
            build_data["force_include"]["web/dist"] = "signaling/http/_page"
        tool, machine = self._tool(), _machine()
        try:
            compiler = tool["find_compiler"](machine)
            module = tool["build"](Path(self.directory, "dataplane"), compiler=compiler)
        except tool["BuildError"] as error:
            if machine:
                raise
            self.app.display_warning(f"the wheel has no native data plane: {error}")
            return
        build_data["force_include"][str(module)] = f"sfu/dataplane/{module.name}"
        build_data["pure_python"] = False
        build_data["tag"] = compiler.tag

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove the temporary build of the data plane."""
        for file in Path(self.directory, "dataplane").glob("*"):
            file.unlink()
        if Path(self.directory, "dataplane").is_dir():
            Path(self.directory, "dataplane").rmdir()

    def _tool(self) -> dict[str, Any]:
        return runpy.run_path(str(Path(self.root, "tools", "build_dataplane.py")))


def _machine() -> str:
    return os.environ.get("LECTERN_WHEEL_MACHINE", "")
