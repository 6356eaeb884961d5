"""Which packets belong to a stream, and who no longer gets it."""

import pytest
from livekit.protocol.models import DataPacket, DataStream, UserPacket

from signaling.livekit.connections.data_streams import (
    MAX_ID_CHARACTERS,
    MAX_STREAMS,
    TOO_SLOW,
    LostStreams,
    flow,
)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (DataPacket(stream_header=DataStream.Header(stream_id="s")), "PA_1 s"),
        (DataPacket(stream_chunk=DataStream.Chunk(stream_id="s")), "PA_1 s"),
        (DataPacket(stream_trailer=DataStream.Trailer(stream_id="s")), "PA_1 s"),
        (DataPacket(stream_chunk=DataStream.Chunk(stream_id="x" * 1000)), "PA_1 " + "x" * MAX_ID_CHARACTERS),
        (DataPacket(user=UserPacket(payload=b"hi")), ""),
        (DataPacket(), ""),
    ],
)
def test_the_parts_of_a_stream_share_a_flow(packet, expected):
    assert flow(packet, "PA_1") == expected


def test_a_receiver_gets_one_trailer_and_then_nothing_of_the_stream():
    lost = LostStreams()
    assert lost.wanted_by("PA_1 s", ["PA_2", "PA_3"]) == ["PA_2", "PA_3"]
    trailer = lost.lose("PA_1 s", "PA_2", "ada")
    assert trailer.stream_trailer == DataStream.Trailer(stream_id="s", reason=TOO_SLOW)
    assert trailer.participant_identity == "ada"
    assert lost.lose("PA_1 s", "PA_2", "ada") is None
    assert lost.wanted_by("PA_1 s", ["PA_2", "PA_3"]) == ["PA_3"]
    assert lost.wanted_by("", ["PA_2", "PA_3"]) == ["PA_2", "PA_3"]


def test_a_stream_is_forgotten_with_its_end_or_its_sender():
    lost = LostStreams()
    for of_flow in ("PA_1 a", "PA_1 b", "PA_10 c"):
        lost.lose(of_flow, "PA_2", "")
    lost.ended("PA_1 a")
    assert lost.wanted_by("PA_1 a", ["PA_2"]) == ["PA_2"]
    lost.left("PA_1")
    assert lost.wanted_by("PA_1 b", ["PA_2"]) == ["PA_2"]
    assert lost.wanted_by("PA_10 c", ["PA_2"]) == []


def test_the_number_of_streams_is_bounded():
    lost = LostStreams()
    for number in range(MAX_STREAMS + 5):
        lost.lose(f"PA_1 {number}", "PA_2", "")
    assert len(lost._receivers) == MAX_STREAMS
    assert lost.wanted_by(f"PA_1 {MAX_STREAMS + 4}", ["PA_2"]) == []
