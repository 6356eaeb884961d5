"""Fuzz targets of SCTP: the parser, and an established association behind a right tag and checksum.

`seeds()` gives inputs to mutate. `make()` gives a function that takes one input; whatever it raises is a fault.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from struct import pack_into

from google_crc32c import value as crc32c

from sfu.sctp import chunks as sctp
from sfu.sctp.association import Association, Handlers, Identity, State
from sfu.sctp.channels import Backlog, DataChannels, Owner
from sfu.sctp.chunks import Init, ResetRequest
from sfu.sctp.sender import Message

_TAG, _PEER_TAG = 0x1111, 0x2222
_TSN, _PEER_TSN = 1000, 5000
_SECRET = bytes(16)
# An association is replaced after so many inputs, or when it has ended.
_INPUTS_PER_ASSOCIATION = 200


def chunks() -> list[bytes]:
    """One of each kind of chunk, as a peer of the association in `make_established` could send it."""
    open_ = b"\3\0\0\0\0\0\0\0\0\4\0\0test"
    init = Init(_PEER_TAG, 100_000, 64, 64, _PEER_TSN, forward_tsn=True, re_config=True)
    ack = Init(_PEER_TAG, 100_000, 64, 64, _PEER_TSN, b"cookie", forward_tsn=True, re_config=True)
    data = [
        sctp.data(_PEER_TSN + i, 0, i, 53 if i else 50, sctp.BEGIN | sctp.END, b"payload" if i else open_)
        for i in range(4)
    ]
    parts = [
        sctp.data(_PEER_TSN + 4, 0, 4, 53, sctp.BEGIN, b"a" * 900),
        sctp.data(_PEER_TSN + 5, 0, 4, 53, 0, b"b" * 900),
        sctp.data(_PEER_TSN + 6, 0, 4, 53, sctp.END, b"c" * 90),
        sctp.data(_PEER_TSN + 9, 2, 7, 53, sctp.UNORDERED | sctp.BEGIN | sctp.END, b"d"),
    ]
    request = ResetRequest(_PEER_TSN, _TSN - 1, _PEER_TSN - 1, (0, 1))
    resets = [sctp.reset_request(request), sctp.reset_response(_TSN, 1), sctp.parameter(17, bytes(8))]
    return [
        *data,
        *parts,
        sctp.init(sctp.INIT, init),
        sctp.init(sctp.INIT_ACK, ack),
        sctp.sack(_TSN, 100_000, [(2, 3), (5, 5)], [_TSN]),
        sctp.sack(_TSN + 3, 0, [], []),
        sctp.forward_tsn(_PEER_TSN + 3, [(0, 1), (2, 9)]),
        *(sctp.chunk(sctp.RE_CONFIG, reset) for reset in resets),
        sctp.chunk(sctp.HEARTBEAT, sctp.parameter(1, b"12345678")),
        sctp.chunk(sctp.HEARTBEAT_ACK, sctp.parameter(1, bytes(8))),
        sctp.chunk(sctp.COOKIE_ECHO, bytes(38)),
        sctp.chunk(sctp.COOKIE_ACK),
        sctp.chunk(sctp.ERROR, sctp.cause(6, b"\x40\0\0\4")),
        sctp.chunk(sctp.SHUTDOWN, bytes(4)),
        sctp.chunk(sctp.SHUTDOWN_ACK),
        sctp.chunk(sctp.SHUTDOWN_COMPLETE),
        sctp.chunk(sctp.ABORT, sctp.cause(12)),
        sctp.chunk(0x3F),
        sctp.chunk(0x7F, b"report"),
        sctp.chunk(0xFF, b"report"),
    ]


def seeds() -> list[bytes]:
    """Packets of each kind of chunk, and some of several."""
    every = chunks()
    packets = [sctp.packet(5000, 5000, _TAG, [chunk]) for chunk in every]
    packets += [sctp.packet(5000, 5000, _TAG, every[i : i + 4]) for i in range(0, len(every), 3)]
    return [*packets, sctp.packet(5000, 5000, 0, [chunks()[8]])]


def repaired(packet: bytes, tag: int = _TAG) -> bytes:
    """The packet with right ports, tag and checksum, so that what follows them is looked at."""
    if len(packet) < sctp.HEADER_BYTES:
        return packet
    fixed = bytearray(packet)
    is_init = len(fixed) > sctp.HEADER_BYTES and fixed[sctp.HEADER_BYTES] == sctp.INIT
    pack_into("!HHII", fixed, 0, 5000, 5000, 0 if is_init else tag, 0)
    pack_into("<I", fixed, 8, crc32c(bytes(fixed)))
    return bytes(fixed)


def make() -> Callable[[bytes], None]:
    """The parser: SctpError is documented, all else escapes. The checksum is repaired for every second input."""
    repair = False

    def feed(packet: bytes) -> None:
        nonlocal repair
        repair = not repair
        with suppress(sctp.SctpError):
            sctp.parse(repaired(packet) if repair else packet)

    return feed


def established(handlers: Handlers) -> Association:
    """An association with data in flight and waiting, whose peer is known."""
    association = Association(Identity(_TAG, _TSN, _SECRET), handlers, 65_535)
    introduce(association)
    for i in range(8):
        lossy = 0 if i % 2 else None
        association.send(Message(i % 3, 53, bytes(900 * (i + 1)), max_retransmits=lossy), 0.1)
    return association


def introduce(association: Association) -> None:
    """Establish an association as its peer would, by INIT ACK and COOKIE ACK."""
    greet(association)
    association.receive(sctp.packet(5000, 5000, _TAG, [sctp.chunk(sctp.COOKIE_ACK)]), 0.1)
    assert association.state is State.ESTABLISHED


def greet(association: Association) -> None:
    """Answer its INIT, so that it waits for COOKIE ACK."""
    association.connect(0.0)
    answer = Init(_PEER_TAG, 100_000, 1024, 1024, _PEER_TSN, b"cookie", forward_tsn=True, re_config=True)
    association.receive(sctp.packet(5000, 5000, _TAG, [sctp.init(sctp.INIT_ACK, answer)]), 0.1)


def make_established() -> Callable[[bytes], None]:
    """The association with its channels: nothing may escape, what it holds stays within its bounds, and time goes on.

    Every fourth is still being set up.
    """
    left = made = 0
    now = 0.0
    channels: DataChannels
    failures: list[str] = []
    owner = Owner(
        send=lambda _packet: None,
        message=lambda _label, _payload: None,
        refused=lambda _label, _flow: None,
        failed=failures.append,
        busy=lambda: False,
    )

    def feed(packet: bytes) -> None:
        nonlocal left, made, now, channels
        if not left or failures or channels.association.next_at() is None:
            failures.clear()
            left, now = _INPUTS_PER_ASSOCIATION, 0.2
            channels = DataChannels(Identity(_TAG, _TSN, _SECRET), owner, Backlog(), 5000, 65_535)
            made += 1
            (introduce if made % 4 else greet)(channels.association)
            open_ = sctp.data(_PEER_TSN, 0, 0, 50, sctp.BEGIN | sctp.END, b"\3\0\0\0\0\0\0\0\0\4\0\0test")
            channels.receive(sctp.packet(5000, 5000, _TAG, [open_]), now)
            for i in range(6):
                channels.send("test", bytes(900 * (i + 1)), "flow", now)
            channels.flush(now)
        left -= 1
        now += 0.01
        channels.receive(repaired(packet), now)
        at = channels.next_at()
        if at is not None and at <= now:
            channels.handle_timeout(now)
            at = channels.next_at()
            assert at is None or at > now
        receiver = channels.association.receiver
        assert receiver is None or 0 <= receiver.held <= 700_000
        assert channels.association.undelivered >= 0

    return feed


def mutated(packet: bytes, source: random.Random) -> bytes:
    """A packet with some bytes changed, cut out, repeated, or with TSNs near those of the association."""
    changed = bytearray(packet)
    for _ in range(source.choice((1, 1, 2, 4, 8))):
        if not changed:
            break
        at = source.randrange(len(changed))
        way = source.randrange(6)
        if way == 0:
            changed[at] = source.randrange(256)
        elif way == 1:
            changed[at] ^= 1 << source.randrange(8)
        elif way == 2:
            del changed[at : at + source.choice((1, 4, 16))]
        elif way == 3:
            changed[at:at] = changed[at : at + source.choice((4, 16, 64))]
        elif way == 4 and len(changed) >= 4:
            at = min(at & ~3, len(changed) - 4)
            pack_into("!I", changed, at, source.choice((_TSN, _PEER_TSN)) + source.randrange(-4, 40))
        elif len(changed) >= 2:
            at = min(at & ~1, len(changed) - 2)
            pack_into("!H", changed, at, source.choice((0, 1, 3, 4, 5, 8, 16, 0x7FFF, 0x8000, 0xFFFF)))
    return bytes(changed[:1500])
