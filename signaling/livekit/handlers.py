"""One small function per LiveKit request. The table at the end is the whole dispatch."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from livekit.protocol import models, rtc

from sfu.values import EngineError, MediaError, UnknownPeerError
from signaling.errors import (
    DuplicateHandleError,
    DuplicateNameError,
    DuplicateTrackError,
    InvalidHandleError,
    InvalidNameError,
    LimitError,
    NotAllowedError,
    NotFoundError,
    RequestError,
    UnsupportedError,
    WireError,
    by_type,
)
from signaling.ids import DataTrackSid, TrackSid
from signaling.livekit.connections.connection import Connection
from signaling.livekit.frontend import LiveKitFrontend
from signaling.livekit.messages import convert
from signaling.livekit.messages.announced import check_room_for
from signaling.livekit.messages.wire import examine
from signaling.logs import about
from signaling.rooms.model import LeaveReason, Track
from signaling.rooms.rooms import check_own_attributes

log = logging.getLogger(__name__)

Handler = Callable[[LiveKitFrontend, Connection, Any], Awaitable[None] | None]

# The one place where refusals become LiveKit's reasons.
_REASONS = {
    NotAllowedError: rtc.RequestResponse.NOT_ALLOWED,
    NotFoundError: rtc.RequestResponse.NOT_FOUND,
    LimitError: rtc.RequestResponse.LIMIT_EXCEEDED,
    UnsupportedError: rtc.RequestResponse.UNSUPPORTED_TYPE,
    DuplicateTrackError: rtc.RequestResponse.QUEUED,
    InvalidHandleError: rtc.RequestResponse.INVALID_HANDLE,
    InvalidNameError: rtc.RequestResponse.INVALID_NAME,
    DuplicateHandleError: rtc.RequestResponse.DUPLICATE_HANDLE,
    DuplicateNameError: rtc.RequestResponse.DUPLICATE_NAME,
}
_OTHER = rtc.RequestResponse.UNCLASSIFIED_ERROR

# Requests that a refusal can carry back, and under which name.
_ECHOES = {
    "add_track": "add_track",
    "mute": "mute",
    "update_metadata": "update_metadata",
    "update_audio_track": "update_audio_track",
    "update_video_track": "update_video_track",
    "publish_data_track_request": "publish_data_track",
    "unpublish_data_track_request": "unpublish_data_track",
}

# Tracks of one request that are worked on before others have their turn.
_AT_ONCE = 50

# Longest simulated speech, in seconds.
_MAX_SIMULATED_S = 60


async def handle(frontend: LiveKitFrontend, connection: Connection, request: rtc.SignalRequest) -> None:
    """Act on one request; never raises. Refused, failing and unknown requests are answered."""
    kind = request.WhichOneof("message")
    if connection.participant.has_left:
        return
    if kind is None:
        # A request of a later version of the protocol; an empty frame asks for nothing.
        if request.ByteSize():
            _refuse(connection, "", request, rtc.RequestResponse.UNSUPPORTED_TYPE, "unknown request")
        return
    handler = HANDLERS[kind]
    message = getattr(request, kind)
    with _answering(connection, kind, message):
        try:
            examine(request).check()
        except (LimitError, WireError) as error:
            if kind not in _ECHOES:
                # Nothing tells the client that such a request came to nothing, and it would wait.
                frontend.services.rooms.leave(
                    connection.participant, LeaveReason.PROTOCOL_ERROR, f"{kind}: {error}"
                )
                return
            # Without the echo, which would send the excess back.
            _refuse(connection, "", message, rtc.RequestResponse.LIMIT_EXCEEDED, str(error))
            return
        pending = handler(frontend, connection, message)
        if pending is not None:
            await pending


@contextlib.contextmanager
def _answering(connection: Connection, kind: str, message: Any) -> Iterator[None]:
    try:
        yield
    except RequestError as error:
        _refuse(connection, kind, message, by_type(_REASONS, error, _OTHER), str(error))
    except Exception:
        # Whatever a client provokes, its own connection and everybody else's go on.
        log.exception("%s failed", kind, extra=about(connection.participant))
        _refuse(connection, kind, message, rtc.RequestResponse.UNCLASSIFIED_ERROR, "the server failed")


def _refuse(
    connection: Connection, kind: str, message: Any, reason: rtc.RequestResponse.Reason, text: str
) -> None:
    response = rtc.RequestResponse(request_id=getattr(message, "request_id", 0), reason=reason, message=text)
    echo = _ECHOES.get(kind)
    if echo is not None:
        getattr(response, echo).CopyFrom(message)
    connection.send(rtc.SignalResponse(request_response=response))


# --- the connection -----------------------------------------------------------------------------


async def _offer(frontend: LiveKitFrontend, connection: Connection, offer: rtc.SessionDescription) -> None:
    person = connection.participant
    async with connection.negotiation:
        try:
            answer = await frontend.services.media.negotiate(person.sid, offer.sdp)
        except UnknownPeerError:
            frontend.services.rooms.leave(person, LeaveReason.MEDIA_LOST)
            return
        except EngineError as error:
            log.error("offer not answered: %s", error, extra=about(person))  # noqa: TRY400 - the engine logged its own
            frontend.services.rooms.leave(person, LeaveReason.MEDIA_FAILED)
            return
        except MediaError as error:
            frontend.services.rooms.leave(person, LeaveReason.MEDIA_REFUSED, str(error))
            return
        description = rtc.SessionDescription(
            type="answer", sdp=answer.sdp, id=offer.id, mid_to_track_id=dict(answer.subscribed.items())
        )
        connection.sections_required = None
        connection.send(rtc.SignalResponse(answer=description))
        if connection.offers is None:
            frontend.services.subscribing.negotiated(person, answer.subscribed)


async def _answer(_frontend: LiveKitFrontend, connection: Connection, answer: rtc.SessionDescription) -> None:
    if connection.offers is not None:
        await connection.offers.answered(answer.id, answer.sdp)


def _trickle(_frontend: LiveKitFrontend, connection: Connection, _trickle: rtc.TrickleRequest) -> None:
    # The engine is ICE-lite (RFC 8445 section 2.5): it answers checks and needs no candidates of clients.
    # What a
    # client sends here is its own address list, so it is not even parsed.
    connection.trickled.set()


def _leave(frontend: LiveKitFrontend, connection: Connection, _leave: rtc.LeaveRequest) -> None:
    frontend.services.rooms.leave(connection.participant, LeaveReason.CLIENT_LEFT)


def _ping(frontend: LiveKitFrontend, connection: Connection, _timestamp: int) -> None:
    connection.send_pong(rtc.SignalResponse(pong=frontend.now_ms()))


def _ping_req(frontend: LiveKitFrontend, connection: Connection, ping: rtc.Ping) -> None:
    pong = rtc.Pong(last_ping_timestamp=ping.timestamp, timestamp=frontend.now_ms())
    connection.send_pong(rtc.SignalResponse(pong_resp=pong))


async def _sync_state(frontend: LiveKitFrontend, connection: Connection, state: rtc.SyncState) -> None:
    person = connection.participant
    listed = {published.track.sid for published in state.publish_tracks}
    if not listed <= {*person.tracks, *person.pending, *connection.taken_down}:
        frontend.services.rooms.leave(
            person, LeaveReason.STATE_MISMATCH, "sync_state lists a track that is not published"
        )
        return
    connection.taken_down &= listed
    await _subscription(frontend, connection, state.subscription)
    off = rtc.UpdateTrackSettings(track_sids=state.track_sids_disabled, disabled=True)
    await _track_setting(frontend, connection, off)


# --- publishing ---------------------------------------------------------------------------------


def _add_track(frontend: LiveKitFrontend, connection: Connection, request: rtc.AddTrackRequest) -> None:
    if not request.cid or request.type not in (models.TrackType.AUDIO, models.TrackType.VIDEO):
        raise UnsupportedError("a track needs a cid and must be audio or video")
    person = connection.participant
    check_room_for(person, request.ByteSize())
    if request.sid:
        # the backup codec of a track: the client was told that somebody needs it
        spec = convert.track_spec(request, connection.client)
        _published(
            connection,
            request,
            frontend.services.publishing.publish_backup(person, TrackSid(request.sid), spec),
        )
        return
    try:
        track = frontend.services.publishing.publish(person, convert.track_spec(request, connection.client))
    except DuplicateTrackError:
        # The client ends the old one in its next offer, and expects its answer to this request after that.
        frontend.services.publishing.when_ended(
            person, request.cid, lambda: _retry_add_track(frontend, connection, request)
        )
        raise
    _published(connection, request, track)


def _published(connection: Connection, request: rtc.AddTrackRequest, track: Track) -> None:
    published = rtc.TrackPublishedResponse(cid=request.cid, track=convert.track_info(track))
    connection.send(rtc.SignalResponse(track_published=published))
    connection.answered &= connection.participant.pending.keys()
    if connection.outbox is not None:
        connection.answered.add(track.sid)


def _retry_add_track(frontend: LiveKitFrontend, connection: Connection, request: rtc.AddTrackRequest) -> None:
    with _answering(connection, "add_track", request):
        _add_track(frontend, connection, request)


def _mute(frontend: LiveKitFrontend, connection: Connection, request: rtc.MuteTrackRequest) -> None:
    frontend.services.publishing.set_muted(connection.participant, TrackSid(request.sid), request.muted)
    connection.switched_by_server.discard(request.sid)


def _update_audio_track(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateLocalAudioTrack
) -> None:
    track = frontend.services.publishing.own_track(connection.participant, TrackSid(request.track_sid))
    info = convert.track_info(track)
    info.audio_features[:] = request.features
    info.stereo = models.AudioTrackFeature.TF_STEREO in request.features
    info.disable_dtx = models.AudioTrackFeature.TF_NO_DTX in request.features
    frontend.services.publishing.change(connection.participant, track.with_frontend_info(info))


def _update_video_track(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateLocalVideoTrack
) -> None:
    track = frontend.services.publishing.own_track(connection.participant, TrackSid(request.track_sid))
    frontend.services.publishing.change(
        connection.participant, track.with_size(request.width, request.height)
    )


def _subscription_permission(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.SubscriptionPermission
) -> None:
    frontend.services.subscribing.set_rules(connection.participant, convert.subscription_rules(request))


def _publish_data_track(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.PublishDataTrackRequest
) -> None:
    check_room_for(connection.participant, request.ByteSize())
    track = frontend.services.data_tracks.publish(
        connection.participant, request.pub_handle, request.name, request
    )
    response = rtc.PublishDataTrackResponse(info=convert.data_track_info(track))
    connection.send(rtc.SignalResponse(publish_data_track_response=response))


def _unpublish_data_track(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UnpublishDataTrackRequest
) -> None:
    track = frontend.services.data_tracks.unpublish(connection.participant, request.pub_handle)
    response = rtc.UnpublishDataTrackResponse(info=convert.data_track_info(track))
    connection.send(rtc.SignalResponse(unpublish_data_track_response=response))


# --- subscribing --------------------------------------------------------------------------------


async def _subscription(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateSubscription
) -> None:
    async for track_sid in _in_turns(connection, _track_sids(request.track_sids, request.participant_tracks)):
        frontend.services.subscribing.request(connection.participant, track_sid, request.subscribe)


def _data_subscription(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateDataSubscription
) -> None:
    wanted = {DataTrackSid(update.track_sid): update.subscribe for update in request.updates}
    frontend.services.data_tracks.subscribe(connection.participant, wanted)


def _track_sids(
    track_sids: Iterable[str], groups: Iterable[models.ParticipantTracks] = ()
) -> dict[TrackSid, None]:
    """Return the sids that a request names, each once."""
    named = dict.fromkeys(map(TrackSid, track_sids))
    for group in groups:
        named.update(dict.fromkeys(map(TrackSid, group.track_sids)))
    return named


async def _in_turns(connection: Connection, track_sids: Iterable[TrackSid]) -> AsyncIterator[TrackSid]:
    """Yield what a request names, with a pause for everybody else now and then; ends when the participant has left."""
    for number, track_sid in enumerate(track_sids, start=1):
        if connection.participant.has_left:
            return
        yield track_sid
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


async def _track_setting(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateTrackSettings
) -> None:
    async for track_sid in _in_turns(connection, _track_sids(request.track_sids)):
        track = connection.participant.room.find_track(track_sid)
        if track is not None:
            wish = convert.preferences(request, track.spec.layers)
            frontend.services.subscribing.prefer(connection.participant, track_sid, wish)


# --- the participant ----------------------------------------------------------------------------


def _update_metadata(
    frontend: LiveKitFrontend, connection: Connection, request: rtc.UpdateParticipantMetadata
) -> None:
    person = connection.participant
    if not person.permissions.can_update_own_metadata:
        raise NotAllowedError("the token does not allow changing metadata")
    check_own_attributes(request.attributes)
    frontend.services.rooms.update_profile(
        person,
        name=request.name or None,
        metadata=request.metadata or None,
        attributes=dict(request.attributes),
    )
    # After the update that shows the new values, for which browsers wait as well.
    response = rtc.RequestResponse(request_id=request.request_id, reason=rtc.RequestResponse.OK)
    response.update_metadata.CopyFrom(request)
    connection.send(rtc.SignalResponse(request_response=response))


# --- tests of clients ---------------------------------------------------------------------------


def _simulate(frontend: LiveKitFrontend, connection: Connection, request: rtc.SimulateScenario) -> None:
    scenario = request.WhichOneof("scenario")
    if scenario == "speaker_update":
        frontend.simulate_speaker(connection, min(max(request.speaker_update, 0), _MAX_SIMULATED_S))
    elif scenario == "node_failure":
        # Without a word, as a server that fails: the client tries to resume, and then begins anew.
        if connection.outbox is not None:
            connection.outbox.drop()
            connection.outbox = None
        frontend.services.rooms.leave(connection.participant, LeaveReason.SIMULATED)
    elif scenario in _LOST_SIGNAL:
        if connection.outbox is not None:
            connection.outbox.drop()
    elif scenario in {"server_leave", "leave_request_full_reconnect"}:
        frontend.services.rooms.leave(connection.participant, LeaveReason.SIMULATED)
    else:
        raise UnsupportedError(f"this server does not simulate {scenario or 'this'}")


# The WebSocket ends and the client resumes.
_LOST_SIGNAL = frozenset(
    {"migration", "disconnect_signal_on_resume", "disconnect_signal_on_resume_no_messages"}
)


# --- requests that this server does not serve ---------------------------------------------------


def _update_layers(
    _frontend: LiveKitFrontend, _connection: Connection, _request: rtc.UpdateVideoLayers
) -> None:
    # Deprecated: clients that still send it expect no answer, and the engine sees which layers are sent.
    return


def _data_blob(_frontend: LiveKitFrontend, _connection: Connection, _request: Any) -> None:
    raise UnsupportedError("this server stores no data blobs")


HANDLERS: dict[str, Handler] = {
    "offer": _offer,
    "answer": _answer,
    "trickle": _trickle,
    "add_track": _add_track,
    "mute": _mute,
    "subscription": _subscription,
    "track_setting": _track_setting,
    "leave": _leave,
    "subscription_permission": _subscription_permission,
    "sync_state": _sync_state,
    "simulate": _simulate,
    "ping": _ping,
    "ping_req": _ping_req,
    "update_metadata": _update_metadata,
    "update_audio_track": _update_audio_track,
    "update_video_track": _update_video_track,
    "publish_data_track_request": _publish_data_track,
    "unpublish_data_track_request": _unpublish_data_track,
    "update_data_subscription": _data_subscription,
    "update_layers": _update_layers,
    "store_data_blob_request": _data_blob,
    "get_data_blob_request": _data_blob,
}
