from dataclasses import replace

import pytest
from livekit.protocol import models, rtc

from sfu.values import Layer, Preferences, ReceiverTraits
from signaling.livekit.messages import convert
from signaling.rooms.model import LeaveReason, Participant, Room, RoomConfig, Track
from signaling.rooms.permissions import Permissions, Source, SubscriptionRules, TrackRule

VIDEO, AUDIO = models.TrackType.VIDEO, models.TrackType.AUDIO
LOW, MEDIUM, HIGH = models.VideoQuality.LOW, models.VideoQuality.MEDIUM, models.VideoQuality.HIGH
ANY_CLIENT = models.ClientInfo()


def layer(quality, width, height, rid=""):
    return models.VideoLayer(quality=quality, width=width, height=height, rid=rid)


SIMULCAST = [layer(HIGH, 1280, 720), layer(LOW, 320, 180), layer(MEDIUM, 640, 360)]


def video(**fields):
    return rtc.AddTrackRequest(
        **{
            "cid": "cam",
            "type": VIDEO,
            "source": models.TrackSource.CAMERA,
            "width": 1280,
            "height": 720,
            **fields,
        }
    )


def shown(request, codec="", client=ANY_CLIENT):
    """The TrackInfo that a request becomes."""
    spec = convert.track_spec(request, client)
    track = Track.from_spec("TR_VC1", "PA_1", spec)
    if codec:
        track = replace(track, codec=codec, mid="7")
    return convert.track_info(track)


def test_simulcast_layers_are_sorted_and_get_their_rids():
    spec = convert.track_spec(video(layers=SIMULCAST), ANY_CLIENT)
    assert spec.layers == (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))
    info = shown(video(layers=SIMULCAST))
    assert [entry.quality for entry in info.layers] == [LOW, MEDIUM, HIGH]
    assert info.simulcast
    assert info.codecs[0].video_layer_mode == models.VideoLayer.ONE_SPATIAL_LAYER_PER_STREAM


def test_declared_rids_are_kept():
    layers = [layer(LOW, 320, 180, "2"), layer(HIGH, 640, 360, "1")]
    spec = convert.track_spec(video(layers=layers), ANY_CLIENT)
    assert [entry.rid for entry in spec.layers] == ["2", "1"]


def test_two_layers_are_the_lower_two_names():
    spec = convert.track_spec(video(layers=SIMULCAST[1:]), ANY_CLIENT)
    assert [entry.rid for entry in spec.layers] == ["q", "h"]


def test_one_layer_has_high_quality_and_no_rid():
    request = video(layers=[layer(LOW, 640, 360)])
    assert convert.track_spec(request, ANY_CLIENT).layers == (Layer("", 640, 360),)
    info = shown(request)
    assert [entry.quality for entry in info.layers] == [HIGH]
    assert not info.simulcast


def test_a_video_without_layers_has_one():
    assert [(entry.quality, entry.width) for entry in shown(video()).layers] == [(HIGH, 1280)]


@pytest.mark.parametrize("codec", ["vp9", "av1", "video/VP9"])
def test_spatial_layers_in_one_stream_have_no_rids(codec):
    request = video(layers=SIMULCAST, simulcast_codecs=[rtc.SimulcastCodec(codec=codec, cid="cam")])
    spec = convert.track_spec(request, ANY_CLIENT)
    assert spec.layers == (Layer("", 320, 180), Layer("", 640, 360), Layer("", 1280, 720))
    assert spec.codec == codec.lower().removeprefix("video/")
    assert not shown(request).simulcast


def test_the_declared_mode_counts_more_than_the_codec():
    codec = rtc.SimulcastCodec(
        codec="vp9", cid="cam", video_layer_mode=models.VideoLayer.ONE_SPATIAL_LAYER_PER_STREAM
    )
    spec = convert.track_spec(video(layers=SIMULCAST, simulcast_codecs=[codec]), ANY_CLIENT)
    assert len(spec.layers) == 3


def test_a_track_is_found_by_every_name_the_client_has_for_it():
    codecs = [rtc.SimulcastCodec(codec="vp8", cid="x"), rtc.SimulcastCodec(codec="h264")]
    spec = convert.track_spec(video(simulcast_codecs=codecs), ANY_CLIENT)
    assert spec.track_ids == ("cam", "x")


@pytest.mark.parametrize(
    ("browser", "system", "only"),
    [
        ("Firefox", "Linux", True),
        ("firefox", "android", True),
        ("Firefox", "macOS", False),
        ("Chrome", "Linux", False),
    ],
)
def test_firefox_on_some_systems_gets_one_codec_to_choose_from(browser, system, only):
    client = models.ClientInfo(browser=browser, os=system)
    assert convert.track_spec(video(), client).codec_only is only
    assert not convert.track_spec(rtc.AddTrackRequest(cid="m", type=AUDIO), client).codec_only


def test_what_tests_of_sdks_look_for_comes_back():
    request = rtc.AddTrackRequest(
        cid="mic",
        type=AUDIO,
        name="voice",
        source=models.TrackSource.MICROPHONE,
        muted=True,
        disable_dtx=True,
        stereo=True,
        disable_red=True,
        audio_features=[models.AudioTrackFeature.TF_ECHO_CANCELLATION],
        packet_trailer_features=[1],
        encryption=models.Encryption.GCM,
    )
    info = shown(request, "opus")
    assert (info.type, info.name, info.source, info.muted) == (
        AUDIO,
        "voice",
        models.TrackSource.MICROPHONE,
        True,
    )
    assert (info.disable_dtx, info.stereo, info.disable_red) == (True, True, True)
    assert list(info.audio_features) == [
        models.AudioTrackFeature.TF_ECHO_CANCELLATION,
        models.AudioTrackFeature.TF_STEREO,
        models.AudioTrackFeature.TF_NO_DTX,
    ]
    assert list(info.packet_trailer_features) == [1]
    assert info.encryption == models.Encryption.GCM
    assert (info.mime_type, info.codecs[0].mime_type, info.mid) == ("audio/opus", "audio/opus", "7")
    assert info.stream == "camera"
    assert len(info.codecs) == 1
    assert not info.layers
    spec = convert.track_spec(request, ANY_CLIENT)
    assert (spec.stereo, spec.dtx, spec.red) == (True, False, False)


@pytest.mark.parametrize(
    ("fields", "red"),
    [({}, True), ({"disable_red": True}, False), ({"encryption": models.Encryption.GCM}, False)],
)
def test_redundancy_is_for_those_who_can_bear_it(fields, red):
    request = rtc.AddTrackRequest(cid="mic", type=AUDIO, **fields)
    assert convert.track_spec(request, ANY_CLIENT).red is red


@pytest.mark.parametrize(
    ("codec", "mime"),
    [("vp8", "video/VP8"), ("h264", "video/H264"), ("av1", "video/AV1"), ("vp9", "video/VP9")],
)
def test_the_negotiated_codec_is_what_others_see(codec, mime):
    request = video(simulcast_codecs=[rtc.SimulcastCodec(codec="vp8", cid="cam")])
    assert shown(request).mime_type == "video/VP8"
    info = shown(request, codec)
    assert (info.mime_type, info.codecs[0].mime_type) == (mime, mime)


@pytest.mark.parametrize(
    ("source", "stream"),
    [
        (models.TrackSource.SCREEN_SHARE, "screen"),
        (models.TrackSource.SCREEN_SHARE_AUDIO, "screen"),
        (models.TrackSource.UNKNOWN, ""),
    ],
)
def test_streams_have_default_names(source, stream):
    assert shown(video(source=source)).stream == stream
    assert shown(video(source=source, stream="mine")).stream == "mine"


LADDER = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))


@pytest.mark.parametrize(
    ("height", "spatial"),
    [(1, 0), (180, 0), (200, 0), (201, 1), (360, 1), (400, 1), (401, 2), (720, 2), (2160, 2)],
)
def test_the_smallest_layer_that_nearly_fills_the_picture_is_chosen(height, spatial):
    wish = convert.preferences(rtc.UpdateTrackSettings(width=height * 16 // 9 + 1, height=height), LADDER)
    assert wish.max_spatial == spatial
    assert wish.height == height


@pytest.mark.parametrize(
    ("settings", "preferences"),
    [
        ({"disabled": True}, Preferences(enabled=False, max_spatial=0)),
        ({"quality": LOW}, Preferences(max_spatial=0)),
        ({"quality": MEDIUM}, Preferences(max_spatial=1)),
        ({"quality": HIGH, "fps": 15, "priority": 1}, Preferences(max_spatial=2, fps=15, priority=1)),
        ({"quality": models.VideoQuality.OFF}, Preferences(enabled=False, max_spatial=2)),
        ({"quality": HIGH, "height": 180}, Preferences(max_spatial=2, height=180)),
    ],
)
def test_without_a_size_the_quality_decides(settings, preferences):
    assert convert.preferences(rtc.UpdateTrackSettings(**settings), LADDER) == preferences


def test_a_track_without_layers_has_one_choice():
    assert convert.preferences(rtc.UpdateTrackSettings(width=640, height=360), ()).max_spatial == 0


@pytest.mark.parametrize("height", [180, 1080, 2160])
def test_of_layers_that_differ_in_rate_only_the_best_is_chosen(height):
    screen = (LADDER[-1], LADDER[-1])
    wish = convert.preferences(rtc.UpdateTrackSettings(width=height * 16 // 9, height=height), screen)
    assert wish.max_spatial == 1


def test_rules_are_translated():
    request = rtc.SubscriptionPermission(
        track_permissions=[rtc.TrackPermission(participant_identity="bob", track_sids=["TR_1"])]
    )
    assert convert.subscription_rules(request) == SubscriptionRules(
        False, (TrackRule("", "bob", False, frozenset({"TR_1"})),)
    )
    assert convert.subscription_rules(rtc.SubscriptionPermission(all_participants=True)).everybody


def participant(**fields):
    room = Room("RM_1", "lesson", RoomConfig(), 5.0)
    return Participant(
        **{
            "sid": "PA_1",
            "identity": "ada",
            "room": room,
            "name": "Ada",
            "metadata": "m",
            "attributes": {"a": "b"},
            "permissions": Permissions(can_publish_sources=(Source.CAMERA,)),
            "joined_at": 7.5,
            **fields,
        }
    )


def test_a_participant_is_shown_completely():
    traits = convert.ClientTraits(2, (models.ClientInfo.CAP_PACKET_TRAILER,))
    person = participant(kind="agent", kind_details=("cloud_agent", "from the future"), frontend_info=traits)
    info = convert.participant_info(person, LeaveReason.DUPLICATE_IDENTITY)
    assert (info.sid, info.identity, info.name, info.metadata, dict(info.attributes)) == (
        "PA_1",
        "ada",
        "Ada",
        "m",
        {"a": "b"},
    )
    assert (info.joined_at, info.joined_at_ms, info.version) == (7, 7500, 1)
    assert info.kind == models.ParticipantInfo.AGENT
    assert list(info.kind_details) == [models.ParticipantInfo.CLOUD_AGENT]
    assert info.client_protocol == 2
    assert list(info.capabilities) == [models.ClientInfo.CAP_PACKET_TRAILER]
    assert list(info.permission.can_publish_sources) == [models.TrackSource.CAMERA]
    assert info.disconnect_reason == models.DUPLICATE_IDENTITY


def test_every_kind_of_participant_and_reason_has_its_translation():
    for kind in ("standard", "ingress", "egress", "sip", "agent", "connector", "bridge"):
        convert.participant_info(participant(kind=kind))
    for reason in LeaveReason:
        convert.leave(reason)


def test_a_room_does_not_count_the_hidden():
    room = Room("RM_1", "lesson", RoomConfig(max_participants=5), 1.5, metadata="maths")
    room.participants = {
        "ada": participant(),
        "ghost": participant(permissions=Permissions(hidden=True)),
    }
    info = convert.room_info(room)
    assert (info.num_participants, info.max_participants, info.metadata) == (1, 5, "maths")
    assert (info.creation_time, info.creation_time_ms) == (1, 1500)


def test_the_first_video_codec_is_one_that_everybody_has():
    # Browsers take it in place of one that is not listed.
    first = next(mime for mime in convert.PUBLISH_CODECS if mime.startswith("video/"))
    assert first == "video/VP8"


@pytest.mark.parametrize(
    ("spatial", "enabled"), [(-1, [False] * 3), (0, [True, False, False]), (2, [True] * 3)]
)
def test_what_is_wanted_of_layers(spatial, enabled):
    track = Track.from_spec("TR_1", "PA_1", convert.track_spec(video(layers=SIMULCAST), ANY_CLIENT))
    update = convert.quality_update(replace(track, codec="vp8"), spatial)
    assert update.track_sid == "TR_1"
    assert [quality.enabled for quality in update.subscribed_qualities] == enabled
    assert [quality.quality for quality in update.subscribed_qualities] == [0, 1, 2]
    (codec,) = update.subscribed_codecs
    assert (codec.codec, codec.qualities) == ("vp8", update.subscribed_qualities)


def test_layers_may_be_wanted_one_by_one():
    track = Track.from_spec("TR_1", "PA_1", convert.track_spec(video(layers=SIMULCAST), ANY_CLIENT))
    update = convert.quality_update(replace(track, codec="vp8"), 2, layers=frozenset({0, 2}))
    assert [quality.enabled for quality in update.subscribed_qualities] == [True, False, True]
    assert [quality.enabled for quality in update.subscribed_codecs[0].qualities] == [True, False, True]
    nobody = convert.quality_update(track, -1, layers=frozenset({0, 2}))
    assert not any(quality.enabled for quality in nobody.subscribed_qualities)


@pytest.mark.parametrize("spatial", [-1, 0])
def test_a_single_layer_is_wanted_or_not(spatial):
    track = Track.from_spec("TR_1", "PA_1", convert.track_spec(video(), ANY_CLIENT))
    update = convert.quality_update(track, spatial)
    assert {quality.enabled for quality in update.subscribed_qualities} == {spatial == 0}


@pytest.mark.parametrize(
    ("client", "traits"),
    [
        (models.ClientInfo(sdk=models.ClientInfo.GO), ReceiverTraits(announces_by_media=True)),
        (
            models.ClientInfo(sdk=models.ClientInfo.JS, browser="Firefox"),
            ReceiverTraits(loses_early_media=True),
        ),
        (models.ClientInfo(sdk=models.ClientInfo.JS, browser="Chrome"), ReceiverTraits()),
        (models.ClientInfo(), ReceiverTraits()),
    ],
)
def test_what_a_client_needs_as_a_receiver(client, traits):
    assert convert.receiver_traits(client) == traits
