"""Whatever somebody with all grants sends to RoomService: an answer or a refusal, and the rooms go on."""

import contextlib
from unittest.mock import Mock

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling.errors import RequestError, UnstorableError
from signaling.livekit.server_api.room_service import methods
from signaling.livekit.server_api.twirp import TwirpError, check_bounds, decode
from signaling.store.catalogue import Catalogue

# Texts that mean something there come up often enough to get past the first question.
TEXTS = st.sampled_from(["lesson", "group", "ada", "ben", ""]) | st.text(max_size=300)
SCALARS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-1, 20),
}
MAX_DEPTH = 3


def fill(message, draw, depth=0):
    """Set some fields, to anything that the wire can carry."""
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        holder = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for _ in range(draw(st.integers(0, 2))):
                if field.message_type.fields_by_name["value"].message_type is None:
                    holder[draw(TEXTS)] = draw(TEXTS)
        elif field.message_type is not None:
            if depth < MAX_DEPTH:
                fill(holder.add() if field.is_repeated else holder, draw, depth + 1)
                if not field.is_repeated:
                    holder.SetInParent()
        elif field.is_repeated:
            holder.extend(draw(st.lists(value(field), max_size=3)))
        else:
            setattr(message, field.name, draw(value(field)))
    return message


def value(field):
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=100)
    return SCALARS.get(field.cpp_type, TEXTS)


@pytest.fixture
async def calls(harness, store):
    await harness.join("ada")
    await harness.join("ben")
    # PerformRpc is left out: it waits for a client, and here is none.
    table = methods(harness.livekit, Catalogue(store.rooms), Mock())
    return {name: method for name, method in table.items() if name != "PerformRpc"}


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
async def test_every_request_is_answered_or_refused(harness, calls, data):
    video = {
        "roomCreate": True,
        "roomList": True,
        "roomAdmin": True,
        "room": "lesson",
        "destinationRoom": "group",
    }
    claims = harness.claims("backend", raw={"video": video})
    method = calls[data.draw(st.sampled_from(sorted(calls)))]
    request = fill(method.request(), data.draw)
    for name, known in (("room", "lesson"), ("identity", "ada"), ("destination_room", "group")):
        if name in request.DESCRIPTOR.fields_by_name and data.draw(st.integers(0, 9)):
            setattr(request, name, known)
    try:
        answer = method.handler(claims, request)
        answer = answer if hasattr(answer, "SerializeToString") else await answer
        assert answer.SerializeToString() is not None
    except (TwirpError, RequestError, UnstorableError):
        pass
    harness.media.deliver()
    for name in ("ada", "ben"):
        lesson = harness.rooms.room("lesson")
        if lesson is None or name not in lesson.participants:
            await harness.join(name)


@given(st.data(), st.booleans(), st.binary(max_size=200))
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_the_decoder_raises_one_error_only(calls, data, is_json, body):
    method = calls[data.draw(st.sampled_from(sorted(calls)))]
    if data.draw(st.booleans()):
        # a good message with a part of it changed
        good = fill(method.request(), data.draw).SerializeToString()
        at = data.draw(st.integers(0, len(good)))
        body = good[:at] + body[:4] + good[at + 4 :]
    with contextlib.suppress(TwirpError):
        message = method.request()
        check_bounds(message, body, is_json=is_json)
        assert isinstance(decode(message, body, is_json=is_json), method.request)
