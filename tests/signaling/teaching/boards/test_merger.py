import base64

from classroom import limits
from signaling.teaching.boards.merger import merge
from tests.signaling.teaching.boards.test_merge import drawn, strokes


async def test_a_page_that_is_drawn_on_is_merged_and_stays_what_it_was(school, world, monkeypatch):
    monkeypatch.setattr(limits, "BOARD_UPDATES_KEPT", 20)
    session = await school.lesson()
    path, tutor = f"/sessions/{session}/whiteboards", school.person("tutor", "tutor")
    page = (await tutor.post(path, {}, 201))["id"]
    merger = world.server.teaching.boards
    for update in strokes(30):
        await tutor.post(f"{path}/{page}/draw", {"update": base64.b64encode(update).decode()})
        await merger.finish()
    content = (await tutor.get(f"{path}/{page}"))["updates"]
    assert len(content) <= 5
    assert drawn(*map(base64.b64decode, content)) == [str(number) for number in range(30)]


async def test_updates_that_nobody_can_read_fill_their_page_and_are_tried_once(
    school, world, monkeypatch, caplog
):
    monkeypatch.setattr(limits, "BOARD_UPDATES_KEPT", 8)
    session = await school.lesson()
    path, tutor = f"/sessions/{session}/whiteboards", school.person("tutor", "tutor")
    page = (await tutor.post(path, {}, 201))["id"]
    merger = world.server.teaching.boards
    for _ in range(8):
        await tutor.post(f"{path}/{page}/draw", {"update": "Z2FyYmFnZQ=="})
        await merger.finish()
    assert (await tutor.post(f"{path}/{page}/draw", {"update": "Z2FyYmFnZQ=="}, 409))["code"] == "too_many"
    assert [record.getMessage() for record in caplog.records].count(
        "a page of a whiteboard cannot be merged"
    ) == 1


async def test_a_process_that_takes_too_long_is_ended():
    assert await merge(strokes(1), timeout_s=0.0) is None
