"""A build hook of Hatch: what is built goes into the wheel too, the page and, where a compiler made it, the kernel."""

import runpy
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltInWheel(BuildHookInterface[Any]):
    """Adds `web/dist` as `signaling/http/_page` and the C module as `sfu/shell/_kernel.abi3.so`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do so with what there is; an editable install uses the checkout's own instead."""
        if version == "editable":
            return
        if Path(self.root, "web", "dist", "index.html").is_file():
            build_data["force_include"]["web/dist"] = "signaling/http/_page"
        tool = runpy.run_path(str(Path(self.root, "tools", "build_kernel.py")))
        try:
            module = tool["build"](Path(self.directory, "kernel"))
        except tool["BuildError"] as error:
            self.app.display_warning(f"the wheel has no native kernel: {error}")
            return
        build_data["force_include"][str(module)] = f"sfu/shell/{module.name}"
        build_data["pure_python"] = False
        # the limited API is that of the Python that built it, and of all later ones
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp{sys.version_info.major}{sys.version_info.minor}-abi3-{platform}"

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove what was built on the way."""
        for file in Path(self.directory, "kernel").glob("*"):
            file.unlink()
        if Path(self.directory, "kernel").is_dir():
            Path(self.directory, "kernel").rmdir()
