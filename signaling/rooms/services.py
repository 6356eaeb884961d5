"""The domain put together: what every skin works on."""

from collections.abc import Callable
from dataclasses import dataclass

from sfu.facade import MediaEngine
from signaling.rooms.data_tracks import DataTracks
from signaling.rooms.demand import Demand
from signaling.rooms.events import EventHub
from signaling.rooms.forwarding import Forwarding
from signaling.rooms.ids import SidMaker
from signaling.rooms.links import Links
from signaling.rooms.media import MediaEvents
from signaling.rooms.moderation import Moderation
from signaling.rooms.publishing import Publishing
from signaling.rooms.rooms import Rooms
from signaling.rooms.subscribing import Subscribing
from signaling.timers import Timers


@dataclass(frozen=True, slots=True)
class Services:
    """The domain's services and what they share."""

    rooms: Rooms
    "Who is where."
    publishing: Publishing
    "Who sends what."
    subscribing: Subscribing
    "Who receives what."
    moderation: Moderation
    "What applications do to rooms."
    forwarding: Forwarding
    "Who is seen in another room too."
    data_tracks: DataTracks
    "Who sends and receives which frames of data."
    media: MediaEngine
    "The engine."
    media_events: MediaEvents
    "What the engine reports."
    hub: EventHub
    "What happens in rooms."
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
    """Return the domain around a media engine. Time and randomness are the caller's."""
    hub = EventHub()
    rooms = Rooms(media, hub, timers, wall_clock, new_sid)
    # These are rules of the hub, in this order: when a permission is taken away, first tracks end, then subscriptions.
    # Front ends, the journal and the metrics observe, and so hear of it afterwards.
    publishing = Publishing(rooms, media, hub, timers, new_sid)
    publishing.listen(media_events)
    subscribing = Subscribing(rooms, media, hub, timers)
    subscribing.listen(media_events)
    forwarding = Forwarding(rooms, media, hub)
    Demand(hub, timers).listen(media_events)
    Links(rooms, media_events)
    moderation = Moderation(rooms, hub)
    return Services(
        rooms,
        publishing,
        subscribing,
        moderation,
        forwarding,
        DataTracks(hub, new_sid),
        media,
        media_events,
        hub,
        timers,
        wall_clock,
    )
