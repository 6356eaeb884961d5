"""Syncs files to the disk, and does what may only follow. In a thread, so that a slow disk delays no packet.

A sync takes a millisecond on an idle disk and many on a busy one, and twenty lessons have sixty segments a second.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Syncer(Protocol):
    """Syncs files of owners; what follows the syncs of one owner happens in order."""

    def put(self, owner: object, descriptor: int, then: Callable[[], None]) -> None:
        """Sync a file, then call `then`, perhaps later; the descriptor may be closed. OSError, also of earlier ones."""

    def wait(self, owner: object) -> None:
        """Wait until everything of an owner is done. OSError: something failed, and nothing after it was done."""


class InlineSyncer:
    """Syncs at once."""

    def put(self, _owner: object, descriptor: int, then: Callable[[], None]) -> None:
        """Sync a file, and call `then`. OSError."""
        os.fdatasync(descriptor)
        then()

    def wait(self, owner: object) -> None:
        """Nothing waits."""


@dataclass(frozen=True, slots=True)
class _Work:
    owner: object
    file: tuple[int, int]
    "Device and inode: one sync does for everything that has been put for a file before it."
    descriptor: int
    then: Callable[[], None]


class ThreadSyncer:
    """Syncs in a thread of its own, which ends with the process."""

    def __init__(self) -> None:
        """Start the thread."""
        self._changed = threading.Condition()
        self._waiting: list[_Work] = []
        self._counts: Counter[int] = Counter()
        self._failed: dict[int, OSError] = {}
        threading.Thread(target=self._run, name="syncer", daemon=True).start()

    def put(self, owner: object, descriptor: int, then: Callable[[], None]) -> None:
        """Have a file synced, and `then` called by the thread. OSError of earlier ones."""
        status = os.fstat(descriptor)
        with self._changed:
            self._check(owner)
            work = _Work(owner, (status.st_dev, status.st_ino), os.dup(descriptor), then)
            self._waiting.append(work)
            self._counts[id(owner)] += 1
            self._changed.notify_all()

    def wait(self, owner: object) -> None:
        """Wait until everything of an owner is done. OSError."""
        with self._changed:
            self._changed.wait_for(lambda: not self._counts[id(owner)])
            del self._counts[id(owner)]
            try:
                self._check(owner)
            finally:
                self._failed.pop(id(owner), None)

    def _check(self, owner: object) -> None:
        if id(owner) in self._failed:
            raise self._failed[id(owner)]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch, self._waiting = self._waiting, []
            synced: set[tuple[int, int]] = set()
            for work in batch:
                self._do(work, synced)

    def _do(self, work: _Work, synced: set[tuple[int, int]]) -> None:
        error: OSError | None = None
        try:
            if id(work.owner) not in self._failed:
                if work.file not in synced:
                    os.fdatasync(work.descriptor)
                    synced.add(work.file)
                work.then()
        except OSError as failure:
            error = failure
        finally:
            os.close(work.descriptor)
        with self._changed:
            if error is not None:
                self._failed[id(work.owner)] = error
            self._counts[id(work.owner)] -= 1
            self._changed.notify_all()
