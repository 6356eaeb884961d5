"""A process that carries the media of some rooms: an engine that reads commands from a socket and writes events to it.

`sfu.shell.workers` starts it as `python -m sfu.shell.worker FD SETTINGS`. It ends when the socket does, so it never
outlives the process that started it.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from sfu.settings import MediaSettings
from sfu.shell import messages
from sfu.shell.messages import frame
from sfu.shell.server import MediaServer
from sfu.values import DataReceived, EngineError, Event, MediaError

logger = logging.getLogger(__name__)

METRICS_INTERVAL_S = 1.0
# What may wait for the first process while that is stopped, before dispensable notifications are dropped.
MAX_BACKLOG_BYTES = 8 << 20
_SPARED = frozenset({"message", "metrics", "log"})
# What the first process has not read yet. Above it, messages of data channels wait at their senders or are dropped.
MAX_DATA_BACKLOG_BYTES = 256 * 1024
# Orders are obeyed for so long before media gets its turn.
SLICE_S = 0.001


class Worker:
    """Serves one engine over one socket."""

    def __init__(self, settings: MediaSettings) -> None:
        """Create it; `run` opens the engine."""
        self._media = MediaServer(settings, self._event, self._is_behind)
        self._writer: asyncio.StreamWriter | None = None

    async def run(self, connection: socket.socket) -> None:
        """Serve until the socket is closed."""
        reader, self._writer = await asyncio.open_connection(sock=connection)
        with contextlib.closing(self._writer):
            try:
                await self._media.start()
            except OSError as error:
                self.notify("failed", [error.errno or 0, str(error)])
                return
            # What is loaded by now stays: out of the collector's sight, it no longer makes each full collection stop
            # the media for 20 to 60 ms.
            gc.collect()
            gc.freeze()
            self.notify("ready", self._media.udp_port)
            figures = asyncio.create_task(self._figures())
            try:
                until = time.monotonic() + SLICE_S
                while (body := await messages.read_frame(reader)) is not None:
                    await self._obey(body)
                    # reading does not wait while commands are buffered
                    if time.monotonic() > until:
                        await asyncio.sleep(0)
                        until = time.monotonic() + SLICE_S
            finally:
                figures.cancel()
                with contextlib.suppress(Exception):
                    await self._media.stop()

    async def _obey(self, body: bytes) -> None:
        number, name, positional, named = messages.read_command(body)
        if name == messages.PING:
            self.notify("pong", None)
            return
        method = getattr(self._media, name)
        try:
            result = method(*positional, **named)
            if name in messages.REQUESTS:
                # In line: commands keep their order, and the facade's coroutines do not wait.
                self.notify("reply", [number, name, await result])
        except MediaError as error:
            self.notify("refusal", [number, type(error).__name__, str(error)])
        except Exception:
            logger.exception("%s failed", name)
            self.notify("refusal", [number, EngineError.__name__, "the engine failed"])

    def _event(self, event: Event) -> None:
        kind = "message" if isinstance(event, DataReceived) else "event"
        self.notify(kind, [type(event).__name__, event])

    def _is_behind(self) -> bool:
        writer = self._writer
        return writer is not None and writer.transport.get_write_buffer_size() > MAX_DATA_BACKLOG_BYTES

    def notify(self, kind: str, content: Any) -> None:
        """Send a notification; drop it if the socket is not open, or if it can be spared and the reader is too slow."""
        if self._writer is None or self._writer.is_closing():
            return
        if kind in _SPARED and self._writer.transport.get_write_buffer_size() > MAX_BACKLOG_BYTES:
            return
        self._writer.write(frame((kind, content)))

    async def _figures(self) -> None:
        while True:
            self.notify("metrics", {**self._media.metrics(), "tasks": len(asyncio.all_tasks())})
            await asyncio.sleep(METRICS_INTERVAL_S)


class LogSender(logging.Handler):
    """Sends log records as notifications: the main process formats the log."""

    def __init__(self, tell: Callable[[str, Any], None]) -> None:
        """`tell` sends a notification: its kind and content."""
        super().__init__()
        # Else `basicConfig` gives it one that begins with level and logger, which the first process writes as well.
        self.setFormatter(logging.Formatter("%(message)s"))
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Send level, logger and text, including a traceback."""
        self._tell("log", [record.levelno, record.name, self.format(record)])


def main() -> None:
    """Run on the socket and with the settings that the command line names."""
    # Ctrl-C and an orderly stop go to the whole group; the process that started this one says when to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    settings = msgspec.json.decode(sys.argv[2], type=MediaSettings)
    worker = Worker(settings)
    logging.basicConfig(level=logging.INFO, handlers=[LogSender(worker.notify)])
    asyncio.run(worker.run(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
