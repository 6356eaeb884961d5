"""The parts of a school at run time: courses, groups, office hours, bookings, timetables; presence is in memory.

Each part is an `Aggregate` of `classroom.school` with a log of its own in the store. Commands of one part are carried
out one after the other, and acknowledged when their events are stored.
"""

import asyncio
import functools
import operator
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from classroom.base import SERVER, Command, Event
from classroom.errors import Refused
from classroom.ids import PersonId
from classroom.school import bookings, courses, office_hours, presence, schedule, study_groups
from classroom.school.aggregate import Aggregate
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.store.classroom.classroom import ClassroomStore
from signaling.store.classroom.records import Timer
from signaling.store.classroom.shelf import TenantShelf
from signaling.store.people.mails import NewMail
from signaling.store.records import NewDelivery
from signaling.teaching.live import logged

S = TypeVar("S")
T = TypeVar("T")

_PAGE: Final = 1000

_AGGREGATES: Final[dict[str, Aggregate[Any]]] = {
    each.name: each
    for each in (
        courses.COURSES,
        study_groups.STUDY_GROUPS,
        office_hours.OFFICE_HOURS,
        schedule.SCHEDULE,
        bookings.BOOKINGS,
    )
}

# Parts whose state stays in memory; others are loaded again on request.
MAX_KEPT: Final = 500

# Who has been offline for this long is not listed any more.
_FORGET_S: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What events of a part cause outside of it, stored in their transaction."""

    deliveries: Sequence[NewDelivery] = ()
    mails: Sequence[NewMail] = ()


Effects = Callable[[TenantId, PersonId, Any, Sequence[Event]], Awaitable[Outgoing]]
"Returns what new events cause: tenant, owner, the state after them, and the events."


async def no_effects(_tenant: TenantId, _owner: PersonId, _state: Any, _events: Sequence[Event]) -> Outgoing:
    """Cause nothing."""
    return Outgoing()


class SchoolPart(Generic[S]):
    """One part of one tenant's school."""

    def __init__(
        self,
        shelf: TenantShelf,
        aggregate: Aggregate[S],
        owner: PersonId,
        clock: Callable[[], float],
        effects: Effects = no_effects,
    ) -> None:
        """`owner` is the tutor whose part it is; empty for a part of the whole tenant."""
        self._effects = effects
        self._shelf = shelf
        self._aggregate = aggregate
        self._owner = owner
        self._clock = clock
        self._log = log_name(aggregate, owner)
        self._state: S | None = None
        self._seq = 0
        self._lock = asyncio.Lock()
        self.due_at: float | None = None
        "When it next has something to do, as of the last commit of this process."
        kinds: Any = functools.reduce(operator.or_, aggregate.changes)
        self._decode = msgspec.json.Decoder(kinds).decode

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in progress."""
        return not self._lock.locked()

    async def do(self, command: Command, answer: Callable[[S, Sequence[Event]], T]) -> T:
        """Carry out a command and return what `answer` makes of the stored state. `Refused`, StoreError."""
        async with self._lock:
            state, now = await self._loaded(), self._clock()
            events = self._aggregate.decide(state, command, now)
            if events:
                await self._store(state, [*self._aggregate.expire(state, now), *events], now)
            return answer(state, events)

    async def poke(self) -> None:
        """Carry out what has become due. StoreError."""
        async with self._lock:
            state, now = await self._loaded(), self._clock()
            await self._store(state, self._aggregate.expire(state, now), now)

    async def _store(self, state: S, events: Sequence[Event], now: float) -> None:
        """Change the state by events, and store them with what they cause."""
        try:
            for event in events:
                self._aggregate.apply(state, event)
            outgoing = await self._effects(self._shelf.tenant, self._owner, state, events)
            due_at = self._aggregate.due(state, now)
            await self._shelf.append(
                self._log,
                logged(self._seq, events),
                deliveries=outgoing.deliveries,
                mails=outgoing.mails,
                timer=Timer(due_at) if self._aggregate.has_timer else None,
            )
        except BaseException:
            # The commit may have succeeded, so the log is read again.
            self._state = None
            raise
        self._seq += len(events)
        self.due_at = due_at

    async def read(self, look: Callable[[S], T]) -> T:
        """Return what a function reads from the stored state. `Refused`, StoreError."""
        async with self._lock:
            return look(await self._loaded())

    async def rewrite(self, action: Callable[[], Awaitable[T]]) -> T:
        """See `School.rewrite`."""
        async with self._lock:
            try:
                return await action()
            finally:
                self._state = None

    async def _loaded(self) -> S:
        if self._state is not None:
            return self._state
        state, seq = self._aggregate.new(), 0
        if self._owner:
            state.tutor = self._owner  # type: ignore[attr-defined] # the parts of a tutor have one
        while page := await self._shelf.read(self._log, seq, _PAGE):
            try:
                events: Iterable[Event] = [self._decode(each.data) for each in page]
            except msgspec.MsgspecError as error:
                raise StoreError(f"the log {self._log} cannot be read: {error}") from error
            self._aggregate.replay(events, state)
            seq += len(page)
        self._state, self._seq = state, seq
        return state


def log_name(aggregate: Aggregate[Any], owner: PersonId) -> str:
    """Return the name of a part's log."""
    return f"{aggregate.name}/{owner}" if owner else aggregate.name


class School:
    """The parts of all tenants' schools."""

    def __init__(self, store: ClassroomStore, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self.store = store
        self.wall_clock = wall_clock
        self._parts: dict[tuple[TenantId, str], SchoolPart[Any]] = {}
        self._presence: dict[TenantId, presence.State] = {}
        self._names: dict[TenantId, dict[PersonId, str]] = {}
        self._effects: Effects = no_effects

    def cause(self, effects: Effects) -> None:
        """Store what timetables cause with their later events."""
        self._effects = effects

    def part_of_log(self, tenant: TenantId, log: str) -> SchoolPart[Any]:
        """Return the part with a log."""
        name, _, owner = log.partition("/")
        return self._part(tenant, _AGGREGATES[name], PersonId(owner))

    def courses(self, tenant: TenantId) -> SchoolPart[courses.State]:
        """Return a tenant's courses."""
        return self._part(tenant, courses.COURSES)

    def study_groups(self, tenant: TenantId) -> SchoolPart[study_groups.State]:
        """Return a tenant's study groups."""
        return self._part(tenant, study_groups.STUDY_GROUPS)

    def office_hours(self, tenant: TenantId, tutor: PersonId) -> SchoolPart[office_hours.State]:
        """Return a tutor's office hours."""
        return self._part(tenant, office_hours.OFFICE_HOURS, tutor)

    def bookings(self, tenant: TenantId, tutor: PersonId) -> SchoolPart[bookings.State]:
        """Return a tutor's appointments."""
        return self._part(tenant, bookings.BOOKINGS, tutor)

    def schedule(self, tenant: TenantId, tutor: PersonId) -> SchoolPart[schedule.State]:
        """Return a tutor's timetable."""
        return self._part(tenant, schedule.SCHEDULE, tutor)

    async def rewrite(self, tenant: TenantId, log: str, action: Callable[[], Awaitable[T]]) -> T:
        """Run what changes a stored log while no command is carried out; the next one finds the log as it is then."""
        return await self.part_of_log(tenant, log).rewrite(action)

    async def tutors(self, tenant: TenantId, aggregate: Aggregate[Any]) -> list[PersonId]:
        """Return the tutors who have such a part, in the order of their ids. StoreError."""
        prefix = f"{aggregate.name}/"
        return [PersonId(name.removeprefix(prefix)) for name in await self.store.of(tenant).logs(prefix)]

    def present(self, tenant: TenantId) -> presence.State:
        """Return the presence of a tenant's people, with silent ones offline."""
        state = self._presence.setdefault(tenant, presence.State())
        now = self.wall_clock()
        for event in presence.silent(state, now):
            presence.PRESENCE.apply(state, event)
        presence.forget(state, now - _FORGET_S)
        names = self._names.get(tenant, {})
        for gone in [person for person in names if person not in state.people]:
            del names[gone]
        return state

    def note_name(self, tenant: TenantId, person: PersonId, name: str) -> None:
        """Remember what somebody is called, for those who see them online."""
        self._names.setdefault(tenant, {})[person] = name

    def name_of(self, tenant: TenantId, person: PersonId) -> str:
        """Return what somebody is called; empty for those who were not seen since the server started."""
        return self._names.get(tenant, {}).get(person, "")

    def note_presence(self, tenant: TenantId, command: Command) -> presence.Line:
        """Carry out a command about a person's presence and return the result. `Refused`."""
        state, now = self.present(tenant), self.wall_clock()
        try:
            for event in presence.PRESENCE.decide(state, command, now):
                presence.PRESENCE.apply(state, event)
        except Refused as error:
            if error.code.value != "nothing_to_change":
                raise
        if command.by in state.people:
            presence.seen(state, command.by, now)
        return presence.line(state, command.by)

    def _part(self, tenant: TenantId, aggregate: Aggregate[S], owner: PersonId = SERVER) -> SchoolPart[S]:
        key = tenant, log_name(aggregate, owner)
        part = self._parts.pop(key, None)
        if part is None:
            shelf, effects = self.store.of(tenant), self._effects if aggregate.has_timer else no_effects
            part = SchoolPart(shelf, aggregate, owner, self.wall_clock, effects)
        self._parts[key] = part
        if len(self._parts) > MAX_KEPT:
            oldest = next(iter(self._parts))
            if self._parts[oldest].is_idle:
                del self._parts[oldest]
        return part
