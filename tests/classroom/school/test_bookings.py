from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom import limits
from classroom.errors import Code, Refused
from classroom.school import bookings
from classroom.school.availability import Availability, Weekly
from classroom.school.bookings import BOOKINGS, HOLD_S, Cancel, Confirm, Hold, Offer, Plans, SetOffer, State
from classroom.school.recurrence import local, timestamp, with_offset, zone
from tests.classroom.school.school import NOW, Part

BERLIN = zone("Europe/Berlin")
HOUR, DAY = 3_600.0, 86_400.0
NIGHT = Weekly(6, 1 * 60, 4 * 60)
"Sundays from one to four: the clock changes at two or at three o'clock."


def at(text, tz=BERLIN):
    return timestamp(local(text), tz)


def offer(*weekly, name="Europe/Berlin", away=(), extra=(), **more):
    hours = Availability(name, weekly, away, extra)
    return Offer(hours, **{"notice_s": 0, "ahead_s": 300 * 86_400, **more})


def day(offered, date, taken=(), now=None):
    """The starts of the slots of a day, with their offsets from UTC."""
    since = at(f"{date}T00:00")
    found = bookings.slots(offered, taken, since, since + DAY, since if now is None else now)
    return [with_offset(starts, BERLIN)[11:22].replace(":00+", "+") for starts, _ in found]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-03-22", ["01:00+01", "02:00+01", "03:00+01"]),
        ("2026-03-29", ["01:00+01", "03:00+02"]),  # no second hour
        ("2026-10-25", ["01:00+02", "02:00+02", "02:00+01", "03:00+01"]),  # two second hours
    ],
)
def test_slots_on_days_with_23_and_25_hours(date, expected):
    assert day(offer(NIGHT, slot_s=3_600), date) == expected


def test_the_hours_are_the_tutors_wherever_the_student_is():
    offered = offer(Weekly(0, 9 * 60, 10 * 60), slot_s=3_600)
    tokyo = zone("Asia/Tokyo")  # has no daylight saving time
    now = at("2026-10-01T00:00")
    found = [
        with_offset(starts, tokyo)
        for starts, _ in bookings.slots(offered, [], at("2026-10-19T00:00"), at("2026-10-27T00:00"), now)
    ]
    assert found == ["2026-10-19T16:00:00+09:00", "2026-10-26T17:00:00+09:00"]


def test_slots_leave_gaps_and_avoid_what_is_taken():
    offered = offer(Weekly(0, 9 * 60, 12 * 60), slot_s=1_800, gap_s=600)
    assert day(offered, "2026-10-19") == ["09:00+02", "09:40+02", "10:20+02", "11:00+02"]
    lesson = (at("2026-10-19T10:15"), at("2026-10-19T10:55"))
    # The gap is kept on both sides of a lesson: 09:40 would end five minutes before it.
    assert day(offered, "2026-10-19", [lesson]) == ["09:00+02"]


def test_exceptions_add_and_remove_times_of_one_day():
    away = ((at("2026-10-19T09:00"), at("2026-10-19T10:30")),)
    extra = ((at("2026-10-20T18:00"), at("2026-10-20T19:00")),)
    offered = offer(Weekly(0, 9 * 60, 11 * 60), away=away, extra=extra)
    assert day(offered, "2026-10-19") == ["10:30+02"]
    assert day(offered, "2026-10-20") == ["18:00+02", "18:30+02"]
    assert day(offered, "2026-10-26") == ["09:00+01", "09:30+01", "10:00+01", "10:30+01"]


def test_slots_can_be_booked_neither_too_late_nor_too_early():
    offered = offer(Weekly(0, 9 * 60, 11 * 60), notice_s=HOUR, ahead_s=2 * 86_400)
    assert day(offered, "2026-10-19", now=at("2026-10-19T09:10")) == ["10:30+02"]
    assert day(offered, "2026-10-19", now=at("2026-10-17T09:30")) == ["09:00+02"]


def test_windows_and_offers_are_limited():
    with pytest.raises(Refused) as refused:
        bookings.slots(offer(NIGHT), [], 0.0, limits.SLOTS_WINDOW_S + 1.0, 0.0)
    assert refused.value.code is Code.TOO_LARGE
    for wrong in (
        offer(NIGHT, slot_s=60),
        offer(NIGHT, gap_s=-1),
        offer(NIGHT, ahead_s=60),
        offer(*[Weekly(0, 0, 1_440)] * 8),
        offer(NIGHT, extra=((0.0, limits.DURATION_S + 1.0),)),
        offer(NIGHT, away=((5.0, 1e15),)),
    ):
        with pytest.raises(Refused):
            bookings.check_offer(wrong)


MINUTES = st.integers(0, 4 * 60).map(lambda minutes: at("2026-03-29T00:30") + 60.0 * minutes)


@given(
    st.lists(st.tuples(MINUTES, MINUTES).map(sorted).map(tuple), max_size=4), st.sampled_from([600, 1_800])
)
def test_no_slot_overlaps_another_or_what_is_taken(taken, gap_s):
    offered = offer(NIGHT, slot_s=900, gap_s=gap_s)
    found = bookings.slots(offered, taken, at("2026-03-28T00:00"), at("2026-03-30T00:00"), 1.7e9)
    assert all(second[0] - first[1] >= gap_s for first, second in pairwise(found))
    for starts, ends in found:
        assert all(
            ends + gap_s <= since or until + gap_s <= starts for since, until in taken if since < until
        )
        assert at("2026-03-29T01:00") <= starts < ends <= at("2026-03-29T04:00")


def booked(count=0):
    """Somebody who offers the next days around the clock in hours, and has confirmed bookings."""
    part = Part(BOOKINGS, State(tutor="tutor"))
    part.do(
        SetOffer(
            by="tutor", offer=offer(*(Weekly(each, 0, 1_440) for each in range(7)), name="UTC", slot_s=3_600)
        )
    )
    for number in range(count):
        part.do(hold(number))
        part.do(Confirm(session=f"ses_{number}"))
    return part


def hold(hour, session=None, person=None, **more):
    """A booking of a whole hour after the next midnight."""
    midnight = NOW // DAY * DAY + DAY
    name = person or f"p{hour}"
    return Hold(
        by=name,
        session=session or f"ses_{hour}",
        person=name,
        name="Sam",
        starts_at=midnight + hour * HOUR,
        **more,
    )


def test_a_slot_is_booked_once():
    part = booked(1)
    assert part.refusal(hold(0, "ses_x", "eve")) is Code.SLOT_NOT_FREE
    assert part.refusal(hold(0.5, "ses_x", "eve")) is Code.SLOT_NOT_FREE  # no slot begins there
    assert part.refusal(hold(1, "ses_x", "tutor")) is Code.NOT_ALLOWED
    assert part.refusal(hold(1, "ses_0", "eve")) is Code.ALREADY_EXISTS
    part.do(hold(1, "ses_x", "eve"))
    part.check_replay()


def test_a_hold_ends_without_a_confirmation():
    part = booked()
    part.do(hold(0))
    assert part.refusal(hold(0, "ses_x", "eve")) is Code.SLOT_NOT_FREE
    part.do(hold(0, "ses_x", "eve"), after=HOLD_S)
    assert part.refusal(Confirm(session="ses_0")) is Code.SLOT_NOT_FREE
    part.do(Confirm(session="ses_x"))
    assert part.do(Confirm(session="ses_x")) == []
    part.check_replay()


def test_a_booking_is_free_again_when_its_session_is_gone_but_not_when_the_caller_did_not_know_it():
    part = booked(2)
    midnight = NOW // DAY * DAY + DAY
    # Read before ses_1 was confirmed: it is not in the list, and still takes its slot.
    early = Plans(known=frozenset({"ses_0"}), sessions={})
    assert part.refusal(hold(1, "ses_x", "eve", plans=early)) is Code.SLOT_NOT_FREE
    moved = Plans(
        known=frozenset({"ses_0", "ses_1"}), sessions={"ses_0": midnight + 2 * HOUR, "ses_1": midnight + HOUR}
    )
    assert part.refusal(hold(2, "ses_x", "eve", plans=moved)) is Code.SLOT_NOT_FREE
    part.do(hold(0, "ses_x", "eve", plans=moved))
    assert list(part.state.bookings) == ["ses_1", "ses_x"]
    part.check_replay()


def test_other_sessions_and_lessons_take_slots():
    part = booked()
    midnight = NOW // DAY * DAY + DAY
    plans = Plans(
        lessons=((midnight + HOUR, midnight + 1.5 * HOUR),), sessions={"other": midnight + 2.5 * HOUR}
    )
    refused = [hour for hour in range(5) if _refuses(part, hold(hour, plans=plans))]
    assert refused == [1, 2, 3]


def _refuses(part, command):
    try:
        BOOKINGS.decide(part.state, command, part.now)
    except Refused as error:
        return error.code is Code.SLOT_NOT_FREE
    return False


def test_a_person_has_few_appointments_at_once():
    part = booked()
    for hour in range(limits.BOOKINGS_PER_PERSON):
        part.do(hold(hour, person="sam"))
    assert part.refusal(hold(9, person="sam")) is Code.TOO_MANY
    part.do(hold(9, person="eve"))


def test_only_the_two_sides_cancel():
    part = booked(1)
    assert part.refusal(Cancel(by="eve", session="ses_0")) is Code.BOOKING_NOT_FOUND
    assert part.refusal(SetOffer(by="eve", offer=offer(NIGHT))) is Code.NOT_YOURS
    part.do(Cancel(by="p0", session="ses_0"))
    assert part.refusal(Cancel(by="p0", session="ses_0")) is Code.BOOKING_NOT_FOUND
    part.do(hold(0, "ses_x", "eve"))
    part.do(Cancel(by="tutor", session="ses_x"))
    part.check_replay()


def test_old_bookings_are_forgotten():
    part = booked(1)
    part.do(hold(24 * 5, "ses_x", "eve"), after=4 * DAY)
    assert list(part.state.bookings) == ["ses_x"]
