"""A teaching platform's studio: scenes and slides for all, questions with votes, a poll, and the export."""

import pytest

from tests.e2e.stories.page import Page, connect

pytestmark = pytest.mark.timeout(180)


async def test_poll_questions_and_slides(school):
    tutor, sam, kim = school.person("t-1", "tutor"), school.person("s-1"), school.person("s-2")
    made = await tutor.post("/sessions", {"title": "Optics"})
    session = f"/sessions/{made['id']}"
    room, _ = await connect(await tutor.post(f"{session}/join"))
    await tutor.post(f"{session}/start")
    pages = {}
    for name, person in (("tutor", tutor), ("sam", sam), ("kim", kim)):
        joined = (
            await person.post(f"{session}/join") if name != "tutor" else await tutor.post(f"{session}/token")
        )
        pages[name] = await Page.open(person, joined)

    # Slides: a deck, a scene that shows it, and the page that all see.
    deck = (await tutor.post(f"{session}/slides", {"title": "Lenses", "pages": 12, "file": "deck.pdf"}))["id"]
    scene = (await tutor.post(f"{session}/scenes", {"kind": "slides", "source": deck, "title": "Lenses"}))[
        "id"
    ]
    await tutor.post(f"{session}/scenes/switch", {"scene": scene})
    assert (await pages["sam"].event("studio.switched"))["source"] == deck
    await tutor.post(f"{session}/slides/{deck}/go-to", {"page": 5})
    assert (await pages["kim"].event("slides.turned"))["page"] == 5
    assert (await sam.post(f"{session}/slides/{deck}/go-to", {"page": 1}, 403))["code"] == "not_allowed"

    # An anonymous question: other students see no name, the tutor does.
    question = (
        await sam.post(f"{session}/questions", {"text": "Why is it upside down?", "anonymous": True})
    )["id"]
    assert (await pages["kim"].event("questions.asked"))["by"] == ""
    assert (await pages["tutor"].event("questions.asked"))["by"] == "s-1"
    await kim.post(f"{session}/questions/{question}/upvote")
    assert (await kim.post(f"{session}/questions/{question}/upvote", status=409))["code"]
    await tutor.post(f"{session}/questions/{question}/answer", {"text": "The rays cross in the focus."})
    assert (await pages["sam"].event("questions.answered"))["text"].startswith("The rays")
    assert (await sam.get(f"{session}/questions"))["questions"][0]["votes"] == 1

    # An anonymous poll: nobody is shown who answered what; a late answer is refused.
    body = {"question": "Which lens?", "kind": "single", "options": ["Convex", "Concave"], "anonymous": True}
    poll = (await tutor.post(f"{session}/polls", body))["id"]
    await tutor.post(f"{session}/polls/{poll}/open", {})
    await pages["sam"].event("polls.opened")
    for person, choice in ((sam, 0), (kim, 1)):
        await person.post(f"{session}/polls/{poll}/answer", {"options": [choice]})
    answered = [await pages["tutor"].event("polls.answered") for _ in range(2)]
    assert [event["by"] for event in answered] == ["", ""]
    await tutor.post(f"{session}/polls/{poll}/close")
    assert (await sam.post(f"{session}/polls/{poll}/answer", {"options": [1]}, 409))["code"] == "poll_closed"
    await tutor.post(f"{session}/polls/{poll}/publish")
    assert (await pages["kim"].event("polls.published"))["results"]["counts"] == [1, 1]
    table = await tutor.get(f"{session}/polls/{poll}/results.csv")
    assert "Convex" in table
    assert "s-1" not in table
    for page in pages.values():
        await page.ws.close()
    await room.disconnect()
