"""What proxies say of the requests that they pass on: `X-Forwarded-...`, and `Forwarded` of RFC 7239.

Each proxy appends its entry, so the first entry is what the client used, and the last is what the nearest proxy saw.
Everybody can send these headers. Whom to believe is up to the caller; nothing here raises, whatever a header holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

# Entries that are looked at; more proxies in a row are not known.
MAX_HOPS = 32

# RFC 7239 section 4: token "=" ( token / quoted-string ); names are case-insensitive. No address, scheme or host has a
# comma, semicolon or escaped character, so quoted strings with those are taken for malformed: what one client has sent
# must not change how the entries of the proxies behind it are read.
_PAIR = re.compile(r"\s*([A-Za-z0-9-]+)=(?:\"([^\"\\]*)\"|([^\s\"]*))\s*")

# RFC 3986 section 3.2: a registered name, IPv4 address or IP literal, and a port.
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

_PORT = re.compile(r"(?:\[(.+)\]|([0-9.]+))(?::[0-9]+)?")


class Headers(Protocol):
    """The headers of a request, by case-insensitive name."""

    def getall(self, key: str, default: Iterable[str]) -> Iterable[str]:
        """Return every header of this name."""


def origin(headers: Headers, scheme: str, host: str) -> str:
    """Return scheme and host under which the client reached the first proxy; without a proxy, those that are given."""
    standard = _parameters(_first(headers, "Forwarded"))
    said = (_first(headers, "X-Forwarded-Proto") or standard.get("proto", "")).lower()
    named = _first(headers, "X-Forwarded-Host") or standard.get("host", "")
    if said in {"http", "https"}:
        scheme = said
    return f"{scheme}://{named if _HOST.fullmatch(named) else host}"


def hops(headers: Headers) -> Iterator[str]:
    """Return the addresses that proxies have seen, the nearest proxy's first, as text that may be no address.

    Where both kinds of header are sent, X-Forwarded-For counts: it is what proxies set without being asked to, while a
    `Forwarded` beside it may have come from the client.
    """
    if headers.getall("X-Forwarded-For", ()):
        return (_bare(entry) for entry in _last(headers, "X-Forwarded-For"))
    return (_bare(_parameters(element).get("for", "")) for element in _last(headers, "Forwarded"))


def _last(headers: Headers, name: str) -> Iterator[str]:
    """Yield the last entries of all headers of a name, the last one first; those before them are not even separated."""
    for header in reversed(tuple(headers.getall(name, ()))):
        yield from reversed(header.rsplit(",", MAX_HOPS)[-MAX_HOPS:])


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.getall(name, ())), "").partition(",")[0].strip()


def _parameters(element: str) -> Mapping[str, str]:
    """Return the parameters of one element of a Forwarded header, names in lower case; none if it is malformed."""
    found: dict[str, str] = {}
    for pair in element.split(";"):
        match = _PAIR.fullmatch(pair)
        if match is None:
            return {}
        name, quoted, plain = match.groups()
        found[name.lower()] = plain if quoted is None else quoted
    return found


def _bare(hop: str) -> str:
    """Return an address without the port and the brackets that some proxies add."""
    match = _PORT.fullmatch(hop.strip())
    return hop.strip() if match is None else match[1] or match[2]
