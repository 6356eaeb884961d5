"""One session at run time: one queue of commands, one transaction for all waiting ones, then the events to its feeds.

Commands of a session are carried out one after the other. Those that arrive during a transaction are decided and
stored together, so that a thousand raised hands cost a few commits. A command is acknowledged
after the commit that stores its events. When a commit fails, the state is loaded from the log again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from classroom import batch, codec, engine
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, NotFound, Refused
from classroom.features import attendance, moderation, people, session
from classroom.ids import PersonId, SessionId
from classroom.roles import FINAL
from classroom.state import Classroom
from classroom.visibility import is_participant, view
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.store.classroom.bans import Ban
from signaling.store.classroom.records import LoggedEvent, SessionRow, Snapshot
from signaling.store.classroom.shelf import TenantShelf, session_log
from signaling.store.people.mails import NewMail
from signaling.store.records import NewDelivery
from signaling.teaching.feed import Feed, FeedMessage
from signaling.teaching.people.audited import audited

log = logging.getLogger(__name__)

T = TypeVar("T")

# Commands of one transaction.
MAX_COMMANDS: Final = 256

# Events of this time are one message to each page.
FLUSH_S: Final = 0.04

# After so many events a snapshot is stored: a restart reads no more than these of each session.
SNAPSHOT_EVENTS: Final = 500

_PAGE: Final = 1000

_encode: Final = msgspec.json.Encoder().encode

Deliveries = Callable[[TenantId, Classroom, int, Sequence[Event]], Sequence[NewDelivery]]
Mailing = Callable[[Classroom, Sequence[Event]], Sequence[NewMail]]
Make = Callable[[Classroom, float], Command | None]
"Returns the command that fits the state, None when there is nothing to do."


@dataclass(frozen=True, slots=True)
class Committed:
    """Events of one session that are stored now."""

    live: "LiveSession"
    after: int
    "Number of the event before them."
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a session needs from the server."""

    wall_clock: Callable[[], float]
    "Seconds since 1970."
    deliveries: Deliveries
    "Returns the webhooks about new events: tenant, state, number of the event before them, events."
    mails: Mailing
    "Returns the mail about new events: state and events."
    committed: Callable[[Committed], None]
    "Called after each commit; does not fail."


@dataclass(slots=True)
class _Step(Generic[T]):
    """One entry of the queue; without `make` it only reads."""

    make: Make | None
    answer: Callable[[Classroom, Sequence[Event]], T]
    "Makes the result from the stored state and the step's own events."
    future: "asyncio.Future[T]"
    events: Sequence[Event] = ()
    error: Exception | None = None

    def settle(self, room: Classroom) -> None:
        """Give the caller the result."""
        if self.future.done():
            return
        try:
            if self.error is not None:
                self.future.set_exception(self.error)
            else:
                self.future.set_result(self.answer(room, self.events))
        except Refused as error:
            self.future.set_exception(error)


class LiveSession:
    """A session whose state is in memory, or can be loaded at any time."""

    def __init__(self, shelf: TenantShelf, session_id: SessionId, surroundings: Surroundings) -> None:
        """Nothing is loaded before the first step."""
        self.shelf = shelf
        self.id = session_id
        self._around = surroundings
        self._log = session_log(session_id)
        self._room: Classroom | None = None
        self._queue: list[_Step[Any]] = []
        self._worker: asyncio.Task[Any] | None = None
        self._unsent: list[Event] = []
        self._unsent_after = 0
        self._storing = False
        self._flush: asyncio.TimerHandle | None = None
        self.feeds: set[Feed] = set()
        self.due_at: float | None = None
        "The next deadline as of the last commit, seconds since 1970."

    @property
    def tenant(self) -> TenantId:
        """Whose session it is."""
        return self.shelf.tenant

    @property
    def loaded(self) -> Classroom | None:
        """The state as far as it is in memory; for looking only, and only where an unstored event does no harm."""
        return self._room

    @property
    def is_idle(self) -> bool:
        """Whether the state can be dropped from memory."""
        busy = self._queue or self._worker is not None or self.feeds or self._unsent
        return not busy and (self._room is None or not self._room.people.present)

    @property
    def is_done(self) -> bool:
        """Whether nothing is in progress."""
        return self._worker is None

    async def finished(self) -> None:
        """Wait until everything in progress is stored."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def rewrite(self, action: Callable[[], Awaitable[T]]) -> T:
        """Run what changes the stored log while no command is carried out; the next one finds the log as it is then."""
        while self._worker is not None:
            await self.finished()

        async def run() -> T:
            try:
                return await action()
            finally:
                self._room = None
                # Commands that arrived meanwhile.
                await self._work()

        task = asyncio.create_task(run())
        self._worker = task
        return await asyncio.shield(task)

    def submit(
        self, make: Make, answer: Callable[[Classroom, Sequence[Event]], T] | None = None
    ) -> "asyncio.Future[Any]":
        """Queue what a function makes of the state at its turn; the future fails with `Refused` or StoreError."""
        return self._enqueue(make, answer or (lambda _room, events: events))

    async def do(self, command: Command, answer: Callable[[Classroom, Sequence[Event]], T]) -> T:
        """Carry out a command and return what `answer` makes of the stored state. `Refused`, StoreError."""
        result: T = await self._enqueue(lambda _room, _now: command, answer)
        return result

    async def read(self, look: Callable[[Classroom], T]) -> T:
        """Return what a function reads from the stored state. `Refused`, StoreError."""
        result: T = await self._enqueue(None, lambda room, _events: look(room))
        return result

    def poke(self) -> "asyncio.Future[None]":
        """Carry out the deadlines that have passed; the future fails with StoreError."""
        return self._enqueue(None, lambda _room, _events: None)

    async def events(self, after: int, upto: int | None = None, limit: int = _PAGE) -> list[Event]:
        """Return stored events in order, from the one after number `after` on. StoreError."""
        return [
            codec.decode_event(each.data) for each in await self.shelf.read(self._log, after, limit, upto)
        ]

    async def follow(self, feed: Feed, after: int | None) -> None:
        """Give a feed the state, or the events after a number, and from then on everything new. `Refused`.

        No event is missed or sent twice in between.
        """

        def begin(room: Classroom) -> tuple[int, FeedMessage | None]:
            self._send_unsent()
            self.feeds.add(feed)
            feed.outside = feed.person != SERVER and not is_participant(room, feed.person)
            whole = after is None or after > room.seq or feed.outside
            return room.seq, self._state_message(room, feed) if whole else None

        seq, state = await self.read(begin)
        try:
            first = await self._missed(feed.person, after or 0, seq) if state is None else [state]
        except BaseException:
            self.feeds.discard(feed)
            raise
        feed.put_first(first)
        room = self._room
        if room is not None and room.session.phase in FINAL:
            self.leave_feed(feed)

    def leave_feed(self, feed: Feed) -> None:
        """Send a feed nothing more."""
        self.feeds.discard(feed)
        feed.end()

    async def _missed(self, person: PersonId, after: int, upto: int) -> list[FeedMessage]:
        messages = []
        while after < upto:
            events = await self.events(after, upto)
            if not events:
                break
            start = after

            def show(
                room: Classroom, start: int = start, events: Sequence[Event] = tuple(events)
            ) -> bytes | None:
                return _shown(room, start, events, person)

            shown = await self.read(show)
            after += len(events)
            if shown is not None:
                messages.append(FeedMessage("events", after, shown))
        return messages

    def _state_message(self, room: Classroom, feed: Feed) -> FeedMessage:
        person = feed.person or room.session.owner
        state = view(room, person, self._around.wall_clock())
        data = _encode({"type": "state", "seq": room.seq, "outside": feed.outside, "state": state})
        return FeedMessage("state", room.seq, data)

    # --- the queue -------------------------------------------------------------------------------

    def _enqueue(
        self, make: Make | None, answer: Callable[[Classroom, Sequence[Event]], T]
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(_Step(make, answer, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return future

    async def _work(self) -> None:
        try:
            while self._queue:
                steps, self._queue = self._queue[:MAX_COMMANDS], self._queue[MAX_COMMANDS:]
                try:
                    await self._carry_out(steps)
                except Exception as error:  # noqa: BLE001 - the waiting caller gets it, and the API logs it
                    self._room = None
                    for step in steps:
                        if not step.future.done():
                            step.future.set_exception(error)
        finally:
            self._worker = None

    async def _carry_out(self, steps: Sequence[_Step[Any]]) -> None:
        room = await self._state()
        after = room.seq
        now = self._around.wall_clock()
        events: list[Event] = list(_expired(room, now))
        for step in steps:
            if step.make is not None:
                _take(room, step, now)
                events += step.events
            elif not room.session.id:
                step.error = NotFound(Code.SESSION_NOT_FOUND, "There is no such session.")
        # These events may have made something due at once, such as admissions when a lesson starts.
        events += _expired(room, now)
        if events:
            self._storing = True
            try:
                await self._store(room, after, events)
            finally:
                self._storing = False
            self._publish(after, events)
        for step in steps:
            step.settle(room)
        if events:
            self._around.committed(Committed(self, after, events))

    async def _state(self) -> Classroom:
        if self._room is None:
            self._room = await load(self.shelf, self._log)
        return self._room

    async def _store(self, room: Classroom, after: int, events: Sequence[Event]) -> None:
        snapshot = None
        if room.seq // SNAPSHOT_EVENTS > after // SNAPSHOT_EVENTS:
            snapshot = Snapshot(room.seq, codec.encode(room))
        row = row_of(self.tenant, room)
        await self.shelf.append(
            self._log,
            logged(after, events),
            row=row,
            people=changed_roles(room, events),
            snapshot=snapshot,
            deliveries=self._around.deliveries(self.tenant, room, after, events),
            mails=self._around.mails(room, events),
            bans=lasting_bans(room, events),
            audit=audited(self.id, events),
        )
        self.due_at = row.due_at

    # --- news ------------------------------------------------------------------------------------

    def _publish(self, after: int, events: Sequence[Event]) -> None:
        if not self.feeds:
            return
        if not self._unsent:
            self._unsent_after = after
        self._unsent += events
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._send_unsent)

    def _send_unsent(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        room = self._room
        if not self._unsent or room is None or self._storing:
            return  # the state holds events that are not stored yet: the end of that commit sends these, too
        events, self._unsent = self._unsent, []
        after = self._unsent_after
        upto = after + len(events)
        people_here = {feed.person for feed in self.feeds if feed.person != SERVER and not feed.outside}
        made = batch.batches(room, after, events, people_here)
        encoded: dict[int, bytes] = {}
        for feed in tuple(self.feeds):
            if feed.outside and is_participant(room, feed.person):
                feed.outside = False
                feed.put(self._state_message(room, feed))
                continue
            if feed.person == SERVER:
                news: batch.Batch | None = batch.Batch(after, upto, batch.fold(events))
            elif feed.outside:
                news = batch.batches(room, after, events, [feed.person]).get(feed.person)
            else:
                news = made.get(feed.person)
            if news is not None:
                data = encoded.get(id(news)) or encoded.setdefault(id(news), _message(news))
                feed.put(FeedMessage("events", upto, data))
            if feed.overrun:
                self.feeds.discard(feed)
        if room.session.phase in FINAL:
            for feed in tuple(self.feeds):
                self.leave_feed(feed)


def unawaited(future: "asyncio.Future[Any]") -> None:
    """Retrieve a result that no caller awaits, so that asyncio does not report it."""
    if (
        not future.cancelled()
        and future.exception() is not None
        and not isinstance(future.exception(), Refused)
    ):
        log.warning("a session's command was not carried out: %s", future.exception())


def _expired(room: Classroom, now: float) -> Iterable[Event]:
    """Apply and yield what the deadlines that have passed lead to."""
    if not room.session.id:
        return
    while (deadline := engine.due(room)) is not None and deadline.at <= now:
        for event in engine.expire(room, now):
            engine.apply(room, event)
            yield event


def _take(room: Classroom, step: _Step[Any], now: float) -> None:
    assert step.make is not None
    try:
        command = step.make(room, now)
        step.events = () if command is None else engine.decide(room, command, now)
    except Refused as error:
        step.error = error
        return
    for event in step.events:
        engine.apply(room, event)


def _message(news: batch.Batch) -> bytes:
    return _encode({"type": "events", "after": news.after, "upto": news.upto, "runs": news.runs})


def _shown(room: Classroom, after: int, events: Sequence[Event], person: PersonId) -> bytes | None:
    if person == SERVER:
        return _message(batch.Batch(after, after + len(events), batch.fold(events)))
    news = batch.batches(room, after, events, [person]).get(person)
    return None if news is None else _message(news)


def logged(after: int, events: Iterable[Event]) -> list[LoggedEvent]:
    """Return events as their log stores them, numbered from `after` + 1 on."""
    return [
        LoggedEvent(number, str(event.__struct_config__.tag), codec.encode(event), event.at)
        for number, event in enumerate(events, after + 1)
    ]


async def load(shelf: TenantShelf, name: str) -> Classroom:
    """Return the state of a log, from its last snapshot on. StoreError."""
    room, saved = Classroom(), await shelf.snapshot(name)
    if saved is not None:
        try:
            room = codec.decode_snapshot(saved.data)
        except (ValueError, msgspec.MsgspecError):
            log.info("the snapshot of %s is of another version; its log is replayed", name)
    try:
        while page := await shelf.read(name, room.seq, _PAGE):
            engine.replay(codec.decode_events(each.data for each in page), room)
    except Refused as error:
        raise StoreError(f"the log of {name} cannot be read: {error}") from error
    return room


def row_of(tenant: TenantId, room: Classroom) -> SessionRow:
    """Return what the index says about a session."""
    state = room.session
    over = state.phase in FINAL
    deadline = engine.due(room)
    return SessionRow(
        tenant=tenant,
        id=state.id,
        external_id=state.external_id,
        owner=state.owner,
        title=state.title,
        phase=state.phase,
        code=None if over else state.code,
        seq=room.seq,
        created_at=state.created_at,
        starts_at=state.starts_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        due_at=None if deadline is None else deadline.at,
        present=len(room.people.present) + len(room.people.waiting),
        taught_s=session.taught_s(state, room.at),
        attended_s=attended_s(room) if over else 0.0,
    )


_ROLES = (people.Invited, people.Waits, people.Joined, people.RoleChanged)


def changed_roles(room: Classroom, events: Iterable[Event]) -> dict[PersonId, str]:
    """Return the roles of people who are new or changed their role in these events."""
    known = {event.person for event in events if isinstance(event, _ROLES)}
    known |= {event.owner for event in events if isinstance(event, session.Created)}
    return {person: room.people.everyone[person].role.value for person in known}


def lasting_bans(room: Classroom, events: Iterable[Event]) -> dict[PersonId, Ban | None]:
    """Return the bans beyond the session that these events put, or lift (None)."""
    changes: dict[PersonId, Ban | None] = {}
    for event in events:
        if isinstance(event, moderation.Banned) and event.scope is moderation.BanScope.FOREVER:
            person = room.people.everyone.get(event.person)
            name = "" if person is None else person.name
            changes[event.person] = Ban(event.person, room.session.id, event.at, name)
        elif isinstance(event, moderation.Unbanned):
            changes[event.person] = None
    return changes


def attended_s(room: Classroom) -> float:
    """Return the time that all people together were in a session, up to its last event."""
    return sum(attendance.total_times(room.attendance, room.people.everyone, room.at))
