"""The processes of media clients, for locust's greenlets: calls that block only the calling greenlet."""

import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

import msgspec

from bench.load.clients import LINE_BYTES, Count, Opened, Pace
from bench.load.descriptions import Address, Remote

T = TypeVar("T")

ENDED = "a process of media clients ended"


class ClientError(Exception):
    """A media client could not execute a command."""


class ProcessEndedError(Exception):
    """A process of media clients has ended, and its clients with it."""


class Reply(msgspec.Struct):
    """One line of a process's output: the reply to a command."""

    number: int
    result: msgspec.Raw = msgspec.Raw()
    error: str = ""


class Process:
    """One process of media clients."""

    def __init__(self) -> None:
        """Start the process."""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.load.clients", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
            )
        self._numbers = itertools.count(1)
        self._waiting: dict[int, SimpleQueue[Reply]] = {}
        self._is_alive = True
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        """End the process and its clients."""
        self._socket.close()
        self._process.terminate()
        self._process.wait()

    def open(self, *, room: str, srtp: str, tracks: Sequence[Pace], view: bool) -> Opened:
        """Execute a command of `bench.load.clients.Clients`. ClientError, ProcessEndedError, as all methods below."""
        return self._ask(Opened, "open", room=room, srtp=srtp, tracks=tracks, view=view)

    def connect(self, client: int, remote: Remote) -> float:
        """Connect a client; return when it was connected."""
        return self._ask(float, "connect", client=client, remote=remote)

    def renew(self, client: int, remote: Remote) -> None:
        """Pass a later description of the server to a client."""
        self._ask(None, "renew", client=client, remote=remote)

    def add_address(self, client: int, address: Address) -> None:
        """Pass an address that the server trickled to a client."""
        self._ask(None, "add_address", client=client, address=address)

    def first_media(self, client: int) -> float:
        """Wait for a viewer's first packet; return when it was received."""
        return self._ask(float, "first_media", client=client)

    def close(self, client: int) -> float:
        """End a client; return when its last packet was received."""
        return self._ask(float, "close", client=client)

    def start_window(self) -> Count:
        """Start to count."""
        return self._ask(Count, "start")

    def report(self) -> Count:
        """Return the counts."""
        return self._ask(Count, "report")

    def _ask(self, kind: type[T] | None, name: str, **arguments: Any) -> T:
        number, replies = next(self._numbers), SimpleQueue[Reply]()
        order = msgspec.json.encode({"number": number, "name": name, "arguments": arguments})
        self._waiting[number] = replies
        try:
            if not self._is_alive:
                raise ProcessEndedError(ENDED)
            with self._sending:
                self._socket.sendall(order + b"\n")
            reply = replies.get()
        except OSError as error:
            raise ProcessEndedError(ENDED) from error
        finally:
            del self._waiting[number]
        if reply.error == ENDED:
            raise ProcessEndedError(ENDED)
        if reply.error:
            raise ClientError(reply.error)
        return msgspec.json.decode(reply.result, type=kind)

    def _listen(self) -> None:
        decode = msgspec.json.Decoder(Reply).decode
        with self._socket.makefile("rb", buffering=1 << 16) as lines:
            while line := lines.readline(LINE_BYTES):
                reply = decode(line)
                if reply.number in self._waiting:
                    self._waiting[reply.number].put(reply)
        self._is_alive = False
        for number, replies in list(self._waiting.items()):
            replies.put(Reply(number, error=ENDED))
