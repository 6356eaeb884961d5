"""The server's calls to participants, with nobody behind them but the test."""

import asyncio

import pytest
from livekit.protocol.models import DataPacket

from signaling.livekit.connections import rpc
from signaling.livekit.connections.rpc import RpcCalls, RpcError


def call(calls, sent, timeout_s=5.0, payload="x"):
    return asyncio.ensure_future(calls.call("PA_1", "m", payload, timeout_s, sent.append))


def packet(kind, request_id="1", **fields):
    made = DataPacket()
    getattr(made, kind).request_id = request_id
    for name, value in fields.items():
        setattr(getattr(made, kind), name, value)
    return made


@pytest.fixture
def calls():
    return RpcCalls(lambda: "1")


async def test_an_answer_without_acknowledgement_is_enough(calls):
    sent = []
    waiting = call(calls, sent)
    await asyncio.sleep(0)
    assert sent[0].rpc_request.id == "1"
    assert calls.accept("PA_1", packet("rpc_response", payload="y"))
    assert calls.accept("PA_1", packet("rpc_response", payload="z"))  # a second answer changes nothing
    assert await waiting == "y"
    assert not calls.accept("PA_1", packet("rpc_response"))  # nobody waits any more


async def test_only_the_participant_that_was_asked_can_answer(calls):
    waiting = call(calls, [])
    await asyncio.sleep(0)
    assert not calls.accept("PA_2", packet("rpc_response", payload="forged"))
    assert not calls.accept("PA_1", packet("rpc_response", "2"))
    assert not calls.accept("PA_1", DataPacket())
    assert calls.accept("PA_1", packet("rpc_ack"))
    calls.left("PA_2")
    calls.left("PA_1")
    with pytest.raises(RpcError) as failed:
        await waiting
    assert failed.value.code == rpc.RECIPIENT_DISCONNECTED


@pytest.mark.parametrize("acknowledged", [True, False])
async def test_silence_has_an_end(calls, acknowledged):
    waiting = call(calls, [], timeout_s=0.01)
    await asyncio.sleep(0)
    if acknowledged:
        calls.accept("PA_1", packet("rpc_ack"))
    with pytest.raises(RpcError) as failed:
        await waiting
    assert failed.value.code == (rpc.RESPONSE_TIMEOUT if acknowledged else rpc.CONNECTION_TIMEOUT)


async def test_a_payload_has_a_limit(calls):
    sent = []
    with pytest.raises(RpcError) as failed:
        await call(calls, sent, payload="x" * (rpc.MAX_PAYLOAD_BYTES + 1))
    assert failed.value.code == rpc.REQUEST_PAYLOAD_TOO_LARGE
    assert not sent
