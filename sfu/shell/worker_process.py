"""A worker process as the process that started it sees it: its socket, its answers, its end."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sfu.settings import MediaSettings
from sfu.shell import child, messages

if TYPE_CHECKING:
    from sfu.values import PeerId, RoomId

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 3.0
# A replacement may start on a machine that is busy with the reconnects of its people, so it is given longer.
NEVER_READY_S = 60.0
# Each worker is pinged this often, and answers from the loop that serves its media.
PING_INTERVAL_S = 0.5
# A worker that has not answered for so many intervals gets nothing new, and `/readyz` does not count it. After the
# second number it is killed and replaced; after the third if its data plane still forwards media, since a new worker
# would interrupt everybody's. A full collection or a large offer takes less than 0.1 s.
DOUBTED_AFTER, HUNG_AFTER, STALLED_AFTER = 3, 7, 20
# Orders that a worker has not read. Above the first figure, messages of data channels are refused; above the second the
# worker is as good as hung. The joins of 1,000 peers are some 5 MB.
DATA_BACKLOG_BYTES, MAX_BACKLOG_BYTES = 8 << 20, 16 << 20


# The name of the data plane's thread (plane.c), and twice the longest time that it sleeps.
_MEDIA_THREAD, _SLEEP_S = "media", 2.0


class MediaThread:
    """The thread of a worker's data plane, as the operating system shows it (proc(5))."""

    def __init__(self, pid: int) -> None:
        """`pid` is that of the worker."""
        self._tasks = Path("/proc", str(pid), "task")
        self._switches = ""
        self._ran_at = float("-inf")

    def runs(self, now: float) -> bool:
        """Return whether the thread has run in the last seconds; call this several times a second."""
        switches = self._read()
        if switches != self._switches:
            if self._switches:
                self._ran_at = now
            self._switches = switches
        return bool(switches) and now - self._ran_at < _SLEEP_S

    def _read(self) -> str:
        """Return how often the thread has slept; empty if there is no such thread."""
        with contextlib.suppress(OSError):
            for task in self._tasks.iterdir():
                status = (task / "status").read_text()
                if status.startswith(f"Name:\t{_MEDIA_THREAD}\n"):
                    return status.rpartition("\nvoluntary_ctxt_switches:")[2].partition("\n")[0]
        return ""


class WorkerProcess:
    """A worker process, its socket and its peers."""

    def __init__(
        self, settings: MediaSettings, on_notification: Callable[["WorkerProcess", str, msgspec.Raw], None]
    ) -> None:
        self.settings = settings
        self.peers: dict[PeerId, RoomId] = {}
        "Room by peer."
        self.alive = False
        "It has its port and has not ended."
        self.unanswered = 0
        "Pings in a row without an answer."
        self.dropped_data = 0
        self.udp_port = 0
        self.metrics: dict[str, float] = {}
        self._on_notification = on_notification
        self._writer: asyncio.StreamWriter | None = None
        self._ends = False
        self.process: asyncio.subprocess.Process | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Start the process, and read its notifications until it ends."""
        self.process, reader, self._writer = await child.start(
            "sfu.shell.worker", msgspec.json.encode(self.settings).decode()
        )
        if self._ends:
            self._writer.close()
        watch = asyncio.create_task(self._watch())
        try:
            while (body := await messages.read_frame(reader)) is not None:
                self._on_notification(self, *messages.read_notification(body))
        finally:
            watch.cancel()
            self.alive = False
            self._writer.transport.abort()  # a hung worker reads nothing more of what waits for it
            if self.process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_TIMEOUT_S):
                        await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()

    @property
    def answers(self) -> bool:
        """Return whether it is ready and has answered recently, so that new rooms can be placed on it."""
        return self.alive and self.unanswered < DOUBTED_AFTER

    @property
    def starts(self) -> bool:
        """Return whether its process runs and is not ready yet; it then reads what it was sent meanwhile."""
        return self._writer is not None and not self.ready.done()

    async def _watch(self) -> None:
        """Kill the process if it does not become ready or no longer answers."""
        try:
            async with asyncio.timeout(NEVER_READY_S):
                await asyncio.shield(self.ready)
        except TimeoutError:
            self.kill("is not ready")
        except OSError:
            return  # it says why, and ends
        loop = asyncio.get_running_loop()
        assert self.process is not None
        media = MediaThread(self.process.pid)
        while True:
            sent_at = loop.time()
            self.send_command(0, messages.PING, ())
            await asyncio.sleep(PING_INTERVAL_S)
            if loop.time() - sent_at < 2 * PING_INTERVAL_S:
                self.unanswered += 1
            # else this process itself did not run (stopped, or its machine suspended), and the answers wait to be read
            if self.unanswered < DOUBTED_AFTER:
                continue
            runs = media.runs(loop.time())
            if self.unanswered >= (STALLED_AFTER if runs else HUNG_AFTER):
                self.kill(f"has not answered for {self.unanswered * PING_INTERVAL_S} s")

    def heard(self) -> None:
        """Record the answer to a ping."""
        self.unanswered = 0

    def kill(self, why: str) -> None:
        """Kill the process; `run` then ends as if the process had died."""
        self.alive = False
        if self.process is not None and self.process.returncode is None:
            logger.error("worker process %d %s: it is killed", self.process.pid, why)
            self.process.kill()

    def send_command(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Send a command; drop it if the process has ended, as its peers have."""
        if self._writer is None or self._writer.is_closing():
            return
        if self.backlog > MAX_BACKLOG_BYTES:
            if self.alive:
                self.kill(f"leaves {self.backlog} bytes of commands unread")
        else:
            self._writer.write(messages.frame((number, name, arguments)))

    @property
    def backlog(self) -> int:
        """Return the size in bytes of the orders that the process has not read."""
        return self._writer.transport.get_write_buffer_size() if self._writer is not None else 0

    def hang_up(self) -> None:
        """Tell the process to end."""
        self._ends = True
        if self._writer is not None:
            self._writer.close()
