"""Appointments with a tutor: when the tutor can be booked, in slots, and the bookings.

A booking is made in two steps, because its session has a log of its own: `Hold` takes the slot, the caller creates the
session, and `Confirm` makes the booking last. A hold without a confirmation ends after `HOLD_S`, so a crash between the
steps does not take a slot for good. The sessions decide what is taken later: the caller reads them (`Plans`), and
a booking whose session was cancelled, moved or deleted takes its slot no longer. A booking that the caller did not
know when it read the sessions counts as taken, so two bookings of one slot are impossible even if both callers read
before either wrote.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound
from classroom.ids import PersonId, SessionId
from classroom.school import availability
from classroom.school.aggregate import Aggregate
from classroom.school.availability import Availability, Span

HOLD_S: Final = 60.0
"The session of a booking is created within this time, which is the time limit of a call several times over."

USUAL_S: Final = 3_600.0
"A session does not say how long it will be; calendars show the same."

# Bookings stay in the state for a day after their end, for the lists of both sides.
_KEPT_S: Final = 86_400.0


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """When a tutor can be booked."""

    hours: Availability
    slot_s: int = 1_800
    "Length of an appointment."
    gap_s: int = 0
    "Time between two appointments."
    notice_s: int = 3_600
    "A slot can be booked until this long before its start."
    ahead_s: int = 28 * 86_400
    "A slot can be booked from this long before its start on."
    bookable: bool = True
    "False: the times are for planning, as those of students are; nobody can book them."


class Plans(Struct, frozen=True):
    """What else the tutor does in a window, read in the order of the fields."""

    known: frozenset[SessionId] = frozenset()
    "The bookings that were confirmed before the sessions were read, so that each of them had a session."
    lessons: tuple[Span, ...] = ()
    "Of the timetable."
    sessions: dict[SessionId, float] = {}
    "The starts of the tutor's sessions that are not over."


class SetOffer(Command, frozen=True, tag="bookings.set_offer"):
    """Set when the tutor can be booked; bookings stay."""

    offer: Offer
    name: str = ""
    "Of the tutor, if known."


class Hold(Command, frozen=True, tag="bookings.hold"):
    """Take a slot for a person. The caller then creates the session and confirms."""

    session: SessionId
    "Id of the session to be created."
    person: PersonId
    name: str
    starts_at: float
    topic: str = ""
    plans: Plans = Plans()


class Confirm(Command, frozen=True, tag="bookings.confirm"):
    """Make a booking last: its session exists."""

    session: SessionId


class Cancel(Command, frozen=True, tag="bookings.cancel"):
    """Cancel a booking, as its person or as the tutor. The caller cancels the session."""

    session: SessionId


class OfferSet(Event, frozen=True, tag="bookings.offer_set"):
    """The tutor changed when they can be booked."""

    offer: Offer
    name: str = ""


class Held(Event, frozen=True, tag="bookings.held"):
    """A slot was taken for a person, for a short time."""

    session: SessionId
    person: PersonId
    name: str
    topic: str
    starts_at: float
    ends_at: float
    freed: tuple[SessionId, ...] = ()
    "Bookings that ended because their sessions no longer take place at their times."


class Confirmed(Event, frozen=True, tag="bookings.confirmed"):
    """A booking was made."""

    session: SessionId


class Cancelled(Event, frozen=True, tag="bookings.cancelled"):
    """A booking was cancelled."""

    session: SessionId


class Booking(Struct, frozen=True):
    """An appointment of one person with the tutor."""

    session: SessionId
    person: PersonId
    name: str
    topic: str
    starts_at: float
    ends_at: float
    held_until: float | None = None
    "Until when the slot is taken without a confirmation; None: confirmed."


class State(Struct):
    """The bookings of one tutor."""

    tutor: PersonId = PersonId("")
    name: str = ""
    "Of the tutor when they set the offer."
    offer: Offer | None = None
    bookings: dict[SessionId, Booking] = field(default_factory=dict)


def check_offer(offer: Offer) -> Offer:
    """Return an offer that is within the limits."""
    availability.check(offer.hours)
    if sum(each.to_minute - each.from_minute for each in offer.hours.weekly) > 7 * availability.DAY_MINUTES:
        raise Malformed(Code.BAD_TIME, "The weekly times are longer than a week.")
    checks.number(offer.slot_s, limits.SLOT_S, limits.DURATION_S, "length of a slot")
    checks.number(offer.gap_s, 0, limits.DURATION_S, "gap between slots")
    checks.number(offer.notice_s, 0, limits.EXPIRY_S, "notice")
    checks.number(offer.ahead_s, 3_600, limits.WINDOW_S, "time ahead")
    return offer


def is_open(offer: Offer, now: float) -> bool:
    """Return whether an offer has weekly times, or additional times to come."""
    return offer.bookable and (bool(offer.hours.weekly) or any(ends > now for _, ends in offer.hours.extra))


def slots(offer: Offer, taken: Iterable[Span], since: float, until: float, now: float) -> list[Span]:
    """Return the free slots that begin within [since, until), in order.

    Slots follow each other from the beginning of a weekly or extra time, in elapsed time: on the day on which the
    clock is put forward, a time from one to four o'clock has two hours.
    """
    if until - since > limits.SLOTS_WINDOW_S:
        raise LimitReached(
            Code.TOO_LARGE, f"A window may be {limits.SLOTS_WINDOW_S // 86_400} days long at most."
        )
    since, until = max(since, now + offer.notice_s), min(until, now + offer.ahead_s)
    if since >= until:
        return []
    widened = [(starts - offer.gap_s, ends + offer.gap_s) for starts, ends in taken]
    closed = availability.join([*offer.hours.away, *widened])
    begins = [starts for starts, _ in closed]
    found = {
        (starts, ends)
        for times in availability.openings(offer.hours, since - limits.DURATION_S, until)
        for starts, ends in _cut(times, offer, since, until)
        if _is_open(closed, begins, starts, ends)
    }
    return sorted(found)


def _cut(times: Span, offer: Offer, since: float, until: float) -> Iterator[Span]:
    """Yield the slots of an uncut time that begin within a window."""
    step = offer.slot_s + offer.gap_s
    starts = times[0] + max(-((times[0] - since) // step), 0) * step
    while starts < until and starts + offer.slot_s <= times[1]:
        if starts >= since:
            yield starts, starts + offer.slot_s
        starts += step


def _is_open(closed: Sequence[Span], begins: Sequence[float], starts: float, ends: float) -> bool:
    """Return whether no closed time (joined, in order) overlaps a slot."""
    before = bisect_right(begins, starts) - 1
    if before >= 0 and closed[before][1] > starts:
        return False
    return before + 1 == len(closed) or closed[before + 1][0] >= ends


def freed(state: State, plans: Plans) -> list[SessionId]:
    """Return the bookings whose sessions no longer take place at their times."""
    return [
        each.session
        for each in state.bookings.values()
        if each.session in plans.known and plans.sessions.get(each.session) != each.starts_at
    ]


def busy(state: State, plans: Plans) -> list[Span]:
    """Return when the tutor teaches apart from bookings at their times."""
    found = list(plans.lessons)
    for session, starts_at in plans.sessions.items():
        booking = state.bookings.get(session)
        if booking is None:
            found.append((starts_at, starts_at + USUAL_S))
        elif booking.starts_at != starts_at:
            found.append((starts_at, starts_at + booking.ends_at - booking.starts_at))
    return found


def free_slots(state: State, plans: Plans, since: float, until: float, now: float) -> list[Span]:
    """Return the slots that can be booked and begin within [since, until), in order."""
    if state.offer is None or not state.offer.bookable:
        return []
    booked = ((each.starts_at, each.ends_at) for each in current(state, now, freed(state, plans)))
    return slots(state.offer, [*busy(state, plans), *booked], since, until, now)


def current(state: State, now: float, freed: Collection[SessionId] = ()) -> list[Booking]:
    """Return the bookings that take a slot: confirmed ones that are not freed, and holds that have not ended."""
    return [
        each
        for each in state.bookings.values()
        if (each.session not in freed if each.held_until is None else each.held_until > now)
    ]


def _check_tutor(state: State, command: Command) -> None:
    if command.by not in {SERVER, state.tutor}:
        raise NotAllowed(Code.NOT_YOURS, "These appointments belong to another tutor.")


def _set_offer(state: State, command: SetOffer, now: float) -> list[Event]:
    _check_tutor(state, command)
    offer = check_offer(command.offer)
    name = checks.line(command.name, limits.NAME_LENGTH, "name") if command.name else state.name
    if (offer, name) == (state.offer, state.name):
        raise Conflict(Code.NOTHING_TO_CHANGE, "The offer is unchanged.")
    return [OfferSet(at=now, by=command.by, offer=offer, name=name)]


def _hold(state: State, command: Hold, now: float) -> list[Event]:
    session = checks.identifier(command.session, "session")
    person = checks.identifier(command.person, "person")
    if person == state.tutor:
        raise NotAllowed(Code.NOT_ALLOWED, "A tutor does not book an appointment with themselves.")
    if session in state.bookings:
        raise Conflict(Code.ALREADY_EXISTS, "This session is booked already.")
    gone = freed(state, command.plans)
    taken = current(state, now, gone)
    mine = sum(each.person == person and each.ends_at > now for each in taken)
    checks.room_for_one(mine, limits.BOOKINGS_PER_PERSON, "appointments of one person with one tutor")
    checks.room_for_one(len(taken), limits.BOOKINGS, "appointments of a tutor")
    at = command.starts_at
    free = free_slots(state, command.plans, at, at + 1, now)
    if not free or free[0][0] != at:
        raise Conflict(Code.SLOT_NOT_FREE, "No free slot begins at this time.")
    return [
        Held(
            at=now,
            by=command.by,
            session=session,
            person=person,
            name=checks.line(command.name, limits.NAME_LENGTH, "name"),
            topic=checks.text(command.topic, limits.HELP_LENGTH, "topic", empty=True),
            starts_at=at,
            ends_at=free[0][1],
            freed=tuple(gone),
        )
    ]


def find(state: State, session: SessionId) -> Booking:
    """Return a booking. `NotFound`."""
    booking = state.bookings.get(session)
    if booking is None:
        raise NotFound(Code.BOOKING_NOT_FOUND, "There is no such booking.")
    return booking


def check_cancel(state: State, session: SessionId, by: PersonId) -> Booking:
    """Return a booking that a person may cancel. `NotFound` also for other people's bookings."""
    booking = find(state, session)
    if by not in {SERVER, state.tutor, booking.person}:
        raise NotFound(Code.BOOKING_NOT_FOUND, "There is no such booking.")
    return booking


def _confirm(state: State, command: Confirm, now: float) -> list[Event]:
    booking = state.bookings.get(command.session)
    if booking is None:
        raise Conflict(
            Code.SLOT_NOT_FREE, "The slot was not confirmed in time, and was booked by somebody else."
        )
    return [] if booking.held_until is None else [Confirmed(at=now, by=command.by, session=command.session)]


def _cancel(state: State, command: Cancel, now: float) -> list[Event]:
    check_cancel(state, command.session, command.by)
    return [Cancelled(at=now, by=command.by, session=command.session)]


def _offer_set(state: State, event: OfferSet) -> None:
    state.offer, state.name = event.offer, event.name


def _held(state: State, event: Held) -> None:
    kept = current(state, event.at, event.freed)
    state.bookings = {each.session: each for each in kept if each.ends_at > event.at - _KEPT_S}
    state.bookings[event.session] = Booking(
        event.session,
        event.person,
        event.name,
        event.topic,
        event.starts_at,
        event.ends_at,
        event.at + HOLD_S,
    )


def _confirmed(state: State, event: Confirmed) -> None:
    state.bookings[event.session] = structs.replace(state.bookings[event.session], held_until=None)


def _cancelled(state: State, event: Cancelled) -> None:
    del state.bookings[event.session]


BOOKINGS: Final = Aggregate(
    name="bookings",
    new=State,
    decisions={SetOffer: _set_offer, Hold: _hold, Confirm: _confirm, Cancel: _cancel},
    changes={OfferSet: _offer_set, Held: _held, Confirmed: _confirmed, Cancelled: _cancelled},
)
