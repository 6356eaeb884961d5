"""Daily's webhooks: messages about entries of the event log and recordings, their signature, and the retry rules."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from signaling.daily import grants
from signaling.daily.door.entry import IS_OWNER, YES
from signaling.daily.meetings import meeting_id
from signaling.daily.recordings import DETAIL, kind_of, s3_key
from signaling.daily.rest.javascript import stringify
from signaling.daily.transcripts import Transcript
from signaling.history.webhooks import Outcome, WebhookMessage
from signaling.ids import RoomName
from signaling.recordings.output_state import Output, OutputFile, output_of
from signaling.recordings.statuses import FAILED
from signaling.rooms.model import USER_ID
from signaling.store import Delivery, LogEntry, WebhookEndpoint
from signaling.store.meetings import entries
from signaling.store.records import Recording, RecordingChange

KIND = "daily"
VERSION = "1.0.0"

RetryType = Literal["circuit-breaker", "exponential"]

# Daily's: after so many failures in a row nothing more is sent.
MAX_FAILURES = 3

# Seconds between attempts, five within a quarter of an hour.
EXPONENTIAL_S = (15.0, 60.0, 180.0, 600.0)

EventType = Literal[
    "meeting.started",
    "meeting.ended",
    "participant.joined",
    "participant.left",
    "waiting-participant.joined",
    "waiting-participant.left",
    "recording.started",
    "recording.ready-to-download",
    "recording.error",
    "streaming.started",
    "streaming.updated",
    "streaming.ended",
    "streaming.error",
    "transcript.started",
    "transcript.ready-to-download",
    "transcript.error",
    "batch-processor.job-finished",
    "batch-processor.error",
    "dialin.ready",
    "dialin.connected",
    "dialin.error",
    "dialin.stopped",
    "dialin.warning",
    "dialout.connected",
    "dialout.answered",
    "dialout.error",
    "dialout.stopped",
    "dialout.warning",
]


class DailyWebhooks:
    """The `WebhookApi` of Daily."""

    kind = KIND

    def message(self, entry: LogEntry, event_id: str) -> WebhookMessage | None:
        """Return Daily's message about an entry; None for entries that Daily does not report."""
        make = _MESSAGES.get(type(entry.entry))
        made = None if make is None else make(entry.entry, entry)
        if made is None:
            return None
        return _webhook(made, event_id, entry.at)

    def recording_message(
        self, recording: Recording, change: RecordingChange, event_id: str, at: float
    ) -> WebhookMessage | None:
        """Return Daily's message about a change of a recording; None unless Daily's API started the recording."""
        make = _RECORDING_MESSAGES.get(change)
        if make is None or DETAIL not in recording.details:
            return None
        made = make(recording, at)
        return None if made is None else _webhook(made, event_id, at)

    def wants(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> bool:
        """Whether the endpoint's domain may see the room, and subscribed to such events."""
        settings = endpoint.settings
        return message.owner in {"", settings["domain"]} and message.event in settings["eventTypes"]

    def headers(self, endpoint: WebhookEndpoint, body: bytes, now: float) -> dict[str, str]:
        """Return the headers, with the signature over time and body."""
        return headers(endpoint.secrets, body, now)

    def judge(self, endpoint: WebhookEndpoint, delivery: Delivery, status: int | None, now: float) -> Outcome:
        """Accept 200 alone; else do as the endpoint's `retryType` says."""
        del now  # attempts are counted, not timed
        if status == 200:
            return Outcome(delivered=True)
        if endpoint.settings["retryType"] == "circuit-breaker":
            return Outcome(delivered=False, pause=endpoint.failures + 1 >= MAX_FAILURES)
        waits = EXPONENTIAL_S[delivery.attempts : delivery.attempts + 1]
        return Outcome(delivered=False, retry_in_s=waits[0] if waits else None)


def headers(secrets: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
    """Return the headers of a webhook; the secrets are `hmac` in base64 and, if any, `basicAuth` as `user:password`."""
    # Receivers read the time as seconds, with a tolerance of five minutes.
    timestamp = str(int(now))
    signed = timestamp.encode() + b"." + body
    signature = hmac.digest(base64.b64decode(secrets["hmac"]), signed, hashlib.sha256)
    made = {
        "Content-Type": "application/json",
        "X-Webhook-Timestamp": timestamp,
        "X-Webhook-Signature": base64.b64encode(signature).decode(),
    }
    if secrets.get("basicAuth"):
        made["Authorization"] = f"Basic {base64.b64encode(secrets['basicAuth'].encode()).decode()}"
    return made


# --- events --------------------------------------------------------------------------------------


class _Message(NamedTuple):
    event: EventType
    resource: str
    payload: dict[str, Any]
    owner: str
    "See `WebhookMessage.owner`."


def _webhook(message: _Message, event_id: str, at: float) -> WebhookMessage:
    event, resource, payload, owner = message
    body = stringify({"version": VERSION, "type": event, "id": event_id, "payload": payload, "event_ts": at})
    return WebhookMessage(event, resource, body, owner)


def _meeting_started(entry: entries.RoomOccupied, place: LogEntry) -> _Message:
    room, sid = entry.room, place.session_sid
    payload = {"start_ts": place.at, "meeting_id": meeting_id(sid), "room": room.name}
    return _Message("meeting.started", sid, payload, room.owner)


def _meeting_ended(entry: entries.RoomFinished, place: LogEntry) -> _Message | None:
    room, sid = entry.room, place.session_sid
    if room.visited_at is None:
        return None
    payload = {
        "start_ts": room.visited_at,
        "end_ts": place.at,
        "meeting_id": meeting_id(sid),
        "room": room.name,
    }
    return _Message("meeting.ended", sid, payload, room.owner)


_Joining = entries.ParticipantActive | entries.ParticipantMovedIn
_Leaving = entries.ParticipantMovedOut | entries.ParticipantLeft


def _participant_joined(entry: _Joining, place: LogEntry) -> _Message | None:
    # Daily does not count participants without media as present.
    person = entry.participant
    return _person("participant.joined", place, entry.room, person) if person.connected_at else None


def _participant_left(entry: _Leaving, place: LogEntry) -> _Message | None:
    person = entry.participant
    if not person.connected_at:
        return None
    return _with_duration(_person("participant.left", place, entry.room, person), place, person)


def _visitor_arrived(entry: entries.VisitorArrived, place: LogEntry) -> _Message:
    return _person("waiting-participant.joined", place, entry.room, entry.visitor)


def _visitor_left(entry: entries.VisitorLeft, place: LogEntry) -> _Message:
    message = _person("waiting-participant.left", place, entry.room, entry.visitor)
    return _with_duration(message, place, entry.visitor)


_Person = entries.ParticipantSnapshot | entries.VisitorSnapshot


def _person(event: EventType, place: LogEntry, room: entries.RoomSnapshot, person: _Person) -> _Message:
    payload = {
        "joined_at": person.joined_at,
        "session_id": person.identity,
        "room": room.name,
        "user_id": person.attributes.get(USER_ID) or person.identity,
        "user_name": person.name,
        "owner": person.attributes.get(IS_OWNER) == YES,
        "networkQualityState": "unknown",
        # 0 is what the JavaScript clients have for participants without a limit.
        "will_eject_at": person.leaves_at or 0,
        "permissions": grants.describe(person.permissions),
    }
    return _Message(event, f"{place.session_sid}/{person.identity}", payload, room.owner)


def _with_duration(message: _Message, place: LogEntry, person: _Person) -> _Message:
    return message._replace(payload={**message.payload, "duration": place.at - person.joined_at})


def _recording(event: EventType, row: Recording, **payload: Any) -> _Message:
    owner = str(row.details.get("tenant", ""))
    return _Message(event, f"recording/{row.id}", {**payload, "room_name": row.room}, owner)


def _recording_started(row: Recording, _at: float) -> _Message:
    return _recording(
        "recording.started",
        row,
        action="start-cloud-recording",
        recording_id=row.id,
        layout={"preset": "default"},
        started_by=row.details.get("by", ""),
        instance_id=row.details[DETAIL]["instance_id"],
        start_ts=int(row.started_at),
    )


def _recording_ended(row: Recording, at: float) -> _Message | None:
    # A recording without a fault is reported with its files.
    return _recording_error(row, str(row.details.get("reason", "")), at) if row.status == FAILED else None


def _recording_settled(row: Recording, at: float) -> _Message:
    output, key = output_of(row), s3_key(str(row.details.get("tenant", "")), row)
    if output.error:
        return _recording_error(row, output.error, at)
    kind = kind_of(row)
    payload = {
        "type": kind,
        "recording_id": row.id,
        "start_ts": int(row.started_at),
        "status": "finished",
        "duration": round(row.details.get("length_s", 0.0)),
        "s3_key": key,
    }
    if kind == "raw-tracks":
        payload["tracks"] = _tracks(output, key)
    return _recording("recording.ready-to-download", row, **payload)


def _tracks(output: Output, key: str) -> list[dict[str, Any]]:
    """Return the tracks of an output, whose files are in one folder for each track."""
    found: dict[str, list[OutputFile]] = {}
    for file in output.files:
        found.setdefault(file.path.rpartition("/")[0], []).append(file)
    return [
        {"type": files[0].kind, "s3_key": f"{key}-{number}", "size": sum(file.octets for file in files)}
        for number, files in enumerate(found.values(), 1)
    ]


def _recording_error(row: Recording, reason: str, at: float) -> _Message:
    return _recording(
        "recording.error",
        row,
        action="cloud-recording-err",
        error_msg=reason,
        instance_id=row.details[DETAIL]["instance_id"],
        timestamp=at,
    )


class Announcement(NamedTuple):
    """A message that follows neither from an entry of the event log nor from a recording."""

    room: RoomName
    event_id: str
    message: WebhookMessage


def transcript_message(event: EventType, domain: str, transcript: Transcript, at: float) -> Announcement:
    """Return Daily's message about a transcription."""
    info: dict[str, Any] = {"instanceId": transcript.instance_id, "startTs": int(transcript.started_at)}
    payload: dict[str, Any] = {
        "id": transcript.id,
        "room_id": transcript.room_id,
        "room_name": transcript.room,
        "mtg_session_id": meeting_id(transcript.session_sid),
        "info": info,
        "status": transcript.status,
    }
    if transcript.status != "t_in_progress":
        info["endTs"] = int(at)
        payload["duration"] = round(transcript.duration_s)
    if transcript.error:
        payload["error"] = transcript.error
    digest = hashlib.sha256(f"{transcript.id}/{event}".encode()).hexdigest()
    event_id = f"EV_{digest[:20]}"
    made = _webhook(_Message(event, f"transcript/{transcript.id}", payload, domain), event_id, at)
    return Announcement(transcript.room, event_id, made)


# Daily reports neither pauses, nor the end before the file exists, nor deletions.
_RECORDING_MESSAGES: Mapping[RecordingChange, Callable[[Recording, float], _Message | None]] = {
    RecordingChange.STARTED: _recording_started,
    RecordingChange.ENDED: _recording_ended,
    RecordingChange.OUTPUT_SETTLED: _recording_settled,
}

_MESSAGES: Mapping[type, Callable[[Any, LogEntry], _Message | None]] = dict(
    [
        entries.row(entries.RoomOccupied, _meeting_started),
        entries.row(entries.RoomFinished, _meeting_ended),
        entries.row(entries.ParticipantActive, _participant_joined),
        entries.row(entries.ParticipantMovedIn, _participant_joined),
        entries.row(entries.ParticipantMovedOut, _participant_left),
        entries.row(entries.ParticipantLeft, _participant_left),
        entries.row(entries.VisitorArrived, _visitor_arrived),
        entries.row(entries.VisitorLeft, _visitor_left),
    ]
)

# Daily has no webhook for these.
_NOT_REPORTED = frozenset(
    {
        entries.RoomStarted,
        entries.RoomChanged,
        entries.ParticipantJoined,
        entries.TrackPublished,
        entries.TrackUnpublished,
        entries.Unstorable,
        entries.Unknown,
    }
)
