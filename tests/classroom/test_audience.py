import msgspec
from hypothesis import given
from hypothesis import strategies as st

from classroom import audience, limits
from classroom.features import attendance, moderation, people
from classroom.roles import Role
from tests.classroom.histories import full_lesson

EVENT = attendance.ActivityChanged(at=1.0, by="ada", person="ben", activity=attendance.Activity.IDLE)


def readers(shown):
    lesson = full_lesson()
    return {key for key, person in lesson.room.people.everyone.items() if shown(lesson.room, EVENT, person)}


def test_the_usual_audiences():
    staff = {"tutor", "coco", "kim"}
    assert readers(audience.everyone) == staff | {"ada", "ben", "cem", "eve"}
    assert readers(audience.staff) == staff
    assert readers(audience.tutors) == {"tutor", "coco"}
    assert readers(audience.staff_and_author) == staff | {"ada"}
    assert readers(audience.staff_and_subject) == staff | {"ben"}
    assert readers(audience.nobody) == set()


@given(st.lists(st.text(max_size=30)), st.integers(0, 300))
def test_what_fits_is_the_beginning_and_fits(items, size):
    kept, more = audience.fitting(items, size)
    assert kept == items[: len(kept)]
    assert more == (len(kept) < len(items))
    assert bool(kept) == bool(items)
    if len(kept) > 1:
        assert sum(len(msgspec.json.encode(item)) for item in kept) <= size


def test_long_texts_are_cut():
    assert audience.beginning("short") == ("short", False)
    assert audience.beginning("x" * 600) == ("x" * limits.VIEW_TEXT, True)


def test_a_removed_person_is_no_audience():
    lesson = full_lesson()
    lesson.do(moderation.Remove(by="tutor", person="ada"))
    assert lesson.room.people.everyone["ada"].role is Role.STUDENT
    assert "ada" not in lesson.room.people.present
    assert isinstance(lesson.events[-1], people.Left)
