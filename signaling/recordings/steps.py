"""Steps that are done after a recording's end: each is claimed by a lease, and tried again with growing waits."""

from collections.abc import Callable
from typing import Final

import msgspec

from sfu.values import RecordingId
from signaling.store import Store

_NAMESPACE: Final = "recording steps"

LEASE_S: Final = 600.0
"A step whose lease has expired was left by a server that ended, and is claimed again."
MAX_ATTEMPTS: Final = 5
# The waits between attempts double from the first to the last of these.
FIRST_RETRY_S: Final = 30.0
LAST_RETRY_S: Final = 3600.0


class Step(msgspec.Struct, frozen=True):
    """The state of a step."""

    version: int = 0
    "Of the program that has done it; 0: not done."
    attempts: int = 0
    "Failures in a row."
    claimed_until: float = 0.0
    next_at: float = 0.0
    error: str = ""
    "Of the last attempt."

    def is_due(self, version: int, now: float) -> bool:
        """Whether a program of this version has to do the step now."""
        return (
            self.version < version
            and self.attempts < MAX_ATTEMPTS
            and self.claimed_until <= now
            and self.next_at <= now
        )

    def is_given_up(self, version: int) -> bool:
        """Whether the step has failed for good."""
        return self.version < version and self.attempts >= MAX_ATTEMPTS

    def failed(self, now: float, error: str) -> "Step":
        """Return the state after a failure."""
        wait_s = min(FIRST_RETRY_S * 2**self.attempts, LAST_RETRY_S)
        return Step(self.version, self.attempts + 1, 0.0, now + wait_s, error)


class Steps:
    """The states of one kind of step for all recordings. A database has one server, so claims need no lock."""

    def __init__(self, store: Store, name: str, version: int, wall_clock: Callable[[], float]) -> None:
        """`version` is that of this program; steps done by an older one are done again."""
        self._store = store
        self._name = name
        self._version = version
        self._wall_clock = wall_clock

    async def get(self, recording_id: RecordingId) -> Step:
        """Return the state of a step. StoreError."""
        found = await self._store.documents.get(_NAMESPACE, self._key(recording_id))
        return Step() if found is None else msgspec.convert(found, Step)

    async def claim(self, recording_id: RecordingId) -> Step | None:
        """Claim a step if it is due; None if it is not. StoreError."""
        step, now = await self.get(recording_id), self._wall_clock()
        if not step.is_due(self._version, now):
            return None
        return await self._put(recording_id, msgspec.structs.replace(step, claimed_until=now + LEASE_S))

    async def renew(self, recording_id: RecordingId, step: Step) -> Step:
        """Extend a lease. StoreError."""
        until = self._wall_clock() + LEASE_S
        return await self._put(recording_id, msgspec.structs.replace(step, claimed_until=until))

    async def done(self, recording_id: RecordingId) -> None:
        """Note that a step has been done by this version. StoreError."""
        await self._put(recording_id, Step(self._version))

    async def failed(self, recording_id: RecordingId, step: Step, error: str) -> Step:
        """Note a failure, and when to try again. StoreError."""
        return await self._put(recording_id, step.failed(self._wall_clock(), error))

    async def released(self, recording_id: RecordingId, step: Step) -> None:
        """Give a claim back. StoreError."""
        await self._put(recording_id, msgspec.structs.replace(step, claimed_until=0.0))

    async def forget(self, recording_id: RecordingId) -> None:
        """Remove the state of a step. StoreError."""
        await self._store.documents.delete(_NAMESPACE, self._key(recording_id))

    def is_given_up(self, step: Step) -> bool:
        """Whether a step has failed for good."""
        return step.is_given_up(self._version)

    def is_done(self, step: Step) -> bool:
        """Whether a step has been done by this version."""
        return step.version >= self._version

    async def _put(self, recording_id: RecordingId, step: Step) -> Step:
        await self._store.documents.put(_NAMESPACE, self._key(recording_id), msgspec.to_builtins(step))
        return step

    def _key(self, recording_id: RecordingId) -> str:
        return f"{self._name}/{recording_id}"
