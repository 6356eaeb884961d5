"""LiveKit's webhooks: its messages made of the event log, its signature, and how often it is tried."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf import json_format
from livekit.protocol import models, webhook

from signaling import tokens
from signaling.errors import ConfigError, DeliveryError
from signaling.livekit.convert import LEAVES, SOURCE_VALUES, mime_type, permission, room_message
from signaling.model import LeaveReason
from signaling.outgoing import check_url
from signaling.permissions import Permissions, Source
from signaling.store import Delivery, Endpoint, LogEntry
from signaling.store.endpoints import Endpoints
from signaling.webhooks import Notice, Verdict

KIND = "livekit"

CONTENT_TYPE = "application/webhook+json"

# LiveKit's.
TOKEN_TTL_S = 300.0

# The waits between attempts double from the first to the last of these, as LiveKit's do.
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0

# LiveKit gives up after four retries; what is kept on the disk can wait for an application to be restarted.
GIVE_UP_AFTER_S = 3600.0

# Other refusals (status 4xx) will be the same the next time.
_WORTH_A_RETRY = frozenset({408, 425, 429})

_END_REASONS = {
    LeaveReason.ROOM_CLOSED.name: models.ROOM_END_IDLE_TIMEOUT,
    LeaveReason.ROOM_DELETED.name: models.ROOM_END_API_DELETE,
    LeaveReason.SERVER_SHUTDOWN.name: models.ROOM_END_SERVER_SHUTDOWN,
}


class LiveKitWebhooks:
    """The `WebhookApi` of LiveKit."""

    kind = KIND

    def __init__(self, signer: Callable[[], tokens.Signer]) -> None:
        """`signer` returns the API key that signs now."""
        self._signer = signer

    def notice(self, entry: LogEntry, event_id: str) -> Notice | None:
        """Return LiveKit's message about an entry; None for what LiveKit does not tell."""
        describe = _MESSAGES.get(entry.kind)
        if describe is None:
            return None
        message, resource = describe(entry.data)
        message.id = event_id
        message.created_at = int(entry.at)
        return Notice(message.event, resource, json_format.MessageToJson(message, indent=None))

    def wants(self, _endpoint: Endpoint, _notice: Notice) -> bool:
        """LiveKit's endpoints get everything."""
        return True

    def headers(self, _endpoint: Endpoint, body: bytes, now: float) -> dict[str, str]:
        """Return the headers, with the token that holds the body's hash. There is no "Bearer" before it."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        token = tokens.mint({"sha256": digest}, self._signer(), now, TOKEN_TTL_S)
        return {"Content-Type": CONTENT_TYPE, "Authorization": token, "User-Agent": "LiveKit"}

    def judge(self, _endpoint: Endpoint, delivery: Delivery, status: int | None, now: float) -> Verdict:
        """Try again later what may get through then."""
        if status is not None and status < 300:
            return Verdict(delivered=True)
        hopeless = status is not None and status < 500 and status not in _WORTH_A_RETRY
        if hopeless or now - delivery.created_at > GIVE_UP_AFTER_S:
            return Verdict(delivered=False)
        return Verdict(
            delivered=False, retry_in_s=min(FIRST_RETRY_S * 2 ** min(delivery.attempts, 30), LAST_RETRY_S)
        )


def parse_urls(text: str) -> list[tuple[str, str]]:
    """Return room and address of each entry; the room is empty where an address stands alone. ConfigError."""
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
        parsed.append((room, url))
    return parsed


def parse_events(text: str) -> list[str]:
    """Return the events that are named. ConfigError."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    unknown = set(named) - EVENTS
    if unknown:
        raise ConfigError(f"webhook_events: there is no {min(unknown)}, but {', '.join(sorted(EVENTS))}")
    return named


async def configure(
    endpoints: Endpoints, urls: Sequence[tuple[str, str]], events: Sequence[str], now: float
) -> None:
    """Make LiveKit's endpoints those of the configuration; what waits for others is dropped. StoreError."""
    wanted = {_endpoint_id(room, url): (room, url) for room, url in urls}
    known = {each.id: each for each in await endpoints.list(KIND)}
    for endpoint_id in known.keys() - wanted.keys():
        await endpoints.delete(endpoint_id)
    for endpoint_id, (room, url) in wanted.items():
        new = Endpoint(endpoint_id, KIND, url, {}, now, room)
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
    }
)

_Message = tuple[webhook.WebhookEvent, str]
"The message, and the resource that it is about."


def _room_event(name: str) -> Callable[[Mapping[str, Any]], _Message]:
    def describe(data: Mapping[str, Any]) -> _Message:
        room = data["room"]
        message = webhook.WebhookEvent(event=name, room=room_message(room))
        message.room_end_reason = _END_REASONS.get(data.get("reason", ""), models.ROOM_END_UNKNOWN)
        return message, f"room/{room['name']}"

    return describe


def _joined(data: Mapping[str, Any]) -> _Message:
    return _about_person("participant_joined", data, _person(data["participant"]))


def _left(data: Mapping[str, Any]) -> _Message:
    info = _person(data["participant"])
    info.state = models.ParticipantInfo.DISCONNECTED
    info.disconnect_reason = LEAVES[LeaveReason[data.get("reason", LeaveReason.MOVED.name)]][0]
    # LiveKit tells of a join once media is connected, and so has another word for who never came that far.
    connected = data["participant"]["connected_at"] > 0
    return _about_person("participant_left" if connected else "participant_connection_aborted", data, info)


def _about_person(name: str, data: Mapping[str, Any], info: models.ParticipantInfo) -> _Message:
    room = data["room"]
    message = webhook.WebhookEvent(event=name, room=room_message(room), participant=info)
    return message, f"participant/{room['sid']}/{info.identity}"


def _track_event(name: str) -> Callable[[Mapping[str, Any]], _Message]:
    def describe(data: Mapping[str, Any]) -> _Message:
        # Like LiveKit's, these name the room and the participant and say no more of them.
        room, person, track = data["room"], data["participant"], data["track"]
        message = webhook.WebhookEvent(
            event=name,
            room=models.Room(sid=room["sid"], name=room["name"]),
            participant=models.ParticipantInfo(sid=person["sid"], identity=person["identity"]),
            track=_track(track),
        )
        return message, f"track/{track['sid']}"

    return describe


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], _Message]] = {
    "room_started": _room_event("room_started"),
    "room_finished": _room_event("room_finished"),
    "participant_active": _joined,
    "participant_moved_in": _joined,
    "participant_moved_out": _left,
    "participant_left": _left,
    "track_published": _track_event("track_published"),
    "track_unpublished": _track_event("track_unpublished"),
}


def _person(values: Mapping[str, Any]) -> models.ParticipantInfo:
    grants = {
        **values["permissions"],
        "can_publish_sources": tuple(map(Source, values["permissions"]["can_publish_sources"])),
    }
    return models.ParticipantInfo(
        sid=values["sid"],
        identity=values["identity"],
        name=values["name"],
        state=values["state"],
        metadata=values["metadata"],
        attributes=values["attributes"],
        joined_at=int(values["joined_at"]),
        joined_at_ms=int(values["joined_at"] * 1000),
        version=values["version"],
        permission=permission(Permissions(**grants)),
        is_publisher=values["is_publisher"],
        kind=values["kind"].upper(),
    )


def _track(values: Mapping[str, Any]) -> models.TrackInfo:
    is_audio = values["kind"] == "audio"
    layers = [
        models.VideoLayer(quality=quality, width=each["width"], height=each["height"], rid=each["rid"])
        for quality, each in zip(("LOW", "MEDIUM", "HIGH"), values["layers"], strict=False)
    ]
    return models.TrackInfo(
        sid=values["sid"],
        type=models.TrackType.AUDIO if is_audio else models.TrackType.VIDEO,
        source=SOURCE_VALUES[Source(values["source"])],
        name=values["name"],
        muted=values["muted"],
        width=values["width"],
        height=values["height"],
        mid=values["mid"],
        mime_type=mime_type(values["codec"], values["kind"]) if values["codec"] else "",
        simulcast=len(layers) > 1,
        layers=layers,
        stereo=values["stereo"],
        disable_dtx=is_audio and not values["dtx"],
        disable_red=is_audio and not values["red"],
    )
