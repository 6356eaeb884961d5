"""Daily's calls about webhooks."""

import asyncio
import base64
import binascii
import secrets
import typing
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec

from signaling.daily.rest.domains import Domain
from signaling.daily.rest.errors import invalid, not_found
from signaling.daily.rest.javascript import iso, stringify
from signaling.daily.rest.style import Caller
from signaling.daily.webhooks import KIND, EventType, RetryType, headers
from signaling.errors import DeliveryError
from signaling.history.webhook_client import MAX_URL_CHARS
from signaling.history.webhooks import Post
from signaling.http.api import Route
from signaling.store import Store, WebhookEndpoint

# The test request that a receiver must answer with 200 before a webhook is created or changed, and its time limit.
PROBE = {"test": "test"}
PROBE_TIMEOUT_S = 8.0

SECRET_BYTES = 32

# Each receives the events of all rooms; Daily itself seems to allow one.
MAX_WEBHOOKS = 10

Id = Annotated[str, msgspec.Meta(max_length=64)]
Url = Annotated[str, msgspec.Meta(max_length=MAX_URL_CHARS)]
Text = Annotated[str, msgspec.Meta(max_length=1024)]
EventTypes = Annotated[list[EventType], msgspec.Meta(max_length=100)]


class NewWebhook(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A webhook to create."""

    url: Url
    basic_auth: Text | None = None
    "Name and password with a colon between."
    retry_type: RetryType | None = None
    event_types: EventTypes | None = None
    "All when absent."
    hmac: Text | None = None
    "The secret in base64; random if absent."


class WebhookChange(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is to be different."""

    url: Url | None = None
    basic_auth: Text | None = None
    retry_type: RetryType | None = None
    event_types: EventTypes | None = None
    hmac: Text | None = None


class WebhookAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A webhook."""

    uuid: str
    url: str
    hmac: str
    basic_auth: str | None
    retry_type: RetryType
    event_types: list[EventType]
    state: Literal["ACTIVE", "FAILED"]
    "Nothing is sent any more when failed, until it is changed."
    failed_count: int
    "Failures since the last success."
    last_moment_pushed: str | None
    domain_id: str
    created_at: str
    updated_at: str


class DeletedWebhook(msgspec.Struct, frozen=True):
    """A webhook that is no more."""

    deleted: bool
    uuid: str


class WebhookCalls:
    """The handlers."""

    def __init__(self, store: Store, post: Post, wall_clock: Callable[[], float]) -> None:
        """`post` is `Outgoing.post`; `wall_clock` is seconds since 1970."""
        self._store = store
        self._post = post
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such webhook"}
        return [
            Route("GET", "/webhooks", self.list_webhooks),
            Route("POST", "/webhooks", self.create_webhook),
            Route("GET", "/webhooks/{webhook}", self.get_webhook, absent),
            Route("POST", "/webhooks/{webhook}", self.update_webhook, absent),
            Route("DELETE", "/webhooks/{webhook}", self.delete_webhook, absent),
        ]

    async def list_webhooks(self, caller: Caller) -> list[WebhookAnswer]:
        """List webhooks, oldest first."""
        return [
            _answer(endpoint, caller)
            for endpoint in await self._store.endpoints.list(KIND)
            if _is_of(endpoint, caller.domain)
        ]

    async def create_webhook(self, caller: Caller, body: NewWebhook) -> WebhookAnswer:
        """Make a webhook; its receiver has to answer 200 to a test first."""
        if len(await self.list_webhooks(caller)) >= MAX_WEBHOOKS:
            raise invalid(f"a domain has at most {MAX_WEBHOOKS} webhooks")
        settings = {
            "domain": caller.domain.name,
            "retryType": body.retry_type or "circuit-breaker",
            "eventTypes": body.event_types or list(typing.get_args(EventType)),
        }
        signing = {"hmac": _secret(body.hmac), "basicAuth": body.basic_auth or ""}
        made = WebhookEndpoint(
            str(uuid.uuid4()), KIND, body.url, settings, self._wall_clock(), secrets=signing
        )
        return await self._keep(caller, made)

    async def get_webhook(self, caller: Caller, webhook: Id) -> WebhookAnswer:
        """Return a webhook."""
        return _answer(await self._find(caller, webhook), caller)

    async def update_webhook(self, caller: Caller, webhook: Id, body: WebhookChange) -> WebhookAnswer:
        """Change a webhook, and resume it if it had failed; its receiver is tested again."""
        endpoint = await self._find(caller, webhook)
        given = {"retryType": body.retry_type, "eventTypes": body.event_types}
        signing = {
            "hmac": None if body.hmac is None else _secret(body.hmac),
            "basicAuth": body.basic_auth,
        }
        changed = replace(
            endpoint,
            url=body.url or endpoint.url,
            settings=_changed(endpoint.settings, given),
            secrets=_changed(endpoint.secrets, signing),
            failures=0,
            paused=False,
        )
        return await self._keep(caller, changed)

    async def delete_webhook(self, caller: Caller, webhook: Id) -> DeletedWebhook:
        """Delete a webhook, and what waits for it."""
        endpoint = await self._find(caller, webhook)
        await self._store.endpoints.delete(endpoint.id)
        return DeletedWebhook(deleted=True, uuid=endpoint.id)

    async def _find(self, caller: Caller, webhook: str) -> WebhookEndpoint:
        endpoint = await self._store.endpoints.get(webhook)
        if endpoint is None or endpoint.kind != KIND or not _is_of(endpoint, caller.domain):
            raise not_found(f"webhook {webhook} not found")
        return endpoint

    async def _keep(self, caller: Caller, endpoint: WebhookEndpoint) -> WebhookAnswer:
        await self._probe(endpoint)
        settings = {**endpoint.settings, "updatedAt": self._wall_clock()}
        kept = replace(endpoint, settings=settings)
        await self._store.endpoints.put(kept)
        return _answer(kept, caller)

    async def _probe(self, endpoint: WebhookEndpoint) -> None:
        body = stringify(PROBE).encode()
        sent = headers(endpoint.secrets, body, self._wall_clock())
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                status = await self._post(endpoint.url, body, sent)
        except TimeoutError as error:
            raise invalid(f"the url did not answer within {PROBE_TIMEOUT_S:.0f} s") from error
        except DeliveryError as error:
            raise invalid(f"the url cannot be sent to: {error}") from error
        if status != 200:
            raise invalid(f"the url has to answer a test with status 200, and answered {status}")


def _secret(given: str | None) -> str:
    if given is None:
        return base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    try:
        usable = bool(base64.b64decode(given, validate=True))
    except (binascii.Error, ValueError):
        usable = False
    if not usable:
        raise invalid("hmac must be base64")
    return given


def _changed(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {**before, **{name: value for name, value in given.items() if value is not None}}


def _is_of(endpoint: WebhookEndpoint, domain: Domain) -> bool:
    return bool(endpoint.settings["domain"] == domain.name)


def _answer(endpoint: WebhookEndpoint, caller: Caller) -> WebhookAnswer:
    settings = endpoint.settings
    return WebhookAnswer(
        uuid=endpoint.id,
        url=endpoint.url,
        hmac=endpoint.secrets.get("hmac", ""),
        basic_auth=endpoint.secrets.get("basicAuth") or None,
        retry_type=settings["retryType"],
        event_types=settings["eventTypes"],
        state="FAILED" if endpoint.paused else "ACTIVE",
        failed_count=endpoint.failures,
        last_moment_pushed=None if endpoint.last_at is None else iso(endpoint.last_at),
        domain_id=caller.domain.id,
        created_at=iso(endpoint.created_at),
        updated_at=iso(settings["updatedAt"]),
    )
