"""One engine in a process of its own: orders come in over a socket, news go out.

`python -m sfu.worker FD SETTINGS` is started by `sfu.workers`. It ends when the socket does, so it never outlives the
process that started it.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from typing import Any

import msgspec

from sfu import messages
from sfu.events import Event, MediaError
from sfu.messages import frame
from sfu.server import MediaServer
from sfu.settings import MediaSettings

logger = logging.getLogger(__name__)

METRICS_INTERVAL_S = 1.0


class Worker:
    """Serves one engine over one socket."""

    def __init__(self, settings: MediaSettings) -> None:
        """Nothing is opened before `run`."""
        self._media = MediaServer(settings, self._event)
        self._writer: asyncio.StreamWriter | None = None

    async def run(self, connection: socket.socket) -> None:
        """Serve until the socket ends."""
        reader, self._writer = await asyncio.open_connection(sock=connection)
        with contextlib.closing(self._writer):
            try:
                await self._media.start()
            except OSError as error:
                self._tell("failed", [error.errno or 0, str(error)])
                return
            self._tell("ready", self._media.udp_port)
            figures = asyncio.create_task(self._figures())
            try:
                while (body := await messages.read_frame(reader)) is not None:
                    await self._obey(body)
            finally:
                figures.cancel()
                with contextlib.suppress(Exception):
                    await self._media.stop()

    async def _obey(self, body: bytes) -> None:
        number, name, positional, named = messages.read_order(body)
        method = getattr(self._media, name)
        try:
            result = method(*positional, **named)
            if name in messages.REQUESTS:
                # In line: orders keep their order, and the facade's coroutines do not wait.
                self._tell("reply", [number, name, await result])
        except MediaError as error:
            self._tell("refusal", [number, type(error).__name__, str(error)])
        except Exception:
            logger.exception("%s failed", name)
            self._tell("refusal", [number, "MediaError", "the engine failed"])

    def _event(self, event: Event) -> None:
        self._tell("event", [type(event).__name__, event])

    def _tell(self, kind: str, content: Any) -> None:
        assert self._writer is not None
        self._writer.write(frame((kind, content)))

    async def _figures(self) -> None:
        while True:
            self._tell("metrics", self._media.metrics())
            await asyncio.sleep(METRICS_INTERVAL_S)


def main() -> None:
    """Run on the socket and with the settings that the command line names."""
    # Ctrl-C and an orderly stop go to the whole group; the process that started this one says when to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = msgspec.json.decode(sys.argv[2], type=MediaSettings)
    asyncio.run(Worker(settings).run(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
