import pytest

from classroom.school.bookings import BOOKINGS
from classroom.school.courses import COURSES, Create
from classroom.school.office_hours import OFFICE_HOURS
from classroom.school.presence import PRESENCE
from classroom.school.schedule import SCHEDULE
from classroom.school.study_groups import STUDY_GROUPS
from tests.classroom.school.school import Part

ALL = [BOOKINGS, COURSES, OFFICE_HOURS, PRESENCE, SCHEDULE, STUDY_GROUPS]


@pytest.mark.parametrize("aggregate", ALL, ids=lambda aggregate: aggregate.name)
def test_tags_begin_with_the_part(aggregate):
    kinds = [*aggregate.decisions, *aggregate.changes]
    tags = [str(kind.__struct_config__.tag) for kind in kinds]
    assert {tag.partition(".")[0] for tag in tags} == {aggregate.name}
    assert len(set(tags)) == len(tags)
    assert all(kind.__struct_config__.frozen for kind in kinds)


def test_a_log_makes_the_state_from_nothing():
    part = Part(COURSES)
    events = part.do(Create(course="c1", title="Algebra"))
    assert COURSES.replay(events) == part.state
