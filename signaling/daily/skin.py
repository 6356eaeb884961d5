"""Daily's skin put together."""

from collections.abc import Mapping

from signaling.api import Api
from signaling.daily.absent_calls import AbsentCalls
from signaling.daily.domains import Domains
from signaling.daily.endpoint import style
from signaling.daily.meeting_calls import MeetingCalls
from signaling.daily.notices import Notices
from signaling.daily.people_calls import PeopleCalls
from signaling.daily.room_calls import RoomCalls
from signaling.daily.rooms import DailyRooms
from signaling.daily.token_calls import TokenCalls
from signaling.limits import Limits
from signaling.services import Services
from signaling.store import Store


class DailySkin:
    """Daily's view of the domain, and its REST API."""

    def __init__(
        self,
        services: Services,
        store: Store,
        keys: Mapping[str, str],
        public_url: str,
        limits: Limits | None = None,
    ) -> None:
        """`keys` maps API keys to secrets; `public_url` may be empty, see `endpoint.style`."""
        self.domains = Domains(keys)
        self.rooms = DailyRooms(store, services.rooms)
        services.hub.listen(Notices(services.moderation).on_event)
        calls = (
            RoomCalls(self.rooms, services.wall_clock),
            PeopleCalls(services, self.rooms),
            MeetingCalls(store, services.wall_clock),
            TokenCalls(self.domains, self.rooms, services.wall_clock),
            AbsentCalls(services, self.rooms),
        )
        routes = [route for each in calls for route in each.routes()]
        self.api = Api(style(self.domains, public_url), routes, limits)
