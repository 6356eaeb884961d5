"""The domain's services put together, as the front ends use them."""

from collections.abc import Callable
from dataclasses import dataclass

from sfu.facade import MediaEngine
from signaling.rooms.data_tracks import DataTracks
from signaling.rooms.demand import Demand
from signaling.rooms.events import EventHub
from signaling.rooms.forwarding import Forwarding
from signaling.rooms.links import Links
from signaling.rooms.media import MediaEvents
from signaling.rooms.moderation import Moderation
from signaling.rooms.publishing import Publishing
from signaling.rooms.rooms import Rooms
from signaling.rooms.sids import SidMaker
from signaling.rooms.subscribing import Subscribing
from signaling.timers import Timers


@dataclass(frozen=True, slots=True)
class Services:
    """The domain's services and what they share."""

    rooms: Rooms
    "Rooms and participants."
    publishing: Publishing
    "Published tracks."
    subscribing: Subscribing
    "Subscriptions."
    demand: Demand
    "What publishers are asked to send."
    moderation: Moderation
    "Commands of applications and moderators."
    forwarding: Forwarding
    "Mirrors in other rooms."
    data_tracks: DataTracks
    "Data tracks and their recipients."
    media: MediaEngine
    "The media engine."
    media_events: MediaEvents
    "Events of the engine."
    hub: EventHub
    "Events of rooms."
    timers: Timers
    "Deadlines."
    wall_clock: Callable[[], float]
    "Seconds since 1970."


def build_services(
    media: MediaEngine,
    media_events: MediaEvents,
    timers: Timers,
    wall_clock: Callable[[], float],
    new_sid: SidMaker,
) -> Services:
    """Build the domain around a media engine. The caller passes time and randomness in."""
    hub = EventHub()
    rooms = Rooms(media, hub, timers, wall_clock, new_sid)
    # These are rules of the hub, in this order: when a permission is withdrawn, tracks end first, then subscriptions.
    # Front ends, the journal and the metrics observe, and so are notified afterwards.
    publishing = Publishing(rooms, media, hub, timers, new_sid)
    publishing.listen(media_events)
    subscribing = Subscribing(rooms, media, hub, timers)
    subscribing.listen(media_events)
    forwarding = Forwarding(rooms, media, hub)
    demand = Demand(hub, timers)
    demand.listen(media_events)
    Links(rooms, media_events)
    moderation = Moderation(rooms, hub)
    return Services(
        rooms,
        publishing,
        subscribing,
        demand,
        moderation,
        forwarding,
        DataTracks(hub, new_sid),
        media,
        media_events,
        hub,
        timers,
        wall_clock,
    )
