"""Translation between the domain's plain values and LiveKit's messages; nothing here decides anything."""

from dataclasses import dataclass
from typing import Any

from livekit.protocol import models, rtc

from sfu.values import Layer, Preferences, Quality, ReceiverTraits
from signaling.history.snapshots import room_snapshot
from signaling.ids import Identity, ParticipantSid, TrackSid
from signaling.livekit.messages import devices
from signaling.rooms.data_tracks import received_tracks
from signaling.rooms.events import SubscriptionProblem
from signaling.rooms.model import DataTrack, LeaveReason, Participant, Room, Track, TrackSpec
from signaling.rooms.permissions import Permissions, Source, SubscriptionRules, TrackRule
from signaling.store.meetings.entries import RoomSnapshot
from turn_config.credentials import IceServer

# The version whose behaviour is followed. Clients require one, refuse RPC below 1.8 and offer simulcast of
# SVC
# codecs above 1.13.6, which the engine does not do.
SERVER_VERSION = "1.13.5"
PROTOCOL_VERSION = 17

# What publishers may use, first choice first: a browser replaces a codec that is not listed by the first
# video one.
PUBLISH_CODECS = (
    "audio/opus",
    "audio/red",
    "audio/PCMU",
    "audio/PCMA",
    "video/VP8",
    "video/H264",
    "video/VP9",
    "video/AV1",
    "video/H265",
)

# Names of the rids that clients use for 1, 2 or 3 encodings, lowest first.
_RIDS = ("q", "h", "f")

# Codecs that put their spatial layers into one stream unless told otherwise.
_SVC_CODECS = frozenset({"vp9", "av1"})

# How encoding names are spelt in MIME types; others are their upper case.
_MIME_NAMES = {"opus": "audio/opus", "red": "audio/red"}

SOURCES = {
    models.TrackSource.UNKNOWN: Source.UNKNOWN,
    models.TrackSource.CAMERA: Source.CAMERA,
    models.TrackSource.MICROPHONE: Source.MICROPHONE,
    models.TrackSource.SCREEN_SHARE: Source.SCREEN_SHARE,
    models.TrackSource.SCREEN_SHARE_AUDIO: Source.SCREEN_SHARE_AUDIO,
}
SOURCE_VALUES = {source: value for value, source in SOURCES.items()}

# Tracks of one stream are played in step.
_STREAMS = {
    Source.CAMERA: "camera",
    Source.MICROPHONE: "camera",
    Source.SCREEN_SHARE: "screen",
    Source.SCREEN_SHARE_AUDIO: "screen",
}

# LOST is missing on purpose: a browser that is told so of itself reconnects.
QUALITIES: dict[Quality, models.ConnectionQuality] = {
    "excellent": models.ConnectionQuality.EXCELLENT,
    "good": models.ConnectionQuality.GOOD,
    "poor": models.ConnectionQuality.POOR,
}

SUBSCRIPTION_ERRORS = {
    SubscriptionProblem.TRACK_NOT_FOUND: models.SubscriptionError.SE_TRACK_NOTFOUND,
    SubscriptionProblem.CODEC_UNSUPPORTED: models.SubscriptionError.SE_CODEC_UNSUPPORTED,
}

_Leave = rtc.LeaveRequest
# Why someone left -> what clients are told, and what they should do about it.
LEAVES = {
    LeaveReason.CLIENT_LEFT: (models.CLIENT_INITIATED, _Leave.DISCONNECT),
    LeaveReason.DUPLICATE_IDENTITY: (models.DUPLICATE_IDENTITY, _Leave.DISCONNECT),
    # Most servers that stop start again, as for an update: clients try for three quarters of a minute.
    LeaveReason.SERVER_SHUTDOWN: (models.SERVER_SHUTDOWN, _Leave.RECONNECT),
    LeaveReason.STATE_MISMATCH: (models.STATE_MISMATCH, _Leave.RECONNECT),
    LeaveReason.JOIN_TIMEOUT: (models.CONNECTION_TIMEOUT, _Leave.DISCONNECT),
    LeaveReason.SIGNAL_LOST: (models.SIGNAL_CLOSE, _Leave.RECONNECT),
    LeaveReason.MEDIA_LOST: (models.CONNECTION_TIMEOUT, _Leave.RECONNECT),
    LeaveReason.MEDIA_REFUSED: (models.MEDIA_FAILURE, _Leave.DISCONNECT),
    # Nothing that the client could do better: it begins anew, and is let in.
    LeaveReason.MEDIA_FAILED: (models.UNKNOWN_REASON, _Leave.RECONNECT),
    LeaveReason.FLOOD: (models.PARTICIPANT_REMOVED, _Leave.DISCONNECT),
    LeaveReason.PROTOCOL_ERROR: (models.STATE_MISMATCH, _Leave.DISCONNECT),
    LeaveReason.ROOM_FULL: (models.JOIN_FAILURE, _Leave.DISCONNECT),
    LeaveReason.ROOM_CLOSED: (models.ROOM_CLOSED, _Leave.DISCONNECT),
    LeaveReason.ROOM_DELETED: (models.ROOM_DELETED, _Leave.DISCONNECT),
    LeaveReason.REMOVED: (models.PARTICIPANT_REMOVED, _Leave.DISCONNECT),
    LeaveReason.MOVED: (models.MIGRATION, _Leave.RECONNECT),
    LeaveReason.TIME_UP: (models.PARTICIPANT_REMOVED, _Leave.DISCONNECT),
    LeaveReason.SIMULATED: (models.UNKNOWN_REASON, _Leave.RECONNECT),
}


@dataclass(frozen=True, slots=True)
class ClientTraits:
    """What a LiveKit client told about itself and others need to know: `Participant.frontend_info`."""

    client_protocol: int
    "Data stream and RPC forms that it understands."
    capabilities: tuple[models.ClientInfo.Capability, ...]
    "Optional features that it has."


def receiver_traits(client: models.ClientInfo) -> ReceiverTraits:
    """Return how a client receives, from what it says of itself."""
    return ReceiverTraits(
        announces_by_media=client.sdk == models.ClientInfo.GO,
        loses_early_media=client.browser.lower() == "firefox",
    )


def server_info(node_id: str) -> models.ServerInfo:
    """Return what clients are told about the server."""
    return models.ServerInfo(version=SERVER_VERSION, protocol=PROTOCOL_VERSION, node_id=node_id)


def room_info(room: Room) -> models.Room:
    """Return a room as clients see it; the hidden are not counted."""
    message = room_message(room_snapshot(room))
    message.active_recording = room.recorded
    return message


def room_message(room: RoomSnapshot) -> models.Room:
    """Return the same message for a room of the event log."""
    return models.Room(
        sid=room.sid,
        name=room.name,
        empty_timeout=room.empty_timeout_s,
        departure_timeout=room.departure_timeout_s,
        max_participants=room.max_participants,
        creation_time=int(room.created_at),
        creation_time_ms=int(room.created_at * 1000),
        metadata=room.metadata,
        num_participants=room.participants,
        num_publishers=room.publishers,
        enabled_codecs=enabled_codecs(),
    )


def enabled_codecs(client: models.ClientInfo | None = None) -> list[models.Codec]:
    """Return the codecs that may be published, by a client or in a room."""
    excluded = () if client is None else devices.excluded(client)
    return [models.Codec(mime=mime) for mime in PUBLISH_CODECS if mime not in excluded]


def permission(permissions: Permissions) -> models.ParticipantPermission:
    """Return permissions as clients see them; a browser refuses to publish without."""
    return models.ParticipantPermission(
        can_subscribe=permissions.can_subscribe,
        can_publish=permissions.can_publish,
        can_publish_data=permissions.can_publish_data,
        can_publish_sources=[SOURCE_VALUES[source] for source in permissions.can_publish_sources],
        can_update_metadata=permissions.can_update_own_metadata,
        hidden=permissions.hidden,
        recorder=permissions.recorder,
        agent=permissions.agent,
        can_subscribe_metrics=permissions.can_subscribe_metrics,
        can_manage_agent_session=permissions.can_manage_agent_session,
    )


def permissions(permission: models.ParticipantPermission) -> Permissions:
    """Return the permissions that an application asks for."""
    sources = {value: source for source, value in SOURCE_VALUES.items()}
    return Permissions(
        can_subscribe=permission.can_subscribe,
        can_publish=permission.can_publish,
        can_publish_data=permission.can_publish_data,
        # One that is not known here counts as UNKNOWN: left out, the last one would leave an empty list, which is all.
        can_publish_sources=tuple(
            sources.get(value, Source.UNKNOWN) for value in permission.can_publish_sources
        ),
        can_update_own_metadata=permission.can_update_metadata,
        hidden=permission.hidden,
        recorder=permission.recorder,
        agent=permission.agent,
        can_subscribe_metrics=permission.can_subscribe_metrics,
        can_manage_agent_session=permission.can_manage_agent_session,
    )


def participant_info(person: Participant, reason: LeaveReason | None = None) -> models.ParticipantInfo:
    """Return a participant as clients see it, complete: they infer from absence.

    With a reason it is gone, for those whom the information is for.
    """
    info = models.ParticipantInfo(
        sid=person.sid,
        identity=person.identity,
        name=person.name,
        state=person.state.name,
        metadata=person.metadata,
        attributes=person.attributes,
        joined_at=int(person.joined_at),
        joined_at_ms=int(person.joined_at * 1000),
        version=person.version,
        permission=permission(person.permissions),
        is_publisher=person.is_publisher,
        kind=person.kind.upper(),
        kind_details=[
            detail.upper()
            for detail in person.kind_details
            if detail.upper() in models.ParticipantInfo.KindDetail.keys()  # noqa: SIM118 - a protobuf enum, no dict
        ],
        tracks=[track_info(track) for track in person.tracks.values()],
        data_tracks=[data_track_info(track) for track in person.data_tracks.values()],
    )
    if isinstance(person.frontend_info, ClientTraits):
        info.client_protocol = person.frontend_info.client_protocol
        info.capabilities.extend(person.frontend_info.capabilities)
    if reason is not None:
        info.state = models.ParticipantInfo.DISCONNECTED
        info.disconnect_reason = LEAVES[reason][0]
    return info


def track_info(track: Track) -> models.TrackInfo:
    """Return a track as clients see it: what its publisher declared, and what the server knows better."""
    spec = track.spec
    info = models.TrackInfo()
    if isinstance(spec.frontend_info, models.TrackInfo):
        info.CopyFrom(spec.frontend_info)
    info.sid = track.sid
    info.type = models.TrackType.AUDIO if spec.kind == "audio" else models.TrackType.VIDEO
    info.name = spec.name
    info.source = SOURCE_VALUES[spec.source]
    info.muted = track.muted
    info.width = track.width
    info.height = track.height
    info.mid = track.mid
    if track.codec:
        info.mime_type = mime_type(track.codec, spec.kind)
        # A codec the publisher did not ask for may have been negotiated.
        if info.codecs:
            info.codecs[0].mime_type = info.mime_type
            info.codecs[0].mid = track.mid
    return info


def leave(reason: LeaveReason) -> rtc.LeaveRequest:
    """Return what somebody is told who was taken out of their room."""
    why, action = LEAVES[reason]
    # `can_reconnect` is what clients before protocol 13 read.
    return rtc.LeaveRequest(reason=why, action=action, can_reconnect=action != _Leave.DISCONNECT)


def quality_update(
    track: Track, spatial: int, backup: int = -1, layers: frozenset[int] | None = None
) -> rtc.SubscribedQualityUpdate:
    """Return what a publisher is told about the layers that are wanted: none above `spatial`, none at all below 0.

    `layers` are those of them that are wanted, where not all are. `backup` is the highest of the track in its backup
    codec, whose layers are streams of their own.
    """
    # One stream with several layers in it (SVC) is wanted as a whole or not at all.
    whole = not any(layer.rid for layer in track.spec.layers)
    qualities = _qualities(track, spatial, whole=whole)
    if layers is not None and not whole:
        for index, quality in enumerate(qualities):
            quality.enabled = quality.enabled and index in layers
    codec, second = track.codec or track.spec.codec, track.spec.backup_codec
    codecs = [rtc.SubscribedCodec(codec=codec, qualities=qualities)] if codec else []
    if second:
        codecs.append(rtc.SubscribedCodec(codec=second, qualities=_qualities(track, backup, whole=False)))
    return rtc.SubscribedQualityUpdate(
        track_sid=track.sid, subscribed_qualities=qualities, subscribed_codecs=codecs
    )


def _qualities(track: Track, spatial: int, *, whole: bool) -> list[rtc.SubscribedQuality]:
    declared = [layer.quality for layer in track_info(track).layers] or [models.VideoQuality.HIGH]
    return [
        rtc.SubscribedQuality(quality=quality, enabled=spatial >= (0 if whole else index))
        for index, quality in enumerate(declared)
    ]


def stream_state(track: Track, *, paused: bool) -> rtc.StreamStateInfo:
    """Return what a subscriber is told about a track that stops for want of bandwidth, or flows again."""
    state = rtc.StreamState.PAUSED if paused else rtc.StreamState.ACTIVE
    return rtc.StreamStateInfo(participant_sid=track.publisher_sid, track_sid=track.sid, state=state)


def data_track_info(track: DataTrack) -> models.DataTrackInfo:
    """Return a data track as clients see it."""
    info = models.DataTrackInfo()
    if isinstance(track.frontend_info, rtc.PublishDataTrackRequest):
        request = track.frontend_info
        info.encryption = request.encryption
        if request.HasField("frame_encoding"):
            info.frame_encoding.CopyFrom(request.frame_encoding)
        if request.HasField("schema"):
            info.schema.CopyFrom(request.schema)
    info.sid, info.pub_handle, info.name = track.sid, track.handle, track.name
    return info


def subscriber_handles(person: Participant) -> rtc.DataTrackSubscriberHandles:
    """Return under which numbers somebody receives which data tracks."""
    handles = rtc.DataTrackSubscriberHandles()
    for handle, publisher, track in received_tracks(person):
        handles.sub_handles[handle].CopyFrom(
            rtc.DataTrackSubscriberHandles.PublishedDataTrack(
                publisher_identity=publisher.identity, publisher_sid=publisher.sid, track_sid=track.sid
            )
        )
    return handles


def ice_server_list(servers: tuple[IceServer, ...]) -> list[rtc.ICEServer]:
    """Return relays as clients want them."""
    return [
        rtc.ICEServer(urls=list(server.urls), username=server.username, credential=server.credential)
        for server in servers
    ]


def track_spec(request: rtc.AddTrackRequest, client: models.ClientInfo) -> TrackSpec:
    """Return the domain's view of a request to publish."""
    request = devices.replace_excluded(request, client)
    excluded = devices.excluded(client)
    source = SOURCES.get(request.source, Source.UNKNOWN)
    kind = "audio" if request.type == models.TrackType.AUDIO else "video"
    template = _track_template(request, source)
    first = template.codecs[0]
    wanted = request.simulcast_codecs[0].codec if request.simulcast_codecs else ""
    return TrackSpec(
        kind="audio" if kind == "audio" else "video",
        source=source,
        name=request.name,
        client_id=request.cid,
        track_ids=tuple(
            dict.fromkeys(
                cid for cid in (request.cid, *(codec.cid for codec in request.simulcast_codecs)) if cid
            )
        ),
        layers=_layers(first) if kind == "video" else (),
        codec=(wanted or (devices.FALLBACK if kind == "video" and excluded else ""))
        .lower()
        .rpartition("/")[2],
        codec_only=kind == "video" and (bool(excluded) or _ignores_order(client)),
        backup_codec=_backup_codec(request) if kind == "video" else "",
        muted=request.muted,
        width=request.width,
        height=request.height,
        stereo=models.AudioTrackFeature.TF_STEREO in template.audio_features,
        dtx=models.AudioTrackFeature.TF_NO_DTX not in template.audio_features,
        # Redundancy would carry the encryption's trailer into the wrong place.
        red=not request.disable_red and request.encryption == models.Encryption.NONE,
        encrypted=request.encryption != models.Encryption.NONE,
        frontend_info=template,
    )


def subscription_rules(request: rtc.SubscriptionPermission) -> SubscriptionRules:
    """Return a publisher's decision on who may receive its tracks."""
    return SubscriptionRules(
        everybody=request.all_participants,
        rules=tuple(
            TrackRule(
                ParticipantSid(rule.participant_sid),
                Identity(rule.participant_identity),
                rule.all_tracks,
                frozenset(map(TrackSid, rule.track_sids)),
            )
            for rule in request.track_permissions
        ),
    )


def preferences(settings: rtc.UpdateTrackSettings, layers: tuple[Layer, ...]) -> Preferences:
    """Return what a subscriber wants of a track with these layers."""
    sized = settings.width > 0 and settings.height > 0
    wanted = spatial_for_height(settings.height, layers) if sized else spatial_for_quality(settings.quality)
    return Preferences(
        enabled=not settings.disabled and settings.quality != models.VideoQuality.OFF,
        width=settings.width,
        height=settings.height,
        max_spatial=wanted,
        fps=settings.fps,
        priority=settings.priority,
    )


def spatial_for_height(height: int, layers: tuple[Layer, ...]) -> int:
    """Return the smallest layer at least 0.9 times as high as the picture on the screen (LiveKit's rule).

    Of layers of one size, which differ in rate, it is the best: a screen in full size at 5 and at 15 frames.
    """
    heights = [layer.height for layer in layers]
    fitting = next((each for each in heights if each >= 0.9 * height), None)
    if fitting is None:
        return max(len(heights) - 1, 0)
    return max(spatial for spatial, each in enumerate(heights) if each == fitting)


def spatial_for_quality(quality: int) -> int:
    """Return the layer that LOW, MEDIUM or HIGH stands for."""
    return min(max(quality, 0), len(_RIDS) - 1)


def _track_template(request: rtc.AddTrackRequest, source: Source) -> models.TrackInfo:
    prefix = "audio/" if request.type == models.TrackType.AUDIO else "video/"
    info = models.TrackInfo(
        disable_dtx=request.disable_dtx,
        stereo=request.stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream or _STREAMS.get(source, ""),
        backup_codec_policy=request.backup_codec_policy,
        packet_trailer_features=request.packet_trailer_features,
        layers=sorted(request.layers, key=_quality),
    )
    if request.type == models.TrackType.AUDIO:
        features = list(dict.fromkeys(request.audio_features))
        # The two booleans are how older clients say it.
        for wanted, feature in (
            (request.stereo, models.AudioTrackFeature.TF_STEREO),
            (request.disable_dtx, models.AudioTrackFeature.TF_NO_DTX),
        ):
            if wanted and feature not in features:
                features.append(feature)
        info.audio_features.extend(features)
    elif not info.layers:
        info.layers.add(quality=models.VideoQuality.HIGH, width=request.width, height=request.height)
    elif len(info.layers) == 1:
        info.layers[0].quality = models.VideoQuality.HIGH
    for codec in request.simulcast_codecs:
        name = codec.codec.lower().rpartition("/")[2]
        entry = info.codecs.add(mime_type=mime_type(name, prefix[:-1]) if name else "", cid=codec.cid)
        entry.layers.extend(sorted(codec.layers or info.layers, key=_quality))
        entry.video_layer_mode = codec.video_layer_mode or _layer_mode(name, prefix)
    if not info.codecs:
        info.codecs.add(cid=request.cid, layers=info.layers, video_layer_mode=_layer_mode("", prefix))
    first = info.codecs[0]
    info.mime_type = first.mime_type
    info.simulcast = len(first.layers) > 1 and not _is_svc(first)
    return info


def _quality(layer: Any) -> int:
    return int(layer.quality)


def _layer_mode(codec: str, prefix: str) -> models.VideoLayer.Mode:
    if prefix == "audio/":
        return models.VideoLayer.MODE_UNUSED
    if codec in _SVC_CODECS:
        return models.VideoLayer.MULTIPLE_SPATIAL_LAYERS_PER_STREAM
    return models.VideoLayer.ONE_SPATIAL_LAYER_PER_STREAM


def _is_svc(codec: models.SimulcastCodecInfo) -> bool:
    return codec.video_layer_mode == models.VideoLayer.MULTIPLE_SPATIAL_LAYERS_PER_STREAM


def _layers(codec: models.SimulcastCodecInfo) -> tuple[Layer, ...]:
    declared = list(codec.layers)[: len(_RIDS)]
    if not declared:
        return (Layer(""),)
    if _is_svc(codec) or len(declared) == 1:
        return tuple(Layer("", layer.width, layer.height, layer.bitrate) for layer in declared)
    return tuple(
        Layer(layer.rid or rid, layer.width, layer.height, layer.bitrate)
        for rid, layer in zip(_RIDS, declared, strict=False)
    )


def _backup_codec(request: rtc.AddTrackRequest) -> str:
    """The second codec that the publisher would send as well (it does not for encrypted tracks)."""
    names = [codec.codec.lower().rpartition("/")[2] for codec in request.simulcast_codecs]
    return names[1] if len(names) > 1 and names[1] != names[0] else ""


def _ignores_order(client: models.ClientInfo) -> bool:
    # Firefox on these systems takes the first codec of its own offer, whatever the answer prefers.
    return client.browser.lower() == "firefox" and client.os.lower() in {"linux", "android"}


def mime_type(codec: str, kind: str) -> str:
    """Return the MIME type of an encoding name."""
    return _MIME_NAMES.get(codec, f"{kind}/{codec.upper()}")
