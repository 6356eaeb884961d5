"""Appointments with a tutor: when the tutor can be booked, free slots, and bookings, which are scheduled sessions."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import msgspec

from classroom import limits
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound, Refused
from classroom.features import people, session
from classroom.ids import PersonId, SessionId
from classroom.roles import FINAL, Phase
from classroom.school import availability, bookings, recurrence, schedule
from classroom.school.availability import Availability, Span
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import PersonPath, SessionPath
from signaling.sessions_api.school.school_desk import (
    REFUSALS,
    author,
    is_teacher,
    require_member,
    require_teacher,
)
from signaling.sessions_api.sessions.session_calls import unless_known
from signaling.store.classroom.records import SessionQuery
from signaling.teaching.names import PREFIX
from signaling.teaching.school import School, SchoolPart

_DEFAULT_S: Final = 7 * 86_400.0
_PAGE: Final = 500
# A class.
_PEOPLE: Final = 50
_UNFINISHED: Final = tuple(str(phase) for phase in Phase if phase not in FINAL)

TimeZone = Annotated[str, msgspec.Meta(max_length=64)]


class OfferAnswer(msgspec.Struct, frozen=True):
    """When a tutor can be booked."""

    tutor: PersonId
    name: str
    "Of the tutor; empty if only the application set the offer."
    offer: bookings.Offer | None
    "Absent until the tutor has set it; other people do not see the tutor's absences in it."


class Bookable(msgspec.Struct, frozen=True):
    """A tutor who can be booked."""

    tutor: PersonId
    name: str
    "Empty if only the application set the offer."
    slot_s: int
    "Length of an appointment, in seconds."


class BookableList(msgspec.Struct, frozen=True):
    """The tutors of the tenant who offer appointments, in the order of their names."""

    data: list[Bookable]


class CommonQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose times, and when."""

    people: Annotated[str, msgspec.Meta(min_length=1, max_length=_PEOPLE * (limits.IDENTIFIER_LENGTH + 1))]
    "Ids with commas between them, up to 50."
    since: float | None = None
    "Seconds since 1970; now when absent."
    until: float | None = None
    "A week after `since` when absent; at most 35 days after it."
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=limits.DURATION_S)] = 0.0
    "Shorter common times are left out."


class CommonTime(msgspec.Struct, frozen=True):
    """A time at which all are available."""

    starts_at: float
    ends_at: float


class CommonTimes(msgspec.Struct, frozen=True):
    """The times at which all people are available, in order."""

    data: list[CommonTime]
    unknown: list[PersonId]
    "People who have not set their times; they are left out of the comparison."


class SlotsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which slots."""

    since: float | None = None
    "Seconds since 1970; now when absent."
    until: float | None = None
    "A week after `since` when absent; at most 35 days after it."
    time_zone: TimeZone = "UTC"
    "IANA name of the zone for `local`."


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked."""

    starts_at: float
    ends_at: float
    local: str
    "The start in the zone of the query, with the offset from UTC, such as 2026-11-30T09:00:00+01:00."


class Slots(msgspec.Struct, frozen=True):
    """The free slots of a tutor, in order."""

    tutor: PersonId
    time_zone: str
    data: list[Slot]


class NewBooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slot to be booked."""

    starts_at: float
    "Start of a free slot."
    topic: str = ""
    title: str = "Appointment"
    "Of the session."
    person: PersonId = PersonId("")
    "Only for administrators and the application, which book for this person."
    name: str = ""
    "Of this person."


class BookingAnswer(msgspec.Struct, frozen=True):
    """A booking."""

    session: SessionId
    "The scheduled session of the appointment."
    tutor: PersonId
    person: PersonId
    name: str
    topic: str
    starts_at: float
    ends_at: float


class BookingList(msgspec.Struct, frozen=True):
    """Bookings in the order of their times."""

    data: list[BookingAnswer]


class CancelledBooking(msgspec.Struct, frozen=True):
    """A booking that was cancelled, with its session."""

    session: SessionId
    cancelled: bool


class BookingCalls:
    """The handlers."""

    def __init__(self, desk: Desk, school: School) -> None:
        """Use the desk and the school."""
        self._desk = desk
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        prefix = "/availability/{tutor}"
        return [
            Route("GET", "/availability", self.tutors, REFUSALS),
            Route("GET", "/availability/common", self.common, REFUSALS),
            Route("GET", prefix, self.get, REFUSALS),
            Route("PUT", prefix, self.put, REFUSALS),
            Route("GET", f"{prefix}/slots", self.slots, REFUSALS),
            Route("POST", f"{prefix}/bookings", self.book, REFUSALS, status=201),
            Route("GET", f"{prefix}/bookings", self.list, REFUSALS),
            Route("DELETE", f"{prefix}/bookings/{{booking}}", self.cancel, REFUSALS),
        ]

    async def tutors(self, caller: Caller) -> BookableList:
        """List the tutors who can be booked: those with weekly times, or with additional times to come."""
        require_member(caller)
        now = self._school.wall_clock()

        def look(state: bookings.State) -> Bookable | None:
            offer = state.offer
            if offer is None or not bookings.is_open(offer, now):
                return None
            return Bookable(state.tutor, state.name, offer.slot_s)

        names = await self._school.tutors(caller.tenant, bookings.BOOKINGS)
        found = [await self._part(caller, tutor).read(look) for tutor in names]
        shown = [each for each in found if each is not None]
        return BookableList(sorted(shown, key=lambda each: (each.name.casefold(), each.tutor)))

    async def common(self, caller: Caller, query: CommonQuery) -> CommonTimes:
        """List when all of several people are available by the times that they set, to plan a lesson."""
        require_teacher(caller)
        now = self._school.wall_clock()
        since, until = _window(query, now)
        # Local times have no dates beyond, as for slots.
        until = min(until, now + limits.WINDOW_S)
        wanted = [PersonId(each) for each in dict.fromkeys(query.people.split(",")) if each]
        if len(wanted) > _PEOPLE:
            raise LimitReached(Code.TOO_MANY, f"The times of {_PEOPLE} people can be compared at most.")
        times, unknown = [], []
        for person in wanted:
            offer = await self._part(caller, person).read(lambda state: state.offer)
            if offer is None:
                unknown.append(person)
            elif since < until:
                times.append(availability.spans(offer.hours, since, until))
        found = availability.common(times, query.duration_s)
        return CommonTimes([CommonTime(*each) for each in found], unknown)

    async def get(self, caller: Caller, tutor: PersonPath) -> OfferAnswer:
        """Return when a tutor can be booked."""
        require_member(caller)
        return await self._part(caller, tutor).read(lambda state: self._answer(state, caller, tutor))

    async def put(self, caller: Caller, tutor: PersonPath, body: bookings.Offer) -> OfferAnswer:
        """Set when a person is available, and when tutors can be booked; bookings stay."""
        _require_tutor(caller, tutor)
        name = caller.name if caller.person == tutor else ""
        # Appointments are sessions of the tutor, which students cannot own.
        offer = body if is_teacher(caller) else msgspec.structs.replace(body, bookable=False)
        command = bookings.SetOffer(by=author(caller), offer=offer, name=name)
        return await self._part(caller, tutor).do(
            command, lambda state, _events: self._answer(state, caller, tutor)
        )

    async def slots(self, caller: Caller, tutor: PersonPath, query: SlotsQuery) -> Slots:
        """List the free slots of a tutor."""
        require_member(caller)
        zone, now = recurrence.zone(query.time_zone), self._school.wall_clock()
        since, until = _window(query, now)
        # Beyond what can be booked there are no slots, and local times have no such dates.
        until = min(until, now + limits.WINDOW_S)
        free: list[Span] = []
        if since < until:
            plans = await self._plans(caller, tutor, since, until)
            free = await self._part(caller, tutor).read(
                lambda state: bookings.free_slots(state, plans, since, until, now)
            )
        return Slots(
            tutor,
            query.time_zone,
            [Slot(start, end, recurrence.with_offset(start, zone)) for start, end in free],
        )

    async def book(self, caller: Caller, tutor: PersonPath, body: NewBooking) -> BookingAnswer:
        """Book a free slot: a session is scheduled, with tutor and person on its roster."""
        require_member(caller)
        person = (body.person if caller.manages else PersonId("")) or caller.person
        name = (body.name if caller.manages else "") or caller.name or person
        session_id, now = SessionId(caller.new_id(PREFIX)), self._school.wall_clock()
        if not now - bookings.USUAL_S <= body.starts_at <= now + limits.WINDOW_S:
            raise Malformed(Code.BAD_TIME, "A slot begins in the future, within 400 days.")
        plans = await self._plans(caller, tutor, body.starts_at, body.starts_at + limits.DURATION_S)
        hold = bookings.Hold(
            by=author(caller),
            session=session_id,
            person=person,
            name=name,
            topic=body.topic,
            starts_at=body.starts_at,
            plans=plans,
        )
        part = self._part(caller, tutor)
        try:
            booking = await part.do(hold, lambda state, _events: bookings.find(state, session_id))
        except Conflict as error:
            if error.code is not Code.ALREADY_EXISTS:
                raise
            # The same call was carried out, in part or as a whole, and its answer was lost with the server.
            booking = await part.read(lambda state: bookings.find(state, session_id))
        try:
            await self._schedule(caller, tutor, booking, body.title)
            await part.do(bookings.Confirm(session=session_id), lambda _state, _events: None)
        except Refused:
            # Without its session, a booking would only block the slot.
            await self._undo(caller, part, session_id)
            raise
        return _booking(tutor, booking)

    async def list(self, caller: Caller, tutor: PersonPath) -> BookingList:
        """List the bookings of a tutor that are not yet over: all for the tutor, their own for others."""
        require_member(caller)
        now, part = self._school.wall_clock(), self._part(caller, tutor)
        plans = await self._plans(caller, tutor, now, now + limits.WINDOW_S, lessons=False)
        found = await part.read(lambda state: bookings.current(state, now, bookings.freed(state, plans)))
        own = caller.manages or caller.person == tutor
        shown = [each for each in found if each.ends_at > now and (own or each.person == caller.person)]
        return BookingList([_booking(tutor, each) for each in sorted(shown, key=lambda each: each.starts_at)])

    async def cancel(self, caller: Caller, tutor: PersonPath, booking: SessionPath) -> CancelledBooking:
        """Cancel a booking and its session, as its person or as the tutor."""
        require_member(caller)
        part, by = self._part(caller, tutor), author(caller)
        await part.read(lambda state: bookings.check_cancel(state, booking, by))
        await self._cancel_session(caller, booking)
        await part.do(bookings.Cancel(by=by, session=booking), lambda _state, _events: None)
        return CancelledBooking(booking, cancelled=True)

    async def _schedule(
        self, caller: Caller, tutor: PersonPath, booking: bookings.Booking, title: str
    ) -> None:
        """Create the session of a booking; a repetition completes it."""
        live = self._desk.session(caller, booking.session)
        tutor_name = await self._part(caller, tutor).read(lambda state: state.name)
        make = partial(
            session.Create,
            session=booking.session,
            owner=tutor,
            owner_name=tutor_name or tutor,
            title=title,
            description=booking.topic,
            starts_at=booking.starts_at,
            settings=session.Settings(lobby=session.Lobby.INVITED),
        )
        try:
            await self._desk.create(live, make)
        except Conflict as error:
            if error.code is not Code.ALREADY_EXISTS:
                raise
        await live.submit(unless_known(people.Invite(person=booking.person, name=booking.name)))

    async def _undo(self, caller: Caller, part: SchoolPart[bookings.State], session_id: SessionId) -> None:
        """Cancel what a failed booking has left."""
        with suppress(Refused):
            await self._cancel_session(caller, session_id)
        with suppress(NotFound):
            await part.do(bookings.Cancel(session=session_id), lambda _state, _events: None)

    async def _cancel_session(self, caller: Caller, session_id: SessionId) -> None:
        """Cancel a session, unless it is over or was deleted. `Conflict` while it is open."""
        row = await self._desk.registry.store.of(caller.tenant).session(session_id)
        if row is not None and row.phase not in FINAL:
            live = self._desk.registry.session(caller.tenant, session_id)
            await live.do(session.Cancel(), lambda _room, _events: None)

    async def _plans(
        self, caller: Caller, tutor: PersonId, since: float, until: float, *, lessons: bool = True
    ) -> bookings.Plans:
        """Return what the tutor does in a window, with the bookings read before the sessions."""
        early = max(since - limits.DURATION_S, 0.0)
        known = await self._part(caller, tutor).read(
            lambda state: frozenset(
                each.session
                for each in state.bookings.values()
                if each.held_until is None and each.starts_at < until and each.starts_at >= early
            )
        )
        spans: list[Span] = []
        if lessons:
            items = await self._school.schedule(caller.tenant, tutor).read(
                lambda state: schedule.all_occurrences(state, early, until)
            )
            spans = [(each.starts_at, each.ends_at) for each in items]
        starts: dict[SessionId, float] = {}
        wanted = SessionQuery(owner=tutor, phases=_UNFINISHED, starts_from=early, starts_until=until)
        shelf = self._desk.registry.store.of(caller.tenant)
        while page := await shelf.sessions(wanted, _PAGE):
            starts |= {row.id: row.starts_at for row in page if row.starts_at is not None}
            wanted = replace(wanted, before=(page[-1].created_at, page[-1].id))
        return bookings.Plans(known=known, lessons=tuple(spans), sessions=starts)

    def _part(self, caller: Caller, tutor: PersonId) -> SchoolPart[bookings.State]:
        return self._school.bookings(caller.tenant, tutor)

    @staticmethod
    def _answer(state: bookings.State, caller: Caller, tutor: PersonId) -> OfferAnswer:
        offer = state.offer
        if offer is not None and not caller.manages and caller.person != tutor:
            hours = Availability(offer.hours.time_zone, offer.hours.weekly)
            offer = msgspec.structs.replace(offer, hours=hours)
        return OfferAnswer(tutor, state.name, offer)


def _window(query: SlotsQuery | CommonQuery, now: float) -> Span:
    """Return the time that a query is about. ApiError."""
    since = now if query.since is None else query.since
    until = since + _DEFAULT_S if query.until is None else query.until
    if not 0 <= since < until <= since + limits.SLOTS_WINDOW_S:
        raise ApiError(400, "bad_time", "The window has to be from a moment to 35 days long.")
    return since, until


def _booking(tutor: PersonId, booking: bookings.Booking) -> BookingAnswer:
    return BookingAnswer(
        booking.session,
        tutor,
        booking.person,
        booking.name,
        booking.topic,
        booking.starts_at,
        booking.ends_at,
    )


def _require_tutor(caller: Caller, tutor: PersonId) -> None:
    require_member(caller)
    if not caller.manages and caller.person != tutor:
        raise NotAllowed(Code.NOT_YOURS, "These appointments belong to another tutor.")
