"""Webhooks of all APIs: what endpoints are told of the event log, and the way of it to them.

What is to be told is written with the event itself (`store.outbox`), so a killed server sends it when it is back.
A receiver can get the same delivery twice, when the server dies between its answer and the note of it, and never
none. Deliveries to one endpoint about one resource follow each other; endpoints do not wait for each other, and
resources for an attempt at most.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from signaling.errors import DeliveryError, StoreError
from signaling.store import Delivery, Draft, Endpoint, LogEntry, Outcome, Store

log = logging.getLogger(__name__)

# Requests to one endpoint at the same time: a class that joins does not become a flood.
MAX_PARALLEL = 8

# Between attempts while the database fails.
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Notice:
    """What an API has to say about an entry of the event log."""

    event: str
    "The API's name for it."
    resource: str
    "What it is about; see `Draft.resource`."
    body: str
    "As it is sent."
    owner: str = ""
    "Id of the API key whose room it is about; empty: everybody's."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer, or none, means."""

    delivered: bool
    "The receiver has it."
    retry_in_s: float | None = None
    "Else the time to the next attempt; None gives the delivery up."
    pause: bool = False
    "Nothing more is to be sent to the endpoint, until somebody ends this."


class WebhookApi(Protocol):
    """How one API's webhooks look and behave; pure, and without state."""

    @property
    def kind(self) -> str:
        """`Endpoint.kind` of its endpoints."""

    def notice(self, entry: LogEntry, event_id: str) -> Notice | None:
        """Return what there is to say about an entry."""

    def wants(self, endpoint: Endpoint, notice: Notice) -> bool:
        """Whether an endpoint is to hear of it."""

    def headers(self, endpoint: Endpoint, body: bytes, now: float) -> Mapping[str, str]:
        """Return the headers of an attempt, with its signature."""

    def judge(self, endpoint: Endpoint, delivery: Delivery, status: int | None, now: float) -> Verdict:
        """Return what an attempt came to; `status` is None when there was no answer."""


Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]


def event_id(entry: LogEntry) -> str:
    """Return the id of what is told about an entry: the same whenever it is asked for."""
    digest = hashlib.sha256(f"{entry.session_sid}/{entry.seq}".encode()).hexdigest()
    return f"EV_{digest[:20]}"


class Webhooks:
    """Makes deliveries out of entries, and sends what is in the outbox."""

    def __init__(
        self, store: Store, apis: Iterable[WebhookApi], post: Post, wall_clock: Callable[[], float]
    ) -> None:
        """`post` is `Outgoing.post`; `wall_clock` is seconds since 1970."""
        self._store = store
        self._apis = {api.kind: api for api in apis}
        self._post = post
        self._wall_clock = wall_clock
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._finishing = False
        self._observe: Callable[[str, str], None] = lambda _kind, _outcome: None
        # One for each endpoint that is being served.
        self._bells: dict[str, asyncio.Event] = {}

    def observe(self, observer: Callable[[str, str], None]) -> None:
        """Tell `observer` of every attempt: the API's kind; delivered, failed or given_up."""
        self._observe = observer

    def announce(self, entry: LogEntry, endpoints: Sequence[Endpoint]) -> list[Draft]:
        """Return what endpoints are to be told of an entry; never fails."""
        drafts: list[Draft] = []
        for kind, api in self._apis.items():
            mine = [each for each in endpoints if each.kind == kind and each.room in {"", _room(entry)}]
            if not mine:
                continue
            number = event_id(entry)
            try:
                notice = api.notice(entry, number)
                told = [] if notice is None else [each for each in mine if api.wants(each, notice)]
            except Exception:
                log.exception("%s has no webhook of %s %d", kind, entry.session_sid, entry.seq)
                continue
            if notice is not None:
                drafts += [
                    Draft(each.id, notice.resource, number, notice.event, notice.body) for each in told
                ]
        return drafts

    def wake(self) -> None:
        """Look into the outbox, because there may be something new."""
        self._idle.clear()
        self._news.set()
        for bell in self._bells.values():
            bell.set()

    async def idle(self) -> None:
        """Wait until nothing is left to send; needs `run`."""
        await self._idle.wait()

    def finish(self) -> None:
        """Begin no more attempts: `run` ends after those under way, whose outcome is noted."""
        self._finishing = True
        self.wake()

    async def run(self) -> None:
        """Send until finished."""
        self._news.set()  # what an earlier run left
        async with asyncio.TaskGroup() as tasks:
            while not self._finishing:
                await self._news.wait()
                self._news.clear()
                try:
                    waiting = await self._store.outbox.waiting()
                except Exception as error:
                    log.warning("webhooks wait: %s", error, exc_info=not isinstance(error, StoreError))
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
        """Send to one endpoint until nothing waits for it."""
        try:
            while not self._finishing and await self._send_due(endpoint_id):
                pass
        except Exception as error:
            log.warning("webhooks wait: %s", error, exc_info=not isinstance(error, StoreError))
            await asyncio.sleep(RETRY_S)
        finally:
            del self._bells[endpoint_id]
            # What came in after the last look is for the next one.
            self._news.set()

    async def _send_due(self, endpoint_id: str) -> bool:
        """Send what is due, or wait until something is; False when nothing waits."""
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
            log.warning("endpoint %s is of an unknown kind, %s", endpoint_id, endpoint.kind)
            verdicts = [Verdict(delivered=False) for _ in due]
        else:
            verdicts = await asyncio.gather(*(self._attempt(api, endpoint, each) for each in due))
        at = self._wall_clock()
        outcomes = [
            Outcome(
                delivery, verdict.delivered, None if verdict.retry_in_s is None else at + verdict.retry_in_s
            )
            for delivery, verdict in zip(due, verdicts, strict=True)
        ]
        await outbox.settle(endpoint_id, outcomes, at, pause=any(verdict.pause for verdict in verdicts))
        return True

    async def _attempt(self, api: WebhookApi, endpoint: Endpoint, delivery: Delivery) -> Verdict:
        body = delivery.draft.body.encode()
        status, why = None, ""
        try:
            headers = api.headers(endpoint, body, self._wall_clock())
            status = await self._post(endpoint.url, body, headers)
        except DeliveryError as error:
            why = str(error)
        except Exception as error:
            # A fault of this program must not hold up, or repeat, the other deliveries.
            log.exception("webhook to endpoint %s", endpoint.id)
            why = type(error).__name__
        verdict = api.judge(endpoint, delivery, status, self._wall_clock())
        lost = verdict.retry_in_s is None
        self._observe(api.kind, "delivered" if verdict.delivered else "given_up" if lost else "failed")
        if not verdict.delivered:
            log.warning(
                "webhook %s (%s) to endpoint %s, attempt %d: %s%s",
                delivery.draft.event_id,
                delivery.draft.event,
                endpoint.id,
                delivery.attempts + 1,
                why or f"status {status}",
                "; given up" if lost else "",
            )
        return verdict


def _room(entry: LogEntry) -> str:
    room = entry.data.get("room")
    name = room.get("name") if isinstance(room, Mapping) else None
    return name if isinstance(name, str) else ""
