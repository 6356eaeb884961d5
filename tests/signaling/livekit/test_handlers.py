import asyncio
import itertools

import pytest
from livekit.protocol import models, rtc

from sfu.values import (
    CodecMissing,
    EngineError,
    EngineTimeoutError,
    Layer,
    Preferences,
    PublicationBound,
    PublicationEnded,
    UnknownPeerError,
)
from signaling import errors
from signaling.livekit import handlers
from signaling.livekit.handlers import HANDLERS
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions, Source

VIDEO, AUDIO = models.TrackType.VIDEO, models.TrackType.AUDIO
Reason = rtc.RequestResponse


def camera(cid="cam", **fields):
    return rtc.AddTrackRequest(cid=cid, type=VIDEO, source=models.TrackSource.CAMERA, **fields)


def layers(*heights):
    return [
        models.VideoLayer(quality=quality, width=height * 16 // 9, height=height)
        for quality, height in enumerate(heights)
    ]


async def test_an_offer_is_answered_with_its_id_and_every_track(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    cam = await ada.publish("cam")
    await bob.offer("a3 v3", number=7)
    answer = bob.last("answer")
    assert (answer.type, answer.id) == ("answer", 7)
    assert dict(answer.mid_to_track_id) == {"v2": cam}
    mic = await ada.publish("mic", AUDIO)
    await bob.offer("a3 v3", number=8)
    assert sorted(bob.last("answer").mid_to_track_id.values()) == sorted([cam, mic])


async def test_an_offer_that_cannot_be_answered_ends_the_session(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    await ada.offer("garbage")
    leave = ada.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.DISCONNECT, models.MEDIA_FAILURE)
    assert ada.outbox.finished
    assert not bob.connection.participant.has_left


async def test_an_offer_to_a_peer_that_is_gone_makes_the_client_start_over(harness):
    ada = await harness.join("ada")
    harness.media.fail_with = UnknownPeerError("gone")
    await ada.offer("a3 v3")
    assert ada.last("leave").action == rtc.LeaveRequest.RECONNECT


@pytest.mark.parametrize("error", [EngineError("a bug"), EngineTimeoutError("no reply")])
async def test_a_fault_of_the_engine_is_not_told_as_a_refusal(harness, error):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    harness.media.fail_with = error
    await ada.offer("a3 v3")
    leave = ada.last("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT
    assert leave.reason != models.MEDIA_FAILURE
    assert not bob.connection.participant.has_left


async def test_a_failure_of_the_server_is_that_sessions_alone(harness, caplog):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    harness.media.fail_with = ZeroDivisionError("a bug")
    await ada.offer("a3 v3")
    assert ada.last("request_response").reason == Reason.UNCLASSIFIED_ERROR
    assert "offer failed" in caplog.text
    harness.media.fail_with = None
    await ada.offer("a3 v3", number=2)
    assert ada.last("answer").id == 2
    await bob.offer("a3 v3", number=3)
    assert bob.last("answer").id == 3


@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_no_request_without_content_raises_or_reaches_others(harness, kind):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    request = rtc.SignalRequest()
    if kind == "ping":
        request.ping = 0
    else:
        getattr(request, kind).SetInParent()
    await ada.send(**{kind: getattr(request, kind)})
    if kind not in {"leave", "offer"}:
        assert not ada.connection.participant.has_left
    assert not bob.connection.participant.has_left
    assert bob.kinds() in ([], ["update"])


def test_every_request_of_the_protocol_has_a_handler():
    kinds = {field.name for field in rtc.SignalRequest.DESCRIPTOR.oneofs_by_name["message"].fields}
    assert HANDLERS.keys() == kinds


async def test_requests_that_expect_no_answer_get_none(harness):
    ada = await harness.join("ada")
    ada.clear()
    for request in ({"update_layers": rtc.UpdateVideoLayers()}, {"answer": rtc.SessionDescription()}):
        await ada.send(**request)
    assert ada.kinds() == []


async def test_requests_of_later_protocols_are_refused(harness):
    ada = await harness.join("ada")
    ada.clear()
    unknown = rtc.SignalRequest.FromString(b"\xba\x3e\x00")  # field 999
    await handlers.handle(harness.livekit, ada.connection, unknown)
    assert ada.last("request_response").reason == rtc.RequestResponse.UNSUPPORTED_TYPE
    assert not ada.connection.participant.has_left


@pytest.mark.parametrize(
    "request_",
    [
        {"store_data_blob_request": rtc.StoreDataBlobRequest(request_id=7)},
        {"get_data_blob_request": rtc.GetDataBlobRequest(request_id=7)},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_what_is_not_served_is_refused_by_its_number(harness, request_):
    ada = await harness.join("ada")
    await ada.send(**request_)
    answer = ada.last("request_response")
    assert (answer.request_id, answer.reason) == (7, rtc.RequestResponse.UNSUPPORTED_TYPE)
    assert answer.message == "this server stores no data blobs"


async def test_after_leaving_nothing_is_done(harness):
    ada = await harness.join("ada")
    await ada.send(leave=rtc.LeaveRequest())
    ada.outbox.finished = False
    ada.clear()
    await ada.send(ping_req=rtc.Ping(timestamp=1))
    assert ada.kinds() == []


async def test_leaving_needs_no_answer(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    ada.clear()
    bob.clear()
    await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
    assert ada.kinds() == []
    assert ada.outbox.finished
    [info] = bob.infos()
    assert (info.sid, info.state, info.disconnect_reason) == (
        ada.sid,
        models.ParticipantInfo.DISCONNECTED,
        models.CLIENT_INITIATED,
    )


async def test_both_kinds_of_ping_are_answered_in_milliseconds(harness):
    ada = await harness.join("ada")
    await ada.send(ping=12345)
    await ada.send(ping_req=rtc.Ping(timestamp=777, rtt=3))
    now_ms = int(harness.wall_clock() * 1000)
    assert ada.last("pong") == now_ms
    assert ada.last("pong_resp") == rtc.Pong(last_ping_timestamp=777, timestamp=now_ms)


async def test_a_track_is_answered_at_once_and_shown_when_its_media_is_there(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    await ada.send(add_track=camera(layers=layers(180, 360, 720)))
    published = ada.last("track_published")
    assert published.cid == "cam"
    assert published.track.sid.startswith("TR_VC")
    assert bob.kinds() == []
    publication = harness.media.peers[ada.sid].publications[published.track.sid]
    assert publication.layers == (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))
    await ada.offer("a3 v3 cam=7", number=2)
    [info] = bob.infos()
    assert [track.sid for track in info.tracks] == [published.track.sid]
    assert info.tracks[0].mid == "7"
    assert info.is_publisher
    # The publisher learns of its track from the answer to its request only.
    assert all(not info.tracks for info in ada.infos())


async def test_others_know_a_track_before_they_have_to_make_room_for_it(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    await ada.publish("cam")
    assert bob.kinds() == ["update", "media_sections_requirement"]
    assert bob.last("media_sections_requirement") == rtc.MediaSectionsRequirement(num_videos=1)


async def test_the_engines_demand_for_sections_comes_after_the_answer(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    await ada.publish("cam")
    await ada.publish("screen")
    bob.clear()
    await bob.offer("a0 v1", number=2)
    assert bob.kinds() == ["answer", "media_sections_requirement"]


async def test_a_client_that_has_not_offered_is_not_asked_to(harness):
    ada = await harness.join("ada")
    await ada.publish("cam")
    firefox = harness.enter("firefox")
    harness.media.deliver()
    assert firefox.all("media_sections_requirement") == []
    await firefox.offer("a3 v3")
    assert firefox.all("media_sections_requirement") == []
    assert len(firefox.last("answer").mid_to_track_id) == 1


@pytest.mark.parametrize(
    ("permissions", "request_", "reason"),
    [
        (Permissions(can_publish=False), camera(), Reason.NOT_ALLOWED),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), camera(), Reason.NOT_ALLOWED),
        (Permissions(), rtc.AddTrackRequest(cid="x", type=models.TrackType.DATA), Reason.UNSUPPORTED_TYPE),
        (Permissions(), rtc.AddTrackRequest(cid="", type=VIDEO), Reason.UNSUPPORTED_TYPE),
        (Permissions(), camera(sid="TR_nobody"), Reason.NOT_FOUND),
    ],
)
async def test_refused_tracks_come_back_with_the_reason(harness, permissions, request_, reason):
    ada = await harness.join("ada", permissions=permissions)
    await ada.send(add_track=request_)
    response = ada.last("request_response")
    assert response.reason == reason
    assert response.add_track == request_
    assert ada.all("track_published") == []
    assert harness.media.peers[ada.sid].publications == {}


async def test_a_second_codec_that_was_not_announced_is_refused(harness):
    ada = await harness.join("ada")
    sid = await ada.publish("cam")
    await ada.send(add_track=camera("backup", sid=sid))
    assert ada.last("request_response").reason == Reason.UNSUPPORTED_TYPE


async def test_a_backup_codec_is_asked_for_and_published_when_somebody_lacks_the_first(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    codecs = [rtc.SimulcastCodec(codec="vp9", cid="cam"), rtc.SimulcastCodec(codec="vp8")]
    sid = await ada.publish("cam", simulcast_codecs=codecs)
    await bob.offer("a3 v3")
    assert ada.all("subscribed_quality_update") == []
    harness.services.media_events.dispatch(CodecMissing(bob.sid, sid))
    update = ada.last("subscribed_quality_update")
    wanted = {
        each.codec: [quality.enabled for quality in each.qualities] for each in update.subscribed_codecs
    }
    assert wanted == {"vp9": [True], "vp8": [True]}

    await ada.send(add_track=camera("second", sid=sid, simulcast_codecs=[rtc.SimulcastCodec(codec="vp9")]))
    published = ada.last("track_published")
    assert (published.cid, published.track.sid) == ("second", sid)
    publications = harness.media.peers[ada.sid].publications
    backup = publications[f"{sid}~vp8"]
    assert (backup.codec, backup.codec_only, backup.backup_of) == ("vp8", True, sid)
    assert backup.track_ids == ("second",)
    await ada.send(mute=rtc.MuteTrackRequest(sid=sid, muted=True))
    assert harness.media.muted == {sid: True, f"{sid}~vp8": True}
    # it ends alone, or with its track
    harness.services.media_events.dispatch(PublicationEnded(ada.sid, f"{sid}~vp8"))
    assert ada.connection.participant.tracks[sid].backup_sid is None
    assert [track.sid for track in bob.last("update").participants[0].tracks] == [sid]


async def test_republishing_a_track_waits_for_the_end_of_the_first(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    first = await ada.publish("cam")
    ada.clear()
    await ada.send(add_track=camera())
    assert ada.last("request_response").reason == Reason.QUEUED
    assert ada.all("track_published") == []
    await ada.offer("a3 v3", number=5)
    second = ada.last("track_published").track.sid
    assert second != first
    await ada.offer("a3 v3 cam=9", number=6)
    assert [track.sid for track in bob.infos()[-1].tracks] == [second]


async def test_unpublishing_is_an_offer_without_the_section(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    bob.clear()
    await ada.offer("a3 v3", number=5)
    [info] = bob.infos()
    assert list(info.tracks) == []
    assert ada.connection.participant.tracks == {}
    assert sid not in harness.media.peers[ada.sid].publications
    assert ada.all("track_unpublished") == []


async def test_muting_is_seen_by_others(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    bob.clear()
    await ada.send(mute=rtc.MuteTrackRequest(sid=sid, muted=True))
    await ada.send(mute=rtc.MuteTrackRequest(sid=sid, muted=True))
    [info] = bob.infos()
    assert info.tracks[0].muted
    assert harness.media.muted == {sid: True}
    await bob.send(mute=rtc.MuteTrackRequest(sid=sid, muted=False))
    assert bob.last("request_response").reason == Reason.NOT_FOUND
    assert harness.media.muted == {sid: True}


async def test_track_features_and_sizes_change(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    mic = await ada.publish("mic", AUDIO)
    cam = await ada.publish("cam")
    bob.clear()
    features = [models.AudioTrackFeature.TF_NOISE_SUPPRESSION, models.AudioTrackFeature.TF_NO_DTX]
    await ada.send(update_audio_track=rtc.UpdateLocalAudioTrack(track_sid=mic, features=features))
    await ada.send(update_video_track=rtc.UpdateLocalVideoTrack(track_sid=cam, width=640, height=360))
    tracks = {track.sid: track for track in bob.infos()[-1].tracks}
    assert list(tracks[mic].audio_features) == features
    assert (tracks[mic].disable_dtx, tracks[mic].stereo) == (True, False)
    assert (tracks[cam].width, tracks[cam].height) == (640, 360)
    assert tracks[cam].mime_type == "video/VP8"


async def test_subscriptions_follow_both_forms_of_the_request(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob", auto_subscribe=False)
    cam, mic = await ada.publish("cam"), await ada.publish("mic", AUDIO)
    received = harness.media.peers[bob.sid].subscriptions
    await bob.send(subscription=rtc.UpdateSubscription(track_sids=[cam, cam], subscribe=True))
    assert list(received) == [cam]
    group = models.ParticipantTracks(participant_sid=ada.sid, track_sids=[mic])
    await bob.send(subscription=rtc.UpdateSubscription(participant_tracks=[group], subscribe=True))
    assert set(received) == {cam, mic}
    await bob.send(subscription=rtc.UpdateSubscription(track_sids=[cam], subscribe=False))
    assert list(received) == [mic]


async def test_a_subscription_to_nothing_fails_after_a_while(harness):
    bob = await harness.join("bob")
    await bob.send(subscription=rtc.UpdateSubscription(track_sids=["TR_never"], subscribe=True))
    harness.advance(60)
    assert bob.last("subscription_response") == rtc.SubscriptionResponse(
        track_sid="TR_never", err=models.SubscriptionError.SE_TRACK_NOTFOUND
    )


async def test_track_settings_reach_the_engine(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    await ada.send(add_track=camera(layers=layers(180, 360, 720)))
    await ada.offer("a3 v3 cam=7", number=2)
    sid = ada.last("track_published").track.sid
    settings = rtc.UpdateTrackSettings(track_sids=[sid, "TR_never"], width=600, height=340, priority=1)
    await bob.send(track_setting=settings)
    assert harness.media.peers[bob.sid].preferences == {
        sid: Preferences(width=600, height=340, max_spatial=1, priority=1)
    }


async def test_publishers_choose_their_subscribers(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    await ada.send(subscription_permission=rtc.SubscriptionPermission())
    assert bob.last("subscription_permission_update") == rtc.SubscriptionPermissionUpdate(
        participant_sid=ada.sid, track_sid=sid, allowed=False
    )
    assert harness.media.peers[bob.sid].subscriptions == {}
    await ada.send(subscription_permission=rtc.SubscriptionPermission(all_participants=True))
    assert bob.last("subscription_permission_update").allowed
    assert list(harness.media.peers[bob.sid].subscriptions) == [sid]


async def test_changing_the_own_metadata_needs_the_grant(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    bob.clear()
    request = rtc.UpdateParticipantMetadata(metadata="x", request_id=4)
    await ada.send(update_metadata=request)
    response = ada.last("request_response")
    assert (response.request_id, response.reason, response.update_metadata) == (
        4,
        Reason.NOT_ALLOWED,
        request,
    )
    assert bob.kinds() == []


async def test_changed_metadata_is_confirmed_and_shown_to_everybody(harness):
    allowed = Permissions(can_update_own_metadata=True)
    ada, bob = (
        await harness.join("ada", permissions=allowed, attributes={"a": "1"}),
        await harness.join("bob"),
    )
    ada.clear()
    bob.clear()
    request = rtc.UpdateParticipantMetadata(
        metadata="m", name="Ada", attributes={"a": "", "b": "2"}, request_id=9
    )
    await ada.send(update_metadata=request)
    # Browsers wait for the update, native clients for the response; the token is for the next reconnect.
    assert ada.kinds() == ["update", "refresh_token", "request_response"]
    for person in (ada, bob):
        [info] = person.infos()
        assert (info.name, info.metadata, dict(info.attributes)) == ("Ada", "m", {"b": "2"})
    assert (ada.last("request_response").request_id, ada.last("request_response").reason) == (9, Reason.OK)


async def test_metadata_that_is_too_large_is_refused(harness):
    ada = await harness.join("ada", permissions=Permissions(can_update_own_metadata=True))
    await ada.send(update_metadata=rtc.UpdateParticipantMetadata(metadata="m" * 600_000, request_id=1))
    assert ada.last("request_response").reason == Reason.LIMIT_EXCEEDED


async def test_the_servers_attributes_are_not_the_participants(harness):
    ada = await harness.join("ada", permissions=Permissions(can_update_own_metadata=True))
    request = rtc.UpdateParticipantMetadata(attributes={"lectern.is_owner": "true"}, request_id=1)
    await ada.send(update_metadata=request)
    assert ada.last("request_response").reason == Reason.NOT_ALLOWED
    assert ada.connection.participant.attributes == {}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("publish_data_track_request", Reason.INVALID_HANDLE),
        ("unpublish_data_track_request", Reason.NOT_FOUND),
    ],
)
async def test_requests_for_no_data_track_are_refused(harness, kind, reason):
    ada = await harness.join("ada")
    request = rtc.SignalRequest()
    getattr(request, kind).SetInParent()
    await ada.send(**{kind: getattr(request, kind)})
    assert ada.last("request_response").reason == reason


async def test_a_resumed_client_that_lost_its_tracks_starts_over(harness):
    ada = await harness.join("ada")
    sid = await ada.publish("cam")
    known = rtc.TrackPublishedResponse(cid="cam", track=models.TrackInfo(sid=sid))
    await ada.send(sync_state=rtc.SyncState(publish_tracks=[known]))
    assert not ada.connection.participant.has_left
    unknown = rtc.TrackPublishedResponse(cid="x", track=models.TrackInfo(sid="TR_old"))
    await ada.send(sync_state=rtc.SyncState(publish_tracks=[known, unknown]))
    leave = ada.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.RECONNECT, models.STATE_MISMATCH)


async def test_a_resumed_client_repeats_what_it_does_not_want(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    cam, screen = await ada.publish("cam"), await ada.publish("screen")
    state = rtc.SyncState(
        subscription=rtc.UpdateSubscription(track_sids=[cam], subscribe=False), track_sids_disabled=[screen]
    )
    await bob.send(sync_state=state)
    harness.advance(0.2)
    peer = harness.media.peers[bob.sid]
    assert list(peer.subscriptions) == [screen]
    assert not peer.preferences[screen].enabled


async def test_simulated_faults(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    await ada.send(simulate=rtc.SimulateScenario(speaker_update=3))
    assert ada.last("speakers_changed").speakers[0].active
    harness.advance(3)
    assert not ada.last("speakers_changed").speakers[0].active
    for scenario in ("migration", "disconnect_signal_on_resume", "disconnect_signal_on_resume_no_messages"):
        ada.outbox.dropped = False
        await ada.send(simulate=rtc.SimulateScenario(**{scenario: True}))
        assert ada.outbox.dropped
        assert not ada.connection.participant.has_left
    for scenario in ({"switch_candidate_protocol": 1}, {"subscriber_bandwidth": 1}, {}):
        ada.clear()
        await ada.send(simulate=rtc.SimulateScenario(**scenario))
        assert ada.last("request_response").reason == rtc.RequestResponse.UNSUPPORTED_TYPE
    await bob.send(simulate=rtc.SimulateScenario(leave_request_full_reconnect=True))
    assert bob.last("leave").action == rtc.LeaveRequest.RECONNECT


async def test_a_simulated_failure_of_the_server_makes_the_client_begin_anew(harness):
    ada = await harness.join("ada")
    ada.clear()
    await ada.send(simulate=rtc.SimulateScenario(node_failure=True))
    assert ada.outbox.dropped
    assert ada.kinds() == []
    assert ada.connection.participant.has_left
    lifecycle = harness.livekit.lifecycle
    assert lifecycle.resume(ada.connection.claims, ada.sid, ada.outbox) is None
    assert lifecycle.refusal(ada.connection.claims, ada.sid) is LeaveReason.STATE_MISMATCH


async def test_the_codec_that_arrives_is_the_one_others_see(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    codec = rtc.SimulcastCodec(codec="h264", cid="cam")
    await ada.send(add_track=camera(simulcast_codecs=[codec]))
    sid = ada.last("track_published").track.sid
    assert harness.media.peers[ada.sid].publications[sid].codec == "h264"
    harness.media.emit(PublicationBound(ada.sid, sid, "7", "vp8"))
    assert bob.infos()[-1].tracks[0].mime_type == "video/VP8"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 2_000},
        {"stream": "x" * 2_000},
        {"layers": [models.VideoLayer(width=1)] * 9},
        {"layers": [models.VideoLayer(rid="x" * 17)]},
        {"simulcast_codecs": [rtc.SimulcastCodec(codec="x" * 65)]},
        {"audio_features": [1] * 17},
    ],
)
async def test_a_track_that_is_announced_with_more_than_anybody_needs_is_refused(harness, fields):
    ada = await harness.join("ada")
    ada.clear()
    track = rtc.AddTrackRequest(cid="cam", type=models.TrackType.VIDEO, **fields)
    await ada.send(add_track=track)
    refusal = ada.last("request_response")
    assert refusal.reason == rtc.RequestResponse.LIMIT_EXCEEDED
    # not sent back, as what is refused elsewhere is
    assert refusal.ByteSize() < 200
    assert not ada.connection.participant.pending
    await ada.publish("cam")


async def test_an_offer_beyond_its_bound_ends_the_session_that_sent_it(harness):
    ada, ben = await harness.join("ada"), await harness.join("ben")
    await ada.send(offer=rtc.SessionDescription(type="offer", sdp="x" * (512 * 1024 + 1)))
    assert ada.last("leave").action == rtc.LeaveRequest.DISCONNECT
    assert not ben.all("leave")


async def test_every_refusal_of_the_domain_has_a_reason(harness):
    ada = await harness.join("ada")

    def subclasses(kind):
        yield kind
        for each in kind.__subclasses__():
            yield from subclasses(each)

    class LaterError(errors.NotFoundError):
        """One that nobody has told the table about."""

    for kind in {*subclasses(errors.RequestError), LaterError}:
        with handlers._answering(ada.connection, "mute", rtc.MuteTrackRequest()):
            raise kind("no")
        assert ada.last("request_response").message == "no"
        if kind is LaterError:
            continue
    with handlers._answering(ada.connection, "mute", rtc.MuteTrackRequest()):
        raise LaterError("gone")
    assert ada.last("request_response").reason == rtc.RequestResponse.NOT_FOUND


async def test_a_long_list_of_tracks_leaves_others_their_turn(harness):
    ada = await harness.join("ada")
    turns = []

    async def others():
        while True:
            turns.append(len(ada.connection.participant.subscriptions.wanted))
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await ada.send(
        subscription=rtc.UpdateSubscription(track_sids=[f"TR_{n}" for n in range(500)], subscribe=True)
    )
    task.cancel()
    assert max(later - earlier for earlier, later in itertools.pairwise([*turns, 500])) <= 50
