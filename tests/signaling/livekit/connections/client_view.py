"""What a LiveKit client believes, from the messages it was sent, as LiveKit's JavaScript client applies them."""

from copy import deepcopy
from typing import Any

from google.protobuf.json_format import MessageToDict
from livekit.protocol import models, rtc

from signaling.access import tokens

DISCONNECTED = models.ParticipantInfo.DISCONNECTED


class ClientView:
    """State by kind of message. People and tracks appear by name, since sids differ from one connection to the next."""

    def __init__(self) -> None:
        self.own = ""
        self.people: dict[str, models.ParticipantInfo] = {}
        self.names: dict[str, str] = {}
        "Names of everything that was ever seen, by sid."
        self.state: dict[str, Any] = {}
        self.openings: list[str] = []

    def apply(self, messages: list[rtc.SignalResponse]) -> "ClientView":
        for message in messages:
            kind = message.WhichOneof("message")
            assert self.openings or kind in {"join", "reconnect", "leave"}, f"{kind} came first"
            content = getattr(message, kind)
            handler = getattr(self, f"on_{kind}", None)
            if handler is not None:
                handler(content)
        return self

    def resumed(self) -> "ClientView":
        self.openings.clear()
        return self

    def result(self) -> dict[str, Any]:
        """Everything, without empty entries."""
        others = {}
        for info in self.people.values():
            shown = MessageToDict(info)
            for volatile in ("sid", "version", "joinedAt", "joinedAtMs"):
                shown.pop(volatile, None)
            if info.sid == self.own:
                # A client knows what it publishes from the answers to its requests.
                for known in ("tracks", "dataTracks", "isPublisher"):
                    shown.pop(known, None)
            for track in (*shown.get("tracks", ()), *shown.get("dataTracks", ())):
                track.pop("sid")
            others[info.identity] = shown
        return {"people": others} | {kind: deepcopy(value) for kind, value in self.state.items() if value}

    def name(self, sid: str) -> str:
        """Return a name that is the same for all clients; fails for what this client never heard of."""
        return "me" if sid == self.own else self.names[sid]

    def _entry(self, kind: str) -> dict[str, Any]:
        return self.state.setdefault(kind, {})

    # --- openings and the room -------------------------------------------------------------------

    def on_join(self, join: rtc.JoinResponse) -> None:
        self.openings.append("join")
        self.own = join.participant.sid
        self._replace(join.participant, join.other_participants, join.room)

    def on_reconnect(self, _reconnect: rtc.ReconnectResponse) -> None:
        self.openings.append("reconnect")

    def on_room_moved(self, moved: rtc.RoomMovedResponse) -> None:
        self.state.clear()
        self._replace(moved.participant, moved.other_participants, moved.room)
        self.on_refresh_token(moved.token)

    def _replace(self, own: models.ParticipantInfo, others: Any, room: models.Room) -> None:
        self.people.clear()
        for info in (own, *others):
            self._see(info)
        self.on_room_update(rtc.RoomUpdate(room=room))

    def on_room_update(self, update: rtc.RoomUpdate) -> None:
        room = update.room
        self.state["room"] = (room.name, room.metadata, room.num_participants, room.num_publishers)

    def on_leave(self, leave: rtc.LeaveRequest) -> None:
        self.openings.append("leave")
        self.state["leave"] = (leave.reason, leave.action)

    def on_refresh_token(self, token: str) -> None:
        claims = tokens.verify(token, {"devkey": "secret"}, 0.0 + _nbf(token))
        self.state["token"] = (claims.room, claims.name, claims.permissions)

    # --- participants ----------------------------------------------------------------------------

    def on_update(self, update: rtc.ParticipantUpdate) -> None:
        for info in update.participants:
            known = self.people.get(info.sid)
            if info.state == DISCONNECTED:
                self.people.pop(info.sid, None)
            elif known is None or info.version >= known.version:
                self._see(info)

    def _see(self, info: models.ParticipantInfo) -> None:
        for other in tuple(self.people.values()):
            if other.identity == info.identity and other.sid != info.sid:
                del self.people[other.sid]
        self.people[info.sid] = info
        self.names[info.sid] = info.identity
        for track in (*info.tracks, *info.data_tracks):
            self.names.setdefault(track.sid, f"{info.identity} {track.name}")

    def on_speakers_changed(self, changed: rtc.SpeakersChanged) -> None:
        speaking = self._entry("speaking")
        for speaker in changed.speakers:
            if speaker.sid not in self.people:
                continue  # A client ignores what it hears of strangers, and so keeps an old speaker.
            if speaker.active:
                speaking[self.name(speaker.sid)] = round(speaker.level, 3)
            else:
                speaking.pop(self.name(speaker.sid), None)

    def on_connection_quality(self, update: rtc.ConnectionQualityUpdate) -> None:
        for info in update.updates:
            if info.participant_sid in self.people:
                self._entry("quality")[self.name(info.participant_sid)] = info.quality

    # --- own tracks ------------------------------------------------------------------------------

    def on_track_published(self, published: rtc.TrackPublishedResponse) -> None:
        self.names[published.track.sid] = published.track.name
        self._entry("published")[published.cid] = published.track.name

    def on_track_unpublished(self, unpublished: rtc.TrackUnpublishedResponse) -> None:
        self._entry("taken down")[self.names[unpublished.track_sid]] = True

    def on_mute(self, mute: rtc.MuteTrackRequest) -> None:
        self._entry("muted by the server")[self.names[mute.sid]] = mute.muted

    def on_track_subscribed(self, subscribed: rtc.TrackSubscribed) -> None:
        self._entry("subscribed")[self.names[subscribed.track_sid]] = True

    def on_subscribed_quality_update(self, update: rtc.SubscribedQualityUpdate) -> None:
        wanted = [quality.enabled for quality in update.subscribed_qualities]
        self._entry("wanted")[self.names[update.track_sid]] = wanted

    def on_request_response(self, response: rtc.RequestResponse) -> None:
        self._entry("answers")[response.request_id] = response.reason

    def on_publish_data_track_response(self, response: rtc.PublishDataTrackResponse) -> None:
        self._entry("own data tracks")[response.info.name] = True

    def on_unpublish_data_track_response(self, response: rtc.UnpublishDataTrackResponse) -> None:
        self._entry("own data tracks")[response.info.name] = False

    # --- received tracks -------------------------------------------------------------------------

    def on_stream_state_update(self, update: rtc.StreamStateUpdate) -> None:
        for each in update.stream_states:
            paused = self._entry("paused")
            if each.state == rtc.StreamState.PAUSED:
                paused[self.names[each.track_sid]] = True
            else:
                paused.pop(self.names[each.track_sid], None)

    def on_subscription_permission_update(self, update: rtc.SubscriptionPermissionUpdate) -> None:
        refused = self._entry("refused")
        if update.allowed:
            refused.pop(self.names[update.track_sid], None)
        else:
            refused[self.names[update.track_sid]] = True

    def on_subscription_response(self, response: rtc.SubscriptionResponse) -> None:
        self._entry("failed")[self.names.get(response.track_sid, response.track_sid)] = response.err

    def on_media_sections_requirement(self, requirement: rtc.MediaSectionsRequirement) -> None:
        self.state["sections"] = (requirement.num_audios, requirement.num_videos)

    def on_answer(self, _answer: rtc.SessionDescription) -> None:
        self.state.pop("sections", None)

    def on_data_track_subscriber_handles(self, handles: rtc.DataTrackSubscriberHandles) -> None:
        self.state["handles"] = {self.names[track.track_sid] for track in handles.sub_handles.values()}


def _nbf(token: str) -> float:
    import base64
    import json

    body = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["nbf"])
