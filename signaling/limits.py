"""Rate limits by key, address or session: token buckets on the caller's clock.

Each bucket is stored as the one number of the generic cell rate algorithm: the time at which it will be full again.
"""

import ipaddress
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signaling.errors import TooOftenError
from signaling.forwarded import hops

if TYPE_CHECKING:
    from aiohttp import web  # the command line imports this module, and should not wait for aiohttp

# A forgotten bucket counts as full, so a flood from many addresses gains one burst for each address at most.
MAX_BUCKETS = 50_000

# One customer of an internet provider has at least a /64 of IPv6 (RFC 6177).
_IPV6_PREFIX_LENGTH = 64

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second for ever, and so many at once."""

    per_s: float
    burst: float


# By address. A school has one: 300 people in ten seconds, after a network failure all at once, and each
# of a client's joins may ask a second time why the first was refused.
JOINS = Rate(per_s=100, burst=2000)

# Calls of server APIs by address, before authentication.
CALLS = Rate(per_s=200, burst=1000)

# Knocks by address: participants are notified of each one, and it is logged. A class knocks at once.
KNOCKS = Rate(per_s=1, burst=60)

# Messages of one client. Those that are sent to everybody in the room count as several, since they cost as much.
MESSAGES = Rate(per_s=50, burst=500)
SENT_TO_ALL = 5.0

# Octets of offers and answers of one participant. Reading and answering one takes the engine 0.2 ms for each kB; one
# of a room with 60 videos has 200 kB, and is repeated whenever a track begins or ends.
DESCRIPTIONS = Rate(per_s=64 * 1024, burst=512 * 1024)


class Limiter:
    """The buckets of one kind, as many as there are keys that asked lately."""

    def __init__(self, rate: Rate) -> None:
        """All buckets begin full."""
        self._rate = rate
        self._full_at: dict[str, float] = {}

    def take_tokens(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take `cost` out of a bucket; return 0, or the seconds after which there will be enough."""
        full_at = self._full_after(key, now, cost)
        wait_s = self._lacks_s(full_at, now)
        if wait_s == 0:
            self._keep(key, full_at)
        return wait_s

    def reserve(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take `cost` in any case; return the seconds to wait before the work."""
        full_at = self._full_after(key, now, cost)
        self._keep(key, full_at)
        return self._lacks_s(full_at, now)

    def _full_after(self, key: str, now: float, cost: float) -> float:
        return max(self._full_at.get(key, now), now) + cost / self._rate.per_s

    def _lacks_s(self, full_at: float, now: float) -> float:
        return max(full_at - now - self._rate.burst / self._rate.per_s, 0.0)

    def _keep(self, key: str, full_at: float) -> None:
        # Moved to the end, so that the first one is the least recently used.
        self._full_at.pop(key, None)
        self._full_at[key] = full_at
        if len(self._full_at) > MAX_BUCKETS:
            del self._full_at[next(iter(self._full_at))]


class Limits:
    """The limits of one server."""

    def __init__(self, clock: Callable[[], float], trusted_proxies: Iterable[Network] = ()) -> None:
        """`clock` is monotonic; `proxies` are trusted to state the client's address."""
        self._clock = clock
        self._trusted = tuple(trusted_proxies)
        self._limiters: dict[tuple[str, Rate], Limiter] = {}

    def check(self, kind: str, key: str, rate: Rate) -> None:
        """Take one from the bucket of `key`. TooOftenError."""
        wait_s = self._limiter(kind, rate).take_tokens(key, self._clock())
        if wait_s > 0:
            raise TooOftenError(math.ceil(wait_s))

    def delay_s(self, kind: str, key: str, rate: Rate, cost: float) -> float:
        """Take `cost` from the bucket of `key`; return the seconds to wait before the work."""
        return self._limiter(kind, rate).reserve(key, self._clock(), cost)

    def address(self, request: "web.Request") -> str:
        """Return the client's address for counting; empty if it does not identify the client.

        This machine's own addresses are not counted: they may be a proxy's, with all of its clients.
        """
        address = client_address(request.remote, hops(request.headers), self._trusted)
        return "" if address is None or address.is_loopback else bucket(address)

    def check_address(self, kind: str, request: "web.Request", rate: Rate) -> None:
        """Take one token from the bucket of a request's client, if its address is known. TooOftenError."""
        address = self.address(request)
        if address:
            self.check(kind, address, rate)

    def _limiter(self, kind: str, rate: Rate) -> Limiter:
        return self._limiters.setdefault((kind, rate), Limiter(rate))


def client_address(
    peer: str | None, seen: Iterable[str], trusted: Iterable[Network]
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the client's address of a request: the nearest one that is not a trusted proxy's.

    `seen` are the addresses of forwarding headers, the nearest proxy's first (`forwarded.hops`). Any client can send
    such headers: addresses after the first untrusted one are ignored. None for a peer without an address.
    """
    trusted = tuple(trusted)
    address = _address(peer or "")
    further_hops = iter(seen)
    while address is not None and any(address in network for network in trusted):
        further = _address(next(further_hops, ""))
        if further is None:
            break
        address = further
    return address


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def bucket(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return under which name an address is counted: its own, or its /64 of IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address), _IPV6_PREFIX_LENGTH), strict=False))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks and addresses in a comma-separated list. ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
