import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from classroom import limits
from classroom.errors import Code, LimitReached, Malformed
from classroom.school import recurrence
from classroom.school.recurrence import expand, local, timestamp, zone

BERLIN = zone("Europe/Berlin")
NINE = local("2026-09-07T09:00")  # a Monday


def days(rule, starts=NINE, since=None, weeks=20, tz=BERLIN):
    since = since or starts
    return list(expand(rule, starts, tz, since, since + timedelta(weeks=weeks)))


def utc(at):
    return datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M")


def test_a_lesson_at_nine_is_at_nine_in_summer_and_in_winter():
    found = [utc(timestamp(value, BERLIN)) for value in days("FREQ=WEEKLY", weeks=9)]
    assert found[:2] == ["09-07 07:00", "09-14 07:00"]
    assert found[-2:] == ["10-26 08:00", "11-02 08:00"]  # the clock went back on 25 October


def test_a_time_that_the_clock_skips_takes_the_offset_before_the_gap():
    # RFC 5545 section 3.3.5: 2:30 on 29 March 2026 does not exist in Berlin; it is 3:30 summer time.
    assert utc(timestamp(local("2026-03-29T02:30"), BERLIN)) == "03-29 01:30"
    found = days("FREQ=DAILY", local("2026-03-28T02:30"), weeks=1)
    assert [utc(timestamp(value, BERLIN)) for value in found[:3]] == [
        "03-28 01:30",
        "03-29 01:30",
        "03-30 00:30",
    ]


def test_a_time_that_comes_twice_is_the_first():
    # 2:30 on 25 October 2026 comes at 0:30 and at 1:30 UTC.
    assert utc(timestamp(local("2026-10-25T02:30"), BERLIN)) == "10-25 00:30"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", ["09-07", "09-09", "09-14"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=3", ["09-07", "09-21", "10-05"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["09-25", "10-30"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", ["09-30", "10-30"]),
        ("FREQ=DAILY;UNTIL=20260909", ["09-07", "09-08", "09-09"]),
        ("FREQ=DAILY;UNTIL=20260909T070000Z", ["09-07", "09-08", "09-09"]),  # 9:00 in Berlin, included
        ("FREQ=DAILY;UNTIL=20260909T065959Z", ["09-07", "09-08"]),
        ("FREQ=DAILY;UNTIL=20260909T085959", ["09-07", "09-08"]),
        ("FREQ=YEARLY;BYMONTH=9,10;BYMONTHDAY=15;COUNT=2", ["09-15", "10-15"]),
    ],
)
def test_rules_of_rfc_5545(rule, expected):
    assert [value.strftime("%m-%d") for value in days(rule)] == expected


@pytest.mark.parametrize(
    ("week_start", "expected"),
    [("MO", ["08-05", "08-10", "08-19", "08-24"]), ("SU", ["08-05", "08-17", "08-19", "08-31"])],
)
def test_the_first_day_of_the_week_matters_every_other_week(week_start, expected):
    # The example of RFC 5545 section 3.8.5.3.
    rule = f"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={week_start}"
    assert [value.strftime("%m-%d") for value in days(rule, local("1997-08-05T09:00"))] == expected


def test_a_count_counts_from_the_start_and_not_from_the_window():
    since = NINE + timedelta(weeks=3)
    assert len(days("FREQ=WEEKLY;COUNT=5", since=since)) == 2


def test_without_a_rule_there_is_one():
    assert days("") == [NINE]
    assert days("", since=NINE + timedelta(seconds=1)) == []


def values(low, high):
    numbers = st.integers(low, high).filter(bool)
    return st.lists(numbers, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))


NAMES = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3)
PLAIN = NAMES.map(",".join)
NUMBERED = st.lists(
    st.builds("{}{}".format, st.sampled_from([1, 2, 3, 4, -1, -2]), st.sampled_from(["MO", "FR", "SU"])),
    min_size=1,
    max_size=3,
).map(",".join)


@st.composite
def rules(draw):
    """Return rules that match sooner or later: dateutil would follow others to the year 9999."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": frequency}
    shape = draw(st.sampled_from(["", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYDAY BYMONTH", "BYDAY BYMONTHDAY"]))
    if frequency == "WEEKLY":
        shape = shape.replace("BYMONTHDAY", "").strip()
    for name in shape.split():
        numbered = frequency in {"MONTHLY", "YEARLY"} and "BYMONTHDAY" not in shape
        days = draw(st.sampled_from([NUMBERED, PLAIN])) if numbered else PLAIN
        parts[name] = draw({"BYDAY": days, "BYMONTHDAY": values(-28, 28), "BYMONTH": values(1, 12)}[name])
    if not shape or frequency in {"WEEKLY", "YEARLY"}:
        parts["INTERVAL"] = str(draw(st.integers(1, 3)))
    # In the week of the start, dateutil takes positions among the days from the start on; RFC 5545 among all of the
    # interval, as dateutil itself does for months and years.
    if "BYDAY" in shape and frequency != "WEEKLY" and draw(st.booleans()):
        parts["BYSETPOS"] = draw(st.sampled_from(["1", "-1"]))
    if draw(st.booleans()):
        parts["WKST"] = draw(st.sampled_from(["MO", "SU", "WE"]))
    if draw(st.booleans()):
        parts["COUNT"] = str(draw(st.integers(1, 40)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


@given(rules(), st.datetimes(local("2020-01-01T00:00"), local("2029-12-28T00:00")), st.integers(0, 1_500))
@settings(max_examples=300, deadline=None)
def test_our_expansion_and_dateutils_are_the_same(rule, starts, days_later):
    starts = starts.replace(microsecond=0)
    since = starts + timedelta(days=days_later)
    until = since + timedelta(days=390)
    got = list(expand(rule, starts, BERLIN, since, until))
    expected = takewhile(lambda value: value < until, rrulestr(rule, dtstart=starts))
    assert got == [value for value in expected if value >= since]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=1,2",
        "FREQ=DAILY;COUNT=10000000",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;COUNT=3;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20269999",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=MONTHLY;BYMONTHDAY=99999999999999999999",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "RRULE:FREQ=DAILY",
        "DTSTART=20260101",
        "COUNT=3",
        ";",
        "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 300),
    ],
)
def test_bad_rules_are_refused(rule):
    with pytest.raises(Malformed) as refused:
        days(rule)
    assert refused.value.code is Code.BAD_RECURRENCE


@given(st.text(alphabet="FREQDAILYWKMONTHCU=;,+-0123456789", max_size=60).map("FREQ=DAILY;BY".__add__))
@settings(max_examples=300, deadline=None)
def test_any_text_is_expanded_or_refused(text):
    with suppress(Malformed, LimitReached):
        assert len(days(text)) <= limits.OCCURRENCES


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
        "FREQ=MONTHLY;BYDAY=9MO",
    ],
)
def test_a_rule_that_never_matches_costs_little(rule):
    started = time.process_time()
    assert days(rule) == []
    assert time.process_time() - started < 1.0


def test_windows_are_bounded():
    with pytest.raises(LimitReached):
        days("FREQ=DAILY", weeks=60)
    long_ago = NINE - timedelta(days=365 * 12)
    assert days("FREQ=DAILY", starts=long_ago, since=NINE) == []  # a series ends after ten years


def test_more_than_the_limit_in_one_window_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "OCCURRENCES", 10)
    assert len(days("FREQ=DAILY;COUNT=10")) == 10
    with pytest.raises(LimitReached):
        days("FREQ=DAILY")


@pytest.mark.parametrize(
    "name", ["", "Europe", "Nowhere/City", "../etc/passwd", "/etc/passwd", "x" * 1_000, "a\0b"]
)
def test_what_is_no_time_zone_is_refused(name):
    with pytest.raises(Malformed) as refused:
        zone(name)
    assert refused.value.code is Code.BAD_TIME_ZONE


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-28", "2026-11-28T25:00", "2026-02-30T09:00", "2026-11-28T09:00Z", "9999-01-01T00:00", "x"],
)
def test_what_is_no_local_time_is_refused(text):
    with pytest.raises(Malformed) as refused:
        local(text)
    assert refused.value.code is Code.BAD_TIME


def test_local_times_go_both_ways():
    assert recurrence.local_at(timestamp(NINE, BERLIN), BERLIN) == NINE
