"""Byte fields in JSON."""

import base64

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, room, rtc

from signaling.errors import WireError
from signaling.livekit.messages.json_bytes import check_base64
from signaling.livekit.messages.wire import decode_request


@pytest.mark.parametrize("text", ["", "QQ==", "QQ", "QUI=", "QUI", "QUJD", "-_-_", "+/+/", "QUJD-_"])
def test_base64_of_every_form_is_taken(text):
    fields = {"data": text}
    check_base64(room.SendDataRequest.DESCRIPTOR, fields)
    json_format.ParseDict(fields, room.SendDataRequest())


@pytest.mark.parametrize(
    "text", ["!!!!", "Q", "QUJDR", "QQ=", "Q===", "QQ==QQ==", "QU JD", "QUJD\n", "+_+_", "ä", "="]
)
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(ValueError, match="data is not base64"):
        check_base64(room.SendDataRequest.DESCRIPTOR, {"data": text})


@given(st.binary())
def test_what_is_encoded_is_taken(data):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(data).decode()
        for spelled in (text, text.rstrip("=")):
            check_base64(room.SendDataRequest.DESCRIPTOR, {"data": spelled, "nonce": spelled})


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (models.DataPacket, {"user": {"payload": "!"}}),
        (models.DataPacket, {"streamChunk": {"content": "!"}}),
        (models.DataPacket, {"stream_chunk": {"content": "!"}}),
    ],
)
def test_fields_inside_others_count_by_either_name(message, fields):
    with pytest.raises(ValueError, match="is not base64"):
        check_base64(message.DESCRIPTOR, fields)


@pytest.mark.parametrize(
    "fields", [None, [], 3, {"data": 3}, {"unknown": "!"}, {"topic": "!"}, {"destinationSids": ["!"]}]
)
def test_other_faults_are_for_the_library_to_find(fields):
    check_base64(room.SendDataRequest.DESCRIPTOR, fields)


def test_a_text_frame_with_invalid_base64_is_no_request():
    good = '{"storeDataBlobRequest": {"blob": {"contents": "QUJD"}}}'
    assert decode_request(good).store_data_blob_request.blob.contents == b"ABC"
    with pytest.raises(WireError):
        decode_request(good.replace("QUJD", "QU*JD"))
    assert rtc.SignalRequest.DESCRIPTOR.fields_by_name["store_data_blob_request"]
