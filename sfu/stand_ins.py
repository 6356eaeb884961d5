"""Imports one module of a library without the rest of that library.

Some packages load much more than a server at rest needs: aiortc loads FFmpeg beside its DTLS transport, aioice a DNS
library beside its STUN codec, and SQLAlchemy's asyncio extension the object-relational mapper. While a `stand_ins`
block runs, the named modules are empty ones, so that the imports in the block skip them. The type checker and the
import rules still see ordinary import statements. It works if the imported modules use the skipped ones in annotations
only; `tests/sfu/test_stand_ins.py` and `tests/sfu/test_contract.py` guard that.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class StandIn(ModuleType):
    """An empty module in which every name is a class without contents."""

    def __init__(self, name: str) -> None:
        """Stand in for the module `name`; submodules of a package are found where they are."""
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__path__ = [str(Path(folder, *name.split(".")[1:])) for folder in _top_level_folders(name)]

    def __getattr__(self, name: str) -> type:
        """Return an empty class; for the name of a submodule, let the import system import it."""
        if (
            name.startswith("__")
            or PathFinder.find_spec(f"{self.__name__}.{name}", self.__path__) is not None
        ):
            raise AttributeError(name)
        return type(name, (), {})


@contextmanager
def stand_ins(*names: str) -> Iterator[None]:
    """Replace these modules during the block, except for those that have been imported already.

    Afterwards the modules can be imported in full. Submodules of theirs that the block imported are then loaded a
    second time, so that no full module contains an empty class.
    """
    replaced = [name for name in names if name not in sys.modules]
    sys.modules.update({name: StandIn(name) for name in replaced})
    try:
        yield
    finally:
        for loaded in [*sys.modules]:
            if any(loaded == name or loaded.startswith(f"{name}.") for name in replaced):
                del sys.modules[loaded]


def _top_level_folders(name: str) -> list[str]:
    spec = PathFinder.find_spec(name.partition(".")[0])
    return [] if spec is None else list(spec.submodule_search_locations or ())
