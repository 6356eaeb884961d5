"""Remote procedure calls that the server makes to a participant (RoomService.PerformRpc): LiveKit's RPC, version 1."""

import asyncio
from collections.abc import Callable

from livekit.protocol.models import DataPacket

from signaling.ids import ParticipantSid

# LiveKit's: a recipient acknowledges at once, or is not there.
ACK_TIMEOUT_S = 7.0
MAX_PAYLOAD_BYTES = 15 * 1024

# LiveKit's codes for failures that are not the method's own.
CONNECTION_TIMEOUT, RESPONSE_TIMEOUT, RECIPIENT_DISCONNECTED = 1501, 1502, 1503
REQUEST_PAYLOAD_TOO_LARGE = 1402


class RpcError(Exception):
    """A call that brought no payload."""

    def __init__(self, code: int, text: str) -> None:
        """`code` is the method's own or one of LiveKit's."""
        super().__init__(text)
        self.code = code


class _Call:
    def __init__(self, participant_sid: ParticipantSid) -> None:
        self.participant_sid = participant_sid
        self.acknowledged = asyncio.Event()
        self.response: asyncio.Future[str] = asyncio.get_running_loop().create_future()


class RpcCalls:
    """The server's calls in progress."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        """`new_id` returns unguessable ids."""
        self._new_id = new_id
        self._calls: dict[str, _Call] = {}

    async def call(
        self,
        participant_sid: ParticipantSid,
        method: str,
        payload: str,
        timeout_s: float,
        send: Callable[[DataPacket], None],
    ) -> str:
        """Return what the participant's method answers; `send` delivers the request. RpcError."""
        if len(payload.encode()) > MAX_PAYLOAD_BYTES:
            raise RpcError(REQUEST_PAYLOAD_TOO_LARGE, "the payload is too large")
        call_id = self._new_id()
        call = self._calls[call_id] = _Call(participant_sid)
        packet = DataPacket(kind=DataPacket.RELIABLE)
        request = packet.rpc_request
        request.id, request.method, request.payload, request.version = call_id, method, payload, 1
        request.response_timeout_ms = int(timeout_s * 1000)
        try:
            send(packet)
            try:
                async with asyncio.timeout(min(ACK_TIMEOUT_S, timeout_s)):
                    await call.acknowledged.wait()
            except TimeoutError as error:
                raise RpcError(CONNECTION_TIMEOUT, "the participant did not react") from error
            try:
                async with asyncio.timeout(timeout_s):
                    return await call.response
            except TimeoutError as error:
                raise RpcError(RESPONSE_TIMEOUT, "the participant did not answer in time") from error
        finally:
            del self._calls[call_id]

    def accept(self, participant_sid: ParticipantSid, packet: DataPacket) -> bool:
        """Take a packet if it belongs to one of the server's calls to this participant."""
        kind = packet.WhichOneof("value")
        if kind not in {"rpc_ack", "rpc_response"}:
            return False
        call = self._calls.get(getattr(packet, kind).request_id)
        if call is None or call.participant_sid != participant_sid:
            return False
        call.acknowledged.set()
        if kind == "rpc_response" and not call.response.done():
            response = packet.rpc_response
            if response.HasField("error"):
                call.response.set_exception(RpcError(response.error.code, response.error.message))
            else:
                call.response.set_result(response.payload)
        return True

    def left(self, participant_sid: ParticipantSid) -> None:
        """Fail the calls to a participant who left."""
        for call in self._calls.values():
            if call.participant_sid == participant_sid and not call.response.done():
                call.acknowledged.set()
                call.response.set_exception(RpcError(RECIPIENT_DISCONNECTED, "the participant left"))
