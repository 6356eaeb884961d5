"""The least that forwarding costs: `python -m bench.bare [--viewers 4] [--rate 4000]`.

One thread receives the packets of one sender, decrypts them, encrypts them with libsrtp for each viewer and sends them.
It knows nothing of rooms: no signalling, no tables, no reports, no history, no interpreter. What it needs is a lower
bound for the server under the same load (`python -m bench.mesh`).
"""

import argparse
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi as srtp_ffi

from bench.fanout import PROFILES
from bench.native import load, srtp_function

HERE = Path(__file__).parent
PROFILE, KEY_BYTES = PROFILES["AES-128-GCM"]
BUFFER_BYTES = 4 << 20


def _session(kind: int, key: bytes) -> Session:
    return Session(Policy(key=key, ssrc_type=kind, srtp_profile=PROFILE))


def _pointer(session: Session) -> int:
    return int(srtp_ffi.cast("uintptr_t", session._srtp[0]))  # noqa: SLF001 - as sfu.dtls does


def _bound(stack: ExitStack) -> socket.socket:
    made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    made.bind(("127.0.0.1", 0))
    return made


def measure(viewers: int, rate: float, seconds: float, packet_bytes: int, cores: list[int]) -> float:
    """Return the CPU time per forwarded packet in seconds. OSError if packets are lost."""
    ffi, library = load(HERE / "bare.h", HERE / "bare.c")
    with ExitStack() as stack:
        server, sender = _bound(stack), _bound(stack)
        sender.connect(server.getsockname())
        sockets = [_bound(stack) for _ in range(viewers)]
        key = os.urandom(KEY_BYTES)
        sent_by, received_by = _session(Policy.SSRC_ANY_OUTBOUND, key), _session(Policy.SSRC_ANY_INBOUND, key)
        sessions = [_session(Policy.SSRC_ANY_OUTBOUND, os.urandom(KEY_BYTES)) for _ in range(viewers)]
        files = ffi.new("int[]", [each.fileno() for each in sockets])
        pointers = ffi.new("uintptr_t[]", [_pointer(each) for each in sessions])
        values = {
            "server": server.fileno(),
            "sender": sender.fileno(),
            "sockets": files,
            "viewers": viewers,
            "rate": rate,
            "packets": round(rate * seconds),
            "packet_bytes": packet_bytes,
            "server_core": cores[0],
            "client_core": cores[-1],
            "protect": srtp_function("srtp_protect"),
            "unprotect": srtp_function("srtp_unprotect"),
            "sender_session": _pointer(sent_by),
            "server_session": _pointer(received_by),
            "sessions": pointers,
        }
        sent = ffi.new("int *")
        spent_s = library.bare_run(ffi.new("struct load *", values), sent)
    if spent_s < 0 or sent[0] < 0.99 * viewers * round(rate * seconds):
        raise OSError("the system did not forward all packets")
    return float(spent_s) / int(sent[0])


def main() -> int:
    """Print a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=4, help="at most 250 (default %(default)s)")
    parser.add_argument("--rate", type=float, default=4000.0, help="packets per second, evenly spaced")
    parser.add_argument("--duration", type=float, default=5.0, help="seconds")
    parser.add_argument("--bytes", type=int, default=1200, help="of a packet (default %(default)s)")
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    spent_s = measure(asked.viewers, asked.rate, asked.duration, asked.bytes, cores)
    print(f"{asked.viewers} viewers, {asked.rate:.0f} packets/s: {spent_s * 1e6:.1f} us a packet")
    return 0


if __name__ == "__main__":
    sys.exit(main())
