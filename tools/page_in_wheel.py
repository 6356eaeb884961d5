"""A build hook of Hatch: the built page goes into the wheel, so that an installed package serves it."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageInWheel(BuildHookInterface[Any]):
    """Adds `web/dist` as `signaling/_page`, where the server looks first."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do so where there is a built page; an editable install serves it from the checkout instead."""
        if version != "editable" and Path(self.root, "web", "dist", "index.html").is_file():
            build_data["force_include"]["web/dist"] = "signaling/_page"
