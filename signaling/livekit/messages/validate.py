"""The gate before every client: a message lacking what a client takes for granted is never sent.

LiveKit's native client (PyPI `livekit`, and with it agents) aborts its whole process on such a message, and
browsers fail to connect. A response kind without an entry in the table is one this server does not send, and
is refused too: so no candidate can ever be sent, of which an empty or unreadable one is fatal.
"""

from collections.abc import Callable
from typing import Any

from livekit.protocol.models import ConnectionQuality, ParticipantInfo, Room, ServerInfo, TrackInfo
from livekit.protocol.rtc import (
    ConnectionQualityUpdate,
    DataTrackSubscriberHandles,
    JoinResponse,
    LeaveRequest,
    MediaSectionsRequirement,
    MuteTrackRequest,
    ParticipantUpdate,
    PublishDataTrackResponse,
    ReconnectResponse,
    RequestResponse,
    RoomMovedResponse,
    RoomUpdate,
    SessionDescription,
    SignalResponse,
    SpeakersChanged,
    StreamStateUpdate,
    SubscribedQualityUpdate,
    SubscriptionPermissionUpdate,
    TrackPublishedResponse,
    UnpublishDataTrackResponse,
)

from signaling.errors import IncompleteMessageError
from signaling.rooms.sids import DATA_TRACK_PREFIX, PARTICIPANT_PREFIX, ROOM_PREFIX, TRACK_PREFIX

# More sections than this in one step would only be a fault; the client adds as many transceivers.
_MAX_SECTIONS = 1000


def check(response: SignalResponse) -> None:
    """Raise IncompleteMessageError unless every client can take this message."""
    kind = response.WhichOneof("message")
    checker = _CHECKERS.get(kind or "")
    if kind is None or checker is None:
        raise IncompleteMessageError(f"a response of kind {kind} is not sent by this server")
    checker(getattr(response, kind))


# A message that is absent reads as one with empty fields, so its own checker finds it out.


def _need(condition: object, what: str) -> None:
    if not condition:
        raise IncompleteMessageError(what)


def _room(room: Room) -> None:
    _need(room.sid.startswith(ROOM_PREFIX) and room.name, "a room without sid or name")


def _track(track: TrackInfo) -> None:
    _need(track.sid.startswith(TRACK_PREFIX), "a track without sid")


def _participant(info: ParticipantInfo) -> None:
    _need(info.sid.startswith(PARTICIPANT_PREFIX), "a participant without sid")
    _need(info.identity, "a participant without identity")
    _need(info.version, "a participant without version")
    for track in info.tracks:
        _track(track)


def _server(info: ServerInfo) -> None:
    _need(info.version and info.protocol, "server info without version or protocol")


def _join(join: JoinResponse) -> None:
    _room(join.room)
    _participant(join.participant)
    _need(join.participant.HasField("permission"), "a join without the participant's permission")
    for info in join.other_participants:
        _participant(info)
    _server(join.server_info)
    _need(join.server_version, "a join without server version")
    _need(0 < join.ping_interval < join.ping_timeout, "a join without ping interval and timeout")


def _reconnect(reconnect: ReconnectResponse) -> None:
    _server(reconnect.server_info)


def _answer(answer: SessionDescription) -> None:
    _need(answer.type == "answer", "an answer of another type")
    _description(answer)


def _offer(offer: SessionDescription) -> None:
    _need(offer.type == "offer", "an offer of another type")
    _need(offer.id, "an offer without id")
    _description(offer)


def _description(description: SessionDescription) -> None:
    # The shape of RFC 8866 section 5: type=value lines, version first; and what every WebRTC description has.
    lines = description.sdp.split("\r\n")
    _need(lines[0] == "v=0" and lines[-1] == "", "a text that is no session description")
    _need(
        all(len(line) > 2 and line[1] == "=" for line in lines[:-1]),
        "a session description with a line that is no SDP",
    )
    for prefix in ("o=", "s=", "t=", "m=", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"):
        _need(
            any(line.startswith(prefix) and len(line) > len(prefix) for line in lines),
            f"a session description without {prefix}",
        )
    for mid, track_sid in description.mid_to_track_id.items():
        _need(mid and track_sid.startswith(TRACK_PREFIX), "a mid that is mapped to no track")


def _update(update: ParticipantUpdate) -> None:
    _need(update.participants, "an update about nobody")
    for info in update.participants:
        _participant(info)


def _track_published(response: TrackPublishedResponse) -> None:
    _need(response.cid, "a published track without cid")
    _track(response.track)


def _has_track_sid(message: Any) -> None:
    _need(message.track_sid.startswith(TRACK_PREFIX), "a message about a track without its sid")


def _quality_update(update: SubscribedQualityUpdate) -> None:
    _has_track_sid(update)
    _need(update.subscribed_qualities, "a demand that names no quality")


def _stream_states(update: StreamStateUpdate) -> None:
    _need(update.stream_states, "a change of no stream's state")
    for info in update.stream_states:
        _need(info.participant_sid.startswith(PARTICIPANT_PREFIX), "a stream's state without publisher")
        _has_track_sid(info)


def _subscription_response(message: Any) -> None:
    _need(message.track_sid, "a subscription response without the sid that was asked for")


def _leave(leave: LeaveRequest) -> None:
    _need(leave.action in LeaveRequest.Action.values(), "a leave without a known action")


def _qualities(update: ConnectionQualityUpdate) -> None:
    _need(update.updates, "a change of nobody's quality")
    for info in update.updates:
        _need(info.participant_sid.startswith(PARTICIPANT_PREFIX), "a quality without participant")
        _need(info.quality != ConnectionQuality.LOST, "a lost connection, which makes browsers reconnect")


def _speakers(changed: SpeakersChanged) -> None:
    _need(changed.speakers, "a change of no speaker")
    for speaker in changed.speakers:
        _need(speaker.sid.startswith(PARTICIPANT_PREFIX), "a speaker without sid")
        _need(0.0 <= speaker.level <= 1.0, "a speaker's level outside 0 to 1")


def _room_update(update: RoomUpdate) -> None:
    _room(update.room)


def _permission(update: SubscriptionPermissionUpdate) -> None:
    _need(
        update.participant_sid.startswith(PARTICIPANT_PREFIX), "a subscription permission without publisher"
    )
    _has_track_sid(update)


def _text(value: Any) -> None:
    _need(value, "an empty text")


def _mute(mute: MuteTrackRequest) -> None:
    _need(mute.sid.startswith(TRACK_PREFIX), "a mute without track")


def _room_moved(moved: RoomMovedResponse) -> None:
    _room(moved.room)
    _need(moved.token, "a move without token")
    _participant(moved.participant)
    for info in moved.other_participants:
        _participant(info)


def _pong(timestamp: int) -> None:
    _need(timestamp > 0, "a pong without time")


def _pong_resp(pong: Any) -> None:
    _need(pong.timestamp > 0, "a pong without time")


def _request_response(response: RequestResponse) -> None:
    _need(response.reason in RequestResponse.Reason.values(), "a request response without a known reason")


def _sections(requirement: MediaSectionsRequirement) -> None:
    _need(
        max(requirement.num_audios, requirement.num_videos) <= _MAX_SECTIONS, "a demand for too many sections"
    )


def _data_track(response: PublishDataTrackResponse | UnpublishDataTrackResponse) -> None:
    info = response.info
    _need(
        info.sid.startswith(DATA_TRACK_PREFIX) and info.pub_handle and info.name,
        "a data track without sid, handle or name",
    )


def _data_handles(handles: DataTrackSubscriberHandles) -> None:
    for handle, track in handles.sub_handles.items():
        _need(
            handle and track.publisher_sid and track.track_sid.startswith(DATA_TRACK_PREFIX),
            "a handle without track",
        )


_CHECKERS: dict[str, Callable[[Any], None]] = {
    "join": _join,
    "reconnect": _reconnect,
    "answer": _answer,
    "offer": _offer,
    "update": _update,
    "track_published": _track_published,
    "track_unpublished": _has_track_sid,
    "mute": _mute,
    "room_moved": _room_moved,
    "track_subscribed": _has_track_sid,
    "subscribed_quality_update": _quality_update,
    "leave": _leave,
    "speakers_changed": _speakers,
    "connection_quality": _qualities,
    "room_update": _room_update,
    "subscription_permission_update": _permission,
    "stream_state_update": _stream_states,
    "subscription_response": _subscription_response,
    "refresh_token": _text,
    "pong": _pong,
    "pong_resp": _pong_resp,
    "request_response": _request_response,
    "media_sections_requirement": _sections,
    "publish_data_track_response": _data_track,
    "unpublish_data_track_response": _data_track,
    "data_track_subscriber_handles": _data_handles,
}
