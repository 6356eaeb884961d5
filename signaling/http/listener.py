"""Accepts network connections: each one is admitted before a byte of it is read.

Replaces asyncio's accept loop, which accepts without limit and, when descriptors run out, logs a traceback for each
attempt, a thousand at a time.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from signaling.http.connections import Connection, Connections, Use
from signaling.limits import Network, bucket, client_address

log = logging.getLogger(__name__)

# Connections that wait in the kernel for their turn.
BACKLOG = 1024

# Accepted in one turn of the loop; the connections that are ended for them close in the next one.
_AT_ONCE = 16

# Without descriptors or memory: until the next try.
_PAUSE_S = 0.5
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# A connection that has not sent the head of a request by then is closed. A head fits one packet; this leaves time for
# three losses of it.
FIRST_REQUEST_S = 10.0


class _Watched(socket.socket):
    """A socket that calls back when it is closed."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        told, self.on_close = self.on_close, None
        if told is not None:
            told()


class Listener:
    """The listening sockets of one port."""

    def __init__(
        self,
        factory: Callable[[], asyncio.Protocol],
        connections: Connections,
        trusted_proxies: tuple[Network, ...] = (),
    ) -> None:
        """`factory` makes the protocol of a connection; connections of proxies are not counted by address."""
        self._factory = factory
        self._connections = connections
        self._trusted = trusted_proxies
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The bound port."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def start(self, host: str | None, port: int) -> None:
        """Listen on an address, or on every one. OSError."""
        # It resolves and binds, for each family; taking connections is done here.
        self._server = await self._loop.create_server(self._factory, host, port, start_serving=False)
        self._sockets = [socket.socket(fileno=os.dup(each.fileno())) for each in self._server.sockets]
        for each in self._sockets:
            each.setblocking(False)
            each.listen(BACKLOG)
            self._loop.add_reader(each, self._accept, each)

    def close(self) -> None:
        """Accept no more connections; open ones continue."""
        for each in self._sockets:
            self._loop.remove_reader(each)
            each.close()
        self._sockets = []
        if self._server is not None:
            self._server.close()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                taken, peer = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._pause(listening, error)
                    return
                continue  # this one connection broke while it waited (accept(2), "Error handling")
            self._admit(taken, str(peer[0]))

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        log.error("no connection can be taken: %s", os.strerror(error.errno or 0).lower())
        self._loop.remove_reader(listening)
        self._connections.make_room()
        self._loop.call_later(_PAUSE_S, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _admit(self, taken: socket.socket, peer: str) -> None:
        sock = _Watched(taken.family, taken.type, taken.proto, fileno=taken.detach())
        sock.setblocking(False)
        address = client_address(peer, (), ())
        exempt = address is not None and any(address in network for network in self._trusted)
        protocol = self._factory()

        def end() -> None:
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                transport.abort()
            else:
                sock.close()

        connection = self._connections.admit(
            peer if address is None else bucket(address), exempt=exempt, end=end
        )
        if connection is None:
            log.warning("a connection is refused: all places are taken by participants")
            sock.close()
            return
        self._connections.bind(protocol, connection)
        deadline = self._loop.call_later(FIRST_REQUEST_S, self._expire, connection)

        def closed() -> None:
            deadline.cancel()
            self._connections.unbind(protocol)
            self._connections.closed(connection)

        sock.on_close = closed
        task = self._loop.create_task(self._serve(protocol, sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, protocol: Any, sock: _Watched) -> None:
        if sock.fileno() < 0:
            return  # ended for the sake of another one
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, sock)
        except (OSError, ValueError):  # closed meanwhile, by its other end or for another one
            sock.close()

    @staticmethod
    def _expire(connection: Connection) -> None:
        # Whoever has sent a request is the framework's, which has limits for the next one.
        if connection.use is Use.IDLE and not connection.has_asked:
            connection.end()
