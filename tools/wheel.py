"""A build hook of Hatch: adds the built page and, if a C compiler is available, the data plane to the wheel."""

import runpy
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltInWheel(BuildHookInterface[Any]):
    """Adds `web/dist` as `signaling/http/_page` and the C module as `sfu/dataplane/_plane.abi3.so`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files that exist; an editable install uses the checkout's own instead."""
        if version == "editable":
            return
        if Path(self.root, "web", "dist", "index.html").is_file():
            build_data["force_include"]["web/dist"] = "signaling/http/_page"
        tool = runpy.run_path(str(Path(self.root, "tools", "build_dataplane.py")))
        try:
            module = tool["build"](Path(self.directory, "dataplane"))
        except tool["BuildError"] as error:
            self.app.display_warning(f"the wheel has no native data plane: {error}")
            return
        build_data["force_include"][str(module)] = f"sfu/dataplane/{module.name}"
        build_data["pure_python"] = False
        # the limited API of the Python version that built the module, and of all later versions
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp{sys.version_info.major}{sys.version_info.minor}-abi3-{platform}"

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove the temporary build of the data plane."""
        for file in Path(self.directory, "dataplane").glob("*"):
            file.unlink()
        if Path(self.directory, "dataplane").is_dir():
            Path(self.directory, "dataplane").rmdir()
