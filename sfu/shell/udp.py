"""The one UDP socket: datagrams in by batches, rows of the fan-out's arena out by batches.

Addresses are raw `sockaddr` bytes throughout (28 bytes, IPv6 or IPv4-mapped; the kernel writes and reads them as
they are), so that one dictionary look-up by bytes finds a peer and nothing is converted per packet.

Two implementations behind one interface: `BatchSocket` (recvmmsg and sendmmsg through cffi's ABI mode: no compiler
needed) and `PlainSocket` (ordinary socket calls, for platforms without those). `open_socket` chooses.
"""

import errno
import socket
import struct
from abc import ABC, abstractmethod
from typing import Any

import cffi
import numpy as np

from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE, Arena

SOCKADDR_SIZE = 28  # sizeof(struct sockaddr_in6); a sockaddr_in fills the first 16 bytes
RECEIVE_BATCH = 64
# Longer datagrams are dropped whole: WebRTC packets fit 1,500 bytes, and a DTLS flight is split to fit too.
RECEIVE_STRIDE = 2048
# Room for 60 ms of 1,000 viewers of 2 Mbit/s. The kernel clamps it to net.core.[rw]mem_max, silently.
SOCKET_BUFFER_BYTES = 16 << 20
# MSG_TRUNC: msg_len tells the datagram's true length even when it was cut to the row
_RECEIVE_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_TRUNC)
# linux/udp.h; Python has no name for it
_UDP_SEGMENT = 103

_ffi = cffi.FFI()
_ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; unsigned int msg_namelen;
    struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen;
    int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, void *timeout);
int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
""")


def pack_sockaddr(host: str, port: int, family: int = socket.AF_INET6) -> bytes:
    """An IPv4 or IPv6 literal and a port as raw sockaddr bytes for a socket of `family`. OSError otherwise."""
    if family == socket.AF_INET:
        raw = struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_pton(family, host)
        return raw.ljust(SOCKADDR_SIZE, b"\0")
    address = socket.inet_pton(family, host if ":" in host else f"::ffff:{host}")
    return struct.pack("=H", family) + struct.pack("!HI", port, 0) + address + bytes(4)


def unpack_sockaddr(raw: bytes) -> tuple[str, int]:
    """The host literal (mapped addresses as IPv4) and the port of raw sockaddr bytes."""
    port = int.from_bytes(raw[2:4], "big")
    if struct.unpack_from("=H", raw)[0] == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, raw[4:8]), port
    packed = raw[8:24]
    if packed[:12] == b"\x00" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:]), port
    return socket.inet_ntop(socket.AF_INET6, packed), port


class MediaSocket(ABC):
    """A bound, non-blocking UDP socket with a receive arena of its own and a send arena shared with the fan-out.

    After `receive` returned n, datagram i < n lies in `buffer` at `i * RECEIVE_STRIDE`, has `lengths[i]` bytes
    (more than RECEIVE_STRIDE: it was cut) and came from `addresses[i]`.
    """

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        """Adopt a bound socket and the arena whose rows `send_rows` sends."""
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        self._socket = sock
        self._arena = arena
        self.family = sock.family
        self.buffer = bytearray(RECEIVE_STRIDE * RECEIVE_BATCH + 1)
        self.lengths: list[int] = []
        self.addresses: list[bytes] = []

    @property
    def port(self) -> int:
        """The bound port."""
        port: int = self._socket.getsockname()[1]
        return port

    def fileno(self) -> int:
        """The descriptor, for the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    @abstractmethod
    def receive(self) -> int:
        """Take up to RECEIVE_BATCH waiting datagrams; 0 when there are none."""

    @property
    def cuts_runs(self) -> bool:
        """Whether the kernel cuts one large datagram into many of a size (UDP_SEGMENT, Linux 4.18)."""
        try:
            self._socket.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
        except OSError:
            return False
        return True

    @abstractmethod
    def send_rows(self, start: int, end: int) -> int:
        """Send the arena's rows from `start` up to `end`; returns how many the kernel took."""

    def send(self, data: bytes, address: bytes) -> bool:
        """Send one datagram; False when the kernel refuses it (buffer full, unreachable)."""
        try:
            self._socket.sendto(data, self._destination(address))
        except OSError:  # UDP: a refused datagram is a lost datagram
            return False
        return True

    def _destination(self, address: bytes) -> tuple[str, int]:
        port = int.from_bytes(address[2:4], "big")
        if self.family == socket.AF_INET:
            return socket.inet_ntop(socket.AF_INET, address[4:8]), port
        return socket.inet_ntop(socket.AF_INET6, address[8:24]), port


class BatchSocket(MediaSocket):
    """recvmmsg and sendmmsg."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        """See the base class; AttributeError where the platform's libc has no recvmmsg or sendmmsg."""
        super().__init__(sock, arena)
        lib: Any = _ffi.dlopen(None)
        self._recvmmsg = lib.recvmmsg
        self._sendmmsg = lib.sendmmsg
        self._fd = sock.fileno()
        self._incoming = self._receive_headers()
        self._outgoing = self._send_headers(arena)

    def _receive_headers(self) -> Any:
        base = _ffi.from_buffer("char[]", self.buffer)
        self._names = _ffi.new("char[]", SOCKADDR_SIZE * RECEIVE_BATCH)
        self._names_view = _ffi.buffer(self._names)
        self._in_iov = _ffi.new("struct iovec[]", RECEIVE_BATCH)
        headers = _ffi.new("struct mmsghdr[]", RECEIVE_BATCH)
        for i in range(RECEIVE_BATCH):
            self._in_iov[i].iov_base = base + RECEIVE_STRIDE * i
            self._in_iov[i].iov_len = RECEIVE_STRIDE
            header = headers[i].msg_hdr
            header.msg_iov = self._in_iov + i
            header.msg_iovlen = 1
            header.msg_name = self._names + SOCKADDR_SIZE * i
            header.msg_namelen = SOCKADDR_SIZE
        return headers

    def _send_headers(self, arena: Arena) -> Any:
        # of the arrays themselves: CPython 3.11 can crash when it collects a memory view that cffi has open
        arrays: tuple[Any, Any] = arena.rows, arena.addresses
        rows, names = (_ffi.from_buffer("char[]", array) for array in arrays)
        self._out_keep = (rows, names)
        self._out_iov = _ffi.new("struct iovec[]", ARENA_ROWS)
        headers = _ffi.new("struct mmsghdr[]", ARENA_ROWS)
        for i in range(ARENA_ROWS):
            self._out_iov[i].iov_base = rows + ARENA_STRIDE * i
            header = headers[i].msg_hdr
            header.msg_iov = self._out_iov + i
            header.msg_iovlen = 1
            header.msg_name = names + SOCKADDR_SIZE * i
            header.msg_namelen = SOCKADDR_SIZE if self.family == socket.AF_INET6 else 16
        # iov_len of all rows as one strided vector: the lengths are set by one assignment per send
        vectors: Any = _ffi.buffer(self._out_iov)
        self._out_lengths = np.frombuffer(vectors, dtype=np.uintp).reshape(-1, 2)[:, 1]
        return headers

    def receive(self) -> int:
        """See the base class."""
        headers = self._incoming
        count: int = self._recvmmsg(self._fd, headers, RECEIVE_BATCH, _RECEIVE_FLAGS, _ffi.NULL)
        if count <= 0:
            return 0
        names = self._names_view
        size = SOCKADDR_SIZE
        self.lengths = [headers[i].msg_len for i in range(count)]
        self.addresses = [names[size * i : size * i + size] for i in range(count)]
        return count

    def send_rows(self, start: int, end: int) -> int:
        """See the base class."""
        self._out_lengths[start:end] = self._arena.lengths[start:end]
        at, sent = start, 0
        while at < end:
            done: int = self._sendmmsg(self._fd, self._outgoing + at, end - at, socket.MSG_DONTWAIT)
            if done > 0:
                at += done
                sent += done
            elif _ffi.errno == errno.EINTR:
                continue
            elif _ffi.errno in {errno.EAGAIN, errno.ENOBUFS}:
                break  # the socket's buffer is full: the rest is lost, as on any full queue
            else:
                at += 1  # this destination is unreachable; the others are not
        return sent


class PlainSocket(MediaSocket):
    """One system call per datagram."""

    def receive(self) -> int:
        """See the base class."""
        self.lengths = []
        self.addresses = []
        view = memoryview(self.buffer)
        while len(self.lengths) < RECEIVE_BATCH:
            at = len(self.lengths) * RECEIVE_STRIDE
            # one byte more than a row tells a cut datagram; it falls into the next row, which is still free
            try:
                length, source = self._socket.recvfrom_into(view[at : at + RECEIVE_STRIDE + 1])
            except BlockingIOError:
                break
            except OSError:  # an ICMP error that an earlier send caused
                continue
            self.lengths.append(length)
            self.addresses.append(pack_sockaddr(source[0].partition("%")[0], source[1], self.family))
        return len(self.lengths)

    def send_rows(self, start: int, end: int) -> int:
        """See the base class."""
        arena = self._arena
        sent = 0
        for i in range(start, end):
            row = arena.rows[i, : arena.lengths[i]].tobytes()
            sent += self.send(row, arena.addresses[i].tobytes())
        return sent


def bind(port: int) -> socket.socket:
    """A UDP socket on `port` of all addresses, IPv6 and IPv4 at once where the machine has IPv6.

    OSError when the port is taken.
    """
    try:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    except OSError:  # IPv6 is switched off
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("", port))
    except OSError:
        sock.close()
        raise
    return sock


def open_socket(port: int, arena: Arena, *, portable: bool = False) -> MediaSocket:
    """Bind `port` (0: any) with the best implementation this platform has. OSError when the port is taken."""
    sock = bind(port)
    if not portable:
        try:
            return BatchSocket(sock, arena)
        except AttributeError:  # a libc without the two calls
            pass
    return PlainSocket(sock, arena)
