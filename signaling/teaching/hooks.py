"""Webhooks about sessions, in the form of Standard Webhooks (standardwebhooks.com).

Deliveries are stored in the transaction of the events that they report, so that a killed server sends them after its
restart. Event names are those of applications, such as `participant.joined`, not the engine's.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from classroom.base import Event
from classroom.features import (
    attendance,
    exercises,
    help_requests,
    moderation,
    people,
    polls,
    questions,
    session,
)
from classroom.ids import PersonId
from classroom.school import schedule
from classroom.state import Classroom
from signaling.history.webhooks import Outcome, WebhookMessage
from signaling.ids import TenantId
from signaling.store import Delivery, LogEntry, NewDelivery, WebhookEndpoint
from signaling.store.records import Recording, RecordingChange
from signaling.store.webhooks.webhook_endpoints import WebhookEndpoints
from signaling.teaching.names import session_of

KIND: Final = "sessions"

NAMES: Final[dict[type[Event], str]] = {
    session.Created: "session.created",
    session.Updated: "session.updated",
    session.Scheduled: "session.scheduled",
    session.Reminded: "session.reminder",
    session.Started: "session.started",
    session.Paused: "session.paused",
    session.Resumed: "session.resumed",
    session.Ended: "session.ended",
    session.Cancelled: "session.cancelled",
    session.Expired: "session.expired",
    people.Waits: "participant.waiting",
    people.Joined: "participant.joined",
    people.Left: "participant.left",
    people.ConnectionLost: "participant.connection_lost",
    people.ConnectionRestored: "participant.connection_restored",
    moderation.Banned: "participant.banned",
    polls.Opened: "poll.opened",
    polls.Closed: "poll.closed",
    polls.Published: "poll.published",
    questions.Asked: "question.asked",
    questions.Answered: "question.answered",
    help_requests.Asked: "help_request.asked",
    help_requests.Resolved: "help_request.resolved",
    exercises.Submitted: "exercise.submitted",
}
# Follows the end of each session, as a basis for billing.
USAGE: Final = "usage.recorded"
# Before a lesson of a timetable.
LESSON_REMINDER: Final = "lesson.reminder"
RECORDING_NAMES: Final[dict[RecordingChange, str]] = {
    RecordingChange.STARTED: "recording.started",
    RecordingChange.PAUSED: "recording.paused",
    RecordingChange.RESUMED: "recording.resumed",
    RecordingChange.ENDED: "recording.ended",
    RecordingChange.DELETED: "recording.deleted",
}
EVENTS: Final = frozenset({*NAMES.values(), USAGE, LESSON_REMINDER, *RECORDING_NAMES.values()})

# The waits between attempts double from the first to the last of these.
FIRST_RETRY_S: Final = 5.0
LAST_RETRY_S: Final = 3600.0
GIVE_UP_AFTER_S: Final = 3 * 86_400.0

# Gone (RFC 9110, section 15.5.11): Standard Webhooks has receivers unsubscribe so.
_GONE: Final = 410

_PREFIX: Final = "whsec_"

_encode: Final = msgspec.json.Encoder().encode


class SessionHooks:
    """The endpoints of all tenants in memory, and the deliveries to them."""

    def __init__(self, endpoints: WebhookEndpoints) -> None:
        """Nothing is sent before `load`."""
        self._store = endpoints
        self._by_tenant: dict[TenantId, list[WebhookEndpoint]] = {}

    async def load(self) -> None:
        """Read the endpoints; after each change. StoreError."""
        found: dict[TenantId, list[WebhookEndpoint]] = {}
        for endpoint in await self._store.list(KIND):
            found.setdefault(TenantId(endpoint.settings["tenant"]), []).append(endpoint)
        self._by_tenant = found

    def of(self, tenant: TenantId) -> list[WebhookEndpoint]:
        """Return a tenant's endpoints, oldest first; the only access to them."""
        return list(self._by_tenant.get(tenant, ()))

    async def put(self, endpoint: WebhookEndpoint) -> None:
        """Store an endpoint. StoreError."""
        await self._store.put(endpoint)
        await self.load()

    async def delete(self, endpoint: WebhookEndpoint) -> None:
        """Delete an endpoint, with what waits for it. StoreError."""
        await self._store.delete(endpoint.id)
        await self.load()

    def deliveries(
        self, tenant: TenantId, room: Classroom, after: int, events: Sequence[Event]
    ) -> list[NewDelivery]:
        """Return the deliveries about new events of a session."""
        endpoints = [each for each in self._by_tenant.get(tenant, ()) if not each.paused]
        if not endpoints:
            return []
        made: list[NewDelivery] = []
        for seq, event in enumerate(events, after + 1):
            name = NAMES.get(type(event))
            wanting = [each for each in endpoints if name in _wanted(each)] if name else []
            if name and wanting:
                event_id = _event_id(f"{room.session.id}/{seq}")
                body = _body(room, seq, event, name, event_id)
                made += [NewDelivery(each.id, room.session.id, event_id, name, body) for each in wanting]
            if isinstance(event, session.Ended):
                made += _usage(room, seq, event, [each for each in endpoints if USAGE in _wanted(each)])
        return made

    def lesson_deliveries(
        self, tenant: TenantId, tutor: PersonId, series: schedule.Series, reminder: schedule.Reminder
    ) -> list[NewDelivery]:
        """Return the deliveries about a lesson of a timetable that begins soon."""
        lesson = reminder.occurrence
        place = f"{tenant}/{tutor}/{lesson.series}/{lesson.key}/{lesson.starts_at}/{reminder.before_s}"
        event_id = _event_id(place)
        content = {
            "type": LESSON_REMINDER,
            "id": event_id,
            "timestamp": reminder.at,
            "data": {"tutor": tutor, "series": series, "lesson": lesson, "before_s": reminder.before_s},
        }
        body = _encode(content).decode()
        return [
            NewDelivery(each.id, f"schedule/{tutor}", event_id, LESSON_REMINDER, body)
            for each in self._by_tenant.get(tenant, ())
            if not each.paused and LESSON_REMINDER in _wanted(each)
        ]


def _wanted(endpoint: WebhookEndpoint) -> Iterable[str]:
    return endpoint.settings.get("events") or EVENTS


def _event_id(place: str) -> str:
    return f"msg_{hashlib.sha256(place.encode()).hexdigest()[:24]}"


def _usage(
    room: Classroom, seq: int, event: session.Ended, endpoints: Sequence[WebhookEndpoint]
) -> list[NewDelivery]:
    times = attendance.total_times(room.attendance, room.people.everyone, room.at)
    taught_s = session.taught_s(room.session, room.at)
    fields = {"lesson_s": round(taught_s, 3), "attended_s": round(sum(times), 3), "people": len(times)}
    event_id = _event_id(f"{room.session.id}/{seq}{USAGE}")
    body = _body(room, seq, event, USAGE, event_id, fields)
    return [NewDelivery(each.id, room.session.id, event_id, USAGE, body) for each in endpoints]


def _body(  # noqa: PLR0913, PLR0917 - the parts of a message
    room: Classroom,
    seq: int,
    event: Event,
    name: str,
    event_id: str,
    content_of_event: Mapping[str, Any] | None = None,
) -> str:
    state = room.session
    fields: Mapping[str, Any] = content_of_event or msgspec.to_builtins(event)
    content = {
        "type": name,
        "id": event_id,
        "timestamp": event.at,
        "data": {
            "session": {
                "id": state.id,
                "external_id": state.external_id,
                "title": state.title,
                "phase": state.phase,
                "owner": state.owner,
            },
            "seq": seq,
            "event": {field: value for field, value in fields.items() if field not in {"type", "v", "code"}},
        },
    }
    return _encode(content).decode()


class SessionWebhooks:
    """The `WebhookApi` of sessions."""

    kind = KIND

    def message(self, _entry: LogEntry, _event_id: str) -> WebhookMessage | None:
        """Return None: other webhooks follow from the logs of sessions (`SessionHooks`), not of meetings."""
        return None

    def recording_message(
        self, recording: Recording, change: RecordingChange, event_id: str, at: float
    ) -> WebhookMessage | None:
        """Return the message about a change of a session's recording; None for other recordings and changes."""
        name, session_id = RECORDING_NAMES.get(change), session_of(recording.room)
        if name is None or session_id is None:
            return None
        details = recording.details
        content = {
            "type": name,
            "id": event_id,
            "timestamp": at,
            "data": {
                "session": {"id": session_id},
                "recording": {
                    "id": recording.id,
                    "status": recording.status,
                    "started_at": recording.started_at,
                    "ended_at": recording.ended_at,
                    "length_s": details.get("length_s", 0.0),
                    "octets": details.get("octets", 0),
                    "reason": details.get("reason", ""),
                },
            },
        }
        return WebhookMessage(
            name, f"recording/{recording.id}", _encode(content).decode(), str(details.get("tenant", ""))
        )

    def wants(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> bool:
        """Whether the endpoint is the tenant's, and subscribed to such events."""
        return endpoint.settings["tenant"] == message.owner and message.event in _wanted(endpoint)

    def headers(self, endpoint: WebhookEndpoint, body: bytes, now: float) -> Mapping[str, str]:
        """Return the headers of an attempt, with its signature."""
        message_id = str(msgspec.json.decode(body)["id"])
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": sign(endpoint.secrets["secret"], message_id, int(now), body),
            "User-Agent": "Lectern",
        }

    def judge(
        self, _endpoint: WebhookEndpoint, delivery: Delivery, status: int | None, now: float
    ) -> Outcome:
        """Retry for three days; after a 410 (Gone) nothing more is sent."""
        if status is not None and 200 <= status < 300:
            return Outcome(delivered=True)
        if status == _GONE:
            return Outcome(delivered=False, pause=True)
        if now - delivery.created_at > GIVE_UP_AFTER_S:
            return Outcome(delivered=False)
        retry_in_s = min(FIRST_RETRY_S * 2 ** min(delivery.attempts, 30), LAST_RETRY_S)
        return Outcome(delivered=False, retry_in_s=retry_in_s)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a webhook: HMAC-SHA256 over id, time and body with dots between."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def new_secret(random: bytes) -> str:
    """Return a secret out of 24 to 64 random bytes."""
    return _PREFIX + base64.b64encode(random).decode()
