"""Daily's front end put together."""

from collections.abc import Mapping
from dataclasses import dataclass

from signaling.daily.door.exits import Exits
from signaling.daily.notices import Notices
from signaling.daily.recordings import DailyRecordings, RecordingParts
from signaling.daily.rest.absent_calls import AbsentCalls
from signaling.daily.rest.domains import Domains
from signaling.daily.rest.meeting_calls import MeetingCalls
from signaling.daily.rest.people_calls import PeopleCalls
from signaling.daily.rest.recording_calls import RecordingCalls
from signaling.daily.rest.room_calls import RoomCalls
from signaling.daily.rest.style import style
from signaling.daily.rest.token_calls import TokenCalls
from signaling.daily.rest.webhook_calls import WebhookCalls
from signaling.daily.rooms import DailyRooms
from signaling.history.webhooks import Post
from signaling.http.api import Api
from signaling.limits import Limits
from signaling.rooms.services import Services
from signaling.store import Store


@dataclass(frozen=True, slots=True)
class DailySettings:
    """The part of the configuration that the front end needs."""

    keys: Mapping[str, str]
    "Secrets of API keys by their ids, as they are now."
    public_url: str
    "See `endpoint.style`; may be empty."
    limits: Limits | None = None
    "Rate limits of the calls."


class DailyFrontend:
    """Daily's view of the domain, and its REST API."""

    def __init__(
        self, services: Services, store: Store, post: Post, settings: DailySettings, recorded: RecordingParts
    ) -> None:
        """`post` is `Outgoing.post`."""
        self.domains = Domains(settings.keys)
        self.rooms = DailyRooms(store, services.rooms)
        services.hub.rule(Exits(services.rooms).on_event)
        services.hub.observe(Notices(services.moderation, services.rooms).on_event)
        self.recordings = DailyRecordings(recorded)
        calls = (
            RoomCalls(self.rooms, services.wall_clock),
            PeopleCalls(services, self.rooms),
            MeetingCalls(store, services.wall_clock),
            TokenCalls(self.domains, self.rooms, services.wall_clock),
            WebhookCalls(store, post, services.wall_clock),
            RecordingCalls(services, self.rooms, store, self.recordings, recorded),
            AbsentCalls(services, self.rooms),
        )
        routes = [route for each in calls for route in each.routes()]
        self.api = Api(style(self.domains, settings.public_url), routes, settings.limits)
