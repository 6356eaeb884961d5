"""A network namespace behind a way with a rate, a queue, delay and loss, all of which may change while it runs.

The namespace is joined to this machine by two TUN devices, and a thread of this process carries packets from one to
the other: the kernels of test machines have no netem. Needs root, `ip` and /dev/net/tun.
"""

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LARGEST_PACKET = 65_535
_POLL_MS = 50


def missing() -> str:
    """What keeps this machine from having such namespaces; empty: nothing."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun"
    found = any(Path(folder, "ip").exists() for folder in os.get_exec_path())
    return "" if found else "needs ip (iproute2)"


class Way:
    """One direction. The attributes may be set at any time."""

    def __init__(self, seed: int) -> None:
        self.rate_bps = 0.0
        "0: without limit."
        self.queue_s = 0.3
        "Of packets that wait longer than this for the rate the last is dropped."
        self.delay_s = 0.0
        self.jitter_s = 0.0
        "Either way of the delay; nothing overtakes."
        self.loss = 0.0
        self.burst = 1.0
        "Packets that are lost in a row, on average (Gilbert's model); 1: each is lost or not by itself."
        self.passed_bytes = self.dropped = self.lost = 0
        self._random = random.Random(seed)
        self._free_at = self._last_at = 0.0
        self._losing = False

    def waiting_s(self) -> float:
        """How long a packet that comes now would wait."""
        return max(0.0, self._free_at - time.monotonic())

    def due(self, size: int, now: float) -> float | None:
        """When a packet comes out; None: never."""
        if self._loses():
            self.lost += 1
            return None
        leaves_at = now
        if self.rate_bps:
            leaves_at = max(now, self._free_at)
            if leaves_at - now > self.queue_s:
                self.dropped += 1
                return None
            leaves_at = self._free_at = leaves_at + 8 * size / self.rate_bps
        self.passed_bytes += size
        delay_s = self.delay_s + self._random.uniform(-self.jitter_s, self.jitter_s)
        self._last_at = max(self._last_at, leaves_at + delay_s)  # nothing overtakes
        return self._last_at

    def _loses(self) -> bool:
        if self.burst <= 1 or self.loss >= 1:
            return self._random.random() < self.loss
        ends = 1 / self.burst
        begins = ends * self.loss / (1 - self.loss)  # so that the share of losses is `loss`
        self._losing = self._random.random() < (1 - ends if self._losing else min(begins, 1.0))
        return self._losing


class Namespace:
    """A namespace with one address, and the ways to and from it."""

    def __init__(self, name: str, subnet: int) -> None:
        self.name = name
        self.gateway, self.address = f"10.78.{subnet}.1", f"10.78.{subnet}.2"
        self._device = f"lf{subnet}"
        self.down, self.up = Way(1), Way(2)
        "Towards the namespace, and from it."
        self._near, self._far = _tun(f"ln{subnet}"), _tun(f"lf{subnet}")
        _ip("netns", "add", name)
        _ip("link", "set", f"lf{subnet}", "netns", name)
        _ip("addr", "add", f"{self.gateway}/28", "dev", f"ln{subnet}")
        _ip("link", "set", f"ln{subnet}", "up", "txqueuelen", "2000")
        for command in (
            "link set lo up",
            f"addr add {self.address}/28 dev lf{subnet}",
            f"link set lf{subnet} up txqueuelen 2000",
            f"route add default via {self.gateway}",
        ):
            _ip("-n", name, *command.split())
        self._running = True
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        waiting: list[tuple[float, int, int, bytes]] = []
        count = itertools.count()
        poll = select.poll()
        ends = {self._near: (self.down, self._far), self._far: (self.up, self._near)}
        for end in ends:
            poll.register(end, select.POLLIN)
        while self._running:
            wait_s = waiting[0][0] - time.monotonic() if waiting else 1.0
            ready = poll.poll(min(max(wait_s * 1000, 0), _POLL_MS))
            for end, _ in ready:
                way, other = ends[end]
                for packet in _read(end):
                    due_at = way.due(len(packet), time.monotonic())
                    if due_at is not None:
                        heapq.heappush(waiting, (due_at, next(count), other, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                os.write(end, packet)

    def answer_from(self, address: str) -> None:
        """Let this machine send to the namespace from another of its addresses than the nearest."""
        subnet = f"{self.gateway[:-1]}0/28"
        _ip("route", "replace", subnet, "dev", f"ln{self._device[2:]}", "src", address)

    def move(self) -> None:
        """Take another address, as a student does who goes from one network to another."""
        before, self.address = self.address, f"{self.gateway[:-1]}{int(self.address[-1]) + 1}"
        inside = ("-n", self.name)
        _ip(*inside, "addr", "del", f"{before}/28", "dev", self._device)
        _ip(*inside, "addr", "add", f"{self.address}/28", "dev", self._device)
        _ip(*inside, "route", "replace", "default", "via", self.gateway)

    def close(self) -> None:
        """Take it all down."""
        self._running = False
        self._thread.join()
        os.close(self._near)
        os.close(self._far)
        _ip("netns", "del", self.name)


_numbers = itertools.count(os.getpid())


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace of its own until the end of the block."""
    number = next(_numbers)
    made = Namespace(f"lectern-{number}", number % 250 + 1)
    try:
        yield made
    finally:
        made.close()


def _tun(name: str) -> int:
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return end


def _read(end: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(end, _LARGEST_PACKET)
        except BlockingIOError:
            return


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
