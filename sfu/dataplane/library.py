"""The compiled module of the data plane, if it was built from the present sources."""

import hashlib
import importlib
import logging
from pathlib import Path
from typing import Any

from sfu.fanout.row_buffer import COLUMN

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent


def sources() -> list[Path]:
    """Return the C files and headers."""
    return sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h")))


def digest() -> str:
    """Return the digest of the C sources."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources())).hexdigest()


def load() -> Any:
    """Return the compiled module; None if it was not built from the present sources."""
    try:
        module = importlib.import_module("sfu.dataplane._plane")
    except ImportError:
        return None
    if module.ffi.string(module.lib.SOURCE_DIGEST).decode() != digest():
        logger.warning("the native data plane is out of date and not used; `make setup` builds it anew")
        return None
    assert module.ffi.sizeof("struct column") == COLUMN.itemsize
    return module
