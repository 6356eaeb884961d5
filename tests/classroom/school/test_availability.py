from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.errors import Code, Refused
from classroom.school import availability
from classroom.school.availability import Availability, Weekly, common, is_free, join, spans, subtract
from classroom.school.recurrence import local, timestamp, zone

BERLIN = zone("Europe/Berlin")
HOUR = 3_600


def at(text):
    return timestamp(local(text), BERLIN)


MONDAYS = Availability("Europe/Berlin", (Weekly(0, 9 * 60, 11 * 60),))


def test_weekly_times_follow_the_local_clock():
    found = spans(MONDAYS, at("2026-10-19T00:00"), at("2026-10-27T00:00"))
    assert found == [(at(f"2026-10-{day}T09:00"), at(f"2026-10-{day}T11:00")) for day in (19, 26)]
    assert found[1][0] - found[0][0] == 7 * 86_400 + HOUR  # the clock went back in between


def test_a_window_cuts_and_absences_make_holes():
    away = ((at("2026-10-19T09:30"), at("2026-10-19T10:00")),)
    busy = Availability("Europe/Berlin", MONDAYS.weekly, away)
    found = spans(busy, at("2026-10-19T09:15"), at("2026-10-19T10:30"))
    assert found == [
        (at("2026-10-19T09:15"), at("2026-10-19T09:30")),
        (at("2026-10-19T10:00"), at("2026-10-19T10:30")),
    ]


def test_what_several_have_in_common():
    london = Availability("Europe/London", (Weekly(0, 9 * 60, 12 * 60),))  # 10 to 13 in Berlin
    window = (at("2026-10-19T00:00"), at("2026-10-20T00:00"))
    both = common([spans(MONDAYS, *window), spans(london, *window)], HOUR)
    assert both == [(at("2026-10-19T10:00"), at("2026-10-19T11:00"))]
    assert common([spans(MONDAYS, *window), spans(london, *window)], HOUR + 1) == []
    assert common([], HOUR) == []
    assert is_free(both, at("2026-10-19T10:15"), at("2026-10-19T11:00"))
    assert not is_free(both, at("2026-10-19T10:15"), at("2026-10-19T11:01"))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Availability("Nowhere", ()), Code.BAD_TIME_ZONE),
        (Availability("UTC", (Weekly(7, 0, 1),)), Code.BAD_NUMBER),
        (Availability("UTC", (Weekly(0, 10, 10),)), Code.BAD_NUMBER),
        (Availability("UTC", (Weekly(0, 0, 1_441),)), Code.BAD_NUMBER),
        (Availability("UTC", (Weekly(0, 0, 1),) * 51), Code.TOO_MANY),
        (Availability("UTC", (), ((5.0, 5.0),)), Code.BAD_TIME),
    ],
)
def test_bad_availabilities_are_refused(wrong, code):
    with pytest.raises(Refused) as refused:
        availability.check(wrong)
    assert refused.value.code is code


def test_good_ones_are_kept():
    assert availability.check(MONDAYS) is MONDAYS


def test_windows_are_bounded():
    with pytest.raises(Refused):
        spans(MONDAYS, 0.0, 1e9)


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def cells(items):
    return {second for since, until in items for second in range(since, until)}


@given(SPANS, SPANS)
def test_spans_are_sets_of_seconds(first, second):
    one, other = join(first), join(second)
    assert cells(one) == cells(first)
    assert all(before[1] < after[0] for before, after in pairwise(one))
    assert cells(subtract(one, other)) == cells(first) - cells(second)
    assert cells(common([one, other], 1)) == cells(first) & cells(second)
