"""Where an application hears of sessions."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final, Protocol

import msgspec

from classroom.errors import Code, LimitReached, NotAllowed
from signaling.errors import DeliveryError
from signaling.history.attempts import Attempts
from signaling.history.webhook_client import MAX_URL_CHARS, check_url
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.path_ids import Id
from signaling.store import WebhookEndpoint
from signaling.store.webhooks.delivery_queue import DeliveryQueue
from signaling.teaching.hooks import EVENTS, KIND, SessionHooks, new_secret
from signaling.teaching.names import new_id

# Of one answer; hours of retries for a school.
MAX_WAITING: Final = 50
# Each hears of every session of the tenant.
MAX_ENDPOINTS: Final = 10
SECRET_BYTES: Final = 32


class Sender(Protocol):
    """The part of `signaling.history.webhooks.Webhooks` that these calls need."""

    @property
    def attempts(self) -> Attempts:
        """The last attempts of each endpoint."""

    def wake(self) -> None:
        """Check for new deliveries."""


class NewEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that webhooks are sent to."""

    url: Annotated[str, msgspec.Meta(max_length=MAX_URL_CHARS)]
    events: Annotated[list[str], msgspec.Meta(max_length=100)] = []
    "Such as session.ended; empty: all."


class EndpointAnswer(msgspec.Struct, frozen=True):
    """An address that webhooks are sent to."""

    id: str
    url: str
    events: list[str]
    paused: bool
    "The receiver answered 410 (Gone); nothing is sent until it is resumed."
    failures: int
    "Attempts without success since the last one with."
    created_at: float
    secret: str = ""
    "Signs the webhooks; shown once, when the address is added."


class EndpointList(msgspec.Struct, frozen=True):
    """The tenant's addresses, oldest first."""

    data: list[EndpointAnswer]


class WaitingDelivery(msgspec.Struct, frozen=True):
    """A delivery that is still to be made."""

    event_id: str
    event: str
    created_at: float
    attempts: int
    "So far, without success."
    next_at: float
    "When it is due; later if an earlier delivery about the same session is not done."


class AttemptItem(msgspec.Struct, frozen=True):
    """An attempt to deliver."""

    event_id: str
    event: str
    at: float
    number: int
    "From 1."
    result: str
    "`delivered`, `failed` (another attempt follows) or `given_up`."
    answer: str
    "The HTTP status of the receiver, or why there was none."


class DeliveryList(msgspec.Struct, frozen=True):
    """The deliveries to an endpoint."""

    waiting: list[WaitingDelivery]
    "The oldest."
    attempts: list[AttemptItem]
    "The last ones since the server's start, the newest first."


class SentAgain(msgspec.Struct, frozen=True):
    """A delivery that is due now."""

    event_id: str


class DeletedEndpoint(msgspec.Struct, frozen=True):
    """An address that hears nothing more."""

    id: str
    deleted: bool


class WebhookCalls:
    """The handlers."""

    def __init__(
        self, hooks: SessionHooks, outbox: DeliveryQueue, sender: Sender, wall_clock: Callable[[], float]
    ) -> None:
        """`sender` sends what is in `outbox`; `wall_clock` is seconds since 1970."""
        self._hooks = hooks
        self._outbox = outbox
        self._sender = sender
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such endpoint"}
        return [
            Route("POST", "/webhook-endpoints", self.create, {409: "there are too many"}, status=201),
            Route("GET", "/webhook-endpoints", self.list),
            Route("POST", "/webhook-endpoints/{endpoint}/resume", self.resume, absent),
            Route("DELETE", "/webhook-endpoints/{endpoint}", self.delete, absent),
            Route("GET", "/webhook-endpoints/{endpoint}/deliveries", self.deliveries, absent),
            Route(
                "POST",
                "/webhook-endpoints/{endpoint}/deliveries/{event}/send-again",
                self.send_again,
                {404: "there is no such endpoint, or the server no longer knows the delivery"},
            ),
        ]

    async def create(self, caller: Caller, body: NewEndpoint) -> EndpointAnswer:
        """Add an address that hears of all sessions of the tenant."""
        _require_manager(caller)
        if len(self._hooks.of(caller.tenant)) >= MAX_ENDPOINTS:
            raise LimitReached(Code.TOO_MANY, f"There may be {MAX_ENDPOINTS} endpoints at most.")
        unknown = sorted(set(body.events) - EVENTS)
        if unknown:
            raise ApiError(400, "invalid", f"There is no event {unknown[0][:64]!r}.")
        try:
            check_url(body.url)
        except DeliveryError as error:
            raise ApiError(400, "bad_link", f"The address cannot be sent to: {error}.") from error
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        settings = {"tenant": caller.tenant, "events": body.events}
        made = WebhookEndpoint(
            new_id("we_"), KIND, body.url, settings, self._wall_clock(), secrets={"secret": secret}
        )
        await self._hooks.put(made)
        return msgspec.structs.replace(_answer(made), secret=secret)

    async def list(self, caller: Caller) -> EndpointList:
        """List the addresses of the tenant."""
        _require_manager(caller)
        await self._hooks.load()
        return EndpointList([_answer(each) for each in self._hooks.of(caller.tenant)])

    async def resume(self, caller: Caller, endpoint: Id) -> EndpointAnswer:
        """Send to a paused address again."""
        resumed = replace(self._find(caller, endpoint), paused=False, failures=0)
        await self._hooks.put(resumed)
        return _answer(resumed)

    async def delete(self, caller: Caller, endpoint: Id) -> DeletedEndpoint:
        """Remove an address, with what waits for it."""
        await self._hooks.delete(self._find(caller, endpoint))
        return DeletedEndpoint(endpoint, deleted=True)

    async def deliveries(self, caller: Caller, endpoint: Id) -> DeliveryList:
        """List the deliveries to an address that wait, and the last attempts."""
        self._find(caller, endpoint)
        waiting = [
            WaitingDelivery(
                each.content.event_id, each.content.event, each.created_at, each.attempts, next_at
            )
            for each, next_at in await self._outbox.queued(endpoint, MAX_WAITING)
        ]
        attempts = [
            AttemptItem(
                each.content.event_id, each.content.event, each.at, each.number, each.result, each.answer
            )
            for each in self._sender.attempts.of(endpoint)
        ]
        return DeliveryList(waiting, attempts)

    async def send_again(self, caller: Caller, endpoint: Id, event: Id) -> SentAgain:
        """Deliver an event again at once, with the same id. A delivery that waits is not delivered twice."""
        self._find(caller, endpoint)
        now = self._wall_clock()
        if not await self._outbox.hurry(endpoint, event, now):
            sent = next(
                (each for each in self._sender.attempts.of(endpoint) if each.content.event_id == event), None
            )
            if sent is None:
                raise ApiError(404, "delivery_not_found", "The server does not know this delivery any more.")
            await self._outbox.add([sent.content], now)
        self._sender.wake()
        return SentAgain(event)

    def _find(self, caller: Caller, endpoint_id: str) -> WebhookEndpoint:
        _require_manager(caller)
        found = next((each for each in self._hooks.of(caller.tenant) if each.id == endpoint_id), None)
        if found is None:
            raise ApiError(404, "endpoint_not_found", "There is no such endpoint.")
        return found


def _require_manager(caller: Caller) -> None:
    if not caller.manages:
        raise NotAllowed(Code.NOT_ALLOWED, "Only administrators and the application manage webhooks.")


def _answer(endpoint: WebhookEndpoint) -> EndpointAnswer:
    return EndpointAnswer(
        id=endpoint.id,
        url=endpoint.url,
        events=list(endpoint.settings.get("events", ())),
        paused=endpoint.paused,
        failures=endpoint.failures,
        created_at=endpoint.created_at,
    )
