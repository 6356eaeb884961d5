import pytest

from sfu.values import Layer, PublicationBound, PublicationEnded, PublicationMuted, PublicationStarted
from signaling.errors import (
    DuplicateTrackError,
    LimitError,
    NotAllowedError,
    NotFoundError,
    UnsupportedError,
)
from signaling.rooms.events import ParticipantChanged, TrackMuted, TrackPublished, TrackUnpublished
from signaling.rooms.model import LeaveReason, TrackSpec
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, Permissions, Source
from signaling.rooms.rooms import JoinSpec


@pytest.fixture
def ada(harness):
    person = harness.rooms.join(JoinSpec("lesson", "ada"))
    harness.events.clear()
    return person


def spec(cid="cam", **fields):
    return TrackSpec("video", Source.CAMERA, client_id=cid, track_ids=(cid,), **fields)


def test_a_track_is_shown_once_its_media_is_negotiated(harness, ada):
    layers = (Layer("q", 320, 180), Layer("h", 640, 360))
    track = harness.publishing.publish(ada, spec(layers=layers, codec="vp8"))
    assert track.sid.startswith("TR_VC")
    assert harness.events == []
    assert ada.tracks == {}
    publication = harness.media.peers[ada.sid].publications[track.sid]
    assert (publication.layers, publication.codec, publication.track_ids) == (layers, "vp8", ("cam",))

    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    shown = ada.tracks[track.sid]
    assert (shown.mid, shown.codec) == ("7", "vp8")
    # Others must know the track before they are subscribed to it.
    assert harness.events == [ParticipantChanged(ada, to_self=False), TrackPublished(ada, shown)]
    assert ada.pending == {}


def test_the_first_packet_tells_the_codec(harness, ada):
    track = harness.publishing.publish(ada, spec())
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    version = ada.version
    harness.media.emit(PublicationStarted(ada.sid, track.sid, "vp8"))
    assert ada.version == version
    harness.media.emit(PublicationStarted(ada.sid, track.sid, "h264"))
    assert (ada.tracks[track.sid].codec, ada.tracks[track.sid].mid) == ("h264", "7")
    assert ada.version == version + 1


@pytest.mark.parametrize(
    ("permissions", "source"),
    [
        (Permissions(can_publish=False), Source.CAMERA),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.CAMERA),
    ],
)
def test_publishing_without_the_grant_is_refused(harness, permissions, source):
    person = harness.rooms.join(JoinSpec("lesson", "bob", permissions=permissions))
    with pytest.raises(NotAllowedError):
        harness.publishing.publish(person, TrackSpec("video", source, client_id="x"))
    assert not [command for command in harness.media.commands if command[0] == "publish"]


def test_waiting_tracks_are_limited(harness, ada):
    for number in range(20):
        harness.publishing.publish(ada, spec(f"cam{number}"))
    with pytest.raises(LimitError):
        harness.publishing.publish(ada, spec("one more"))


def test_the_same_track_twice_is_refused(harness, ada):
    track = harness.publishing.publish(ada, spec())
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    with pytest.raises(DuplicateTrackError):
        harness.publishing.publish(ada, spec())


def test_a_track_that_was_never_offered_is_replaced(harness, ada):
    first = harness.publishing.publish(ada, spec())
    for _ in range(30):
        second = harness.publishing.publish(ada, spec())
    assert second.sid != first.sid
    assert set(ada.pending) == {second.sid}
    assert list(harness.media.peers[ada.sid].publications) == [second.sid]
    assert harness.events == []


def test_a_track_whose_media_never_comes_is_forgotten(harness, ada):
    harness.rooms.connected(ada.sid)
    waiting = harness.publishing.publish(ada, spec("cam"))
    shown = harness.publishing.publish(ada, spec("mic"))
    harness.media.emit(PublicationBound(ada.sid, shown.sid, "7", "vp8"))
    harness.advance(60)
    assert ada.pending == {}
    assert set(ada.tracks) == {shown.sid}
    assert ("unpublish", ada.sid, waiting.sid) in harness.media.commands


def test_a_track_whose_section_ended_is_gone(harness, ada):
    cam = harness.publishing.publish(ada, spec("cam"))
    mic = harness.publishing.publish(ada, spec("mic"))
    for track, mid in ((cam, "7"), (mic, "8")):
        harness.media.emit(PublicationBound(ada.sid, track.sid, mid, "vp8"))
    harness.events.clear()
    harness.media.emit(PublicationEnded(ada.sid, cam.sid))
    assert set(ada.tracks) == {mic.sid}
    assert [type(event) for event in harness.events] == [ParticipantChanged, TrackUnpublished]
    assert harness.events[1].by_server is False
    harness.media.emit(PublicationEnded(ada.sid, cam.sid))
    harness.media.emit(PublicationEnded("PA_never", cam.sid))
    assert len(harness.events) == 2


def test_what_waits_for_the_end_of_a_track_is_done_once(harness, ada):
    done = []
    cam = harness.publishing.publish(ada, spec("cam"))
    mic = harness.publishing.publish(ada, spec("mic"))
    for number in range(20):
        harness.publishing.when_ended(ada, "cam", lambda number=number: done.append(number))
    with pytest.raises(LimitError):
        harness.publishing.when_ended(ada, "mic", lambda: done.append("mic"))
    harness.publishing.unpublish(ada, mic.sid)
    assert done == []
    harness.publishing.unpublish(ada, cam.sid)
    assert done == list(range(20))
    harness.publishing.unpublish(ada, harness.publishing.publish(ada, spec("cam")).sid)
    assert len(done) == 20


def test_nothing_waits_for_those_who_left(harness, ada):
    done = []
    harness.publishing.publish(ada, spec("cam"))
    harness.publishing.when_ended(ada, "cam", lambda: done.append(1))
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    assert done == []
    assert harness.publishing._waiting == {}


def test_muting_reaches_the_engine_and_the_others(harness, ada):
    track = harness.publishing.publish(ada, spec(muted=True))
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    assert ada.tracks[track.sid].muted
    harness.events.clear()
    harness.publishing.set_muted(ada, track.sid, False)
    assert harness.media.muted == {track.sid: False}
    assert not ada.tracks[track.sid].muted
    assert harness.events == [ParticipantChanged(ada, to_self=False)]
    harness.publishing.set_muted(ada, track.sid, False)
    assert len(harness.events) == 1


def test_muting_a_track_that_waits_is_kept_for_its_start(harness, ada):
    track = harness.publishing.publish(ada, spec())
    harness.publishing.set_muted(ada, track.sid, True)
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    assert ada.tracks[track.sid].muted


def test_nobody_touches_anothers_track(harness, ada):
    track = harness.publishing.publish(ada, spec())
    bob = harness.rooms.join(JoinSpec("lesson", "bob"))
    with pytest.raises(NotFoundError):
        harness.publishing.set_muted(bob, track.sid, True)
    with pytest.raises(NotFoundError):
        harness.publishing.unpublish(bob, track.sid)
    assert harness.media.muted == {}


def test_revoked_permission_takes_tracks_down(harness, ada):
    cam = harness.publishing.publish(ada, spec("cam"))
    mic = harness.publishing.publish(ada, TrackSpec("audio", Source.MICROPHONE, client_id="mic"))
    harness.media.emit(PublicationBound(ada.sid, cam.sid, "7", "vp8"))
    harness.rooms.set_permissions(ada, Permissions(can_publish_sources=(Source.MICROPHONE,)))
    assert ada.tracks == {}
    assert set(ada.pending) == {mic.sid}
    gone = next(event for event in harness.events if isinstance(event, TrackUnpublished))
    assert (gone.track.sid, gone.by_server) == (cam.sid, True)


def test_leaving_ends_the_tracks(harness, ada):
    track = harness.publishing.publish(ada, spec())
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    assert ada.tracks == {}
    gone = next(event for event in harness.events if isinstance(event, TrackUnpublished))
    assert gone.track.sid == track.sid
    assert harness.events[-1].was_publisher


def test_events_about_those_who_left_are_ignored(harness, ada):
    track = harness.publishing.publish(ada, spec())
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    harness.events.clear()
    harness.media.emit(PublicationBound(ada.sid, track.sid, "7", "vp8"))
    harness.media.emit(PublicationBound("PA_never", track.sid, "7", "vp8"))
    assert harness.events == []


@pytest.mark.parametrize("admin", [frozenset(), ALL_ADMIN_RIGHTS])
def test_tracks_of_whoever_leads_the_room_go_before_others(harness, admin):
    ada = harness.rooms.join(JoinSpec("lesson", "ada", permissions=Permissions(admin=admin)))
    track = harness.publishing.publish(ada, spec())
    assert harness.media.peers[ada.sid].publications[track.sid].leading is bool(admin)


def test_a_track_that_floods_is_shown_as_muted_and_its_publisher_is_told(harness, ada, caplog):
    cam = harness.publishing.publish(ada, spec())
    harness.media.emit(PublicationBound(ada.sid, cam.sid, "7", "vp8"))
    harness.events.clear()
    harness.media.emit(PublicationMuted(ada.sid, cam.sid))
    assert ada.tracks[cam.sid].muted
    assert any(isinstance(event, TrackMuted) and event.track.sid == cam.sid for event in harness.events)
    assert "exceeds the limits" in caplog.text
    harness.media.emit(PublicationMuted(ada.sid, "TR_never"))
    harness.media.emit(PublicationMuted("PA_never", cam.sid))


def test_a_track_in_its_backup_codec_shares_the_mute_and_the_end_of_the_first(harness, ada):
    cam = harness.publishing.publish(ada, spec(codec="av1", backup_codec="vp8"))
    harness.media.emit(PublicationBound(ada.sid, cam.sid, "7", "av1"))
    publications = harness.media.peers[ada.sid].publications
    for _ in range(2):  # a client that offers the backup again replaces the first offer of it
        track = harness.publishing.publish_backup(ada, cam.sid, spec("backup"))
        assert list(publications) == [cam.sid, track.backup_sid]
    assert ada.tracks[cam.sid].backup_sid == f"{cam.sid}~vp8"
    assert publications[track.backup_sid].backup_of == cam.sid
    harness.publishing.set_muted(ada, cam.sid, True)
    assert harness.media.muted == {cam.sid: True, track.backup_sid: True}
    harness.publishing.unpublish(ada, cam.sid)
    assert publications == {}


def test_a_backup_whose_section_ended_leaves_the_track(harness, ada):
    cam = harness.publishing.publish(ada, spec(codec="av1", backup_codec="vp8"))
    harness.media.emit(PublicationBound(ada.sid, cam.sid, "7", "av1"))
    track = harness.publishing.publish_backup(ada, cam.sid, spec("backup"))
    harness.media.emit(PublicationEnded(ada.sid, track.backup_sid))
    assert ada.tracks[cam.sid].backup_sid is None


def test_a_backup_that_was_not_announced_is_refused(harness, ada):
    cam = harness.publishing.publish(ada, spec())
    with pytest.raises(UnsupportedError):
        harness.publishing.publish_backup(ada, cam.sid, spec("backup"))
    assert list(harness.media.peers[ada.sid].publications) == [cam.sid]
