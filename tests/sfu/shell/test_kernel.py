"""The native kernel beside the portable path: what goes out over a real socket is the same, byte for byte.

Each path has libsrtp sessions of its own with equal keys, so equal datagrams mean equal numbers, rollover counters and
nonces. The C module is built by the suite itself; where that cannot be, its tests are skipped with the reason.
"""

import itertools
import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plane_world import imported
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi as srtp_ffi

from sfu.dataplane import library
from sfu.dataplane.plane import Rows
from sfu.drops import DropReason
from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE, MAX_PACKET_BYTES, Arena
from sfu.fanout.row_buffer import COLUMN, RowBuffer
from sfu.fanout.sentlog import LOG_SIZE
from sfu.fanout.table import Column, FanoutTable
from sfu.fanout.template import TemplateClass
from sfu.fanout.transports import CONTROL_AT, MAX_TRANSPORTS, PATH_BYTES
from sfu.shell import kernel, udp
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket
from tools.build_dataplane import NAME, BuildError, CompileError, build

PROFILES = {
    "gcm": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "gcm256": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    "cm": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
PLAIN = TemplateClass(
    (("opus", 111), ("vp8", 96)), ((rtp.URI_AUDIO_LEVEL, 1), (rtp.URI_DEPENDENCY_DESCRIPTOR, 12))
)
NUMBERED = TemplateClass(
    (("vp8", 100),),
    ((rtp.URI_TRANSPORT_CC, 3), (rtp.URI_AUDIO_LEVEL, 20), (rtp.URI_DEPENDENCY_DESCRIPTOR, 12)),
)
TRANSPORTS = 6
# The sanitizers' run of these tests names a module that was built for it.
BUILT = os.environ.get("LECTERN_TEST_KERNEL")


@pytest.fixture(scope="session")
def module(tmp_path_factory):
    if BUILT:
        return imported(BUILT)
    try:
        return imported(
            build(tmp_path_factory.mktemp("kernel"), ("-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"))
        )
    except CompileError:
        raise
    except BuildError as error:
        pytest.skip(f"the native kernel cannot be built here: {error}")


class Way:
    """One path from the fan-out to the receivers' sockets."""

    def __init__(self, receivers, module=None, profile="gcm", runs=True):
        kind, key_bytes = PROFILES[profile]
        self.outbox, self.drops = RowBuffer(Arena()), Counter()
        self.media = udp.open_socket(0, self.outbox.arena)
        self.kernel = (
            kernel.Portable(self.outbox, self.media, self.drops)
            if module is None
            else Rows(module, self.outbox, self.media, self.drops)
        )
        self.outbox.open(self.kernel)
        if module is not None and not runs:
            self.kernel.state.segments = 0
        self.sessions = []
        for i, receiver in enumerate(receivers):
            key = bytes([i] * key_bytes)
            policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=kind)
            self.sessions.append(Session(policy))
            transport = self.outbox.transports.add()
            address = udp.pack_path(*receiver.getsockname(), self.media.family)
            session = int(srtp_ffi.cast("uintptr_t", self.sessions[-1]._srtp[0]))
            self.outbox.transports.connect(transport, session)
            self.outbox.transports.move(transport, address)

    def protected(self):
        """The rows as they are after a flush."""
        arena = self.outbox.arena
        return [arena.rows[i, : arena.lengths[i]].tobytes() for i in range(ARENA_ROWS)]


@pytest.fixture
def receivers():
    sockets = []
    for _ in range(TRANSPORTS):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sockets.append(sock)
    yield sockets
    for sock in sockets:
        sock.close()


def arrived(receivers):
    """What lies in each receiver's socket, up to a mark that is sent after all of it."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sock in receivers:
            sender.sendto(b"mark", sock.getsockname())
            sock.settimeout(20)
            datagrams = iter(lambda sock=sock: sock.recv(4096), b"mark")
            found.append(list(datagrams))
    return found


@pytest.fixture
def ways(receivers, module):
    opened = []

    def open_ways(profile="gcm"):
        opened.extend((Way(receivers, None, profile), Way(receivers, module, profile)))
        return opened[-2:]

    yield open_ways
    for way in opened:
        way.media.close()


def vp8(sequence, timestamp=90_000, picture_id=300, *, short=False, size=40, level=b"", described=False):
    if short:
        descriptor, fields = (
            struct.pack("!BBB", 0x90, 0x80, picture_id & 0x7F),
            (14, picture_id & 0x7F, False, -1, 0),
        )
    else:
        descriptor = struct.pack("!BBHB", 0x90, 0xC0, 0x8000 | picture_id, 7)
        fields = (14, picture_id, True, 16, 7)
    head = struct.pack("!BBHII", 0x80, 0x80 | 96, sequence & 0xFFFF, timestamp, 0x1111)
    data = head + descriptor + bytes(size)
    extensions = [(rtp.URI_AUDIO_LEVEL, level)] if level else []
    descriptor = {"descriptor": b"\xc3\0\2\x40", "frame_number": 2} if described else {}
    return SourcePacket(
        memoryview(data), 12, sequence, timestamp, True, "vp8", extensions, *fields, **descriptor
    )


def table(columns, kinds=(PLAIN, NUMBERED)):
    made = FanoutTable()
    for i, column in enumerate(columns):
        made.add(kinds[i % len(kinds)], i, column)
    return made


def columns_of(number):
    return [Column(1000 + i, 100 * i, 5 * i, i, i, 0, i) for i in range(number)]


def logged(way):
    """(number, size) of all that is in the log of each transport."""
    sent = [way.outbox.transports.sent.look_up(i, 0, LOG_SIZE) for i in range(TRANSPORTS)]
    times = {at for each in sent for at in each.sent_at[each.known].tolist()}
    assert all(0 < at <= time.monotonic() for at in times)
    return [(each.numbers[each.known].tolist(), each.sizes[each.known].tolist()) for each in sent]


PACKETS = st.builds(
    vp8,
    st.integers(1000, 1 << 20),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**15 - 1),
    short=st.booleans(),
    size=st.sampled_from([0, 1, 100, 1100, 1100, 1100]),
    level=st.sampled_from([b"", b"\x85"]),
    described=st.booleans(),
)
COLUMNS = st.builds(
    Column,
    st.integers(0, 2**32 - 1),
    st.integers(-(2**20), 2**20),
    st.integers(-(2**33), 2**33),
    st.integers(-(2**16), 2**16),
    st.integers(-(2**9), 2**9),
    st.integers(0, 2**18),
    st.integers(0, TRANSPORTS - 1),
    st.integers(-(2**17), 2**17),
)


# the sanitizers' run takes several times as long
@settings(deadline=None, max_examples=30 if BUILT else 150, suppress_health_check=[HealthCheck.too_slow])
@given(
    columns=st.lists(
        COLUMNS, min_size=1, max_size=TRANSPORTS, unique_by=(lambda c: c.transport, lambda c: c.ssrc)
    ),
    packets=st.lists(PACKETS, min_size=1, max_size=12),
    late=st.booleans(),
    plain=st.lists(st.tuples(st.binary(min_size=0, max_size=60), st.integers(0, TRANSPORTS - 1)), max_size=3),
)
def test_both_ways_send_the_same(module, columns, packets, late, plain):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        pair = [Way([sink] * TRANSPORTS, made) for made in (None, module)]
        rows = []
        for way in pair:
            subscribers = table(columns)
            for packet in packets:
                subscribers.forward(way.outbox, packet, late=late)
            for payload, transport in plain:
                way.outbox.add_packet(vp8(7).data.tobytes() + payload, transport)
            used = way.outbox.used
            numbers = way.outbox.arena.number_at[:used].tolist()
            way.outbox.flush()
            assert (way.outbox.arena.number_at == -1).all()
            sequences = way.outbox.transports.sequence[:TRANSPORTS].tolist()
            rows.append((way.protected()[:used], numbers, sequences, way.drops, logged(way)))
            way.media.close()
        assert rows[0] == rows[1]


@pytest.mark.parametrize("profile", PROFILES)
def test_rollover_counters_over_wraps(ways, receivers, profile):
    """65,536 numbers and more: what a receiver decrypts is what was sent, retransmissions of before the wrap too."""
    kind, key_bytes = PROFILES[profile]
    pair = ways(profile)
    inbound = Session(
        Policy(key=bytes([0] * key_bytes), ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=kind)
    )
    column = [Column(77, 0, 0, 0, 0, 0, 0)]
    tables = [table(column, (PLAIN,)) for _ in pair]
    jumps = itertools.chain(range(65_500, 65_600), range(98_304, 300_000, 16_384), range(327_600, 327_700))
    for sequence in jumps:
        packet = vp8(sequence, sequence * 90 & 0xFFFFFFFF)
        for way, subscribers in zip(pair, tables, strict=True):
            subscribers.forward(way.outbox, packet, late=False)
            way.outbox.flush()
        twice = arrived(receivers)[0]
        assert twice[0] == twice[1]
        plain = inbound.unprotect(twice[0])
        assert struct.unpack_from("!HI", plain, 2) == (sequence & 0xFFFF, sequence * 90 & 0xFFFFFFFF)
    # a number of before the last wrap that had been lost, on another SSRC's counter
    for way in pair:
        for number in (65_530, 2, 65_531):
            way.outbox.add_packet(struct.pack("!BBHII", 0x80, 97, number, 1, 78) + b"again", 0)
        way.outbox.flush()
    datagrams = arrived(receivers)[0]
    assert datagrams[:3] == datagrams[3:]
    assert [struct.unpack_from("!H", inbound.unprotect(each), 2)[0] for each in datagrams[:3]] == [
        65_530,
        2,
        65_531,
    ]


@pytest.mark.parametrize("runs", [True, False], ids=["runs", "single"])
def test_each_receiver_gets_its_packets_in_order(module, receivers, runs):
    """Runs of equal sizes with a shorter last, mixed with other sizes, over several viewers."""
    ways = [Way(receivers), Way(receivers, module, runs=runs)]
    expected = []
    for way in ways:
        subscribers = table(columns_of(TRANSPORTS))
        for i, size in enumerate([1100] * 7 + [300, 300, 20, 1100, 1100, 1, 2, 2]):
            subscribers.forward(way.outbox, vp8(1000 + i, size=size), late=False)
        way.outbox.add_packet(vp8(1).data.tobytes(), 2)
        way.outbox.flush()
        expected.append(arrived(receivers))
        assert not way.drops
        way.media.close()
    assert expected[0] == expected[1]
    assert [len(datagrams) for datagrams in expected[1]] == [15, 15, 16, 15, 15, 15]


def test_runs_longer_than_the_kernel_cuts(ways, receivers):
    pair = ways()
    for way in pair:
        subscribers = table(columns_of(1))
        for i in range(150):
            subscribers.forward(way.outbox, vp8(1000 + i, size=10 if i < 140 else 1100), late=False)
        way.outbox.flush()
        assert not way.drops
    datagrams = arrived(receivers)[0]
    assert len(datagrams) == 300
    assert datagrams[:150] == datagrams[150:]


@pytest.mark.parametrize("named", [True, False], ids=["own address named", "own address left to the kernel"])
def test_where_the_system_refuses_a_run_its_rows_go_one_by_one(module, receivers, named):
    """As on a path whose MTU is below the size; here by a socket without checksums, which takes no runs either."""
    way = Way(receivers, module)
    if not named:
        way.outbox.transports.addresses[:, CONTROL_AT:] = 0
    # EINVAL or EIO, by the kernel's version
    way.media._socket.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_NO_CHECK", 11), 1)
    subscribers = table(columns_of(2), (PLAIN,))
    for i in range(5):
        subscribers.forward(way.outbox, vp8(1000 + i), late=False)
    way.outbox.flush()
    assert [len(datagrams) for datagrams in arrived(receivers)[:2]] == [5, 5]
    assert not way.drops
    way.media.close()


@pytest.mark.parametrize("native", [True, False], ids=["native", "portable"])
def test_what_cannot_be_protected_does_not_go_out(module, receivers, native):
    way = Way(receivers, module if native else None)
    way.outbox.transports.connect(1, 0)  # not up
    twice = vp8(5).data.tobytes()
    for transport in (0, 1, 2, 0, 2):
        way.outbox.add_packet(twice, transport)  # libsrtp takes no number twice
    way.outbox.flush()
    assert [len(datagrams) for datagrams in arrived(receivers)] == [1, 0, 1, 0, 0, 0]
    assert way.drops == {DropReason.NOT_PROTECTED: 3}
    assert way.outbox.arena.lengths[:5].tolist() == [len(twice) + 16, 0, len(twice) + 16, 0, 0]
    for packet in (twice, vp8(6).data.tobytes(), vp8(7).data.tobytes()):
        way.outbox.add_packet(packet, 0)
    way.outbox.flush()
    assert [len(datagrams) for datagrams in arrived(receivers)] == [2, 0, 0, 0, 0, 0]
    way.media.close()


@pytest.mark.parametrize("native", [True, False], ids=["native", "portable"])
def test_one_unreachable_viewer_does_not_stop_the_others(module, receivers, native):
    way = Way(receivers, module if native else None)
    way.outbox.transports.move(1, udp.pack_path("255.255.255.255", 9, way.media.family))
    subscribers = table(columns_of(3), (PLAIN,))
    for i in range(3):
        subscribers.forward(way.outbox, vp8(1000 + i), late=False)
    way.outbox.flush()
    assert [len(datagrams) for datagrams in arrived(receivers)[:3]] == [3, 0, 3]
    assert way.drops == {DropReason.NOT_SENT: 3}
    way.media.close()


@pytest.mark.parametrize("native", [True, False], ids=["native", "portable"])
def test_a_viewer_is_followed_to_its_new_address(module, receivers, native):
    way = Way(receivers, module if native else None)
    subscribers = table(columns_of(1))
    for i, receiver in enumerate(receivers[:2]):
        way.outbox.transports.move(0, udp.pack_path(*receiver.getsockname(), way.media.family))
        subscribers.forward(way.outbox, vp8(1000 + i), late=False)
        way.outbox.flush()
    assert [len(datagrams) for datagrams in arrived(receivers)[:2]] == [1, 1]
    way.media.close()


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("runs", [True, False], ids=["runs", "single rows"])
@pytest.mark.parametrize("native", [True, False], ids=["native", "portable"])
def test_a_viewer_is_sent_to_from_the_address_that_it_asked(module, receivers, native, runs, asked):
    way = Way(receivers, module if native else None, runs=runs)
    for transport, receiver in enumerate(receivers[:2]):
        path = udp.pack_path(*receiver.getsockname(), way.media.family, local=asked)
        way.outbox.transports.move(transport, udp.without_own_address(path) if native else path)
    subscribers = table(columns_of(2), (PLAIN,))
    for i in range(5):
        subscribers.forward(way.outbox, vp8(1000 + i), late=False)
    way.outbox.flush()
    assert not way.drops
    for receiver in receivers[:2]:
        receiver.settimeout(5)
        assert {receiver.recvfrom(4096)[1] for _ in range(5)} == {(asked, way.media.port)}
    way.media.close()


def test_more_rows_than_the_arena_has(ways, receivers):
    pair = ways()
    for way in pair:
        subscribers = table(
            [Column(i, i, 0, 0, 0, 0, i % TRANSPORTS) for i in range(ARENA_ROWS + 60)], (PLAIN,)
        )
        subscribers.forward(way.outbox, vp8(1000), late=False)
        way.outbox.flush()
        assert not way.drops
    found = arrived(receivers)
    assert sum(map(len, found)) == 2 * (ARENA_ROWS + 60)
    for datagrams in found:
        assert datagrams[: len(datagrams) // 2] == datagrams[len(datagrams) // 2 :]


def test_sizes_agree_with_the_header(module):
    lib = module.lib
    assert (lib.ARENA_ROWS, lib.ARENA_STRIDE, lib.MAX_PACKET_BYTES) == (
        ARENA_ROWS,
        ARENA_STRIDE,
        MAX_PACKET_BYTES,
    )
    assert (lib.MAX_TRANSPORTS, lib.PATH_BYTES, lib.CONTROL_AT, lib.LOG_SIZE) == (
        MAX_TRANSPORTS,
        PATH_BYTES,
        CONTROL_AT,
        LOG_SIZE,
    )
    fields = {name: field.offset for name, field in module.ffi.typeof("struct column").fields}
    assert fields == {name: COLUMN.fields[name][1] for name in COLUMN.names}
    assert module.ffi.sizeof("struct column") == COLUMN.itemsize


def test_what_lies_outside_is_refused(module, receivers):
    """A fuzz of the C functions' inputs: refused, or written within the arena; never a stray byte."""
    chance = random.Random(7)
    way = Way(receivers, module)
    state, call, ffi = way.kernel.state, module.lib, module.ffi
    values = ffi.new("struct template *")
    columns = np.zeros(8, COLUMN)
    arena = way.outbox.arena
    edges = [-(2**31), -2, -1, 0, 1, 11, 12, 13, 500, 511, 512, 1455, 1456, 1457, 1600, 2**31 - 1]
    written = 0
    for _ in range(5_000):
        length = chance.choice([100, 1100, *edges])
        data = bytes(min(max(length, 0), 2000))
        values.length = length
        for name in ("picture_id_at", "tl0picidx_at", "frame_number_at", "transport_sequence_at"):
            setattr(
                values,
                name,
                chance.choice([-1, 12, 13, chance.choice([length - 2, length - 1, *edges]) % 2**31]),
            )
        values.long_picture_id = chance.getrandbits(1)
        columns["transport"] = chance.choice(
            [0, 1, TRANSPORTS, MAX_TRANSPORTS - 1, -1, MAX_TRANSPORTS, 2**31 - 1]
        )
        row, count = chance.choice([0, 100, *edges]), chance.choice([-1, 0, 1, 8])
        before = arena.rows.copy() if chance.random() < 0.02 else None
        failed = call.write_rows(state, row, ffi.from_buffer("struct column[]", columns), count, data, values)
        written += not failed
        if failed and before is not None:
            assert (arena.rows == before).all()
        if chance.random() < 0.2:
            used = chance.choice([1, 5, 511, 512])
            arena.lengths[: used + 1][:ARENA_ROWS] = chance.choice(edges)
            arena.number_at[:used] = chance.choice([-1, 0, 11, 12, 98, 99, 65_535, 2**31 - 1])
            arena.transports[: min(used, 8)] = chance.choice([-1, 0, 5, MAX_TRANSPORTS, 2**31 - 1])
            sent = call.protect_and_send(state, used, 1.0)
            assert 0 <= sent + state.not_protected <= used
    assert written > 100
    assert call.protect_and_send(state, ARENA_ROWS + 1, 1.0) == -1
    assert call.protect_and_send(state, -1, 1.0) == -1
    way.media.close()


def test_a_refused_packet_leaves_no_rows(module, receivers):
    way = Way(receivers, module)
    with pytest.raises(ValueError, match="outside"):
        table([Column(1, 0, 0, 0, 0, 0, MAX_TRANSPORTS)]).forward(way.outbox, vp8(1), late=False)
    assert way.outbox.used == 0
    way.media.close()


SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)


@pytest.mark.timeout(300)
@pytest.mark.skipif(BUILT is not None, reason="this is that run")
def test_sanitizers_find_nothing(module, tmp_path):
    """The tests of this file once more, with the module built for them."""
    libraries = []
    for name in ("libasan.so", "libubsan.so"):
        asked = [os.environ.get("CC", "cc"), f"-print-file-name={name}"]
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        if not Path(found).is_file():
            pytest.skip(f"the compiler has no {name}")
        libraries.append(found)
    built = build(tmp_path, SANITIZERS)
    environment = os.environ | {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",  # the interpreter frees not all
        "PYTHONMALLOC": "malloc",
        "LECTERN_TEST_KERNEL": str(built),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "passed" in done.stdout


def test_without_a_module_the_portable_path_serves(monkeypatch, receivers):
    monkeypatch.setitem(sys.modules, "sfu.dataplane._plane", None)
    outbox = RowBuffer(Arena())
    media = udp.open_socket(0, outbox.arena)
    assert library.load() is None
    assert isinstance(kernel.choose(outbox, media, Counter()), kernel.Portable)
    media.close()


def test_the_choice(monkeypatch, module, receivers):
    monkeypatch.setitem(sys.modules, "sfu.dataplane._plane", module)
    outbox = RowBuffer(Arena())
    media, plain = udp.open_socket(0, outbox.arena), udp.open_socket(0, outbox.arena, portable=True)
    assert isinstance(kernel.choose(outbox, plain, Counter()), kernel.Portable)
    assert isinstance(kernel.choose(outbox, media, Counter(), native=False), kernel.Portable)
    assert isinstance(kernel.choose(outbox, media, Counter()), Rows)
    media.close()
    plain.close()


def test_a_module_of_other_sources_is_not_used(monkeypatch, module, caplog):
    monkeypatch.setitem(sys.modules, "sfu.dataplane._plane", module)
    monkeypatch.setattr(library, "digest", lambda: "another")
    assert library.load() is None
    assert "out of date" in caplog.text
    assert NAME == "_plane.abi3.so"
