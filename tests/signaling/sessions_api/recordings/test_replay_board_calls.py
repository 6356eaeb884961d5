import base64

import pytest

from signaling.sessions_api.recordings import replay_board_calls
from tests.signaling.sessions_api.recordings.test_replay_calls import write


def update(octets, size=3):
    return base64.b64encode(bytes([octets]) * size).decode()


@pytest.fixture
async def drawn(lesson):
    """A recorded lesson with two pages of a whiteboard, drawn on and turned; its time 0 is that of the files."""
    await lesson.recorded_by(write, ("ada",))
    board = f"/sessions/{lesson.session}/whiteboards"
    first = (await lesson.tutor.post(board))["id"]
    await lesson.tutor.post(f"{board}/{first}/draw", {"update": update(1)})
    second = (await lesson.tutor.post(board))["id"]
    await lesson.tutor.post(f"{board}/{second}/go-to")
    await lesson.tutor.post(f"{board}/{second}/draw", {"update": update(2)})
    await lesson.tutor.call("DELETE", f"{board}/{first}")
    lesson.pages = first, second
    return lesson


async def read(lesson, caller):
    """All changes, and the number of answers that they took."""
    found, after, count = [], 0, 0
    while True:
        page = await caller.get(f"{lesson.path}/whiteboard?after={after}")
        found, after, count = found + page["events"], page["upto"], count + 1
        if not page["more"]:
            return found, count


async def test_what_happened_on_the_whiteboard_is_told_in_order_to_those_who_may_watch(drawn):
    first, second = drawn.pages
    found, count = await read(drawn, drawn.person("ada"))
    assert count == 1
    assert [(each["kind"], each["page"], each.get("update")) for each in found] == [
        ("page_added", first, None),
        ("drawn", first, update(1)),
        ("page_added", second, None),
        ("turned", second, None),
        ("drawn", second, update(2)),
        ("page_removed", first, None),
    ]
    times = [each["at_s"] for each in found]
    assert times == sorted(times)
    marks = await drawn.tutor.get(f"/sessions/{drawn.session}/replay/marks?recording={drawn.recording}")
    assert marks["marks"][0]["at_s"] <= times[0]
    assert await drawn.person("eve").attempt("GET", f"{drawn.path}/whiteboard") == (404, "session_not_found")
    await drawn.tutor.call("PUT", f"/sessions/{drawn.session}/replay/access", {"staff_only": True})
    assert (await drawn.person("ada").attempt("GET", f"{drawn.path}/whiteboard"))[0] == 403
    assert len((await read(drawn, drawn.tutor))[0]) == 6


async def test_answers_are_bounded_by_the_size_of_the_updates_and_the_number_of_events(drawn, monkeypatch):
    whole, _ = await read(drawn, drawn.tutor)
    monkeypatch.setattr(replay_board_calls, "_MAX_OCTETS", 4)
    assert await read(drawn, drawn.tutor) == (whole, 2)
    monkeypatch.setattr(replay_board_calls, "_MAX_OCTETS", 1)
    assert (await read(drawn, drawn.tutor))[0] == whole
    monkeypatch.setattr(replay_board_calls, "_EVENTS", 2)
    found, count = await read(drawn, drawn.tutor)
    assert found == whole
    assert count > 3
