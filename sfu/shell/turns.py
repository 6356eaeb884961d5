"""Turns on the event loop for data and handshakes, so that they delay media by at most a millisecond."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

# Work of one pass of the loop. After it every socket is read and every timer served before the next pass.
SLICE_S = 0.001
# What a task does with its turn cannot be measured here: OpenSSL and SCTP take about this for a datagram.
TASK_COST_S = 0.0001


class Turns:
    """A first-in-first-out queue with one entry for each piece of work, so that all peers get equal shares."""

    def __init__(self) -> None:
        """Create the queue; it belongs to the loop of the first turn."""
        self._waiting: deque[Callable[[], None] | asyncio.Future[None]] = deque()
        self._scheduled = False

    def ask(self, action: Callable[[], None]) -> None:
        """Call `action` in its turn. It must not raise."""
        self._waiting.append(action)
        self._schedule()

    async def wait(self) -> None:
        """Wait for the caller's turn for a small piece of work."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._schedule()
        await turn

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        self._scheduled = False
        until = time.monotonic() + SLICE_S
        waiting = self._waiting
        while waiting and time.monotonic() < until:
            turn = waiting.popleft()
            if not isinstance(turn, asyncio.Future):
                turn()
            elif not turn.done():
                turn.set_result(None)
                until -= TASK_COST_S
        if waiting:
            self._schedule()
