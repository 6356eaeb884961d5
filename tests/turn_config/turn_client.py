"""A small TURN client (RFC 8656) that asks exactly what a test tells it to, right or wrong."""

import contextlib
import hashlib
import ipaddress
import socket
import struct
from typing import Any, Self

from aioice import stun

from turn_config.credentials import IceServer

Address = tuple[str, int]

UDP = 17
TCP = 6
FIRST_CHANNEL = 0x4000  # RFC 8656 section 12

# aioice encodes any attribute of its table; this one (RFC 8656 section 18.6) it has no use for itself.
stun.ATTRIBUTES_BY_NAME.setdefault(
    "REQUESTED-ADDRESS-FAMILY",
    (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned),
)


class TurnError(Exception):
    """The relay answered with an error; its STUN code is in `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class TurnClient:
    """One client socket: UDP, or TCP/TLS when `stream` is given a connected socket."""

    def __init__(self, server: Address, credential: IceServer, stream: socket.socket | None = None) -> None:
        self._server = server
        self._credential = credential
        self._is_stream = stream is not None
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._socket = stream or socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(5.0)
        if stream is None:
            self._socket.connect(server)
        self._realm = ""
        self._nonce = b""
        self._channels = 0
        self._allocated = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A later client may get the same port from the system, and would meet this one's allocation (437).
        if self._allocated:
            with contextlib.suppress(TurnError, OSError):
                self.refresh(0)
        self._socket.close()

    def allocate(
        self, *, transport: int = UDP, family: int = 4, lifetime_s: int | None = None
    ) -> dict[str, Any]:
        """Ask for a relayed address and return the attributes of the answer; TurnError when it is refused."""
        attributes: dict[str, Any] = {"REQUESTED-TRANSPORT": transport << 24}
        if family == 6:
            attributes["REQUESTED-ADDRESS-FAMILY"] = 0x02 << 24
        if lifetime_s is not None:
            attributes["LIFETIME"] = lifetime_s
        granted = self._request(stun.Method.ALLOCATE, attributes)
        self._allocated = True
        return granted

    def refresh(self, lifetime_s: int) -> dict[str, Any]:
        """Prolong the allocation, or end it with 0."""
        return self._request(stun.Method.REFRESH, {"LIFETIME": lifetime_s})

    def create_permission(self, peer: Address) -> None:
        """Ask to exchange packets with the address of `peer`."""
        self._request(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": peer})

    def bind_channel(self, peer: Address) -> int:
        """Bind the next channel to `peer` and return its number."""
        channel = FIRST_CHANNEL + self._channels
        self._channels += 1
        self._request(stun.Method.CHANNEL_BIND, {"CHANNEL-NUMBER": channel, "XOR-PEER-ADDRESS": peer})
        return channel

    def send(self, peer: Address, data: bytes) -> None:
        """Send by an indication, which is never answered."""
        indication = stun.Message(
            message_method=stun.Method.SEND,
            message_class=stun.Class.INDICATION,
            attributes={"XOR-PEER-ADDRESS": peer, "DATA": data},
        )
        self._socket.sendall(bytes(indication))

    def send_on_channel(self, channel: int, data: bytes) -> None:
        """Send as ChannelData (RFC 8656 section 12.4), padded as a stream needs it."""
        self._socket.sendall(struct.pack("!HH", channel, len(data)) + data + bytes(-len(data) % 4))

    def receive(self) -> tuple[Address, bytes]:
        """Wait for a Data indication; returns its peer and payload."""
        while True:
            message = stun.parse_message(self._read())
            if message.message_method == stun.Method.DATA:
                return message.attributes["XOR-PEER-ADDRESS"], message.attributes["DATA"]

    def receive_on_channel(self) -> tuple[int, bytes]:
        """Wait for ChannelData; returns its channel and payload."""
        while True:
            packet = self._read()
            if packet[0] & 0xC0 == 0x40:
                channel, length = struct.unpack("!HH", packet[:4])
                return channel, packet[4 : 4 + length]

    def _request(self, method: stun.Method, attributes: dict[str, Any]) -> dict[str, Any]:
        answer = self._transact(method, attributes)
        # RFC 8489 section 9.2: the first request learns realm and nonce, and a stale nonce is replaced.
        if answer.error_code in {401, 438} and answer.attributes.get("NONCE") not in {None, self._nonce}:
            self._realm = answer.attributes["REALM"]
            self._nonce = answer.attributes["NONCE"]
            answer = self._transact(method, attributes)
        if answer.message_class == stun.Class.ERROR:
            raise TurnError(*answer.attributes["ERROR-CODE"])
        return answer.attributes

    def _transact(self, method: stun.Method, attributes: dict[str, Any]) -> stun.Message:
        request = stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes))
        if self._nonce:
            username, password = self._credential.username, self._credential.credential
            request.attributes |= {"USERNAME": username, "REALM": self._realm, "NONCE": self._nonce}
            key = hashlib.md5(f"{username}:{self._realm}:{password}".encode()).digest()
            request.add_message_integrity(key)
        self._socket.sendall(bytes(request))
        while True:
            packet = self._read()
            with contextlib.suppress(ValueError):
                answer = stun.parse_message(packet)
                if answer.transaction_id == request.transaction_id:
                    return answer

    def _read(self) -> bytes:
        if not self._is_stream:
            return self._socket.recv(4096)
        header = self._read_exactly(4)
        kind, length = struct.unpack("!HH", header)
        is_stun = kind < FIRST_CHANNEL
        return header + self._read_exactly(length + 16 if is_stun else length + -length % 4)

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise ConnectionError("the relay closed the connection")
            data += chunk
        return data


class Listener:
    """A UDP socket that notes what reaches it."""

    def __init__(self, address: str, port: int = 0) -> None:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._socket.bind((address, port))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def receive(self) -> tuple[bytes, Address]:
        """Wait for one datagram; returns it and its source."""
        self._socket.settimeout(5.0)
        data, source = self._socket.recvfrom(4096)
        return data, source[:2]

    def received(self) -> list[bytes]:
        """Return what has arrived by now, without waiting."""
        self._socket.setblocking(False)
        datagrams: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                datagrams.append(self._socket.recv(4096))
        return datagrams

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram."""
        self._socket.sendto(data, destination)
