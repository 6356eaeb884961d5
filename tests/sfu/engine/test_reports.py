"""RTCP in and out; test_router and test_router_limits look at what follows from it."""

import struct
from typing import get_args

import pytest
from router_world import NTP, World

from sfu.drops import DropReason
from sfu.engine.deadlines import Reason
from sfu.engine.reports import RECEIVER_REPORT_S, Reports
from sfu.wire import rtcp
from sfu.wire.rtp import build_extensions


@pytest.fixture
def world():
    made = World()
    made.video("q", key=True)
    return made


def test_each_packet_that_the_parser_knows_has_a_handler():
    # names and ends of streams are the business of signalling
    ignored = {rtcp.SourceDescription, rtcp.Goodbye}
    assert set(Reports._HANDLERS) == set(get_args(rtcp.RtcpPacket)) - ignored


def test_a_handler_is_called_for_each_part(world, monkeypatch):
    handled = []
    handlers = {kind: lambda _self, _peer, part, *_: handled.append(type(part)) for kind in Reports._HANDLERS}
    monkeypatch.setattr(Reports, "_HANDLERS", handlers)
    compound = rtcp.receiver_report(1, []) + rtcp.pli(1, 2) + rtcp.nack(1, 2, [3])
    world.core.reports.on_rtcp(world.publisher, compound, world.now, NTP)
    assert handled == [rtcp.ReceiverReport, rtcp.PictureLossIndication, rtcp.Nack]
    world.core.reports.on_rtcp(world.publisher, b"\x80", world.now, NTP)
    assert world.core.drops[DropReason.MALFORMED] == 1


def test_a_gap_is_asked_for_when_its_grace_ends_and_not_a_moment_later(world):
    number, picture = world.numbers["q"]
    world.numbers["q"] = (number + 1, picture + 1)
    world.video("q")
    stream = world.published.layers[0]
    at = stream.nacks.next_at()
    assert world.core.deadlines.is_set(stream, Reason.NACK)
    world.core.deadlines.run_due(at - 0.001)
    assert not [part for part in world.feedback if isinstance(part, rtcp.Nack)]
    world.core.deadlines.run_due(at)
    assert [part.sequences for part in world.feedback if isinstance(part, rtcp.Nack)] == [(number & 0xFFFF,)]
    assert world.core.deadlines.is_set(stream, Reason.NACK)  # to ask again


def test_arrivals_are_reported_when_they_are_due(world):
    feedback = world.publisher.link.feedback
    assert feedback.received(1, world.now)
    world.core.reports.feed_back_later(world.publisher)
    world.core.deadlines.run_due(feedback.due_at)
    assert isinstance(world.feedback[-1], rtcp.TransportFeedbackReport)
    assert not world.core.deadlines.is_set(world.publisher, Reason.FEEDBACK)
    world.core.reports.feed_back_later(world.publisher)  # nothing new
    assert not world.core.deadlines.is_set(world.publisher, Reason.FEEDBACK)


def test_receiver_reports_name_each_stream(world):
    world.video("h", key=True)
    world.core.deadlines.run_due(world.now + RECEIVER_REPORT_S)
    [report] = [part for part in world.feedback if isinstance(part, rtcp.ReceiverReport)]
    assert [block.ssrc for block in report.blocks] == [1000, 1001]


def test_each_numbered_packet_is_reported_whatever_becomes_of_it(world):
    world.publisher.negotiated.inbound["0"].transport_sequence_id = 3
    kinds = {"media": (96, 1000), "padding": (96, 1000), "unknown": (50, 7)}
    for number, (name, (payload_type, ssrc)) in enumerate(kinds.items()):
        head = struct.pack("!BBHII", 0xB0 if name == "padding" else 0x90, payload_type, number, 1, ssrc)
        extension = build_extensions([(3, bytes((0, number)))])
        world.feed(head + extension + (b"\0\0\0\4" if name == "padding" else b"\x10x"))
    world.core.deadlines.run_due(world.publisher.link.feedback.due_at)
    [report] = [part for part in world.feedback if isinstance(part, rtcp.TransportFeedbackReport)]
    assert struct.unpack_from("!HH", report.data) == (0, len(kinds))
