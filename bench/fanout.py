"""CPU time per forwarded packet of the fan-out, beside the floor: the same encryption and sendmmsg, and nothing else.

`python -m bench.fanout [--packets 2000]` prints one line per number of viewers and of packets back to back, for the
portable path and the native kernel. All of them protect and send the same rows on loopback in the same run, so the
ratios are valid on a busy machine, unlike the microseconds. With UDP GSO the native kernel goes below the floor.
"""

import argparse
import os
import socket
import statistics
import struct
import time
from collections import Counter

import numpy as np
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from sfu.dataplane import library
from sfu.drops import DropReason
from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE, Arena
from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.table import Column, FanoutTable
from sfu.fanout.template import TemplateClass
from sfu.shell import kernel, udp
from sfu.wire.packet import SourcePacket

VIEWERS = (1, 10, 30, 60, 100, 300)
BURSTS = (1, 7)
PACKET_BYTES = 1200
KIND = TemplateClass((("vp8", 96),), ())
PROFILES = {
    "AES-128-GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AES-CM": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
ROUNDS = 5


class Rig:
    """A socket, an arena, and an SRTP context per viewer, connected as the engine connects them."""

    def __init__(self, viewers: int, profile: str, sink: socket.socket, *, native: bool = False) -> None:
        """`sink` receives all rows."""
        self.outbox = RowBuffer(Arena())
        self.drops: Counter[DropReason] = Counter()
        self.arena = self.outbox.arena
        self.socket = udp.open_socket(0, self.arena)
        self.outbox.open(kernel.choose(self.outbox, self.socket, self.drops, native=native))
        kind, key_bytes = PROFILES[profile]
        policies = [
            Policy(key=os.urandom(key_bytes), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=kind)
            for _ in range(viewers)
        ]
        self.sessions = [Session(policy) for policy in policies]
        self.srtp = [session._srtp[0] for session in self.sessions]  # noqa: SLF001 - as sfu.dtls does
        host, port = sink.getsockname()[:2]
        self.address = udp.pack_path(host, port, self.socket.family)
        for session in self.srtp:
            transport = self.outbox.transports.add()
            self.outbox.transports.connect(transport, int(ffi.cast("uintptr_t", session)))
            self.outbox.transports.move(transport, self.address)


def packet(sequence: int) -> SourcePacket:
    """Return one VP8 packet with a picture id."""
    data = struct.pack(
        "!BBHIIBBH", 0x80, 0x80 | 96, sequence & 0xFFFF, sequence * 450 & 0xFFFFFFFF, 7, 0x90, 0x80, 0x8001
    )
    view = memoryview(data + bytes(PACKET_BYTES - len(data)))
    return SourcePacket(view, 12, sequence, sequence * 450 & 0xFFFFFFFF, True, "vp8", (), 14, 1)


def product(rig: Rig, viewers: int, count: int, first: int, burst: int = 1) -> float:
    """Return the fan-out's CPU seconds per forwarded packet."""
    table = FanoutTable()
    for i in range(viewers):
        table.add(KIND, i, Column(1000 + i, i, i, i, 0, 0, i))
    packets = [packet(first + i) for i in range(count)]
    started = time.process_time()
    for i, each in enumerate(packets, 1):
        table.forward(rig.outbox, each, late=False)
        if i % burst == 0:
            rig.outbox.flush()
    rig.outbox.flush()
    spent_s = time.process_time() - started
    if rig.drops[DropReason.NOT_PROTECTED]:
        raise RuntimeError("libsrtp refused a row")
    return spent_s / (count * viewers)


def floor(rig: Rig, viewers: int, count: int, first: int) -> float:
    """Return the CPU seconds per packet of encrypting and sending rows that are already written."""
    batches = [rig.srtp[at : at + ARENA_ROWS] for at in range(0, viewers, ARENA_ROWS)]
    arena = rig.arena
    arena.addresses[:] = np.frombuffer(rig.address, np.uint8)
    arena.rows[:, :12] = np.frombuffer(struct.pack("!BBHII", 0x80, 96, 0, 0, 0), np.uint8)
    arena.headers["ssrc"] = np.arange(500_000, 500_000 + ARENA_ROWS)
    base = ffi.cast("char *", ffi.from_buffer(arena.rows))
    rows = [base + ARENA_STRIDE * i for i in range(ARENA_ROWS)]
    base = ffi.cast("int *", ffi.from_buffer(arena.lengths))
    lengths = [base + i for i in range(ARENA_ROWS)]
    protect = lib.srtp_protect
    started = time.process_time()
    for i in range(count):
        arena.headers["sequence"] = (first + i) & 0xFFFF  # libsrtp refuses a repeated number
        arena.lengths[:] = PACKET_BYTES
        for batch in batches:
            for srtp, row, length in zip(batch, rows, lengths, strict=False):
                protect(srtp, row, length)
            rig.socket.send_rows(0, len(batch))
    return (time.process_time() - started) / (count * viewers)


def compare(profile: str, viewers: int, burst: int, rows: int) -> str:
    """Return a line of the table: both paths and the floor, measured alternately."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        portable, native = (Rig(viewers, profile, sink, native=each) for each in (False, True))
        count = burst * max(20, rows // viewers // ROUNDS // burst)
        rounds = []
        for i in range(ROUNDS):
            first = 1 + i * count
            rounds.append(
                (
                    product(portable, viewers, count, first, burst),
                    product(native, viewers, count, first, burst),
                    floor(portable, viewers, count, first),
                )
            )
        portable.socket.close()
        native.socket.close()
    one, other, low = (statistics.median(values) * 1e6 for values in zip(*rounds, strict=True))
    ratios = [statistics.median(each[i] / each[2] for each in rounds) for i in (0, 1)]
    return f"{profile:12} {viewers:7} {burst:5} {low:9.2f} {one:12.2f} {ratios[0]:6.2f} {other:10.2f} {ratios[1]:6.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--packets", type=int, default=20_000, help="rows per measurement (default %(default)s)"
    )
    arguments = parser.parse_args()
    if library.load() is None:
        print("The native data plane was not built; its columns show the portable path again.")
    print("profile      viewers burst  floor us  portable us  ratio  native us  ratio")
    for profile in PROFILES:
        for burst in BURSTS:
            for viewers in VIEWERS:
                print(compare(profile, viewers, burst, arguments.packets), flush=True)


if __name__ == "__main__":
    main()
