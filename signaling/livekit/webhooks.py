"""LiveKit's webhooks: messages about entries of the event log and egresses, their signature, and the retry rules."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from livekit.protocol import models, webhook

from signaling.access import tokens
from signaling.errors import ConfigError, DeliveryError
from signaling.history.webhook_client import check_url
from signaling.history.webhooks import Outcome, WebhookMessage
from signaling.ids import RoomName
from signaling.livekit.messages.convert import LEAVES, SOURCE_VALUES, mime_type, permission, room_message
from signaling.livekit.messages.egress_info import EGRESS, egress_info
from signaling.recordings.output_state import OutputKind, output_of
from signaling.recordings.statuses import FAILED
from signaling.rooms.model import LeaveReason
from signaling.store import Delivery, LogEntry, WebhookEndpoint
from signaling.store.meetings import entries
from signaling.store.records import Recording, RecordingChange
from signaling.store.webhooks.webhook_endpoints import WebhookEndpoints

KIND = "livekit"

CONTENT_TYPE = "application/webhook+json"

# LiveKit's.
TOKEN_TTL_S = 300.0

# The waits between attempts double from the first to the last of these, as LiveKit's do.
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0

# LiveKit gives up after four retries; deliveries on disk can wait until an application is restarted.
GIVE_UP_AFTER_S = 3600.0

# Other refusals (status 4xx) will be the same the next time.
_WORTH_A_RETRY = frozenset({408, 425, 429})

# By `LeaveReason.name`, as entries have it.
_END_REASONS = {
    LeaveReason.ROOM_CLOSED.name: models.ROOM_END_IDLE_TIMEOUT,
    LeaveReason.ROOM_DELETED.name: models.ROOM_END_API_DELETE,
    LeaveReason.SERVER_SHUTDOWN.name: models.ROOM_END_SERVER_SHUTDOWN,
}
_DISCONNECT_REASONS = {reason.name: told for reason, (told, _) in LEAVES.items()}


class LiveKitWebhooks:
    """The `WebhookApi` of LiveKit."""

    kind = KIND

    def __init__(self, signer: Callable[[], tokens.Signer], recordings_folder: Path | None = None) -> None:
        """`signer` returns the API key that signs now; messages about egresses name files in the folder."""
        self._signer = signer
        self._folder = recordings_folder or Path()

    def message(self, entry: LogEntry, event_id: str) -> WebhookMessage | None:
        """Return LiveKit's message about an entry; None for entries that LiveKit does not report."""
        make = _MESSAGES.get(type(entry.entry))
        if make is None:
            return None
        return _webhook(*make(entry.entry), event_id, entry.at)

    def recording_message(
        self, recording: Recording, change: RecordingChange, event_id: str, at: float
    ) -> WebhookMessage | None:
        """Return LiveKit's message about a change of an egress; None for other recordings and changes."""
        if EGRESS not in recording.details:
            return None
        event = _EGRESS_EVENTS.get(change)
        if change is RecordingChange.ENDED and _is_over(recording):
            event = "egress_ended"
        if event is None:
            return None
        message = webhook.WebhookEvent(event=event, egress_info=egress_info(recording, self._folder))
        return _webhook(message, f"egress/{recording.id}", event_id, at)

    def wants(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> bool:
        """Whether the message is about one of the configured events; none configured: all."""
        events = endpoint.settings.get("events")
        return not events or message.event in events

    def headers(self, _endpoint: WebhookEndpoint, body: bytes, now: float) -> dict[str, str]:
        """Return the headers, with the token that holds the body's hash. There is no "Bearer" before it."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        token = tokens.mint({"sha256": digest}, self._signer(), now, TOKEN_TTL_S)
        return {"Content-Type": CONTENT_TYPE, "Authorization": token, "User-Agent": "LiveKit"}

    def judge(
        self, _endpoint: WebhookEndpoint, delivery: Delivery, status: int | None, now: float
    ) -> Outcome:
        """Retry when a later attempt may succeed."""
        if status is not None and status < 300:
            return Outcome(delivered=True)
        hopeless = status is not None and status < 500 and status not in _WORTH_A_RETRY
        if hopeless or now - delivery.created_at > GIVE_UP_AFTER_S:
            return Outcome(delivered=False)
        return Outcome(
            delivered=False, retry_in_s=min(FIRST_RETRY_S * 2 ** min(delivery.attempts, 30), LAST_RETRY_S)
        )


def parse_urls(text: str) -> list[tuple[RoomName, str]]:
    """Return room and URL of each entry; the room is empty for an entry without one. ConfigError."""
    parsed = []
    for entry in filter(None, (each.strip() for each in text.split(","))):
        room, url = "", entry
        if not entry.startswith(("http://", "https://")):
            room, found, rest = entry.partition("=http")
            url = f"http{rest}" if found else entry
        try:
            check_url(url)
        except DeliveryError as error:
            raise ConfigError(f"webhook_url: {error}") from error
        parsed.append((RoomName(room), url))
    return parsed


def parse_events(text: str) -> list[str]:
    """Return the events that are named. ConfigError."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    unknown = set(named) - EVENTS
    if unknown:
        raise ConfigError(f"webhook_events: there is no {min(unknown)}, but {', '.join(sorted(EVENTS))}")
    return named


async def configure(
    endpoints: WebhookEndpoints, urls: Sequence[tuple[RoomName, str]], events: Sequence[str], now: float
) -> None:
    """Replace LiveKit's endpoints by the configured ones; deliveries for others are dropped. StoreError."""
    wanted = {_endpoint_id(room, url): (room, url) for room, url in urls}
    known = {each.id: each for each in await endpoints.list(KIND)}
    for endpoint_id in known.keys() - wanted.keys():
        await endpoints.delete(endpoint_id)
    for endpoint_id, (room, url) in wanted.items():
        new = WebhookEndpoint(endpoint_id, KIND, url, {}, now, room)
        await endpoints.put(replace(known.get(endpoint_id, new), settings={"events": list(events)}))


def _endpoint_id(room: str, url: str) -> str:
    return f"{KIND}-{hashlib.sha256(f'{room} {url}'.encode()).hexdigest()[:16]}"


# --- messages ------------------------------------------------------------------------------------

EVENTS = frozenset(
    {
        "room_started",
        "room_finished",
        "participant_joined",
        "participant_left",
        "participant_connection_aborted",
        "track_published",
        "track_unpublished",
        "egress_started",
        "egress_updated",
        "egress_ended",
    }
)

_Message = tuple[webhook.WebhookEvent, str]
"The message, and the resource that it is about."


# An egress ends with its files; see `_is_over`.
_EGRESS_EVENTS: Mapping[RecordingChange, str] = {
    RecordingChange.STARTED: "egress_started",
    RecordingChange.STOPPING: "egress_updated",
    RecordingChange.OUTPUT_SETTLED: "egress_ended",
}


def _is_over(row: Recording) -> bool:
    """Whether no files follow after the end of an egress."""
    return row.status == FAILED or output_of(row).kind is OutputKind.NONE


def _webhook(message: webhook.WebhookEvent, resource: str, event_id: str, at: float) -> WebhookMessage:
    message.id = event_id
    message.created_at = int(at)
    return WebhookMessage(message.event, resource, json_format.MessageToJson(message, indent=None))


def _room_started(entry: entries.RoomStarted) -> _Message:
    return _about_room(webhook.WebhookEvent(event="room_started"), entry.room)


def _room_finished(entry: entries.RoomFinished) -> _Message:
    reason = _END_REASONS.get(entry.reason, models.ROOM_END_UNKNOWN)
    return _about_room(webhook.WebhookEvent(event="room_finished", room_end_reason=reason), entry.room)


def _about_room(message: webhook.WebhookEvent, room: entries.RoomSnapshot) -> _Message:
    message.room.CopyFrom(room_message(room))
    return message, f"room/{room.name}"


def _joined(entry: entries.ParticipantActive | entries.ParticipantMovedIn) -> _Message:
    return _about_person("participant_joined", entry.room, _person(entry.participant))


def _left(entry: entries.ParticipantLeft) -> _Message:
    return _about_leaving(entry.room, entry.participant, entry.reason)


def _moved_out(entry: entries.ParticipantMovedOut) -> _Message:
    return _about_leaving(entry.room, entry.participant, LeaveReason.MOVED.name)


def _about_leaving(room: entries.RoomSnapshot, person: entries.ParticipantSnapshot, reason: str) -> _Message:
    info = _person(person)
    info.state = models.ParticipantInfo.DISCONNECTED
    info.disconnect_reason = _DISCONNECT_REASONS.get(reason, models.UNKNOWN_REASON)
    # LiveKit reports a join when media is connected, and so has another event for a participant without media.
    name = "participant_left" if person.connected_at > 0 else "participant_connection_aborted"
    return _about_person(name, room, info)


def _about_person(name: str, room: entries.RoomSnapshot, info: models.ParticipantInfo) -> _Message:
    message = webhook.WebhookEvent(event=name, room=room_message(room), participant=info)
    return message, f"participant/{room.sid}/{info.identity}"


def _published(entry: entries.TrackPublished) -> _Message:
    return _about_track("track_published", entry)


def _unpublished(entry: entries.TrackUnpublished) -> _Message:
    return _about_track("track_unpublished", entry)


def _about_track(name: str, entry: entries.TrackPublished | entries.TrackUnpublished) -> _Message:
    # Like LiveKit's, these messages name the room and the participant and say no more about them.
    message = webhook.WebhookEvent(
        event=name,
        room=models.Room(sid=entry.room.sid, name=entry.room.name),
        participant=models.ParticipantInfo(sid=entry.participant.sid, identity=entry.participant.identity),
        track=_track(entry.track),
    )
    return message, f"track/{entry.track.sid}"


_MESSAGES: Mapping[type, Callable[[Any], _Message]] = dict(
    [
        entries.row(entries.RoomStarted, _room_started),
        entries.row(entries.RoomFinished, _room_finished),
        entries.row(entries.ParticipantActive, _joined),
        entries.row(entries.ParticipantMovedIn, _joined),
        entries.row(entries.ParticipantMovedOut, _moved_out),
        entries.row(entries.ParticipantLeft, _left),
        entries.row(entries.TrackPublished, _published),
        entries.row(entries.TrackUnpublished, _unpublished),
    ]
)

# LiveKit has no webhook for these.
_NOT_REPORTED = frozenset(
    {
        entries.RoomChanged,
        entries.RoomOccupied,
        entries.ParticipantJoined,
        entries.VisitorArrived,
        entries.VisitorLeft,
        entries.Unstorable,
        entries.Unknown,
    }
)


def _person(person: entries.ParticipantSnapshot) -> models.ParticipantInfo:
    return models.ParticipantInfo(
        sid=person.sid,
        identity=person.identity,
        name=person.name,
        state=person.state,
        metadata=person.metadata,
        attributes=person.attributes,
        joined_at=int(person.joined_at),
        joined_at_ms=int(person.joined_at * 1000),
        version=person.version,
        permission=permission(person.permissions),
        is_publisher=person.is_publisher,
        kind=person.kind.upper(),
    )


def _track(track: entries.TrackSnapshot) -> models.TrackInfo:
    is_audio = track.kind == "audio"
    layers = [
        models.VideoLayer(quality=quality, width=layer.width, height=layer.height, rid=layer.rid)
        for quality, layer in zip(("LOW", "MEDIUM", "HIGH"), track.layers, strict=False)
    ]
    return models.TrackInfo(
        sid=track.sid,
        type=models.TrackType.AUDIO if is_audio else models.TrackType.VIDEO,
        source=SOURCE_VALUES[track.source],
        name=track.name,
        muted=track.muted,
        width=track.width,
        height=track.height,
        mid=track.mid,
        mime_type=mime_type(track.codec, track.kind) if track.codec else "",
        simulcast=len(layers) > 1,
        layers=layers,
        stereo=track.stereo,
        disable_dtx=is_audio and not track.dtx,
        disable_red=is_audio and not track.red,
    )
