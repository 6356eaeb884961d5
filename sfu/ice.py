"""ICE-lite (RFC 8445 section 2.5): the server answers connectivity checks and sends none.

`scan` reads just enough of a datagram to name the peer it is for; `IceAgent.handle` authenticates and answers.
Consent (RFC 7675): each authenticated check renews it, and nothing is sent 30 s after the last.
"""

import struct
from enum import Enum

from aioice import stun

# RFC 7675 section 5.1
CONSENT_TIMEOUT_S = 30.0
# A client checks from each of its interfaces, and again through NATs and relays; more is not a client.
MAX_ADDRESSES = 16
# RFC 8489 section 7.2.1 leaves it open; a check of ours is about 100 bytes.
MAX_MESSAGE_BYTES = 1024

_COOKIE = b"\x21\x12\xa4\x42"
_BINDING_REQUEST = b"\x00\x01"
_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008


class StunError(Exception):
    """A datagram that is not a connectivity check."""


class Check(Enum):
    """What became of a connectivity check."""

    ANSWERED = "answered"
    NOMINATED = "nominated"
    "Answered, and it selected the address it came from."
    REFUSED = "refused"
    "Not authentic; nothing was done."


def scan(datagram: bytes) -> str:
    """The server's username fragment that a Binding request is addressed to. StunError when it is not one."""
    size = len(datagram)
    if not 20 <= size <= MAX_MESSAGE_BYTES or datagram[:2] != _BINDING_REQUEST or datagram[4:8] != _COOKIE:
        raise StunError("not a binding request")
    if int.from_bytes(datagram[2:4], "big") != size - 20:
        raise StunError("length does not fit")
    at = 20
    username = b""
    signed = False
    while at + 4 <= size:
        kind = int.from_bytes(datagram[at : at + 2], "big")
        length = int.from_bytes(datagram[at + 2 : at + 4], "big")
        end = at + 4 + length
        if end > size:
            raise StunError("attribute is cut")
        if kind == _USERNAME and not signed:
            username = datagram[at + 4 : end]
        elif kind == _MESSAGE_INTEGRITY:
            signed = True
        at = end + (-length & 3)
    local, separator, _ = username.partition(b":")
    if not signed or not separator or not local.isalnum():
        raise StunError("no username or signature")
    return local.decode("ascii")


class IceAgent:
    """One peer's side of ICE: credentials, authenticated addresses, the selected one, consent."""

    __slots__ = (
        "_previous",
        "addresses",
        "consent_at",
        "local_pwd",
        "local_ufrag",
        "remote_ufrag",
        "selected",
    )

    def __init__(self, ufrag: str, pwd: str) -> None:
        """`ufrag` and `pwd` are fresh, random and unique to this peer."""
        self.local_ufrag = ufrag
        self.local_pwd = pwd
        self.remote_ufrag = ""
        self.selected: bytes | None = None
        "Where to send: the address of the latest nomination (raw sockaddr)."
        self.addresses: dict[bytes, None] = {}
        "Every address that passed an authenticated check, oldest first."
        self.consent_at: float | None = None
        "When the last authenticated check came."
        self._previous: tuple[str, str] | None = None

    def restart(self, ufrag: str, pwd: str) -> None:
        """New credentials (RFC 8445 section 9); the old stay valid until the first check with the new ones."""
        self._previous = (self.local_ufrag, self.local_pwd)
        self.local_ufrag = ufrag
        self.local_pwd = pwd

    @property
    def ufrags(self) -> tuple[str, ...]:
        """Username fragments under which checks are expected."""
        return (self.local_ufrag, self._previous[0]) if self._previous else (self.local_ufrag,)

    def expired(self, now: float) -> bool:
        """Whether consent to send has lapsed; False before the first check."""
        return self.consent_at is not None and now - self.consent_at > CONSENT_TIMEOUT_S

    def handle(
        self, datagram: bytes, ufrag: str, address: bytes, host_port: tuple[str, int], now: float
    ) -> tuple[Check, bytes]:
        """Answer a check that `scan` found to be for this agent; returns what became of it and the reply.

        `address` is the raw sockaddr it came from, `host_port` the same readable. REFUSED has no reply.
        """
        pwd = self.local_pwd if ufrag == self.local_ufrag else self._previous[1] if self._previous else ""
        key = pwd.encode()
        try:
            request = stun.parse_message(datagram)
            authentic = request.check_message_integrity(key)
        except (ValueError, IndexError, struct.error):  # what aioice raises for malformed attributes
            return Check.REFUSED, b""
        if not authentic:
            return Check.REFUSED, b""
        if "ICE-CONTROLLED" in request.attributes:
            # RFC 8445 section 7.3.1.1: a lite agent is always controlled, so the client must control
            return Check.ANSWERED, self._reply(request, key, stun.Class.ERROR, (487, "Role Conflict"))
        if ufrag == self.local_ufrag:
            self._previous = None
        self._remember(address)
        self.consent_at = now
        reply = self._reply(request, key, stun.Class.RESPONSE, host_port)
        if "USE-CANDIDATE" in request.attributes or self.selected is None:
            changed = self.selected != address
            self.selected = address
            return (Check.NOMINATED if changed else Check.ANSWERED), reply
        return Check.ANSWERED, reply

    def _remember(self, address: bytes) -> None:
        self.addresses[address] = None
        if len(self.addresses) > MAX_ADDRESSES:
            oldest = next(a for a in self.addresses if a != self.selected)
            del self.addresses[oldest]

    @staticmethod
    def _reply(
        request: stun.Message, key: bytes, kind: stun.Class, value: tuple[int | str, str | int]
    ) -> bytes:
        reply = stun.Message(stun.Method.BINDING, kind, request.transaction_id)
        reply.attributes["ERROR-CODE" if kind is stun.Class.ERROR else "XOR-MAPPED-ADDRESS"] = value
        reply.add_message_integrity(key)
        return bytes(reply)
