"""HTTP requests to URLs that other parties chose: bounded, and not into the server's own network.

Otherwise, a person who may configure a webhook's URL could reach, through this server, hosts that only the server can
reach: a database, a router's page, a cloud's metadata service (server-side request forgery).
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from signaling.errors import DeliveryError

# Time for a whole request.
TIMEOUT_S = 10.0

MAX_URL_CHARS = 2048

# Bytes read of a response's body, whose content is ignored.
MAX_ANSWER_BYTES = 64 * 1024

# The range of global IPv6 unicast addresses (RFC 4291 section 2.4, IANA's registry). NAT64 (RFC 6052, RFC 8215),
# IPv4-compatible and IPv4-translated (RFC 2765) forms, and site-local addresses (RFC 3879) are outside of it.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

# Ranges within it that embed IPv4 addresses: Teredo (RFC 4380), 6to4 (RFC 3056).
_TRANSITION = tuple(ipaddress.ip_network(each) for each in ("2001::/32", "2002::/16"))

# Concurrent webhook requests, over all receivers.
MAX_CONNECTIONS = 32


def check_url(url: str) -> None:
    """Raise DeliveryError if a URL is never acceptable; the address of its host is checked when the request is sent."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL_CHARS:
        raise DeliveryError("a webhook's URL must begin with https:// or http:// and name a host")
    if "@" in parts.netloc:
        raise DeliveryError("a webhook's URL must not contain a user or a password")


def is_public(address: str) -> bool:
    """Whether an IP address is public: on the internet, and so reachable for anybody."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in _GLOBAL_UNICAST:
        return False
    if any(parsed in network for network in _TRANSITION if network.version == parsed.version):
        return False
    return parsed.is_global and not parsed.is_multicast


class WebhookClient:
    """Sends requests; `close` ends those in progress."""

    def __init__(self, *, allow_private: bool) -> None:
        """`allow_private` allows requests to this machine and its network."""
        self._open = _open if allow_private else _open_public
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the response; the body is ignored, and a redirect is not followed. DeliveryError."""
        check_url(url)
        if self._session is None:
            self._session = self._new_session()
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                await _read_away(response)
                return response.status
        except TimeoutError as error:
            raise DeliveryError(f"no response within {TIMEOUT_S:.0f} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.EACCES
            raise DeliveryError("its address is not public" if refused else type(error).__name__) from error

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # Checked when the socket is opened, so that the name cannot be resolved to another address in between.
            connector=aiohttp.TCPConnector(socket_factory=self._open, limit=MAX_CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            auto_decompress=False,
        )


async def _read_away(response: aiohttp.ClientResponse) -> None:
    # After a short body the connection can be reused; after a long or endless one it is closed.
    with suppress(asyncio.IncompleteReadError, aiohttp.ClientError, TimeoutError):
        await response.content.readexactly(MAX_ANSWER_BYTES)
        response.close()


def _open(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _name, _address = info
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)
    return opened


def _open_public(info: tuple[Any, ...]) -> socket.socket:
    if not is_public(info[4][0]):
        raise PermissionError(errno.EACCES, "not a public address")
    return _open(info)
