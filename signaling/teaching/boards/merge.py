"""The child process that merges updates of a CRDT: `python -m signaling.teaching.boards.merge`.

Updates come from browsers, and the library that decodes them is native code. Standard input is a MessagePack list of
updates, standard output one update with all of them, without those that cannot be decoded. The kernel ends the process
when it exceeds its limits.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from signaling.teaching.children.limits import limit_resources

# 5,000 strokes of 430 bytes took 0.24 s on 2026-11-28.
CPU_S: Final = 10
# 128 times the largest page.
MEMORY_BYTES: Final = 1024 * 2**20


def merged(updates: Sequence[bytes]) -> bytes:
    """Return one update with all of them; updates without predecessors stay pending. ValueError if none is valid."""
    from pycrdt import merge_updates  # noqa: PLC0415 - the server imports this module for its name alone

    good = []
    for update in updates:
        # Panics of the library derive from BaseException.
        with suppress(BaseException):
            merge_updates(update)
            good.append(update)
    if not good:
        raise ValueError("no update can be decoded")
    return merge_updates(*good)


def main() -> int:
    """Merge the updates on standard input; return the exit status."""
    limit_resources(CPU_S, MEMORY_BYTES)
    updates = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[bytes])
    try:
        sys.stdout.buffer.write(merged(updates))
    except ValueError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
