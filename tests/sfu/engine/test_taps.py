"""What a tap hands to the recorder, and what it leaves alone: viewers, and publications that are not recorded."""

from dataclasses import replace

import pytest
from router_world import NTP, World

from sfu.engine.peers.publication import Publication
from sfu.engine.taps import Taps
from sfu.values import Layer, LayersWanted, PublicationSpec, RecordedTrack, TrackNotRecorded
from sfu.wire import rtcp, tap

TRACK = RecordedTrack("ada camera", "Ada")


class Recorded(World):
    """A world with a recording of its room, and what its recorder has been told."""

    def __init__(self, kind="video"):
        super().__init__(kind)
        self.messages = []
        self.taps.start("r", "room", self.now)

    @property
    def taps(self):
        return self.core.taps

    def record(self, track=TRACK, published=None):
        self.taps.record("r", published or self.published, track, self.now)

    def told(self, kind):
        self.messages += self.taps.take_messages()
        return [message for message in self.messages if isinstance(message, kind)]

    def payloads(self):
        return [bytes(packet.payload)[-1:] for packet in self.told(tap.Packet)]

    def requests(self):
        return sum(isinstance(part, rtcp.PictureLossIndication) for part in self.feedback)

    def mute(self, muted):
        self.published.muted = muted
        self.taps.muted(self.published, self.now)

    def sound(self, sequence, payload=b"x"):
        head = bytes((0x80, 111)) + sequence.to_bytes(2, "big") + (960 * sequence).to_bytes(4, "big")
        self.feed(head + (1000).to_bytes(4, "big") + payload)


@pytest.fixture
def world():
    return Recorded()


def test_a_recording_begins_at_a_keyframe_that_is_requested(world):
    world.video("q")
    world.feedback.clear()
    world.record()
    assert world.requests() == 1
    world.video("q", payload=b"a")
    assert world.payloads() == []
    world.video("q", key=True, payload=b"b")
    world.video("q", payload=b"c")
    assert world.payloads() == [b"b", b"c"]
    opened, track = world.told(tap.OpenStream)[0], world.told(tap.OpenTrack)[0]
    assert (track.track_id, track.kind, track.label) == ("ada camera", "video", "Ada")
    assert (opened.track_id, opened.clock_rate) == ("ada camera", 90_000)
    first, second = world.told(tap.Packet)
    assert (first.stream, first.codec) == (opened.stream, "vp8")
    assert second.sequence == first.sequence + 1
    assert first.arrived_ns == round(world.now * 1e9)


def test_a_stream_that_begins_later_is_recorded_too(world):
    world.record()
    world.video("q")
    assert world.requests() == 1
    world.video("q", key=True, payload=b"a")
    assert world.payloads() == [b"a"]


def test_viewers_get_the_same_packets_whether_or_not_there_is_a_recording():
    worlds = []
    for recorded in (False, True):
        world = Recorded()
        world.video("q", key=True)
        world.viewer()
        if recorded:
            world.record()
        for key in (True, False, False):
            world.now += 0.05
            world.video("q", key=key)
        worlds.append(world.received())
    assert worlds[0] == worlds[1] != []


def test_the_best_layer_is_recorded_and_changed_to_at_its_keyframe(world):
    world.record()
    world.video("q", key=True, payload=b"1")
    world.tick(1, "q", "f")
    world.taps.take_messages()
    world.video("f", payload=b"2")
    world.video("q", payload=b"3")
    assert world.payloads()[-1:] == [b"3"]
    world.video("f", key=True, payload=b"4")
    world.video("q", payload=b"5")
    world.video("f", payload=b"6")
    assert world.payloads()[-2:] == [b"4", b"6"]
    (closed,), (opened,) = world.told(tap.CloseStream), world.told(tap.OpenStream)
    assert closed.stream < opened.stream
    world.tick(4, "q")  # the best one has ended
    world.video("q", key=True, payload=b"7")
    world.video("q", payload=b"8")
    assert world.payloads()[-2:] == [b"7", b"8"]


def test_a_chosen_layer_is_not_exceeded(world):
    world.record(replace(TRACK, max_spatial=1))
    for rid in "qhf":
        world.video(rid)
    for rid in "fhq":
        world.video(rid, key=True, payload=rid.encode())
    for rid in "qhf":
        world.video(rid, payload=rid.encode())
    assert world.payloads() == [b"h", b"h"]


def test_while_a_layer_is_awaited_its_keyframe_is_requested_again(world):
    world.record()
    world.tick(1, "q")
    before = world.requests()
    world.tick(2, "q")
    assert 3 <= world.requests() - before <= 5


def test_nothing_of_a_muted_publication_is_handed_over(world):
    world.record()
    world.video("q", key=True, payload=b"a")
    world.mute(True)
    world.video("q", key=True, payload=b"b")
    number = world.told(tap.Packet)[0].stream
    world.taps.send_again(number, range(200_000), world.now)
    world.mute(False)
    world.video("q", payload=b"c")
    world.video("q", key=True, payload=b"d")
    late = world.told(tap.Packet)[-1]
    world.taps.send_again(late.stream, range(late.sequence - 5, late.sequence), world.now)
    assert world.payloads() == [b"a", b"d"]
    assert [message.muted for message in world.told(tap.MuteTrack)] == [False, True, False]


def test_a_pause_takes_nothing_and_the_next_keyframe_ends_it(world):
    world.record()
    world.video("q", key=True, payload=b"a")
    world.taps.pause("r", True, world.now)
    world.video("q", key=True, payload=b"b")
    assert len(world.told(tap.CloseStream)) == 1
    world.taps.pause("r", False, world.now)
    world.video("q", payload=b"c")
    world.video("q", key=True, payload=b"d")
    assert world.payloads() == [b"a", b"d"]


def test_packets_that_are_asked_for_again_come_out_of_the_history(world):
    world.record()
    world.video("q", key=True, payload=b"a")
    world.video("q", payload=b"b")
    first = world.told(tap.Packet)[0]
    world.messages.clear()
    world.taps.send_again(
        first.stream, [first.sequence + 1, first.sequence - 1, first.sequence + 9], world.now
    )
    assert [packet.sequence for packet in world.told(tap.Packet)] == [first.sequence + 1]
    world.taps.send_again(first.stream + 1, [first.sequence], world.now)
    assert len(world.told(tap.Packet)) == 1


def test_a_retransmission_that_arrives_late_is_handed_over_under_its_own_number(world):
    world.record()
    world.video("q", key=True)
    first = world.told(tap.Packet)[0].sequence
    world.video("q", sequence=(first + 2) & 0xFFFF, payload=b"c")
    world.video("q", sequence=(first + 1) & 0xFFFF, payload=b"b")
    world.video("q", sequence=(first - 1) & 0xFFFF, payload=b"z")  # before the recording
    assert [packet.sequence - first for packet in world.told(tap.Packet)] == [0, 2, 1]


def test_what_the_recorder_requests_is_within_the_budget_of_keyframes(world):
    world.record()
    world.video("q", key=True)
    number = world.told(tap.OpenStream)[0].stream
    world.now += 5
    world.feedback.clear()
    for _ in range(50):
        world.taps.request_keyframe(number, world.now)
    world.taps.request_keyframe(number + 1, world.now)
    assert world.requests() == 1


def test_sender_reports_are_handed_over_and_repeated_for_a_new_stream(world):
    world.record()
    world.video("q", key=True)
    report = rtcp.sender_report(1000, NTP, 12345, 0, 0)
    world.core.reports.on_rtcp(world.publisher, report, world.now, NTP)
    (told,) = world.told(tap.SenderReport)
    assert (told.ntp, told.timestamp, told.arrived_ns) == (NTP, 12345, round(world.now * 1e9))
    world.mute(True)
    world.now += 3
    world.mute(False)
    world.video("q", key=True)
    first, second = world.told(tap.SenderReport)
    assert second.stream > first.stream
    assert second.arrived_ns == first.arrived_ns


def test_streams_of_one_connection_share_a_source_and_others_do_not(world):
    world.record()
    world.video("q", key=True)
    world.video("f")
    world.video("f", key=True)
    first, second = world.told(tap.OpenStream)
    assert first.source == second.source
    assert first.source != f"publisher {world.publisher.link.ssrc + 1}"
    assert first.stream < second.stream


def test_audio_begins_with_any_packet():
    world = Recorded("audio")
    world.record()
    world.sound(7, b"a")
    world.sound(8, b"b")
    assert [(packet.sequence, bytes(packet.payload)) for packet in world.told(tap.Packet)] == [
        (7, b"a"),
        (8, b"b"),
    ]
    assert world.told(tap.OpenStream)[0].clock_rate == 48_000


def test_a_packet_of_the_time_before_is_no_beginning():
    world = Recorded("audio")
    world.sound(7)
    world.sound(9)
    world.record()
    world.sound(8)
    world.sound(10)
    assert [packet.sequence for packet in world.told(tap.Packet)] == [10]


def test_another_ssrc_is_another_stream(world):
    audio = Recorded("audio")
    audio.record()
    audio.sound(7)
    audio.feed(bytes((0x80, 111)) + bytes((0, 1)) + bytes(4) + (2000).to_bytes(4, "big") + b"y")
    assert [packet.stream for packet in audio.told(tap.Packet)] == [1, 2]
    assert len(audio.told(tap.CloseStream)) == 1


def test_an_encrypted_publication_is_refused_with_a_reason(world):
    world.published.spec = replace(world.published.spec, encrypted=True)
    world.record()
    world.video("q", key=True)
    assert world.events[0] == TrackNotRecorded("r", "TR_1", "encrypted")
    assert world.told(tap.OpenTrack) == world.told(tap.Packet) == []


def test_an_encrypted_publication_is_recorded_with_its_keys(world):
    world.published.spec = replace(world.published.spec, encrypted=True)
    keys = ((0, b"k" * 16),)
    world.taps.record("r", world.published, replace(TRACK, frame_keys=keys), world.now)
    world.video("q", key=True)
    [opened] = world.told(tap.OpenTrack)
    assert opened.frame_keys == keys
    assert "kkkk" not in repr(opened) + repr(replace(TRACK, frame_keys=keys))
    assert world.told(tap.Packet)


def test_encrypted_av1_is_refused_also_with_a_key(world):
    world.published.spec = replace(world.published.spec, encrypted=True)
    world.taps.record("r", world.published, replace(TRACK, frame_keys=((0, b"k" * 16),)), world.now)
    [found] = world.taps._taps[world.published].values()
    assert "av1" not in found.codecs


def test_a_codec_that_cannot_be_stored_is_refused_once(world):
    audio = Recorded("audio")
    audio.publisher.negotiated.inbound["0"].codec_by_payload_type[8] = "pcma"
    audio.record()
    for sequence in range(3):
        audio.feed(
            bytes((0x80, 8)) + sequence.to_bytes(2, "big") + bytes(4) + (1000).to_bytes(4, "big") + b"y"
        )
    assert [event for event in audio.events if isinstance(event, TrackNotRecorded)] == [
        TrackNotRecorded("r", "TR_1", "codec")
    ]
    assert audio.told(tap.Packet) == []


def test_a_publication_that_ends_closes_its_track_unless_another_continues_it(world):
    world.record()
    world.video("q", key=True)
    other = world.published
    world.core.remove_publication(other, world.now)
    assert [type(message) for message in world.told(object)][-2:] == [tap.CloseStream, tap.CloseTrack]
    assert world.taps._streams == {}
    assert other.recorded == {}


def test_a_track_is_continued_by_the_publication_that_replaces_the_first(world):
    world.record()
    world.video("q", key=True)
    again = Publication(PublicationSpec("TR_2", "video"), world.publisher.link)
    world.publisher.published["TR_2"] = again
    world.record(published=again)
    world.mute(True)  # of the one that is replaced
    world.core.remove_publication(world.published, world.now)
    assert world.told(tap.CloseTrack) == []
    assert [message.muted for message in world.told(tap.MuteTrack)] == [False, False]
    world.core.remove_publication(again, world.now)
    assert len(world.told(tap.CloseTrack)) == 1


def test_a_publisher_who_moves_to_another_room_is_no_longer_recorded(world):
    world.record()
    world.video("q", key=True, payload=b"a")
    world.core.end_subscriptions(world.published, world.now, ("room",))
    world.video("q", key=True, payload=b"b")
    assert world.payloads() == [b"a"]
    world.publisher.room_id = "elsewhere"
    world.record()
    assert world.published.recorded == {}


def test_two_recordings_of_one_publication_are_independent(world):
    world.taps.start("s", "room", world.now)
    world.record()
    world.taps.record("s", world.published, TRACK, world.now)
    world.video("q", key=True, payload=b"a")
    assert world.taps.stop("r", world.now)
    assert not world.taps.stop("r", world.now)
    world.video("q", payload=b"b")
    assert world.payloads() == [b"a", b"a", b"b"]
    assert world.told(tap.StopRecording)[0].recording_id == "r"


def test_one_person_can_be_left_out_of_a_recording_that_goes_on(world):
    world.record()
    world.video("q", key=True, payload=b"a")
    world.taps.leave("r", world.published, world.now)
    world.taps.leave("r", world.published, world.now)
    world.video("q", key=True, payload=b"b")
    assert world.payloads() == [b"a"]
    assert world.published.fans[0].substreams == {}


def test_the_shell_is_woken_once_for_all_messages_that_wait(world):
    calls = []
    world.taps.on_messages = lambda: calls.append(1)
    world.taps.take_messages()
    world.record()
    world.video("q", key=True)
    assert len(calls) == 1
    world.taps.take_messages()
    world.video("q")
    assert len(calls) == 2


def test_a_recorded_screen_is_encoded_in_its_best_layer_though_nobody_watches():
    world = Recorded()
    layers = tuple(Layer(rid, 1280, 720) for rid in "qhf")
    world.published.__init__(
        PublicationSpec("TR_1", "video", layers=layers, screen_share=True), world.publisher.link
    )
    world.publisher.bind("0", world.published)
    world.record()
    world.video("q", key=True)
    world.core.deadlines.run_due(world.now)
    assert LayersWanted("TR_1", (2,)) in world.events


def test_a_fault_of_a_tap_is_not_a_viewers(world, monkeypatch):
    world.video("q", key=True)
    world.viewer()
    world.record()
    world.video("q", key=True)
    monkeypatch.setattr(Taps, "_hand_over", lambda *_: 1 / 0)
    before = len(world.received())
    world.video("q")
    assert len(world.received()) == before + 1


def test_a_recorder_that_died_is_prepared_for_by_keyframes(world):
    world.record()
    world.video("q", key=True)
    world.now += 5
    world.feedback.clear()
    world.taps.request_keyframes(world.now)
    assert world.requests() == 1
    audio = Recorded("audio")
    audio.record()
    audio.sound(1)
    audio.taps.request_keyframes(audio.now)
    assert audio.requests() == 0
