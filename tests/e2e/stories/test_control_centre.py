"""A tutor's control centre: exercises and their progress, requests for help, teaching one and observing others."""

import pytest

from tests.e2e.stories.page import Page, connect

pytestmark = pytest.mark.timeout(180)


async def test_help_requests_exercises_and_modes(school):
    tutor, sam, kim = school.person("t-1", "tutor"), school.person("s-1"), school.person("s-2")
    session = f"/sessions/{(await tutor.post('/sessions', {'title': 'Practice'}))['id']}"
    joined = {each: await each.post(f"{session}/join") for each in (tutor,)}
    await tutor.post(f"{session}/start")
    joined |= {each: await each.post(f"{session}/join") for each in (sam, kim)}
    rooms = [(await connect(joined[each]))[0] for each in (tutor, sam)]
    desk, sheet = await Page.open(tutor, joined[tutor]), await Page.open(sam, joined[sam])
    other = await Page.open(kim, joined[kim])

    # An exercise is handed out; its progress reaches the tutor and nobody else.
    await tutor.post(
        f"{session}/exercises", {"exercise": {"id": "ex-1", "title": "Fractions", "text": "1/2 + 1/3"}}
    )
    await tutor.post(f"{session}/exercises/ex-1/assign", {"people": ["s-1"]})
    assert (await sheet.event("exercises.assigned"))["exercise"]["text"] == "1/2 + 1/3"
    await sam.post(f"{session}/exercises/ex-1/report", {"progress": 40})
    assert (await desk.event("exercises.reported"))["progress"] == 40

    # Help: urgent requests first, with the time that each one has waited.
    await kim.post(f"{session}/help-requests", {"urgency": "normal", "text": "I am lost"})
    urgent = (await sam.post(f"{session}/help-requests", {"urgency": "urgent", "text": "It crashed"}))["id"]
    await desk.event("help_requests.asked", by="s-1")
    queue = (await tutor.get(f"{session}/help-requests"))["requests"]
    assert [(each["by"], each["urgency"]) for each in queue] == [("s-1", "urgent"), ("s-2", "normal")]
    await tutor.post(f"{session}/help-requests/{urgent}/respond")
    assert (await sheet.event("help_requests.responded"))["by"] == "t-1"
    await tutor.post(f"{session}/exercises/mode", {"person": "s-1", "mode": "observe"})
    await tutor.post(f"{session}/help-requests/{urgent}/resolve")

    # The answer is handed in and accepted with a note.
    await sam.post(f"{session}/exercises/ex-1/submit", {"text": "5/6"})
    assert (await desk.event("exercises.submitted"))["text"] == "5/6"
    await tutor.post(f"{session}/exercises/ex-1/accept", {"person": "s-1", "note": "Right"})
    assert (await sheet.event("exercises.accepted"))["note"] == "Right"

    # Kim has seen none of it.
    await tutor.post(f"{session}/chat", {"text": "Well done"})
    await other.event("chat.sent")
    assert {event["type"] for event in other.events} <= {"people.joined", "help_requests.asked"}
    assert all(event.get("by") in {"s-2", "t-1", "s-1"} for event in other.events)
    for page in (desk, sheet, other):
        await page.ws.close()
    for room in rooms:
        await room.disconnect()
