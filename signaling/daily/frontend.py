"""Daily's front end put together."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
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
from signaling.daily.rest.transcript_calls import TranscriptCalls
from signaling.daily.rest.webhook_calls import WebhookCalls
from signaling.daily.retention import TranscriptRetention
from signaling.daily.rooms import DailyRooms
from signaling.daily.transcription import DailyTranscription
from signaling.daily.transcripts import Transcripts
from signaling.daily.webhooks import KIND, Announcement, DailyWebhooks
from signaling.errors import StoreError
from signaling.history.webhooks import Post
from signaling.http.api import Api
from signaling.ids import TenantId
from signaling.limits import Limits
from signaling.recordings.speech.captions import Captions
from signaling.rooms.services import Services
from signaling.store import Store
from signaling.store.records import NewDelivery
from signaling.store.tenants import tenant_name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DailySettings:
    """The part of the configuration that the front end needs."""

    keys: Mapping[str, str]
    "Secrets of API keys by their ids, as they are now."
    public_url: str
    "See `endpoint.style`; may be empty."
    limits: Limits | None = None
    "Rate limits of the calls."
    language: str = ""
    "Of live captions (ISO 639-1); empty: detected."
    transcript_days: int = 0
    "Days after their end for which transcripts are stored; 0: for ever."


class DailyFrontend:
    """Daily's view of the domain, and its REST API."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that Daily's API uses
        self,
        services: Services,
        store: Store,
        post: Post,
        settings: DailySettings,
        recorded: RecordingParts,
        captions: Captions,
    ) -> None:
        """`post` is `Outgoing.post`."""
        self._store = store
        self._wall_clock = services.wall_clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_deliveries: Callable[[], None] = lambda: None
        "Called after webhooks about transcripts were stored."
        self.domains = Domains(settings.keys)
        self.rooms = DailyRooms(store, services.rooms)
        services.hub.rule(Exits(services.rooms).on_event)
        services.hub.observe(Notices(services.moderation, services.rooms).on_event)
        self.recordings = DailyRecordings(recorded)
        transcripts = Transcripts(store)
        self.transcription = DailyTranscription(
            services,
            captions,
            transcripts,
            lambda: str(uuid.uuid4()),
            settings.language,
            self._announce,
        )
        self._retention = TranscriptRetention(
            store,
            transcripts,
            lambda: [domain.name for domain in self.domains],
            settings.transcript_days,
            services.wall_clock,
        )
        calls = (
            RoomCalls(self.rooms, services.wall_clock),
            PeopleCalls(services, self.rooms),
            MeetingCalls(store, services.wall_clock),
            TokenCalls(self.domains, self.rooms, services.wall_clock),
            WebhookCalls(store, post, services.wall_clock),
            RecordingCalls(services, self.rooms, store, self.recordings, recorded),
            TranscriptCalls(services, self.rooms, self.domains, self.transcription, transcripts),
            AbsentCalls(services, self.rooms),
        )
        routes = [route for each in calls for route in each.routes()]
        self.api = Api(style(self.domains, settings.public_url), routes, settings.limits)

    async def start(self) -> None:
        """Report what an earlier server left. StoreError."""
        await self.transcription.recover([domain.name for domain in self.domains])
        self._retention.start()

    async def erase(self, tenant: TenantId, person: str) -> None:
        """Erase what a person said in the meetings of a tenant's domain. StoreError."""
        for domain in tuple(self.domains):
            if tenant_name(domain.name, "") == tenant:
                await self.transcription.erase(domain.name, person)

    async def finish(self) -> None:
        """Wait until transcripts and the webhooks about them are stored."""
        await self._retention.close()
        await self.transcription.finish()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _announce(self, announcement: Announcement) -> None:
        """Store the webhooks of an announcement."""
        task = asyncio.get_running_loop().create_task(self._store_deliveries(announcement))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store_deliveries(self, announcement: Announcement) -> None:
        room, event_id, message = announcement
        api = DailyWebhooks()
        try:
            endpoints = await self._store.endpoints.list(KIND)
            new = [
                NewDelivery(each.id, message.resource, event_id, message.event, message.body)
                for each in endpoints
                if not each.paused and each.room in {"", room} and api.wants(each, message)
            ]
            await self._store.outbox.add(new, self._wall_clock())
        except StoreError as error:
            log.error("the webhook %s is not sent: %s", message.event, error)  # noqa: TRY400 - the cause is in the message
            return
        self.on_deliveries()
