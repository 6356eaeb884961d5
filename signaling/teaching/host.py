"""Teaching sessions at run time, put together: what the server starts and stops."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from classroom.features import session
from signaling.access.sign_ins import SignIns
from signaling.errors import StoreError
from signaling.rooms.services import Services
from signaling.store import Store
from signaling.store.blobs import BlobFolder
from signaling.teaching import recovery
from signaling.teaching.boards.exporter import BoardExporter
from signaling.teaching.boards.merger import BoardMerger
from signaling.teaching.deadlines import Deadlines
from signaling.teaching.delivery import Delivery
from signaling.teaching.files.session_files import SessionFiles
from signaling.teaching.files.slide_maker import SlideMaker
from signaling.teaching.files.sweep import EVERY_S, sweep
from signaling.teaching.hooks import SessionHooks
from signaling.teaching.live import Committed
from signaling.teaching.mail.reminders import no_mails, session_mails
from signaling.teaching.mail.sender import MailSender, MailSettings
from signaling.teaching.media import MediaBridge
from signaling.teaching.people.privacy import Privacy
from signaling.teaching.people.retention import apply_retention
from signaling.teaching.presence import Presence
from signaling.teaching.registry import Registry
from signaling.teaching.running import Running
from signaling.teaching.school import School
from signaling.teaching.talk import TalkTime
from signaling.teaching.timetables import Timetables

log = logging.getLogger(__name__)

# Delay before a failed part restarts.
AGAIN_S: Final = 1.0

# Answers to repeated calls are stored for a day.
ANSWERS_S: Final = 86_400.0
SWEEP_S: Final = 3_600.0

# Between two looks at the webhook endpoints.
FOLLOW_S: Final = 30.0


class TeachingHost:
    """The sessions of all tenants."""

    def __init__(
        self, services: Services, store: Store, blobs: BlobFolder, mail: MailSettings | None = None
    ) -> None:
        """Listen to the rooms at once. The bytes of files are in `blobs`; without `mail`, none is sent."""
        self.store = store
        self.registry = Registry(store.classroom, services.wall_clock)
        self.presence = Presence(self.registry)
        self.files = SessionFiles(blobs, self.registry)
        self.slides = SlideMaker(blobs)
        self.school = School(store.classroom, services.wall_clock)
        self.delivery = Delivery(services)
        self.media = MediaBridge(services, self.registry, self.presence)
        self.talk = TalkTime(services, self.media)
        self.hooks = SessionHooks(store.endpoints)
        clock = services.wall_clock
        sign_ins = SignIns(store.accounts, clock)
        self.mail = None if mail is None else MailSender(store, sign_ins, mail, clock)
        mailing = session_mails if mail is not None else no_mails
        self.registry.make_outgoing(self.hooks.deliveries, mailing)
        self.registry.observe(self._on_commit)
        self.on_reminders: Callable[[], None] = lambda: None
        "Called after reminders of timetables were stored, with their webhooks."
        self.timetables = Timetables(self.school, self.hooks, self._on_reminders, mails=mail is not None)
        self.boards = BoardMerger(self.registry)
        self.board_exporter = BoardExporter()
        self.privacy = Privacy(store, self.registry, self.school, self.files)
        self._deadlines = Deadlines(self.registry)
        self._running = Running()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Go on with the sessions that an earlier server left. StoreError."""
        await asyncio.to_thread(self.files.blobs.prepare)
        await self.hooks.load()
        await recovery.recover(self.registry, self.store.documents)
        for row in await self.registry.store.occupied():
            self.media.admitted(self.registry.session(row.tenant, row.id))
        parts: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._deadlines.run,
            lambda: recovery.watch(self.registry, self.store.documents, self.presence, self._running),
            self._forget_answers,
            self._follow_hooks,
            self._apply_retention,
            self.timetables.run,
            self._sweep_files,
            lambda: self.talk.run(self._running),
        ]
        if self.mail is not None:
            parts.append(self.mail.run)
        self._tasks = [asyncio.create_task(_kept(part, self._running)) for part in parts]

    async def stop(self) -> None:
        """Store the answer and the time."""
        if not self._tasks:
            return
        for live in self.registry:
            for feed in tuple(live.feeds):
                live.leave_feed(feed)
        self.talk.record_all()
        await self.registry.finish()
        await self.boards.finish()
        await self.files.finish()
        await recovery.beat(self.registry, self.store.documents)
        self._running.stop()
        self._deadlines.stop()
        self.timetables.stop()
        if self.mail is not None:
            self.mail.stop()
        await asyncio.wait(self._tasks)
        self._tasks = []

    def _on_commit(self, committed: Committed) -> None:
        self.talk.on_commit(committed)
        if self.mail is not None and any(isinstance(each, session.Reminded) for each in committed.events):
            self.mail.wake()

    def _on_reminders(self) -> None:
        if self.mail is not None:
            self.mail.wake()
        self.on_reminders()

    async def _follow_hooks(self) -> None:
        """Reload endpoints that were paused because their receivers are gone."""
        while self._running.goes_on:
            await self._running.pause(FOLLOW_S)
            try:
                await self.hooks.load()
            except StoreError as error:
                log.warning("changes of webhook endpoints are not seen: %s", error)

    async def _apply_retention(self) -> None:
        while self._running.goes_on:
            try:
                await apply_retention(self.store, self.registry)
            except StoreError as error:
                log.warning("what is older than its retention stays: %s", error)
            await self._running.pause(SWEEP_S)

    async def _sweep_files(self) -> None:
        while self._running.goes_on:
            try:
                await sweep(self.files.blobs, self.registry, self.store)
            except (StoreError, OSError) as error:
                log.warning("files that no session has stay: %s", error)
            await self._running.pause(EVERY_S)

    async def _forget_answers(self) -> None:
        while self._running.goes_on:
            try:
                await self.registry.store.forget_answers(self.registry.wall_clock() - ANSWERS_S)
            except StoreError as error:
                log.warning("old answers to repeated calls stay: %s", error)
            await self._running.pause(SWEEP_S)


async def _kept(part: Callable[[], Coroutine[Any, Any, None]], running: Running) -> None:
    """Run a part to its end; restart it after a failure."""
    while running.goes_on:
        try:
            await part()
        except Exception:
            log.exception("a part of the teaching sessions failed, and begins again")
            await running.pause(AGAIN_S)
