"""The UDP socket for media: datagrams are received, and rows of the fan-out's arena are sent, in batches.

A machine has several addresses, and a client takes an answer only from the one that it asked (RFC 8445 section
7.2.5.2.1). So each datagram is received with the address that it was sent to, and what is sent names the address to
send from (IPV6_PKTINFO, RFC 3542 section 6; ip(7) for IP_PKTINFO).

Both addresses together are a path, PATH_BYTES of raw memory that the kernel writes and reads as it is, so that one
dictionary look-up by bytes finds a peer and nothing is converted per packet:

    0   `struct sockaddr_in6` of the client, IPv6 or IPv4-mapped (`sockaddr_in` where the machine has no IPv6)
    32  control message with the own address; the index of the interface is 0, so that routes decide

Two implementations behind one interface: `BatchSocket` (recvmmsg and sendmmsg through cffi's ABI mode: no compiler
needed) and `PlainSocket` (ordinary socket calls, for platforms without those). `open_socket` chooses.
"""

import errno
import socket
import struct
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import cffi
import numpy as np

from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE, Arena
from sfu.fanout.transports import CONTROL_AT, PATH_BYTES

_SOCKADDR_BYTES = 28  # sizeof(struct sockaddr_in6); a sockaddr_in fills the first 16 bytes
RECEIVE_BATCH = 64
# Longer datagrams are dropped whole: WebRTC packets fit 1,500 bytes, and a DTLS flight is split to fit too.
RECEIVE_STRIDE = 2048
# Room for 60 ms of 1,000 viewers of 2 Mbit/s. The kernel clamps it to net.core.[rw]mem_max, silently.
SOCKET_BUFFER_BYTES = 16 << 20
# MSG_TRUNC: msg_len tells the datagram's true length even when it was cut to the row
_RECEIVE_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_TRUNC)
# linux/udp.h, linux/in.h; Python has no names for them
_UDP_SEGMENT = 103
_IP_PKTINFO = 8


class _Control(NamedTuple):
    """The layout of the local address in a control message of an address family."""

    level: int
    kind: int
    receive_option: int
    "Makes the kernel add the control message to what is received."
    data_bytes: int
    "sizeof(struct in6_pktinfo), sizeof(struct in_pktinfo)"
    address_at: int
    "Where in it the address is; as the source of what is sent, `in_pktinfo` has the one called spec_dst."
    interface_at: int
    "Where in it the index of the interface is."


_CONTROLS: dict[int, _Control] = {
    socket.AF_INET6: _Control(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, socket.IPV6_RECVPKTINFO, 20, 0, 16),
    socket.AF_INET: _Control(socket.IPPROTO_IP, _IP_PKTINFO, _IP_PKTINFO, 12, 4, 0),
}
_HEADER_BYTES = socket.CMSG_LEN(0)
_DATA_AT = CONTROL_AT + _HEADER_BYTES
assert all(CONTROL_AT + socket.CMSG_SPACE(each.data_bytes) <= PATH_BYTES for each in _CONTROLS.values())

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


def pack_path(host: str, port: int, family: int = socket.AF_INET6, local: str = "") -> bytes:
    """Return the path to an IPv4 or IPv6 literal and a port, for a socket of `family`. OSError if it is no literal.

    `local` is the own address of the same version; without it the kernel chooses.
    """
    version = ":" in host
    if family == socket.AF_INET:
        sockaddr = struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_pton(family, host)
    else:
        sockaddr = struct.pack("=H", family) + struct.pack("!HI", port, 0) + _mapped(host) + bytes(4)
    control = _CONTROLS[family]
    local = local or ("::" if version else "0.0.0.0")  # noqa: S104 - the unspecified address
    own = socket.inet_pton(family, local) if family == socket.AF_INET else _mapped(local)
    # in_pktinfo has it twice when a datagram came to one address: as source of the answer and as destination
    data = bytes(4) + own + own if family == socket.AF_INET else own + bytes(4)
    header = struct.pack("@Nii", _HEADER_BYTES + len(data), control.level, control.kind)
    return (sockaddr.ljust(CONTROL_AT, b"\0") + header.ljust(_HEADER_BYTES, b"\0") + data).ljust(
        PATH_BYTES, b"\0"
    )


def _mapped(host: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, host if ":" in host else f"::ffff:{host}")


def local_host(path: bytes) -> str:
    """Return the server's address of a path, a mapped address as IPv4."""
    if struct.unpack_from("=H", path)[0] == socket.AF_INET:
        at = _DATA_AT + _CONTROLS[socket.AF_INET].address_at
        return socket.inet_ntop(socket.AF_INET, path[at : at + 4])
    return _literal(path[_DATA_AT : _DATA_AT + 16])


def _literal(packed: bytes) -> str:
    if packed[:12] == b"\x00" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def without_own_address(path: bytes) -> bytes:
    """Return the path without the server's address where the kernel chooses this address anyway; otherwise the path.

    To name it costs a tenth of the time that the kernel needs to send a datagram. IPv6 paths are returned as they are:
    the address that the kernel prefers may change while the path is used (RFC 8981).
    """
    host, port = unpack_path(path)
    if ":" in host:
        return path
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))
        except OSError:
            return path
        chosen = probe.getsockname()[0]
    return path[:CONTROL_AT].ljust(PATH_BYTES, b"\0") if chosen == local_host(path) else path


def unpack_path(path: bytes) -> tuple[str, int]:
    """Return the client's address (a mapped one as IPv4) and port of a path."""
    port = int.from_bytes(path[2:4], "big")
    if struct.unpack_from("=H", path)[0] == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, path[4:8]), port
    return _literal(path[8:24]), port


class MediaSocket(ABC):
    """A bound, non-blocking UDP socket with a receive arena of its own and a send arena shared with the fan-out.

    After `receive` returned n, datagram i < n lies in `buffer` at `i * RECEIVE_STRIDE`, has `lengths[i]` bytes
    (more than RECEIVE_STRIDE: it was cut) and came by the path `addresses[i]`.
    """

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        """Adopt a bound socket and the arena whose rows `send_rows` sends."""
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        self._socket = sock
        self._arena = arena
        self.family = sock.family
        self._control = _CONTROLS[sock.family]
        sock.setsockopt(self._control.level, self._control.receive_option, 1)
        self.control_bytes = socket.CMSG_SPACE(self._control.data_bytes)
        "Of the control message in a path."
        self.sockaddr_bytes = _SOCKADDR_BYTES if sock.family == socket.AF_INET6 else 16
        "Of the client's address in a path."
        self.interface_at = _DATA_AT + self._control.interface_at
        "Where in a path the index of the interface is."
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
        """Receive up to RECEIVE_BATCH datagrams; return their number, 0 if none wait."""

    @property
    def cuts_runs(self) -> bool:
        """Return whether the kernel splits one large datagram into many of equal size (UDP_SEGMENT, Linux 4.18)."""
        try:
            self._socket.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
        except OSError:
            return False
        return True

    @abstractmethod
    def send_rows(self, start: int, end: int) -> int:
        """Send the arena's rows from `start` up to `end`; return the number of rows that the kernel accepted."""

    def send(self, data: bytes, address: bytes) -> bool:
        """Send one datagram on a path; return False if the kernel refuses it (buffer full, unreachable)."""
        control = self._control
        own = address[_DATA_AT : _DATA_AT + control.data_bytes]
        try:
            self._socket.sendmsg([data], [(control.level, control.kind, own)], 0, self._destination(address))
        except OSError:  # UDP: a refused datagram is a lost datagram
            return False
        return True

    def _destination(self, path: bytes) -> tuple[str, int] | tuple[str, int, int, int]:
        port = int.from_bytes(path[2:4], "big")
        if self.family == socket.AF_INET:
            return socket.inet_ntop(socket.AF_INET, path[4:8]), port
        return socket.inet_ntop(socket.AF_INET6, path[8:24]), port, 0, struct.unpack_from("=I", path, 24)[0]


class BatchSocket(MediaSocket):
    """The socket with recvmmsg and sendmmsg."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        """See the base class; AttributeError if the platform's libc has no recvmmsg or sendmmsg."""
        super().__init__(sock, arena)
        lib: Any = _ffi.dlopen(None)
        self._recvmmsg = lib.recvmmsg
        self._sendmmsg = lib.sendmmsg
        self._fd = sock.fileno()
        self._incoming = self._receive_headers()
        self._outgoing = self._send_headers(arena)
        self._single = self._single_header()

    def _receive_headers(self) -> Any:
        base = _ffi.from_buffer("char[]", self.buffer)
        self._paths = _ffi.new("char[]", PATH_BYTES * RECEIVE_BATCH)
        self._paths_view = _ffi.buffer(self._paths)
        paths: Any = self._paths_view
        interface_at = (_DATA_AT + self._control.interface_at) // 4
        self._in_interfaces = np.frombuffer(paths, np.uint32).reshape(RECEIVE_BATCH, -1)[:, interface_at]
        self._in_iov = _ffi.new("struct iovec[]", RECEIVE_BATCH)
        headers = _ffi.new("struct mmsghdr[]", RECEIVE_BATCH)
        for i in range(RECEIVE_BATCH):
            self._in_iov[i].iov_base = base + RECEIVE_STRIDE * i
            self._in_iov[i].iov_len = RECEIVE_STRIDE
            header = headers[i].msg_hdr
            header.msg_iov = self._in_iov + i
            header.msg_iovlen = 1
            header.msg_name = self._paths + PATH_BYTES * i
            header.msg_namelen = _SOCKADDR_BYTES
            header.msg_control = self._paths + PATH_BYTES * i + CONTROL_AT
        # the kernel replaces the room for control messages by their size: it is set anew for each batch
        raw: Any = _ffi.buffer(headers)
        words = np.frombuffer(raw, np.uintp).reshape(RECEIVE_BATCH, -1)
        at = _ffi.offsetof("struct msghdr", "msg_controllen") // words.itemsize
        self._in_control_bytes = words[:, at]
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
            header.msg_name = names + PATH_BYTES * i
            header.msg_namelen = self.sockaddr_bytes
            header.msg_control = names + PATH_BYTES * i + CONTROL_AT
            header.msg_controllen = self.control_bytes
        # iov_len of all rows as one strided vector: the lengths are set by one assignment per send
        vectors: Any = _ffi.buffer(self._out_iov)
        self._out_lengths = np.frombuffer(vectors, dtype=np.uintp).reshape(-1, 2)[:, 1]
        return headers

    def _single_header(self) -> Any:
        """For one datagram, whose path is copied: the socket module would make a text of the address and read it."""
        self._single_path: Any = _ffi.new("char[]", PATH_BYTES)
        self._single_iov: Any = _ffi.new("struct iovec *")
        headers = _ffi.new("struct mmsghdr[]", 1)
        header = headers[0].msg_hdr
        header.msg_iov = self._single_iov
        header.msg_iovlen = 1
        header.msg_name = self._single_path
        header.msg_namelen = self.sockaddr_bytes
        header.msg_control = self._single_path + CONTROL_AT
        header.msg_controllen = self.control_bytes
        return headers

    def send(self, data: bytes, address: bytes) -> bool:
        """See the base class."""
        _ffi.memmove(self._single_path, address, PATH_BYTES)
        content: Any = _ffi.from_buffer("char[]", data)
        self._single_iov.iov_base, self._single_iov.iov_len = content, len(data)
        done: int = self._sendmmsg(self._fd, self._single, 1, socket.MSG_DONTWAIT)
        return done == 1

    def receive(self) -> int:
        """See the base class."""
        headers = self._incoming
        self._in_control_bytes[:] = self.control_bytes
        count: int = self._recvmmsg(self._fd, headers, RECEIVE_BATCH, _RECEIVE_FLAGS, _ffi.NULL)
        if count <= 0:
            return 0
        self._in_interfaces[:count] = 0
        paths = self._paths_view
        size = PATH_BYTES
        self.lengths = [headers[i].msg_len for i in range(count)]
        self.addresses = [paths[size * i : size * i + size] for i in range(count)]
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
    """The socket with one system call for each datagram."""

    def receive(self) -> int:
        """See the base class."""
        self.lengths = []
        self.addresses = []
        view = memoryview(self.buffer)
        while len(self.lengths) < RECEIVE_BATCH:
            at = len(self.lengths) * RECEIVE_STRIDE
            # one byte more than a row tells a cut datagram; it falls into the next row, which is still free
            try:
                length, control, _, source = self._socket.recvmsg_into(
                    [view[at : at + RECEIVE_STRIDE + 1]], self.control_bytes
                )
            except BlockingIOError:
                break
            except OSError:  # an ICMP error that an earlier send caused
                continue
            self.lengths.append(length)
            self.addresses.append(self._path(source, control[0][2] if control else b""))
        return len(self.lengths)

    def _path(self, source: Any, own: bytes) -> bytes:
        """`source` is what the socket module returns of a sender, `own` the data of the control message."""
        path = bytearray(pack_path(source[0].partition("%")[0], source[1], self.family))
        if self.family == socket.AF_INET6:
            struct.pack_into("=I", path, 24, source[3])
        if len(own) == self._control.data_bytes:
            path[_DATA_AT : _DATA_AT + len(own)] = own
            at = _DATA_AT + self._control.interface_at
            path[at : at + 4] = bytes(4)
        return bytes(path)

    def send_rows(self, start: int, end: int) -> int:
        """See the base class."""
        arena = self._arena
        sent = 0
        for i in range(start, end):
            row = arena.rows[i, : arena.lengths[i]].tobytes()
            sent += self.send(row, arena.addresses[i].tobytes())
        return sent


def bind(port: int) -> socket.socket:
    """Return a UDP socket on `port` of all addresses, for IPv6 and IPv4 if the machine has IPv6.

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
    """Bind `port` (0: any) with the best implementation of this platform. OSError if the port is in use."""
    sock = bind(port)
    if not portable:
        try:
            return BatchSocket(sock, arena)
        except AttributeError:  # a libc without the two calls
            pass
    return PlainSocket(sock, arena)
