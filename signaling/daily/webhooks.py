"""Daily's webhooks: its events made of the event log, its signature, and what it does about failures."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from signaling.daily import grants
from signaling.daily.entry import IS_OWNER, YES
from signaling.daily.javascript import stringify
from signaling.daily.meetings import meeting_id
from signaling.model import USER_ID
from signaling.permissions import Permissions
from signaling.store import Delivery, Endpoint, LogEntry
from signaling.webhooks import Notice, Verdict

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

    def notice(self, entry: LogEntry, event_id: str) -> Notice | None:
        """Return Daily's event about an entry; None for what Daily does not tell."""
        describe = _EVENTS.get(entry.kind)
        described = None if describe is None else describe(entry)
        if described is None:
            return None
        event, resource, payload = described
        body = stringify(
            {"version": VERSION, "type": event, "id": event_id, "payload": payload, "event_ts": entry.at}
        )
        return Notice(event, resource, body, owner=entry.data["room"]["owner"])

    def wants(self, endpoint: Endpoint, notice: Notice) -> bool:
        """Whether the endpoint's domain sees the room, and asked for such events."""
        settings = endpoint.settings
        return notice.owner in {"", settings["domain"]} and notice.event in settings["eventTypes"]

    def headers(self, endpoint: Endpoint, body: bytes, now: float) -> dict[str, str]:
        """Return the headers, with the signature over time and body."""
        return headers(endpoint.secrets, body, now)

    def judge(self, endpoint: Endpoint, delivery: Delivery, status: int | None, now: float) -> Verdict:
        """Accept 200 alone; else do as the endpoint's `retryType` says."""
        del now  # attempts are counted, not timed
        if status == 200:
            return Verdict(delivered=True)
        if endpoint.settings["retryType"] == "circuit-breaker":
            return Verdict(delivered=False, pause=endpoint.failures + 1 >= MAX_FAILURES)
        waits = EXPONENTIAL_S[delivery.attempts : delivery.attempts + 1]
        return Verdict(delivered=False, retry_in_s=waits[0] if waits else None)


def headers(secrets: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
    """Return the headers of a webhook; the secrets are `hmac` in base64 and, if any, `basicAuth` as `user:password`."""
    # Receivers read the time as seconds, and take five minutes either way.
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

_Event = tuple[EventType, str, dict[str, Any]]


def _meeting_started(entry: LogEntry) -> _Event:
    room = entry.data["room"]
    payload = {"start_ts": entry.at, "meeting_id": meeting_id(entry.session_sid), "room": room["name"]}
    return "meeting.started", entry.session_sid, payload


def _meeting_ended(entry: LogEntry) -> _Event | None:
    room = entry.data["room"]
    if room["visited_at"] is None:
        return None
    payload = {
        "start_ts": room["visited_at"],
        "end_ts": entry.at,
        "meeting_id": meeting_id(entry.session_sid),
        "room": room["name"],
    }
    return "meeting.ended", entry.session_sid, payload


def _participant(event: EventType, *, left: bool) -> Callable[[LogEntry], _Event | None]:
    def describe(entry: LogEntry) -> _Event | None:
        # Whose media never connected was not there.
        person = entry.data["participant"]
        return _person(event, entry, person, left=left) if person["connected_at"] else None

    return describe


def _visitor(event: EventType, *, left: bool) -> Callable[[LogEntry], _Event]:
    return lambda entry: _person(event, entry, entry.data["visitor"], left=left)


def _person(event: EventType, entry: LogEntry, person: Mapping[str, Any], *, left: bool) -> _Event:
    room, identity, attributes = entry.data["room"], person["identity"], person["attributes"]
    payload = {
        "joined_at": person["joined_at"],
        "session_id": identity,
        "room": room["name"],
        "user_id": attributes.get(USER_ID) or identity,
        "user_name": person["name"],
        "owner": attributes.get(IS_OWNER) == YES,
        "networkQualityState": "unknown",
        # As the JavaScript clients have it, where nobody is to be sent out.
        "will_eject_at": person["leaves_at"] or 0,
        "permissions": grants.describe(msgspec.convert(person["permissions"], Permissions)),
        **({"duration": entry.at - person["joined_at"]} if left else {}),
    }
    return event, f"{entry.session_sid}/{identity}", payload


_EVENTS: Mapping[str, Callable[[LogEntry], _Event | None]] = {
    "room_visited": _meeting_started,
    "room_finished": _meeting_ended,
    "participant_active": _participant("participant.joined", left=False),
    "participant_moved_in": _participant("participant.joined", left=False),
    "participant_moved_out": _participant("participant.left", left=True),
    "participant_left": _participant("participant.left", left=True),
    "visitor_came": _visitor("waiting-participant.joined", left=False),
    "visitor_gone": _visitor("waiting-participant.left", left=True),
}
