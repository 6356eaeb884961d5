import random
import uuid

import pytest

from signaling.daily.meetings import meeting_id, meeting_sid, meetings
from signaling.rooms.sids import random_sid
from signaling.store import Attendance, Meeting


def test_a_meetings_id_is_a_uuid_that_says_its_session():
    for sid in (random_sid("RM_"), "RM_23456789ABCD", "RM_1"):
        meeting = meeting_id(sid)
        assert uuid.UUID(meeting).version == 8
        assert meeting_sid(meeting) == meeting_sid(meeting.upper()) == sid
    assert meeting_id(random_sid("RM_")) != meeting_id(random_sid("RM_"))


def test_other_ids_are_no_meetings():
    chance = random.Random(3)
    wrong = ["", "RM_23456789ABCD", "x" * 36, str(uuid.uuid4()), str(uuid.UUID(int=0))]
    wrong += [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(500)]
    assert [each for each in wrong if meeting_sid(each) is not None] == []


def stay(sid, joined_at, left_at, session="RM_1"):
    return Attendance(session, sid, sid, "", joined_at, left_at)


@pytest.mark.parametrize(
    ("ended_at", "stays", "start", "duration", "most"),
    [
        (200.0, [stay("a", 110, 150)], 110, 40, 1),
        (200.0, [stay("a", 110, 150), stay("b", 120, 180)], 110, 70, 2),
        (200.0, [stay("a", 110, 150), stay("b", 150, 160)], 110, 50, 1),
        (None, [stay("a", 110, 150), stay("b", 120, None), stay("c", 130, 140)], 110, 90, 3),
    ],
)
def test_what_is_told_of_a_meeting(ended_at, stays, start, duration, most):
    [meeting] = meetings([Meeting("RM_1", "maths", 100.0, ended_at)], [*stays, stay("x", 1, 2, "RM_2")])
    assert (meeting.start_time, meeting.duration_s(200.0)) == (start, duration)
    assert (meeting.max_participants, meeting.ongoing) == (most, ended_at is None)
