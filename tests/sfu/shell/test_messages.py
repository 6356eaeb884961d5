"""Commands and events as bytes and back."""

import asyncio
import dataclasses
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.shell import messages
from sfu.shell.messages import MessageError, frame, read_command, read_frame, read_notification
from sfu.shell.server import MediaServer
from sfu.values import (
    Answer,
    BandwidthExplanation,
    Channel,
    Event,
    Layer,
    PeerClosed,
    Preferences,
    PublicationSpec,
    ReceiverTraits,
    RecordedTrack,
    Speaker,
    SpeakersChanged,
    TrackNotRecorded,
    VideoAllocation,
)

PUBLICATION = PublicationSpec(
    "TR_1", "video", ("cid",), (Layer("q", 320, 180), Layer("h")), "vp8", codec_only=True
)
ORDERS = {
    "open_peer": (
        "PA_1",
        "RM_1",
        True,
        (Channel("_lossy", ordered=False, max_retransmits=0),),
        ReceiverTraits(announces_by_media=True),
    ),
    "move_peer": ("PA_1", "RM_2"),
    "forward_peer": ("PA_1", "RM_2"),
    "stop_forwarding": ("PA_1", "RM_2"),
    "close_peer": ("PA_1",),
    "publish": ("PA_1", PUBLICATION),
    "unpublish": ("PA_1", "TR_1"),
    "set_muted": ("TR_1", True),
    "subscribe": ("PA_1", "TR_1", "PA_2|TR_1"),
    "unsubscribe": ("PA_1", "TR_1"),
    "set_preferences": ("PA_1", "TR_1", Preferences(width=640, height=360, enabled=False)),
    "send_data": (["PA_1", "PA_2"], "_reliable", b"\x00\xff", "PA_3 stream"),
    "start_recording": ("rec_1", "RM_1", b"key"),
    "record_track": ("rec_1", "TR_1", RecordedTrack("ada camera", "Ada", 1, ((3, b"k" * 16),))),
    "stop_recording_track": ("rec_1", "TR_1"),
    "pause_recording": ("rec_1", True),
    "stop_recording": ("rec_1",),
    "negotiate": ("PA_1", "v=0\r\n"),
    "offer": ("PA_1", True),
    "answer": ("PA_1", "v=0\r\n"),
    "explain": ("PA_1",),
}


REASONS = {TrackNotRecorded: "encrypted"}


def body(content):
    return frame(content)[4:]


@pytest.mark.parametrize("name", [*messages.COMMANDS, *messages.REQUESTS])
def test_every_order_arrives_as_it_was_given(name):
    number, read, positional, named = read_command(body((7, name, ORDERS[name])))
    assert (number, read) == (7, name)
    assert (*positional, *named.values()) == ORDERS[name]
    assert callable(getattr(MediaServer, name))


def test_no_command_of_the_facade_is_forgotten():
    public = {name for name in vars(MediaServer) if not name.startswith("_")}
    assert public - {"start", "stop", "udp_port", "metrics", "worker_metrics"} == {
        *messages.COMMANDS,
        *messages.REQUESTS,
    }


@pytest.mark.parametrize("kind", typing.get_args(Event))
def test_every_event_arrives_as_it_was(kind):
    samples = {
        "payload": b"\xff",
        "speakers": (Speaker("TR_1", 0.5, active=True),),
        "audio": 1,
        "video": 2,
        "quality": "poor",
        "paused": True,
        "layers": (0, 2),
        "kbps": 300,
        "cameras": False,
        "screen": True,
        "loss_percent": 5,
        "end_ns": 4_000_000_000,
        "octets": 70_000,
        "reason": REASONS.get(kind, "error"),
    }
    fields = {field.name: samples.get(field.name, "error") for field in dataclasses.fields(kind)}
    event = kind(**fields)
    news, raw = read_notification(body(("event", event)))
    assert news == "event"
    assert messages.decode(raw, messages.EVENTS[kind.__name__]) == event


def test_results_arrive_as_they_were():
    answer = Answer("v=0", {"0": "TR_1"}, {"1": "TR_2"})
    raw = msgspec.Raw(msgspec.msgpack.encode(answer))
    assert messages.decode(raw, messages.RESULTS["negotiate"]) == answer
    video = VideoAllocation(
        "TR_1", "screen", (2, 7), None, (1, 0), "no higher layer fits", ((0, 0, 150_000),)
    )
    explanation = BandwidthExplanation(None, 40_000.5, 2e6, (video,))
    raw = msgspec.Raw(msgspec.msgpack.encode(explanation))
    assert messages.decode(raw, messages.RESULTS["explain"]) == explanation


@pytest.mark.parametrize(
    "order",
    [
        (1, "stop", ()),
        (1, "_close", ("PA_1",)),
        (1, "close_peer", ()),
        (1, "close_peer", (7,)),
        (1, "publish", ("PA_1", {"id": "TR_1"})),
        ("x", "close_peer", ("PA_1",)),
        7,
    ],
)
def test_what_is_no_order_is_refused(order):
    with pytest.raises(MessageError):
        read_command(body(order))


@given(st.binary(max_size=60))
def test_garbage_is_refused(garbage):
    for read in (read_command, read_notification):
        try:
            read(garbage)
        except MessageError:
            continue


def test_a_string_that_is_not_utf_8_is_refused():
    broken = b"\xa1\x80"  # MessagePack: a string of one byte, 0x80
    with pytest.raises(MessageError):
        read_command(b"\x93\x01" + broken + b"\x90")
    with pytest.raises(MessageError):
        read_notification(b"\x92" + broken + b"\x90")
    with pytest.raises(MessageError):
        messages.decode(msgspec.Raw(broken), str)


def test_an_event_of_another_type_is_refused():
    raw = msgspec.Raw(msgspec.msgpack.encode(SpeakersChanged("RM_1", ())))
    with pytest.raises(MessageError):
        messages.decode(raw, PeerClosed)


async def test_frames_are_cut_from_a_stream():
    reader = asyncio.StreamReader()
    reader.feed_data(frame("one") + frame("two")[:3])
    assert msgspec.msgpack.decode(await read_frame(reader)) == "one"
    reader.feed_data(frame("two")[3:] + b"\0\0")
    assert msgspec.msgpack.decode(await read_frame(reader)) == "two"
    reader.feed_eof()
    assert await read_frame(reader) is None
    reader = asyncio.StreamReader()
    reader.feed_data(b"\xff\xff\xff\xff")
    with pytest.raises(MessageError):
        await read_frame(reader)
