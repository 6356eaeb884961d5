"""ICE-lite (RFC 8445 section 2.5): the server answers connectivity checks and sends none.

`scan` reads just enough of a datagram to name the peer it is for; `IceAgent.handle` authenticates and answers.
Consent (RFC 7675): each check authenticated by the current credentials renews it, and nothing is sent 30 s after the
last.

Between an ICE restart and the first check with the new credentials, media stays on the pair that was selected before
(RFC 8445 section 9). In that time the previous credentials keep this pair and nothing more: they neither renew
consent, nor admit an address, nor select one.
"""

import struct
from enum import Enum
from typing import NamedTuple

from sfu.budget import Budget, Rate
from sfu.stand_ins import stand_ins

with stand_ins("aioice"):  # without its agent, which loads a DNS library
    from aioice import stun

# RFC 7675 section 5.1
CONSENT_TIMEOUT_S = 30.0
# Two intervals of RFC 7675 section 5.1 (5 s, randomised by a fifth); libwebrtc checks its selected pair more often.
_ADDRESS_HELD_S = 12.0
# A client checks each of the server's addresses from each of its interfaces, and again through NATs and relays; more is
# not a client.
MAX_ADDRESSES = 64
# RFC 8489 section 7.2.1 leaves it open; a check of ours is about 100 bytes.
MAX_MESSAGE_BYTES = 1024

# A client changes its pair when its network changes, and a few times while checks on several pairs complete. A client
# that does so more often sends media to addresses that may be somebody else's.
NOMINATIONS = Rate(per_s=2, burst=10)
# libwebrtc checks a pair every 48 ms at most until it is writable, and every 480 ms or less often then; a client has
# some tens of pairs for a moment. An address that has not been authenticated has a budget of its own: who floods from
# elsewhere under a ufrag that he has seen does not use up that of the client. A check costs about 80 us.
CHECKS = Rate(per_s=50, burst=100)

_COOKIE = b"\x21\x12\xa4\x42"
_BINDING_REQUEST = b"\x00\x01"
_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008


class StunError(Exception):
    """A datagram that is not a connectivity check."""


class Check(Enum):
    """The outcome of a connectivity check."""

    ANSWERED = "answered"
    NOMINATED = "nominated"
    "Answered, and it selected the address it came from."
    REFUSED = "refused"
    "Not authentic, or more than the budget; nothing was done."


def scan(datagram: bytes) -> str:
    """Return the server's username fragment in a Binding request. StunError if it is no Binding request."""
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


class ConsentChecks(NamedTuple):
    """What the checks have that renew consent and change nothing."""

    path: bytes
    "The selected one."
    ufrag: bytes
    password: bytes


class IceAgent:
    """One peer's side of ICE: credentials, authenticated addresses, the selected one, consent."""

    __slots__ = (
        "_checks",
        "_nominations",
        "_previous",
        "_trials",
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
        "Where to send: the address of the latest nomination."
        self.addresses: dict[bytes, None] = {}
        "Every address that passed an authenticated check, oldest first."
        self.consent_at: float | None = None
        "When the last check with the current credentials came."
        self._previous: tuple[str, str] | None = None
        self._checks = Budget(CHECKS)
        self._trials = Budget(CHECKS)
        self._nominations = Budget(NOMINATIONS)

    def restart(self, ufrag: str, pwd: str) -> None:
        """Set new credentials (RFC 8445 section 9); the previous ones keep the selected pair until these are used.

        Credentials that are replaced before any check used them are void at once: the pair in use is an earlier one's.
        """
        if self._previous is None:
            self._previous = (self.local_ufrag, self.local_pwd)
        self.local_ufrag = ufrag
        self.local_pwd = pwd

    @property
    def ufrags(self) -> tuple[str, ...]:
        """Return the username fragments that valid checks have."""
        return (self.local_ufrag, self._previous[0]) if self._previous else (self.local_ufrag,)

    def expired(self, now: float) -> bool:
        """Return whether consent to send has expired (RFC 7675); False before the first check."""
        return self.consent_at is not None and now - self.consent_at > CONSENT_TIMEOUT_S

    def holds(self, address: bytes, now: float) -> bool:
        """Return whether this is the selected address, and its peer lately renewed consent.

        A peer that has been silent gives it up, as when a NAT has given its port to somebody else.
        """
        return (
            address == self.selected
            and self.consent_at is not None
            and now - self.consent_at < _ADDRESS_HELD_S
        )

    def renew(self, at: float) -> None:
        """Take over that a check renewed the consent at this time, unless a later one has."""
        if self.consent_at is not None and at > self.consent_at:
            self.consent_at = at

    @property
    def consent_checks(self) -> ConsentChecks | None:
        """Return which checks only renew consent; None before the first nomination and during a restart."""
        if self.selected is None or self._previous is not None:
            return None
        return ConsentChecks(self.selected, self.local_ufrag.encode(), self.local_pwd.encode())

    def handle(
        self, datagram: bytes, ufrag: str, address: bytes, host_port: tuple[str, int], now: float
    ) -> tuple[Check, bytes]:
        """Answer a check that `scan` assigned to this agent; return its outcome and the reply.

        `address` stands for the candidate pair that it came by (RFC 8445 section 6.1.2.2), and only its equality with
        others matters here; `host_port` is where it came from. REFUSED has no reply.
        """
        pwd = self._password(ufrag)
        current, known = ufrag == self.local_ufrag, address in self.addresses
        if pwd is None or not (current or known):
            return Check.REFUSED, b""
        if not (self._checks if known else self._trials).take_tokens(1, now):
            return Check.REFUSED, b""
        key = pwd.encode()
        request = _authentic(datagram, key)
        if request is None:
            return Check.REFUSED, b""
        if "ICE-CONTROLLED" in request.attributes:
            # RFC 8445 section 7.3.1.1: a lite agent is always controlled, so the client must control
            return Check.ANSWERED, self._reply(request, key, stun.Class.ERROR, (487, "Role Conflict"))
        reply = self._reply(request, key, stun.Class.RESPONSE, host_port)
        if not current:
            return Check.ANSWERED, reply
        self._previous = None
        self._remember(address)
        self.consent_at = now
        return self._select(address, now, nominated="USE-CANDIDATE" in request.attributes), reply

    def _password(self, ufrag: str) -> str | None:
        """Return the password of a valid ufrag; None if it is unknown or superseded."""
        if ufrag == self.local_ufrag:
            return self.local_pwd
        if self._previous is not None and ufrag == self._previous[0]:
            return self._previous[1]
        return None

    def _select(self, address: bytes, now: float, *, nominated: bool) -> Check:
        if address == self.selected or not (nominated or self.selected is None):
            return Check.ANSWERED
        if not self._nominations.take_tokens(1, now):
            return Check.ANSWERED  # the client repeats the nomination with its next check
        self.selected = address
        return Check.NOMINATED

    def remove(self, address: bytes) -> bool:
        """Remove an address that another peer now uses; return whether it was the selected one."""
        self.addresses.pop(address, None)
        if self.selected != address:
            return False
        self.selected = None
        return True

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


def _authentic(datagram: bytes, key: bytes) -> stun.Message | None:
    """Return the message if it is complete and signed with this key."""
    try:
        message = stun.parse_message(datagram)
        return message if message.check_message_integrity(key) else None
    except (ValueError, IndexError, struct.error):  # what aioice raises for malformed attributes
        return None
