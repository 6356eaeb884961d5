"""Data channels by aiortc's SCTP, with bounds on what a peer may make the server hold."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import DataChunk, RTCSctpCapabilities, RTCSctpTransport

from sfu.events import Channel, CloseReason

if TYPE_CHECKING:
    from sfu.dtls import Transport

logger = logging.getLogger(__name__)

# The protocol above caps a message at 64,000 bytes; this is what `a=max-message-size` promises.
MAX_MESSAGE_BYTES = 65_535
# LiveKit's clients open three.
MAX_CHANNELS = 16
# Memory for a receiver that does not read: past it a lossy message is dropped, and a reliable one ends the peer.
LOSSY_BUFFER_BYTES = 256 * 1024
RELIABLE_BUFFER_BYTES = 8 * 1024 * 1024
# Reliable messages for a channel that is not open yet are kept up to here (LiveKit: 100,000 bytes).
PENDING_BYTES = 100_000


class OverflowingPeerError(Exception):
    """The peer sends more than it may, or reads too slowly to be kept."""


class Association(RTCSctpTransport):
    """aiortc's SCTP association with the inbound side bounded."""

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        # A sender that ignores the advertised window, or names thousands of streams, would have us hold it all.
        if self._advertised_rwnd < 0 or len(self._inbound_streams) > 4 * MAX_CHANNELS:
            raise OverflowingPeerError("data sent beyond the window")
        await super()._receive_data_chunk(chunk)


class DataChannels:
    """All data channels of one peer, by label."""

    def __init__(
        self,
        transport: "Transport",
        on_message: Callable[[str, bytes], None],
        on_failure: Callable[[CloseReason], None],
    ) -> None:
        """`on_message(label, payload)` for each message; `on_failure(why)` once, when the association broke."""
        self._association = Association(transport)
        self._association.on("datachannel", self._opened)
        self._transport = transport
        self._on_message = on_message
        self._on_failure = on_failure
        self._channels: dict[str, RTCDataChannel] = {}
        self._pending: dict[str, deque[bytes]] = {}
        self._pending_bytes = 0

    async def start(self, remote_port: int, max_message_size: int, channels: Iterable[Channel] = ()) -> None:
        """Open the association and this side's channels; 0 as `max_message_size` is no limit (RFC 8841 section 6).

        What is sent on a channel before the peer has agreed to it is kept a while.
        """
        await self._association.start(RTCSctpCapabilities(max_message_size), remote_port)
        # from here on datagrams come through `_handle_data` below
        self._transport._data_receiver = self  # noqa: SLF001 - see test_contract.py
        for channel in channels:
            self._open(channel)

    def _open(self, channel: Channel) -> None:
        parameters = RTCDataChannelParameters(
            label=channel.label, ordered=channel.ordered, maxRetransmits=channel.max_retransmits
        )
        opened = RTCDataChannel(self._association, parameters)
        opened.on("open", lambda: self._opened(opened))

    async def _handle_data(self, data: bytes) -> None:
        """Called by the DTLS transport with each SCTP packet: nothing that it provokes may end that loop."""
        try:
            await self._association._handle_data(data)  # noqa: SLF001 - see test_contract.py
        except OverflowingPeerError:
            self._on_failure("data_overflow")
        except Exception as error:  # noqa: BLE001 - aiortc asserts on what a hostile peer can send
            logger.debug("data channel packet refused: %r", error)
            self._on_failure("error")

    def _opened(self, channel: RTCDataChannel) -> None:
        if len(self._channels) >= MAX_CHANNELS:
            self._on_failure("data_overflow")
            return
        label = channel.label
        self._channels[label] = channel

        @channel.on("message")
        def received(message: str | bytes) -> None:
            self._on_message(label, message.encode() if isinstance(message, str) else message)

        for payload in self._pending.pop(label, ()):
            self._pending_bytes -= len(payload)
            channel.send(payload)

    def send(self, label: str, payload: bytes) -> bool:
        """Queue a message; False when it was dropped (lossy and congested, or too much before the channel opened)."""
        channel = self._channels.get(label)
        if channel is None:
            return self._keep(label, payload)
        if channel.readyState != "open":
            return False
        lossy = channel.maxRetransmits is not None or channel.maxPacketLifeTime is not None
        if channel.bufferedAmount + len(payload) > (LOSSY_BUFFER_BYTES if lossy else RELIABLE_BUFFER_BYTES):
            if not lossy:
                self._on_failure("data_overflow")
            return False
        try:
            channel.send(payload)
        except ValueError:  # longer than the peer's a=max-message-size
            return False
        return True

    def _keep(self, label: str, payload: bytes) -> bool:
        if self._pending_bytes + len(payload) > PENDING_BYTES:
            return False
        self._pending.setdefault(label, deque()).append(payload)
        self._pending_bytes += len(payload)
        return True

    async def stop(self) -> None:
        """Abort the association."""
        await self._association.stop()
