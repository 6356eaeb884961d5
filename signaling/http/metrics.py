"""The server's metrics, in Prometheus' text format at `/metrics`.

Numbers that exist elsewhere (the engine's, the rooms') are read on request; the rest is counted here.
"""

import hmac
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from signaling.errors import StoreError
from signaling.http.api import bearer
from signaling.http.headers import SECURITY_HEADERS
from signaling.rooms.events import EventHub, ParticipantActive, ParticipantJoined, ParticipantLeft, RoomEvent
from signaling.rooms.model import ParticipantState
from signaling.rooms.rooms import Rooms

# A join takes 0.2 s on a local network and a second across the world; the server gives up after 60 s.
_JOIN_BUCKETS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
_DATABASE_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20)

# Names of the engine's figures: counters, as against gauges.
_DROPPED, _PACKETS = "dropped_", "packets_"
_RESTARTED = {
    "workers_restarted": "Workers that were replaced.",
    "recorders_restarted": "Recorders that were replaced.",
}

Figures = Callable[[], Mapping[str, float]]


class Metrics:
    """The registry of one server, and its endpoint."""

    def __init__(self, token: str, *, open_to_all: bool = False) -> None:
        """`token` allows reading; if it is empty, nobody may read unless the metrics are open to all."""
        self._token = token.encode()
        self._open_to_all = open_to_all
        self._registry = CollectorRegistry()
        self._awaited: list[tuple[Gauge, Callable[[], Awaitable[float]]]] = []
        ProcessCollector(registry=self._registry)
        self._joins = Counter("lectern_joins", "Participants who joined.", registry=self._registry)
        self._leaves = Counter(
            "lectern_leaves", "Participants who left, by reason.", ["reason"], registry=self._registry
        )
        self._join_seconds = Histogram(
            "lectern_join_seconds",
            "From joining to a media connection that is up.",
            buckets=_JOIN_BUCKETS_S,
            registry=self._registry,
        )
        self._database_seconds = Histogram(
            "lectern_database_seconds",
            "Transactions, the wait for a connection included, by outcome.",
            ["outcome"],
            buckets=_DATABASE_BUCKETS_S,
            registry=self._registry,
        )
        self._webhooks = Counter(
            "lectern_webhook_attempts",
            "Webhooks sent, by API and outcome: delivered, failed (and tried again), given_up.",
            ["api", "outcome"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "lectern_http_request_seconds",
            "HTTP requests but WebSockets, by route and status.",
            ["method", "route", "status"],
            buckets=_REQUEST_BUCKETS_S,
            registry=self._registry,
        )

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the endpoint."""
        router.add_get("/metrics", self.read)

    async def read(self, request: web.Request) -> web.Response:
        """Return all metrics."""
        given = bearer(request).encode(errors="surrogateescape")
        if not self._open_to_all and not (self._token and hmac.compare_digest(given, self._token)):
            return web.Response(status=404, text="not found", headers=SECURITY_HEADERS)
        for gauge, figure in self._awaited:
            try:
                gauge.set(await figure())
            except StoreError:
                gauge.set(math.nan)
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        headers = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store", hdrs.CONTENT_TYPE: content_type}
        return web.Response(body=encode(self._registry), headers=headers)

    # --- read on request -------------------------------------------------------------------------

    def show_rooms(self, rooms: Rooms) -> None:
        """Export the numbers of rooms and participants."""
        self._registry.register(_Reader(lambda: _room_figures(rooms)))

    def show_media(self, media: Figures, data_drops: Figures) -> None:
        """Export the engine's metrics, and the data packets that were not relayed, by reason."""
        self._registry.register(_Reader(lambda: _media_figures(media(), data_drops())))

    def show(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Export a gauge."""
        Gauge(f"lectern_{name}", meaning, registry=self._registry).set_function(read)

    def show_later(self, name: str, meaning: str, read: Callable[[], Awaitable[float]]) -> None:
        """Export a gauge that is awaited; it is NaN when the store fails."""
        gauge = Gauge(f"lectern_{name}", meaning, registry=self._registry)
        self._awaited.append((gauge, read))

    # --- counted here ----------------------------------------------------------------------------

    def count_people(self, hub: EventHub) -> None:
        """Count joins and leaves."""
        hub.observe(self._on_event)

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantJoined):
            self._joins.inc()
        elif isinstance(event, ParticipantActive):
            person = event.participant
            # A clock that was set back meanwhile must not break a histogram.
            self._join_seconds.observe(max(person.connected_at - person.joined_at, 0.0))
        elif isinstance(event, ParticipantLeft):
            self._leaves.labels(event.reason.name.lower()).inc()

    def transaction(self, seconds: float, *, failed: bool) -> None:
        """Count a transaction."""
        self._database_seconds.labels("failed" if failed else "done").observe(seconds)

    def webhook(self, api: str, outcome: str) -> None:
        """Count an attempt to deliver a webhook."""
        self._webhooks.labels(api, outcome).inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; `route` is the route's pattern, not the requested path."""
        self._request_seconds.labels(method, route, status).observe(seconds)


class _Reader(Collector):
    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        # Said, so that registering need not read.
        return []

    def collect(self) -> Iterator[Metric]:
        return self._read()


def _room_figures(rooms: Rooms) -> Iterator[Metric]:
    opened = rooms.rooms
    yield GaugeMetricFamily("lectern_rooms", "Open rooms.", len(opened))
    people = GaugeMetricFamily("lectern_participants", "People in rooms, by state.", labels=["state"])
    states = [person.state for room in opened for person in room.participants.values()]
    for state in (ParticipantState.JOINED, ParticipantState.ACTIVE):
        people.add_metric([state.name.lower()], states.count(state))
    yield people


def _media_figures(media: Mapping[str, float], data_drops: Mapping[str, float]) -> Iterator[Metric]:
    drops = CounterMetricFamily(
        "lectern_media_packets_dropped", "Packets that were not forwarded, by reason.", labels=["reason"]
    )
    packets = CounterMetricFamily("lectern_media_packets", "Packets, by what was done.", labels=["action"])
    for name, value in media.items():
        if name.startswith(_DROPPED):
            drops.add_metric([name.removeprefix(_DROPPED)], value)
        elif name.startswith(_PACKETS):
            packets.add_metric([name.removeprefix(_PACKETS)], value)
        elif name in _RESTARTED:
            yield CounterMetricFamily(f"lectern_media_{name}", _RESTARTED[name], value)
        else:
            yield GaugeMetricFamily(f"lectern_media_{name}", "A figure of the media engine.", value)
    yield drops
    yield packets
    data = CounterMetricFamily(
        "lectern_data_packets_dropped", "Data packets that were not relayed, by reason.", labels=["reason"]
    )
    for reason, count in data_drops.items():
        data.add_metric([reason], count)
    yield data
