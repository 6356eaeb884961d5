"""What can happen while a client is away: the rows of `test_absence`, one or more for each kind of message."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from livekit.protocol import models, rtc

from sfu.values import CodecMissing, QualityChanged, Speaker, SpeakersChanged, SubscriptionPaused
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import FakeOutbox, FrontendHarness, Person
from tests.signaling.livekit.connections.client_view import ClientView

LAYERS = [
    models.VideoLayer(quality=quality, width=160 << quality, height=90 << quality) for quality in range(3)
]


class Class:
    """A publisher `tutor` with microphone and camera, and those who watch; all of them publish a track, too."""

    def __init__(self, harness: FrontendHarness) -> None:
        self.harness = harness
        self.people: dict[str, Person] = {}
        self.views: dict[str, ClientView] = {}
        self.claims: dict[str, Any] = {}

    async def enter(self, *identities: str, **fields: Any) -> None:
        for identity in identities:
            self.people[identity] = await self.harness.join(identity, auto_data=True, **fields)
            self.views[identity] = ClientView()
            self.claims[identity] = self.people[identity].connection.claims

    async def offer(self, *identities: str) -> None:
        for identity in identities:
            person = self.people[identity]
            sent = [
                f"{track.spec.client_id}={track.mid}"
                for track in person.connection.participant.tracks.values()
            ]
            await person.offer(" ".join(("a9 v9", *sent)))

    async def publish(self, identity: str, name: str, kind: Any = models.TrackType.VIDEO) -> str:
        layers = LAYERS if kind == models.TrackType.VIDEO else []
        source = models.TrackSource.CAMERA if layers else models.TrackSource.MICROPHONE
        return await self.people[identity].publish(name, kind, name=name, source=source, layers=layers)

    def sid(self, name: str, identity: str = "tutor") -> str:
        tracks = self.people[identity].connection.participant.tracks.values()
        return next(track.sid for track in tracks if track.spec.name == name)

    def participant(self, identity: str) -> Any:
        return self.people[identity].connection.participant

    def speak(self, level: float, identity: str = "tutor") -> None:
        speaker = Speaker(self.sid("mic", identity), level, level > 0)
        self.harness.media.emit(SpeakersChanged(self.participant(identity).room.sid, (speaker,)))

    def read(self, identity: str) -> ClientView:
        """Have a client apply what it was sent since the last time."""
        person = self.people[identity]
        view = self.views[identity].apply(person.outbox.messages)
        person.clear()
        return view

    def lose(self, identity: str) -> None:
        person = self.people[identity]
        self.harness.livekit.lifecycle.socket_closed(person.connection, person.outbox)

    def resume(self, identity: str) -> None:
        person = self.people[identity]
        person.outbox = FakeOutbox()
        self.views[identity].resumed()
        claims, lifecycle = self.claims[identity], self.harness.livekit.lifecycle
        if lifecycle.resume(claims, person.sid, person.outbox) is None:
            reason = lifecycle.refusal(claims, person.sid)
            person.outbox.messages.append(rtc.SignalResponse(leave=_leave(reason)))


def _leave(reason: LeaveReason) -> rtc.LeaveRequest:
    from signaling.livekit.messages import convert

    return convert.leave(reason)


Step = Callable[[Class], Awaitable[None]]


async def nothing(_room: Class) -> None:
    return


@dataclass(frozen=True)
class Row:
    """One thing that happens while a client is away."""

    kind: str
    "The kind of message that tells of it."
    entry: str
    "Where the client keeps it: one who was there must have heard of it."
    happens: Step
    before: Step = nothing
    "While everybody is there."
    fresh: bool = True
    "Whether those who join afterwards end with the same state; else they have tracks and connections of their own."
    ends: bool = False
    "What happens is that an entry disappears."


ROWS: list[Row] = []


def row(kind: str, entry: str, **fields: Any) -> Callable[[Step], Step]:
    def register(step: Step) -> Step:
        ROWS.append(Row(kind, entry, step, **fields))
        return step

    return register


SUBJECTS = ("stay", "away")


# --- participants and the room -------------------------------------------------------------------


@row("update", "people")
async def a_profile_changes(room):
    room.harness.rooms.update_profile(
        room.participant("tutor"), name="Ada", metadata="m", attributes={"a": "b"}
    )


@row("update", "people")
async def someone_comes_and_someone_goes(room):
    await room.enter("new")
    await room.people["old"].send(leave=rtc.LeaveRequest())


@row("update", "people")
async def a_track_is_muted(room):
    await room.people["tutor"].send(mute=rtc.MuteTrackRequest(sid=room.sid("mic"), muted=True))


@row("update", "people")
async def a_track_ends(room):
    room.harness.publishing.unpublish(room.participant("tutor"), room.sid("cam"))


@row("update", "people")
async def a_publisher_reloads(room):
    await room.enter("tutor")
    await room.publish("tutor", "mic", models.TrackType.AUDIO)


@row("room_update", "room")
async def the_rooms_metadata_changes(room):
    room.harness.rooms.update_metadata(room.participant("tutor").room, "maths")


@row("room_update", "room")
async def the_room_grows(room):
    await room.enter("new")


# --- speakers ------------------------------------------------------------------------------------


async def tutor_speaks(room):
    room.speak(0.5)


@row("speakers_changed", "speaking")
async def somebody_begins_to_speak(room):
    room.speak(0.5)


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def somebody_stops(room):
    room.speak(0.0)


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_unpublishes(room):
    room.harness.publishing.unpublish(room.participant("tutor"), room.sid("mic"))


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_leaves(room):
    await room.people["tutor"].send(leave=rtc.LeaveRequest())


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_loses_the_right(room):
    room.harness.rooms.set_permissions(room.participant("tutor"), Permissions(can_publish=False))


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_becomes_hidden(room):
    room.harness.rooms.set_permissions(room.participant("tutor"), Permissions(hidden=True))


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_is_moved(room):
    room.harness.rooms.move(room.participant("tutor"), room.harness.rooms.open_room("other"))


async def nobody_may_receive(room):
    await room.people["tutor"].send(subscription_permission=rtc.SubscriptionPermission())


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True)
async def a_speaker_allows_nobody_any_longer(room):
    await nobody_may_receive(room)


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True, fresh=False)
async def the_listeners_unsubscribe(room):
    for identity in SUBJECTS:
        room.harness.subscribing.request(room.participant(identity), room.sid("mic"), False)
        room.harness.subscribing.request(room.participant(identity), room.sid("cam"), False)


@row("speakers_changed", "speaking", before=tutor_speaks, ends=True, fresh=False)
async def the_listeners_may_not_subscribe_any_longer(room):
    for identity in SUBJECTS:
        room.harness.rooms.set_permissions(room.participant(identity), Permissions(can_subscribe=False))


# --- what is measured ----------------------------------------------------------------------------


async def tutors_link_is_poor(room):
    room.harness.media.emit(QualityChanged(room.people["tutor"].sid, "poor"))


@row("connection_quality", "quality")
async def a_connection_becomes_poor(room):
    await tutors_link_is_poor(room)


@row("connection_quality", "quality", before=tutors_link_is_poor)
async def a_connection_recovers(room):
    room.harness.media.emit(QualityChanged(room.people["tutor"].sid, "good"))


@row("connection_quality", "quality", before=tutors_link_is_poor)
async def nothing_changes_in_a_poor_connection(room):
    return


@row("connection_quality", "quality", fresh=False)
async def the_own_connection_becomes_poor(room):
    for identity in SUBJECTS:
        room.harness.media.emit(QualityChanged(room.people[identity].sid, "poor"))


async def camera_is_paused(room):
    for identity in SUBJECTS:
        room.harness.media.emit(SubscriptionPaused(room.people[identity].sid, room.sid("cam"), paused=True))


@row("stream_state_update", "paused", fresh=False)
async def bandwidth_stops_a_track(room):
    await camera_is_paused(room)


@row("stream_state_update", "paused", before=camera_is_paused, ends=True, fresh=False)
async def a_paused_track_flows_again(room):
    for identity in SUBJECTS:
        room.harness.media.emit(SubscriptionPaused(room.people[identity].sid, room.sid("cam"), paused=False))


# --- subscriptions -------------------------------------------------------------------------------


@row("subscription_permission_update", "refused")
async def a_publisher_refuses_everybody(room):
    await nobody_may_receive(room)


@row("subscription_permission_update", "refused", before=nobody_may_receive, ends=True)
async def a_publisher_allows_again(room):
    permission = rtc.SubscriptionPermission(all_participants=True)
    await room.people["tutor"].send(subscription_permission=permission)


@row("subscription_permission_update", "refused", before=nobody_may_receive)
async def a_refused_track_is_joined_by_another(room):
    await room.publish("tutor", "screen")


@row("subscription_response", "failed", fresh=False)
async def a_codec_cannot_be_taken(room):
    for identity in SUBJECTS:
        room.harness.media.emit(CodecMissing(room.people[identity].sid, room.sid("cam")))


@row("media_sections_requirement", "sections", fresh=False)
async def another_track_needs_a_section(room):
    for name in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"):
        await room.publish("tutor", name)


async def tutor_publishes_data(room):
    request = rtc.PublishDataTrackRequest(pub_handle=1, name="sensor")
    await room.people["tutor"].send(publish_data_track_request=request)


@row("data_track_subscriber_handles", "handles")
async def a_data_track_is_published(room):
    await tutor_publishes_data(room)


@row("data_track_subscriber_handles", "handles", before=tutor_publishes_data, ends=True)
async def a_data_track_ends(room):
    request = rtc.UnpublishDataTrackRequest(pub_handle=1)
    await room.people["tutor"].send(unpublish_data_track_request=request)


# --- own tracks and rights -----------------------------------------------------------------------


@row("refresh_token", "token", fresh=False)
async def own_rights_change(room):
    for identity in SUBJECTS:
        permissions = Permissions(can_publish_data=False)
        room.harness.rooms.set_permissions(room.participant(identity), permissions)


@row("mute", "muted by the server", fresh=False)
async def the_server_mutes_a_track(room):
    for identity in SUBJECTS:
        track_sid = room.sid("mic", identity)
        room.harness.publishing.set_muted(room.participant(identity), track_sid, True, by_server=True)


@row("track_unpublished", "taken down", fresh=False)
async def the_server_takes_tracks_down(room):
    for identity in SUBJECTS:
        permissions = Permissions(can_publish=False)
        room.harness.rooms.set_permissions(room.participant(identity), permissions)


async def nobody_watches(room):
    for viewer in tuple(room.people):
        for publisher in SUBJECTS:
            room.harness.subscribing.request(room.participant(viewer), room.sid("owncam", publisher), False)
    room.harness.advance(20)


async def tutor_watches(room):
    for publisher in SUBJECTS:
        room.harness.subscribing.request(room.participant("tutor"), room.sid("owncam", publisher), True)


@row("subscribed_quality_update", "wanted", before=nobody_watches, fresh=False)
async def somebody_watches_again(room):
    await tutor_watches(room)


@row("subscribed_quality_update", "wanted", fresh=False)
async def nobody_watches_any_longer(room):
    await nobody_watches(room)


@row("subscribed_quality_update", "wanted", fresh=False)
async def somebody_wants_less(room):
    await nobody_watches(room)
    await tutor_watches(room)
    for publisher in SUBJECTS:
        settings = rtc.UpdateTrackSettings(
            track_sids=[room.sid("owncam", publisher)], quality=models.VideoQuality.MEDIUM
        )
        await room.people["tutor"].send(track_setting=settings)
    room.harness.advance(20)


async def nobody_receives_a_new_track_yet(room):
    for publisher, other in (SUBJECTS, SUBJECTS[::-1]):
        sid = await room.publish(publisher, "new")
        room.harness.subscribing.request(room.participant(other), sid, False)
    await room.offer(*SUBJECTS)


@row("track_subscribed", "subscribed", before=nobody_receives_a_new_track_yet, fresh=False)
async def a_first_subscriber_comes(room):
    await room.offer("tutor")


# --- answers that are due when the WebSocket is gone ---------------------------------------------


@row("track_published", "published", fresh=False)
async def a_request_to_publish_is_answered(room):
    for identity in SUBJECTS:
        request = rtc.AddTrackRequest(cid="late", type=models.TrackType.VIDEO, name="late")
        await room.people[identity].send(add_track=request)


@row("request_response", "answers", fresh=False)
async def a_request_is_refused(room):
    for identity in SUBJECTS:
        request = rtc.UpdateParticipantMetadata(name="x", request_id=7)
        await room.people[identity].send(update_metadata=request)


@row("subscription_response", "failed", fresh=False)
async def a_wish_fails(room):
    for identity in SUBJECTS:
        room.harness.subscribing.request(room.participant(identity), "TR_never", True)
    # The participant itself would be given up at the same time.
    room.harness.timers.cancel(room.people["away"].sid, "signal")
    room.harness.advance(60)


@row("publish_data_track_response", "own data tracks", fresh=False)
async def a_data_track_is_accepted(room):
    for identity in SUBJECTS:
        request = rtc.PublishDataTrackRequest(pub_handle=3, name="own")
        await room.people[identity].send(publish_data_track_request=request)


@row("unpublish_data_track_response", "own data tracks", fresh=False)
async def a_data_track_comes_and_goes(room):
    await a_data_track_is_accepted(room)
    for identity in SUBJECTS:
        request = rtc.UnpublishDataTrackRequest(pub_handle=3)
        await room.people[identity].send(unpublish_data_track_request=request)


# --- the end, and another room -------------------------------------------------------------------


@row("leave", "leave", fresh=False)
async def the_application_removes_both(room):
    for identity in SUBJECTS:
        room.harness.rooms.leave(room.participant(identity), LeaveReason.REMOVED)


@row("leave", "leave", fresh=False)
async def the_room_is_deleted(room):
    room.harness.rooms.close_room(room.participant("tutor").room, LeaveReason.ROOM_DELETED)


@row("room_moved", "room", fresh=False)
async def both_are_moved(room):
    for identity in SUBJECTS:
        room.harness.rooms.move(room.participant(identity), room.harness.rooms.open_room("other"))
