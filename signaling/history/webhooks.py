"""Webhooks of all APIs: entries of the event log and changes of recordings become deliveries to webhook endpoints.

A delivery is stored in the transaction of its entry, or of its recording's row (`store.outbox`), so a killed server
sends it after its restart. Delivery is at least once: a receiver gets a delivery again if the server dies between the
response and the commit that records it. Deliveries to one endpoint about one resource keep their order; endpoints do
not wait for each other, and deliveries about other resources wait for one round of attempts at most.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from signaling.errors import DeliveryError, StoreError
from signaling.history.attempts import Attempts
from signaling.store import Delivery, LogEntry, NewDelivery, SettledDelivery, Store, WebhookEndpoint
from signaling.store.meetings.entries import room_name
from signaling.store.records import Recording, RecordingChange

log = logging.getLogger(__name__)

# Concurrent requests to one endpoint, so that a class that joins does not flood it.
MAX_PARALLEL = 8

# Time between attempts while the database fails.
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """An API's webhook about an entry of the event log, or about a recording."""

    event: str
    "The API's name for the event."
    resource: str
    "The participant, track, room or recording that it is about; see `NewDelivery.resource`."
    body: str
    "The request body."
    owner: str = ""
    "Id of the API key whose room it is about; empty: any key may see the room."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an attempt."""

    delivered: bool
    "Whether the receiver accepted it."
    retry_in_s: float | None = None
    "If not delivered: time until the next attempt; None: the delivery is given up."
    pause: bool = False
    "Whether to send nothing more to the endpoint until the application ends the pause."


class WebhookApi(Protocol):
    """Format and rules of one API's webhooks; pure and stateless."""

    @property
    def kind(self) -> str:
        """The `WebhookEndpoint.kind` of its endpoints."""

    def message(self, entry: LogEntry, event_id: str) -> WebhookMessage | None:
        """Return the API's message about an entry; None if the API does not report such entries."""

    def recording_message(
        self, recording: Recording, change: RecordingChange, event_id: str, at: float
    ) -> WebhookMessage | None:
        """Return the API's message about a change of a recording, given its row after the change.

        `at` is the time of the change in seconds since 1970. None if the API does not report this.
        """

    def wants(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> bool:
        """Whether the message is for this endpoint."""

    def headers(self, endpoint: WebhookEndpoint, body: bytes, now: float) -> Mapping[str, str]:
        """Return the request headers of an attempt, with its signature."""

    def judge(self, endpoint: WebhookEndpoint, delivery: Delivery, status: int | None, now: float) -> Outcome:
        """Return the outcome of an attempt; `status` is None if there was no response."""


Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]


def event_id(entry: LogEntry) -> str:
    """Return the id of the webhooks about an entry, the same for each API and each attempt."""
    return _event_id(entry.session_sid, entry.seq)


def _event_id(*place: object) -> str:
    digest = hashlib.sha256("/".join(map(str, place)).encode()).hexdigest()
    return f"EV_{digest[:20]}"


class Webhooks:
    """Turns entries into deliveries, and sends the stored deliveries."""

    def __init__(
        self, store: Store, apis: Iterable[WebhookApi], post: Post, wall_clock: Callable[[], float]
    ) -> None:
        """`post` is `Outgoing.post`; `wall_clock` returns seconds since 1970."""
        self._store = store
        self._apis = {api.kind: api for api in apis}
        self._post = post
        self._wall_clock = wall_clock
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._finishing = False
        self.attempts = Attempts()
        "The last attempts, for administrators."
        self._observe: Callable[[str, str], None] = lambda _kind, _result: None
        # One event per endpoint that deliveries are being sent to.
        self._bells: dict[str, asyncio.Event] = {}

    def observe(self, observer: Callable[[str, str], None]) -> None:
        """Call `observer` after every attempt: the API's kind; delivered, failed or given_up."""
        self._observe = observer

    def deliveries(self, entry: LogEntry, endpoints: Sequence[WebhookEndpoint]) -> list[NewDelivery]:
        """Return the deliveries of an entry to the endpoints that want it; never fails."""
        number = event_id(entry)
        return self._made(number, room_name(entry.entry), endpoints, lambda api: api.message(entry, number))

    def recording_deliveries(
        self, recording: Recording, change: RecordingChange, endpoints: Sequence[WebhookEndpoint]
    ) -> list[NewDelivery]:
        """Return the deliveries of a change of a recording to the endpoints that want it; never fails."""
        at = self._wall_clock()
        number = _event_id(recording.id, change, recording.details.get("changes", 0))
        return self._made(
            number,
            recording.room,
            endpoints,
            lambda api: api.recording_message(recording, change, number, at),
        )

    def _made(
        self,
        number: str,
        room: str,
        endpoints: Sequence[WebhookEndpoint],
        make: Callable[[WebhookApi], WebhookMessage | None],
    ) -> list[NewDelivery]:
        made: list[NewDelivery] = []
        for kind, api in self._apis.items():
            own = [each for each in endpoints if each.kind == kind and each.room in {"", room}]
            if not own:
                continue
            try:
                message = make(api)
                wanting = [] if message is None else [each for each in own if api.wants(each, message)]
            except Exception:
                log.exception("failed to make a webhook of %s: %s", kind, number)
                continue
            if message is not None:
                made += [
                    NewDelivery(each.id, message.resource, number, message.event, message.body)
                    for each in wanting
                ]
        return made

    def wake(self) -> None:
        """Check for new deliveries."""
        self._idle.clear()
        self._news.set()
        for bell in self._bells.values():
            bell.set()

    async def idle(self) -> None:
        """Wait until no delivery is left to send; requires `run`."""
        await self._idle.wait()

    def finish(self) -> None:
        """Start no more attempts: `run` returns once those in progress are recorded."""
        self._finishing = True
        self.wake()

    async def run(self) -> None:
        """Send deliveries until `finish` is called."""
        self._news.set()  # deliveries of an earlier run
        async with asyncio.TaskGroup() as tasks:
            while not self._finishing:
                await self._news.wait()
                self._news.clear()
                try:
                    waiting = await self._store.outbox.waiting()
                except Exception as error:
                    log.warning(
                        "webhooks are waiting for the database: %s",
                        error,
                        exc_info=not isinstance(error, StoreError),
                    )
                    tasks.create_task(self._look_again())
                    continue
                if not waiting and not self._bells and not self._news.is_set():
                    self._idle.set()
                for endpoint_id in waiting:
                    if endpoint_id not in self._bells:
                        self._bells[endpoint_id] = asyncio.Event()
                        tasks.create_task(self._serve(endpoint_id))

    async def _look_again(self) -> None:
        await asyncio.sleep(RETRY_S)
        self._news.set()

    async def _serve(self, endpoint_id: str) -> None:
        """Send to one endpoint until no delivery is stored for it."""
        try:
            while not self._finishing and await self._send_due(endpoint_id):
                pass
        except Exception as error:
            log.warning(
                "webhooks are waiting for the database: %s", error, exc_info=not isinstance(error, StoreError)
            )
            await asyncio.sleep(RETRY_S)
        finally:
            del self._bells[endpoint_id]
            # The next check finds a delivery that was added after the last one.
            self._news.set()

    async def _send_due(self, endpoint_id: str) -> bool:
        """Send the deliveries that are due, or wait until one is; return False if none is stored."""
        bell, outbox = self._bells[endpoint_id], self._store.outbox
        bell.clear()
        endpoint = await self._store.endpoints.get(endpoint_id)
        if endpoint is None or endpoint.paused:
            return False
        now = self._wall_clock()
        due = await outbox.due(endpoint_id, now, MAX_PARALLEL)
        if not due:
            at = await outbox.next_at(endpoint_id)
            if at is None:
                return False
            with suppress(TimeoutError):
                async with asyncio.timeout(at - now):
                    await bell.wait()
            return True
        api = self._apis.get(endpoint.kind)
        if api is None:
            log.warning("endpoint %s has an unknown kind, %s", endpoint_id, endpoint.kind)
            outcomes = [Outcome(delivered=False) for _ in due]
        else:
            outcomes = await asyncio.gather(*(self._attempt(api, endpoint, each) for each in due))
        at = self._wall_clock()
        settled = [
            SettledDelivery(
                delivery, outcome.delivered, None if outcome.retry_in_s is None else at + outcome.retry_in_s
            )
            for delivery, outcome in zip(due, outcomes, strict=True)
        ]
        await outbox.settle(endpoint_id, settled, at, pause=any(outcome.pause for outcome in outcomes))
        return True

    async def _attempt(self, api: WebhookApi, endpoint: WebhookEndpoint, delivery: Delivery) -> Outcome:
        body = delivery.content.body.encode()
        status, why = None, ""
        try:
            headers = api.headers(endpoint, body, self._wall_clock())
            status = await self._post(endpoint.url, body, headers)
        except DeliveryError as error:
            why = str(error)
        except Exception as error:
            # A fault of the program must neither delay nor repeat the other deliveries.
            log.exception("cannot send a webhook to endpoint %s", endpoint.id)
            why = type(error).__name__
        outcome = api.judge(endpoint, delivery, status, self._wall_clock())
        lost = outcome.retry_in_s is None
        result = "delivered" if outcome.delivered else "given_up" if lost else "failed"
        self._observe(api.kind, result)
        self.attempts.record(delivery, self._wall_clock(), result, why or str(status))
        if not outcome.delivered:
            log.warning(
                "webhook %s (%s) to endpoint %s, attempt %d: %s%s",
                delivery.content.event_id,
                delivery.content.event,
                endpoint.id,
                delivery.attempts + 1,
                why or f"status {status}",
                "; given up" if lost else "",
            )
        return outcome
