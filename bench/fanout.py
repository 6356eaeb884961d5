"""CPU per forwarded packet of the fan-out, next to the floor: the same crypto and sendmmsg and nothing else.

`python -m bench.fanout [--packets 2000]` prints one line per number of viewers. Both sides protect and send the
same rows on loopback in the same run, so the ratio holds on a noisy machine where the microseconds do not.
"""

import argparse
import os
import socket
import statistics
import struct
import time

import numpy as np
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from sfu import udp
from sfu.fanout import (
    ARENA_ROWS,
    ARENA_STRIDE,
    Arena,
    Column,
    FanoutTable,
    Outbox,
    SourcePacket,
    TemplateClass,
)

VIEWERS = (1, 10, 30, 60, 100, 300)
PACKET_BYTES = 1200
KIND = TemplateClass((("vp8", 96),), ())
PROFILES = {
    "AES-128-GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AES-CM": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
ROUNDS = 5


class Rig:
    """A socket, an arena, and a session per viewer, wired as the engine wires them."""

    def __init__(self, viewers: int, profile: str, sink: socket.socket) -> None:
        """`sink` is where all rows go."""
        self.arena = Arena()
        self.socket = udp.open_socket(0, self.arena)
        kind, key_bytes = PROFILES[profile]
        policies = [
            Policy(key=os.urandom(key_bytes), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=kind)
            for _ in range(viewers)
        ]
        self.sessions = [Session(policy) for policy in policies]
        self.srtp = [session._srtp[0] for session in self.sessions]  # noqa: SLF001 - as sfu.dtls does
        rows = ffi.cast("char *", ffi.from_buffer(self.arena.rows.data))
        lengths = ffi.cast("int *", ffi.from_buffer(self.arena.lengths.data))
        self.rows = [rows + ARENA_STRIDE * i for i in range(ARENA_ROWS)]
        self.lengths = [lengths + i for i in range(ARENA_ROWS)]
        host, port = sink.getsockname()[:2]
        self.address = udp.pack_sockaddr(host, port, self.socket.family)
        self.outbox = Outbox(self.arena, self.protect_and_send)
        for session in self.srtp:
            transport = self.outbox.transports.add()
            self.outbox.transports.connect(transport, session)
            self.outbox.transports.move(transport, self.address)

    def protect_and_send(self, count: int) -> float:
        """What the engine does with full rows."""
        srtp = map(self.outbox.transports.sessions.__getitem__, self.arena.transports[:count].tolist())
        if sum(map(bool, map(lib.srtp_protect, srtp, self.rows[:count], self.lengths[:count]))):
            raise RuntimeError("libsrtp refused a row")
        sent_at = time.monotonic()
        self.socket.send_rows(0, count)
        return sent_at


def packet(sequence: int) -> SourcePacket:
    """One VP8 packet with picture id."""
    data = struct.pack(
        "!BBHIIBBH", 0x80, 0x80 | 96, sequence & 0xFFFF, sequence * 450 & 0xFFFFFFFF, 7, 0x90, 0x80, 0x8001
    )
    view = memoryview(data + bytes(PACKET_BYTES - len(data)))
    return SourcePacket(view, 12, sequence, sequence * 450 & 0xFFFFFFFF, True, "vp8", (), 14, 1)


def product(rig: Rig, viewers: int, count: int, first: int) -> float:
    """CPU seconds per forwarded packet of the fan-out."""
    table = FanoutTable()
    for i in range(viewers):
        table.add(KIND, i, Column(1000 + i, i, i, i, 0, 0, i))
    packets = [packet(first + i) for i in range(count)]
    started = time.process_time()
    for each in packets:
        table.forward(rig.outbox, each, late=False)
        rig.outbox.flush()
    return (time.process_time() - started) / (count * viewers)


def floor(rig: Rig, viewers: int, count: int, first: int) -> float:
    """CPU seconds per packet of crypto and sendmmsg over rows that are ready."""
    batches = [rig.srtp[at : at + ARENA_ROWS] for at in range(0, viewers, ARENA_ROWS)]
    arena = rig.arena
    arena.addresses[:] = np.frombuffer(rig.address, np.uint8)
    arena.rows[:, :12] = np.frombuffer(struct.pack("!BBHII", 0x80, 96, 0, 0, 0), np.uint8)
    arena.headers["ssrc"] = np.arange(500_000, 500_000 + ARENA_ROWS)
    rows, lengths, protect = rig.rows, rig.lengths, lib.srtp_protect
    started = time.process_time()
    for i in range(count):
        arena.headers["sequence"] = (first + i) & 0xFFFF  # libsrtp takes no number twice
        arena.lengths[:] = PACKET_BYTES
        for batch in batches:
            for srtp, row, length in zip(batch, rows, lengths, strict=False):
                protect(srtp, row, length)
            rig.socket.send_rows(0, len(batch))
    return (time.process_time() - started) / (count * viewers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--packets", type=int, default=20_000, help="rows per measurement (default %(default)s)"
    )
    arguments = parser.parse_args()
    print(f"{'profile':12} {'viewers':>7} {'fan-out us':>11} {'floor us':>9} {'ratio':>6}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        for profile in PROFILES:
            for viewers in VIEWERS:
                rig = Rig(viewers, profile, sink)
                count = max(20, arguments.packets // viewers // ROUNDS)
                pairs = []
                for i in range(ROUNDS):
                    first = 1 + i * count
                    pairs.append((product(rig, viewers, count, first), floor(rig, viewers, count, first)))
                fan, low = (statistics.median(values) * 1e6 for values in zip(*pairs, strict=True))
                ratio = statistics.median(a / b for a, b in pairs)
                print(f"{profile:12} {viewers:7} {fan:11.2f} {low:9.2f} {ratio:6.2f}")
                rig.socket.close()


if __name__ == "__main__":
    main()
