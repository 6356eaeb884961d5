import base64
import contextlib
import gzip
import json
import random
import time
from pathlib import Path

import pytest
from google.protobuf import json_format, text_format
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from signaling.errors import IncompleteMessageError, WireError
from signaling.livekit.messages.wire import (
    MAX_JOIN_REQUEST_BYTES,
    EncodedResponse,
    decode_data_packet,
    decode_join_query,
    decode_join_request,
    decode_request,
)
from tests.signaling.livekit_client import pack

OFFER = "v=0\r\n" + "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n" * 200
JOIN = rtc.JoinRequest(
    client_info=models.ClientInfo(sdk=models.ClientInfo.JS, protocol=17, capabilities=[1, 2]),
    connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
    publisher_offer=rtc.SessionDescription(type="offer", sdp=OFFER, id=1),
    participant_attributes={"a": "b"},
)
REQUESTS = [
    rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp=OFFER)),
    rtc.SignalRequest(add_track=rtc.AddTrackRequest(cid="cam", layers=[models.VideoLayer(width=3)])),
    rtc.SignalRequest(track_setting=rtc.UpdateTrackSettings(track_sids=["TR_1"], height=180)),
    rtc.SignalRequest(update_metadata=rtc.UpdateParticipantMetadata(attributes={"a": "b"})),
    rtc.SignalRequest(ping=1),
]


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("padding", ["", "=", "=="])
def test_join_requests_are_read_with_any_padding(compress, padding):
    assert decode_join_request(pack(JOIN, compress=compress) + padding) == JOIN


def test_the_standard_alphabet_of_base64_is_read_too():
    packed = rtc.WrappedJoinRequest(join_request=JOIN.SerializeToString()).SerializeToString()
    assert decode_join_request(base64.b64encode(packed).decode()) == JOIN


def test_no_join_request_is_one_with_defaults():
    assert decode_join_request("") == rtc.JoinRequest()


def wrap(content, compression=rtc.WrappedJoinRequest.GZIP):
    wrapped = rtc.WrappedJoinRequest(compression=compression, join_request=content)
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


@pytest.mark.parametrize(
    "bad",
    [
        "a",
        "!!!!",
        "é",
        "AAAA",
        wrap(b"not gzip"),
        wrap(gzip.compress(JOIN.SerializeToString())[:-9]),
        wrap(gzip.compress(b"\xff\xff\xff")),
        wrap(b"", 7),
        wrap(b"x" * (MAX_JOIN_REQUEST_BYTES + 1), rtc.WrappedJoinRequest.NONE),
        wrap(gzip.compress(b"\x00" * (MAX_JOIN_REQUEST_BYTES + 1))),
    ],
)
def test_bad_join_requests_are_refused(bad):
    with pytest.raises(WireError):
        decode_join_request(bad)


def test_a_bomb_costs_no_more_than_the_limit():
    bomb = wrap(gzip.compress(b"\x00" * 200_000_000, compresslevel=1))
    began = time.process_time()
    with pytest.raises(WireError):
        decode_join_request(bomb)
    # Inflating all of it takes ten times as long.
    assert time.process_time() - began < 0.1


def test_both_kinds_of_frames_are_read():
    request = REQUESTS[1]
    assert decode_request(request.SerializeToString()) == request
    assert decode_request(json_format.MessageToJson(request)) == request


def test_unknown_requests_have_no_case():
    # Field 99, length-delimited: a request from a later protocol.
    assert decode_request(b"\x9a\x06\x00").WhichOneof("message") is None
    assert decode_request('{"laterRequest": {}}').WhichOneof("message") is None


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff",
        b"\x0a\xff",
        "",
        "{",
        "null",
        '{"offer": 1}',
        '{"ping": "x"}',
        "[" * 100_000,
        '{"a":' * 9999,
    ],
)
def test_bad_frames_are_refused(bad):
    with pytest.raises(WireError):
        decode_request(bad)


def test_responses_are_validated_and_encoded_once():
    outgoing = EncodedResponse(rtc.SignalResponse(pong=7))
    assert outgoing.kind == "pong"
    assert outgoing.binary() is outgoing.binary()
    assert rtc.SignalResponse.FromString(outgoing.binary()).pong == 7
    assert json.loads(outgoing.text()) == {"pong": "7"}
    with pytest.raises(IncompleteMessageError):
        EncodedResponse(rtc.SignalResponse(pong=0))


def mutate(rng, content):
    mutated = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(mutated) + 1)
        action = rng.randrange(4)
        if action == 0 and place < len(mutated):
            mutated[place] = rng.randrange(256)
        elif action == 1:
            mutated[place:place] = rng.randbytes(rng.randint(1, 8))
        elif action == 2:
            del mutated[place : place + rng.randint(1, 30)]
        elif mutated:
            mutated[place:place] = mutated[: rng.randint(1, 30)]
    return bytes(mutated)


def test_mutated_frames_raise_wire_errors_only():
    rng = random.Random(1)
    for _ in range(4000):
        request = rng.choice(REQUESTS)
        with contextlib.suppress(WireError):
            decode_request(mutate(rng, request.SerializeToString()))
        with contextlib.suppress(WireError):
            decode_data_packet(mutate(rng, request.SerializeToString()))
        with contextlib.suppress(WireError):
            text = mutate(rng, json_format.MessageToJson(request).encode())
            decode_request(text.decode("utf-8", "surrogateescape"))


def test_mutated_join_requests_raise_wire_errors_only():
    rng = random.Random(2)
    packed = [base64.urlsafe_b64decode(pack(JOIN, compress=compress) + "==") for compress in (True, False)]
    for _ in range(3000):
        mutated = base64.urlsafe_b64encode(mutate(rng, rng.choice(packed))).decode()
        with contextlib.suppress(WireError):
            decode_join_request(mutated)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CASES = st.sampled_from([field.json_name for field in rtc.SignalRequest.DESCRIPTOR.fields])


@given(st.dictionaries(CASES, JSON, max_size=2))
def test_json_of_any_shape_raises_wire_errors_only(content):
    with contextlib.suppress(WireError):
        decode_request(json.dumps(content))


@given(st.text(max_size=200))
def test_text_of_any_kind_raises_wire_errors_only(text):
    for decode in (decode_request, decode_join_request):
        with contextlib.suppress(WireError):
            decode(text)


@pytest.mark.parametrize("name", ["chromium-livekit-joinrequest", "native-joinrequest"])
def test_join_requests_of_real_clients_are_read(name):
    sample = Path(__file__).parent / "join_requests" / f"{name}.txt"
    join = rtc.JoinRequest()
    text_format.Parse(sample.read_text(), join)
    decoded = decode_join_request(pack(join))
    assert decoded.publisher_offer.type == "offer"
    assert len(pack(join)) < 4096


def test_the_query_of_dual_connection_mode_is_read():
    query = {
        "sdk": "rust",
        "version": "2.1",
        "protocol": "16",
        "client_protocol": "1",
        "os": "linux",
        "capabilities": "CAP_PACKET_TRAILER,CAP_OF_TOMORROW",
        "adaptive_stream": "true",
        "auto_subscribe": "0",
        "auto_subscribe_data_track": "1",
        "attributes": base64.urlsafe_b64encode(b'{"role": "tutor"}').decode(),
        "reconnect": "1",
        "sid": "PA_1",
        "tomorrow": "?",
    }
    join = decode_join_query(query)
    client = join.client_info
    assert (client.sdk, client.version, client.protocol) == (models.ClientInfo.RUST, "2.1", 16)
    assert (client.client_protocol, client.os) == (1, "linux")
    assert list(client.capabilities) == [models.ClientInfo.CAP_PACKET_TRAILER, models.ClientInfo.CAP_UNUSED]
    assert join.connection_settings.adaptive_stream
    assert not join.connection_settings.auto_subscribe
    assert join.connection_settings.auto_subscribe_data_track
    assert dict(join.participant_attributes) == {"role": "tutor"}
    assert (join.reconnect, join.participant_sid) == (True, "PA_1")
    assert decode_join_query({}).connection_settings.auto_subscribe
    assert not decode_join_query({}).connection_settings.auto_subscribe_data_track


@pytest.mark.parametrize(
    "attributes", [b"{", b"[]", b'{"a": 1}', b'{"a": "\\ud800"}', b"[" * 100_000, b"\xff"]
)
def test_bad_attributes_in_the_query_are_refused(attributes):
    with pytest.raises(WireError):
        decode_join_query({"attributes": base64.urlsafe_b64encode(attributes).decode()})


@pytest.mark.parametrize("query", [{"attributes": "%"}, {"version": "\ud800"}, {"sid": "\ud800"}])
def test_a_query_that_is_not_text_is_refused(query):
    with pytest.raises(WireError):
        decode_join_query(query)


@pytest.mark.parametrize("text", ["", "-1", "1e9", "123456789", "²"])
def test_numbers_in_the_query_that_are_none_count_as_unset(text):
    assert decode_join_query({"protocol": text}).client_info.protocol == 0


def with_unknown_field(size):
    """Bytes of a layer with a field that the protocol does not have."""
    return b"\x9a\x06" + size.to_bytes(1, "big") + b"x" * size  # field 99, length-delimited


def test_fields_that_the_protocol_does_not_have_are_left_out():
    layer = with_unknown_field(100)
    track = rtc.AddTrackRequest(cid="cam").SerializeToString()
    number = rtc.AddTrackRequest.DESCRIPTOR.fields_by_name["layers"].number
    track += bytes([number << 3 | 2, len(layer)]) + layer
    assert b"xxx" in rtc.AddTrackRequest.FromString(track).SerializeToString()
    outer = rtc.SignalRequest.DESCRIPTOR.fields_by_name["add_track"].number
    frame = varint(outer << 3 | 2) + varint(len(track)) + track
    decoded = decode_request(frame)
    assert decoded.add_track.cid == "cam"
    assert len(decoded.add_track.layers) == 1
    assert b"xxx" not in decoded.SerializeToString()
    number = rtc.JoinRequest.DESCRIPTOR.fields_by_name["add_track_requests"].number
    join = varint(number << 3 | 2) + varint(len(track)) + track
    decoded = decode_join_request(wrap(join, rtc.WrappedJoinRequest.NONE))
    assert len(decoded.add_track_requests) == 1
    assert b"xxx" not in decoded.SerializeToString()


def test_data_packets_keep_fields_of_newer_clients():
    payload = with_unknown_field(3)
    assert decode_data_packet(payload).SerializeToString() == payload


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)
