"""One listener of a session: the messages that wait for it, bounded."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from classroom.base import SERVER
from classroom.ids import PersonId

# A page with this much unread data is disconnected; it reconnects with the number of its last event.
MAX_WAITING: Final = 1_000
MAX_WAITING_BYTES: Final = 4 * 1024 * 1024

CAPTIONS: Final = "captions"
"Kind of the messages that are no part of the log: they have no number, and are not repeated."


@dataclass(frozen=True, slots=True)
class FeedMessage:
    """One message of a feed."""

    kind: str
    "state, events, captions or end."
    seq: int
    "Number of the last event that it covers: where to continue after a cut."
    data: bytes
    "JSON; the same in each transport."


@dataclass(eq=False, slots=True)
class Feed:
    """A follower of a session; `person` is empty for the application, which sees everything."""

    person: PersonId = SERVER
    outside: bool = False
    "Waits at the door: gets the whole state on coming in."
    overrun: bool = False
    "Too slow: was cut off."
    _waiting: deque[FeedMessage] = field(default_factory=deque)
    _bytes: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    def put(self, message: FeedMessage) -> None:
        """Queue a message; a feed that is not read ends."""
        if self._ended:
            return
        self._waiting.append(message)
        self._bytes += len(message.data)
        if len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            self.overrun = True
            self._waiting.clear()
            self.end()
        self._wake.set()

    def put_first(self, messages: Sequence[FeedMessage]) -> None:
        """Queue the requested events before the later ones."""
        self._waiting.extendleft(reversed(messages))
        self._bytes += sum(len(message.data) for message in messages)
        self._wake.set()

    def end(self) -> None:
        """Deliver what waits, and nothing after it."""
        self._ended = True
        self._wake.set()

    async def next(self) -> FeedMessage | None:
        """Return the next message, None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message.data)
        return message
