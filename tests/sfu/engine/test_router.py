"""What a router does, packet by packet and as time goes on."""

import itertools
import random
import struct

import pytest
from router_world import NTP, VIEWER_KIND, World, header, parameters, remb

from sfu.drops import DropReason
from sfu.engine.peers.identification import MAX_STREAMS
from sfu.engine.peers.publication import Publication
from sfu.forwarding.resender import MAX_RESENDS
from sfu.receiving.speakers import Speakers
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import (
    Preferences,
    PublicationSpec,
    PublicationStarted,
    QualityChanged,
    SpeakersChanged,
    SubscriptionStarted,
)
from sfu.wire import rtcp
from sfu.wire.rtp import build_extensions


@pytest.fixture
def world():
    return World()


def test_a_viewer_begins_with_a_keyframe(world):
    world.video("q", key=True)
    world.viewer()
    world.video("q")
    assert not world.received()
    world.video("q", key=True)
    world.video("q")
    assert [header(p)[1] for p in world.received()] == [500, 501]
    assert SubscriptionStarted("viewer", "TR_1") in world.events
    assert PublicationStarted("publisher", "TR_1", "vp8") in world.events


def test_a_keyframe_is_asked_for_and_requests_are_merged(world):
    world.video("q", key=True)
    for i in range(50):
        world.viewer(f"viewer{i}")
    world.tick(0.95, "q")
    assert len([p for p in world.feedback if isinstance(p, rtcp.PictureLossIndication)]) <= 2


def test_switches_leave_no_gap_in_numbers_times_and_pictures(world):
    for rid in "qhf":
        world.video(rid, key=True)
    subscription, _ = world.viewer(max_spatial=0)
    for rid in "qhf":
        ssrc = 1000 + "qhf".index(rid)
        # each layer has an RTP clock of its own
        report = rtcp.sender_report(ssrc, NTP, int(world.now * 90_000) & 0xFFFFFFFF, 1, 1)
        world.core.reports.on_rtcp(world.publisher, report, world.now, NTP)
    world.video("q", key=True)
    for spatial in (2, 0, 1, 2):
        subscription.preferences = Preferences(max_spatial=spatial)
        world.core.delivery.select_layer(subscription, world.now)
        world.tick(0.3, "q", "h", "f")
        world.now += 0.05
        for rid in "qhf":
            world.video(rid, key=True)
        world.tick(0.3, "q", "h", "f")
        assert subscription.current.spatial == spatial
    packets = world.received()
    numbers = [header(p)[1] for p in packets]
    assert numbers == list(range(500, 500 + len(packets)))
    times = [header(p)[2] for p in packets]
    assert all(0 < b - a < 20_000 for a, b in itertools.pairwise(times))
    pictures = [struct.unpack_from("!H", p, 14)[0] & 0x7FFF for p in packets]
    assert all((b - a) & 0x7FFF == 1 for a, b in itertools.pairwise(pictures))
    assert {header(p)[3] for p in packets} == {0xAAAA}


def test_a_dead_layer_gives_way_to_a_live_one(world):
    for rid in "qhf":
        world.video(rid, key=True)
    subscription, _ = world.viewer()
    world.video("f", key=True)
    assert subscription.current.spatial == 2
    world.tick(2.5, "q", "h")
    assert subscription.target.spatial == 1
    world.video("h", key=True)
    assert subscription.current.spatial == 1


def test_disabled_and_muted_stop_and_resume_without_a_gap(world):
    world.video("q", key=True)
    subscription, _ = world.viewer()
    world.video("q", key=True)
    for stop, resume in (
        (lambda: setattr(subscription, "preferences", Preferences(enabled=False)),
         lambda: setattr(subscription, "preferences", Preferences())),
        (lambda: setattr(world.published, "muted", True), lambda: setattr(world.published, "muted", False)),
    ):  # fmt: skip
        before = len(world.received())
        stop()
        world.core.delivery.select_layer(subscription, world.now)
        world.video("q", key=True)
        assert len(world.received()) == before
        world.published.layers[0].keyframe_sequence = -1  # nothing is kept
        resume()
        world.core.delivery.select_layer(subscription, world.now)
        world.now += 0.1
        world.video("q", key=True)
    assert [header(p)[1] for p in world.received()] == [500, 501, 502]


def test_duplicates_and_padding_are_dropped(world):
    world.video("q", key=True)
    world.viewer()
    packet = world.video("q", key=True)
    world.feed(packet)
    assert world.core.drops[DropReason.DUPLICATE] == 1
    number, _ = world.numbers["q"]
    head = struct.pack("!BBHII", 0xB0, 96, number & 0xFFFF, 1, 1000)
    world.feed(head + build_extensions([(4, b"0"), (10, b"q")]) + b"\0\0\0\4")
    world.numbers["q"] = (number + 1, world.numbers["q"][1])
    assert world.core.drops[DropReason.PADDING] == 1
    world.video("q")
    assert [header(p)[1] for p in world.received()] == [500, 501]


def test_a_lost_packet_is_asked_for_and_a_retransmission_takes_its_place(world):
    world.video("q", key=True)
    world.viewer()
    world.video("q", key=True)
    number, picture = world.numbers["q"]
    world.numbers["q"] = (number + 1, picture + 1)  # lost on the way
    world.tick(0.2, "q")
    asked = [p for p in world.feedback if isinstance(p, rtcp.Nack)]
    assert asked[0].media_ssrc == 1000
    assert asked[0].sequences == (number & 0xFFFF,)
    before = len(world.received())
    world.video("q", sequence=number)
    late = world.received()[before:]
    assert [header(p)[1] for p in late] == [501]


def test_a_viewers_nack_is_answered_by_rtx_within_limits(world):
    world.video("q", key=True)
    subscription, _ = world.viewer()
    world.video("q", key=True, payload=b"wanted")
    original = world.received()[0]
    nack = rtcp.nack(9, 0xAAAA, [500])

    def ask():
        before = len(world.received())
        world.core.reports.on_rtcp(world.peer_of(subscription), nack, world.now, NTP)
        world.outbox.flush()
        return world.received()[before:]

    (answer,) = ask()
    payload_type, sequence, timestamp, ssrc = header(answer)
    assert (payload_type, timestamp, ssrc) == (97, header(original)[2], 0xBBBB)
    assert answer[12:14] == struct.pack("!H", 500)
    assert answer[14:] == original[12:]
    assert ask() == []  # a second request crosses the answer
    for _ in range(MAX_RESENDS - 1):
        world.now += 0.5
        (answer,) = ask()
        assert header(answer)[1] == (sequence := sequence + 1)
    world.now += 0.5
    assert ask() == []
    world.core.reports.on_rtcp(world.peer_of(subscription), rtcp.nack(9, 0xAAAA, [499, 700]), world.now, NTP)
    world.core.reports.on_rtcp(world.peer_of(subscription), rtcp.nack(9, 0xDEAD, [500]), world.now, NTP)
    world.outbox.flush()
    assert world.core.reports.retransmitted_packets == MAX_RESENDS


def test_sender_reports_carry_the_viewers_clock(world):
    world.video("q", key=True)
    subscription, heard = world.viewer()
    world.video("q", key=True)
    world.core.reports.on_rtcp(world.publisher, rtcp.sender_report(1000, NTP, 12_345, 9, 9), world.now, NTP)
    report = next(p for p in heard if isinstance(p, rtcp.SenderReport))
    offset = subscription.timeline.segment.timestamp_offset
    assert (report.ssrc, report.ntp, report.rtp_timestamp) == (0xAAAA, NTP, 12_345 + offset)
    assert report.packet_count == 1


def test_audio_flows_at_once_and_speakers_are_told():
    world = World("audio")
    world.viewer()
    for i in range(60):
        world.now += 0.02
        head = struct.pack("!BBHII", 0x90, 111, i, i * 960, 7)
        world.feed(head + build_extensions([(4, b"0"), (1, bytes((0x80 | 10,)))]) + b"opus")
        world.core.deadlines.run_due(world.now)
        if i == 0:
            world.core.delivery.select_layer(world.published.subscriptions["viewer"], world.now)
    assert len(world.received()) >= 58
    told = [e for e in world.events if isinstance(e, SpeakersChanged)]
    assert told[0].room_id == "room"
    assert told[0].speakers[0].active


def test_who_is_forwarded_is_seen_to_speak_in_both_rooms():
    world = World("audio")
    world.publisher.forwarded_to.add("group")
    for i in range(60):
        world.now += 0.02
        head = struct.pack("!BBHII", 0x90, 111, i, i * 960, 7)
        world.feed(head + build_extensions([(4, b"0"), (1, bytes((0x80 | 10,)))]) + b"opus")
        world.core.deadlines.run_due(world.now)
    told = [e for e in world.events if isinstance(e, SpeakersChanged)]
    assert {e.room_id for e in told} == {"room", "group"}
    world.core.end_subscriptions(world.published, world.now, ("group",))
    world.now += 0.5
    world.core.deadlines.run_due(world.now)
    (end,) = [
        e for e in world.events[len(told) :] if isinstance(e, SpeakersChanged) and e.room_id == "group"
    ][-1:]
    assert not end.speakers[0].active


@pytest.mark.parametrize("packet", [b"", b"\x80", bytes(12), b"\x90" + bytes(13), b"\xbf" * 40, bytes(1500)])
def test_malformed_packets_are_counted(world, packet):
    world.core.router.on_rtp(world.publisher, packet, world.now)
    world.core.reports.on_rtcp(world.publisher, b"\x80\xc8\xff\xff", world.now, NTP)
    assert sum(world.core.drops.values()) == 2


def test_an_ended_publication_leaves_nothing_behind(world):
    world.video("q", key=True)
    subscription, _ = world.viewer()
    world.video("q", key=True)
    world.core.remove_publication(world.published, world.now)
    assert not world.publisher.streams
    assert not world.publisher.published
    assert not world.peer_of(subscription).subscriptions
    assert not world.core.router.publishers
    world.video("q")
    assert world.core.drops[DropReason.UNKNOWN_STREAM] == 1


def mutated(packet, dice):
    """The packet with a few octets changed, cut off, doubled or made up."""
    data = bytearray(packet)
    for _ in range(dice.randrange(1, 6)):
        match dice.randrange(6):
            case 0 if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
            case 1:
                del data[dice.randrange(len(data) + 1) :]
            case 2:
                data += dice.randbytes(dice.randrange(40))
            case 3 if len(data) > 4:  # sequence number and payload type
                data[1:4] = dice.randbytes(3)
            case 4 if len(data) > 12:  # SSRC
                data[8:12] = dice.randbytes(4)
            case _ if len(data) > 16:  # the length of the extension block
                data[14:16] = dice.randbytes(2)
    return bytes(data)


def test_mutated_packets_of_one_publisher_cost_the_others_nothing(world):
    mallory, _ = world.peer("mallory")
    published = mallory.published["TR_2"] = Publication(PublicationSpec("TR_2", "video"), mallory.link)
    mallory.negotiated.inbound["0"] = receive_section(parameters("video"), (), ())
    mallory.bind("0", published)
    eve, _ = world.viewer("eve")
    eve_of_mallory = world.peer_of(eve).subscribe(published, "stream", (0xCCCC, 0xDDDD, 900))
    eve_of_mallory.section = OutboundSection("2", VIEWER_KIND, {"vp8": 97})
    world.core.delivery.select_layer(eve_of_mallory, world.now)

    dice = random.Random(7)
    reports = [
        rtcp.sender_report(1000, NTP, 1, 1, 1),
        rtcp.receiver_report(1, [rtcp.ReportBlock(0xAAAA, 1, 1, 1, 1, 1, 1)]),
        rtcp.nack(1, 0xAAAA, range(490, 540)),
        rtcp.pli(1, 0xAAAA),
        rtcp.transport_feedback(1, 1, b"\0\1\0\1\0\0\0\0\x20\x01\x01\0"),
    ]
    world.video("q", key=True)
    sample = world.video("q", key=True, payload=bytes(100))
    eve.preferences = Preferences(max_spatial=0)
    world.core.delivery.select_layer(eve, world.now)
    before = None
    for round_ in range(3000):
        world.now += 0.001
        bad = mutated(sample if round_ % 2 else dice.choice(reports), dice)
        if len(bad) >= 12:  # shorter ones end at the socket
            if round_ % 2:
                world.core.router.on_rtp(mallory, bad, world.now)
            else:
                world.core.reports.on_rtcp(mallory, bad, world.now, NTP)
        if round_ % 100 == 99:
            world.sent.clear()
            world.video("q", key=round_ < 200, payload=b"good %d" % round_)
            world.core.deadlines.run_due(world.now)
            good = [packet for packet in world.received("eve") if header(packet)[3] == eve.ssrc]
            assert len(good) == 1
            assert good[0].endswith(b"good %d" % round_)
            assert before is None or header(good[0])[1] == before + 1
            before = header(good[0])[1]
    assert world.core.drops[DropReason.ERROR] == 0
    assert min(world.core.drops[DropReason.MALFORMED], world.core.drops[DropReason.UNKNOWN_STREAM]) > 20
    assert len(mallory.streams) <= MAX_STREAMS


def test_a_late_joiner_is_shown_what_is_kept_without_a_new_keyframe(world):
    world.viewer("first", max_spatial=0)
    world.video("q", key=True, payload=b"slide")
    for i in range(40):
        world.now += 0.5
        world.video("q", payload=b"change %d" % i)
    world.feedback.clear()
    late, _ = world.viewer("late", replay=True, max_spatial=0)
    assert late.current is not None
    assert late.replaying
    world.core.deadlines.run_due(world.now)
    world.outbox.flush()
    world.now += 0.02
    world.video("q", payload=b"meanwhile")  # while the rest is on its way
    for _ in range(5):
        world.now += 0.02
        world.core.deadlines.run_due(world.now)
        world.outbox.flush()
    assert not late.replaying
    world.now += 0.02
    world.video("q", payload=b"live")
    got = world.received("late")
    contents = [packet[-12:].lstrip(b"\x11\x10\xc0") for packet in got]
    assert got[0].endswith(b"slide")
    assert contents[-2].endswith(b"meanwhile")
    assert contents[-1].endswith(b"live")
    assert len(got) == 43
    assert [header(packet)[1] for packet in got] == list(range(500, 543))
    times = [header(packet)[2] for packet in got]
    assert all(a < b for a, b in itertools.pairwise(times))
    assert times[40] - times[0] < 90_000  # twenty seconds in less than one
    # the others' packets are the same but for their numbers
    assert [p[-9:] for p in world.received("first")] == [p[-9:] for p in got]
    world.core.deadlines.run_due(world.now)
    assert not [p for p in world.feedback if isinstance(p, rtcp.PictureLossIndication)]
    assert world.core.delivery.replayed_packets == 42


def test_a_replayed_packet_is_sent_again_as_it_was(world):
    world.video("q", key=True)
    for _ in range(3):
        world.now += 1
        world.video("q")
    late, _ = world.viewer("late", replay=True, max_spatial=0)
    world.core.deadlines.run_due(world.now)
    world.outbox.flush()
    sent = world.received("late")
    late.section.rtx_payload_types.clear()  # then the very packet is repeated
    world.sent.clear()
    nack = rtcp.nack(1, late.ssrc, [header(packet)[1] for packet in sent])
    world.core.reports.on_rtcp(world.peer_of(late), nack, world.now, NTP)
    world.outbox.flush()
    assert world.received("late") == sent


@pytest.mark.parametrize("why", ["too large", "too many", "a gap", "too old"])
def test_what_is_kept_is_not_shown_when_a_keyframe_is_cheaper_or_it_is_not_whole(world, why):
    world.video("q", key=True)
    if why == "too large":
        for _ in range(300):
            world.video("q", payload=bytes(1100))
    elif why == "too many":
        for _ in range(450):
            world.video("q")
    elif why == "too old":
        world.now += 5
    else:
        number, picture = world.numbers["q"]
        world.numbers["q"] = (number + 1, picture + 1)
        world.video("q")
    world.feedback.clear()
    world.now += 1
    late, _ = world.viewer("late", replay=True, max_spatial=0)
    assert late.current is None
    assert [p for p in world.feedback if isinstance(p, rtcp.PictureLossIndication)]


def test_three_hundred_joiners_cost_at_most_two_keyframes(world):
    world.viewer("first", max_spatial=0)
    world.video("q", key=True, payload=bytes(1000))
    requests = 0
    for i in range(300):
        world.feedback.clear()
        world.viewer(f"viewer{i}", replay=True, max_spatial=0)
        world.now += 2 / 300
        if i % 5 == 0:  # 30 frames a second of 1,000 octets
            world.video("q", payload=bytes(1000))
        world.core.deadlines.run_due(world.now)
        asked = [p for p in world.feedback if isinstance(p, rtcp.PictureLossIndication)]
        requests += len(asked)
        if asked:
            world.video("q", key=True, payload=bytes(1000))
    assert requests <= 2
    assert all(s.current is not None for s in world.published.subscriptions.values())


def test_a_replay_ends_with_its_subscription(world):
    world.video("q", key=True)
    for _ in range(50):
        world.video("q")
    late, _ = world.viewer("late", replay=True, max_spatial=0)
    world.peer_of(late).unsubscribe("TR_1", world.now)
    world.core.deadlines.run_due(world.now)
    world.outbox.flush()
    assert not world.received("late")
    again, _ = world.viewer("late", replay=True, max_spatial=0)
    world.core.deadlines.run_due(world.now)
    again.preferences = Preferences(enabled=False)
    world.core.delivery.select_layer(again, world.now)
    world.outbox.flush()
    count = len(world.received("late"))
    again.preferences = Preferences(max_spatial=0)
    world.core.delivery.select_layer(again, world.now)
    for _ in range(10):
        world.now += 0.02
        world.core.deadlines.run_due(world.now)
        world.outbox.flush()
    numbers = [header(packet)[1] for packet in world.received("late")]
    assert len(numbers) == count + 51
    assert numbers == list(range(500, 500 + len(numbers)))


def test_nothing_of_what_was_sent_while_muted_is_ever_shown(world):
    world.video("q", key=True, payload=b"before")
    world.published.muted = True
    world.video("q", payload=b"secret")
    world.video("q", key=True, payload=b"secret too")
    world.published.muted = False
    late, _ = world.viewer("late", replay=True, max_spatial=0)
    world.core.deadlines.run_due(world.now)
    world.video("q", payload=b"still nothing to build on")
    world.outbox.flush()
    assert late.current is None
    assert not world.received("late")


def test_lasting_loss_in_either_direction_is_told_once(world):
    subscription, _ = world.viewer()
    world.video("q", key=True)
    viewer = world.peer_of(subscription)
    for _ in range(10):
        block = rtcp.ReportBlock(subscription.ssrc, 64, 0, 0, 0, 0, 0)
        world.core.reports.on_rtcp(viewer, rtcp.receiver_report(1, [block]), world.now, NTP)
        stranger = rtcp.ReportBlock(7, 255, 0, 0, 0, 0, 0)
        world.core.reports.on_rtcp(world.publisher, rtcp.receiver_report(1, [stranger]), world.now, NTP)
    for _ in range(2):
        world.core.reports.check_quality(viewer)
        world.core.reports.check_quality(world.publisher)
    assert [e for e in world.events if isinstance(e, QualityChanged)] == [QualityChanged("viewer", "poor")]
    number, _ = world.numbers["q"]
    for i in range(1, 12):  # every other packet of the publisher is lost
        world.video("q", sequence=number + 2 * i)
        world.now += 1
        world.core.deadlines.run_due(world.now)
    world.core.reports.check_quality(world.publisher)
    assert world.events[-1] == QualityChanged("publisher", "poor")


def test_a_receivers_own_estimate_is_taken_when_it_differs(world):
    peer, _ = world.peer("viewer")
    told = []
    world.core.delivery.reallocate = lambda peer, now: told.append(
        (peer.id, peer.link.downstream.available_bps)
    )
    for bitrate_bps in (500_000, 510_000, 600_000, 590_000, 0, 0):
        world.core.reports.on_rtcp(peer, remb(bitrate_bps), world.now, NTP)
    assert told == [("viewer", 500_000), ("viewer", 600_000), ("viewer", 0)]


def test_the_bitrate_of_each_layer_is_measured(world):
    world.video("q", key=True)
    world.tick(3, "q", "h")
    size = len(world.video("h"))
    assert world.published.bitrates_bps(world.now) == {
        (0, 0): pytest.approx(20 * 8 * size, rel=0.15),
        (1, 0): pytest.approx(20 * 8 * size, rel=0.15),
    }
    world.tick(2, "q")
    assert set(world.published.bitrates_bps(world.now)) == {(0, 0)}


def test_who_speaks_is_seen_first(world):
    world.core.speaking.rooms["room"] = Speakers()
    world.core.router.publishers["publisher"] = world.publisher
    assert world.core.speaking.focus("room") is None
    world.core.speaking.rooms["room"].dominant = "TR_1"
    assert world.core.speaking.focus("room") == "publisher"
    assert world.core.speaking.focus("elsewhere") is None
