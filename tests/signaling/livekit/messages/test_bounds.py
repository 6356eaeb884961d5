"""The bounds of clients' messages, and the walk through their bytes."""

import contextlib
import time

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from signaling.errors import LimitError, WireError
from signaling.livekit.messages.bounds import BOUNDS, MAX_FIELDS, is_repeated, scan

TEXTS = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}
SENT_BY_CLIENTS = (rtc.SignalRequest.DESCRIPTOR, rtc.JoinRequest.DESCRIPTOR)


def fields(descriptors):
    """Every (message, field) in these messages and in those inside them."""
    waiting, seen = list(descriptors), set()
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name in seen:
            continue
        seen.add(descriptor.full_name)
        for field in descriptor.fields:
            yield descriptor, field
            if field.message_type is not None:
                waiting.append(field.message_type)


def test_every_text_and_every_list_of_the_protocol_has_a_bound():
    bounded = {
        f"{descriptor.name}.{field.name}"
        for descriptor, field in fields(SENT_BY_CLIENTS)
        if is_repeated(field) or field.type in TEXTS
    }
    assert bounded == set(BOUNDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_each_bound_is_kept_and_says_where_it_comes_from(name):
    bound = BOUNDS[name]
    assert bound.origin
    descriptor, field = next(
        (descriptor, field)
        for descriptor, field in fields(SENT_BY_CLIENTS)
        if f"{descriptor.name}.{field.name}" == name
    )

    def content(size, count):
        if field.type in TEXTS or field.message_type is not None:
            size = 0 if field.message_type is not None else size
            return (varint(field.number << 3 | 2) + varint(size) + b"x" * size) * count
        return (
            varint(field.number << 3) + b"\1"
            if count == 1
            else varint(field.number << 3 | 2) + varint(count) + b"\1" * count
        )

    limit = 10**6
    assert not scan(descriptor, content(bound.size, 1), limit).excess
    if field.type in TEXTS:
        assert name in scan(descriptor, content(bound.size + 1, 1), limit).excess
    if is_repeated(field):
        assert not scan(descriptor, content(0, bound.count), limit).excess
        scanned = scan(descriptor, content(0, bound.count + 1), limit)
        assert name in scanned.excess
        with pytest.raises(LimitError):
            scanned.check()


def varint(number):
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def test_fields_are_counted_in_all_depths():
    request = rtc.SignalRequest()
    request.subscription.participant_tracks.add(track_sids=["a", "b"])
    request.subscription.subscribe = True
    assert scan(request.DESCRIPTOR, request.SerializeToString()).fields == 5
    packed = rtc.SignalRequest(add_track=rtc.AddTrackRequest(audio_features=[1, 2, 3]))
    assert scan(packed.DESCRIPTOR, packed.SerializeToString()).fields == 4


@pytest.mark.parametrize("kind", ["lists of nothing", "numbers of one byte"])
def test_too_many_fields_are_refused_at_once(kind):
    request = rtc.SignalRequest()
    if kind == "lists of nothing":
        request.subscription.participant_tracks.extend([models.ParticipantTracks()] * 1_000_000)
    else:
        request.add_track.audio_features.extend([1] * 2_000_000)
    content = request.SerializeToString()

    def cost_s():
        started = time.process_time()
        with pytest.raises(WireError, match=str(MAX_FIELDS)):
            scan(request.DESCRIPTOR, content)
        return time.process_time() - started

    assert min(cost_s() for _ in range(3)) < 0.05


@given(st.binary(max_size=300))
def test_what_the_library_takes_is_walked_through_and_nothing_else_is_raised(content):
    try:
        scanned = scan(rtc.SignalRequest.DESCRIPTOR, content)
    except WireError:
        return
    assert scanned.fields <= len(content)
    with contextlib.suppress(DecodeError):
        rtc.SignalRequest.FromString(content)


@pytest.mark.parametrize("content", [b"\x0b\x0c", b"\x0a\x05ab", b"\x09\1\2", b"\xff" * 11, b"\x0d"])
def test_groups_and_cut_off_messages_are_refused(content):
    with pytest.raises(WireError):
        scan(rtc.SignalRequest.DESCRIPTOR, content)
