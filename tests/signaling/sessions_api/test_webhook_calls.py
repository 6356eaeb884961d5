"""Deliveries of webhooks as administrators see them, and sending one again."""

from tests.signaling.receiver import receiving
from tests.signaling.school_client import eventually


async def test_the_last_deliveries_are_shown_and_sent_again(school):
    boss = school.person("boss", "admin")
    async with receiving() as receiver:
        made = await boss.post(
            "/webhook-endpoints", {"url": receiver.url, "events": ["session.started"]}, 201
        )
        path = f"/webhook-endpoints/{made['id']}/deliveries"
        assert await boss.get(path) == {"waiting": [], "attempts": []}
        await school.lesson()
        ((_, first),) = await receiver.has(1)

        async def attempts(count):
            found = (await boss.get(path))["attempts"]
            return found if len(found) == count else None

        (attempt,) = await eventually(lambda: attempts(1))
        assert (attempt["event"], attempt["number"], attempt["result"], attempt["answer"]) == (
            "session.started",
            1,
            "delivered",
            "200",
        )
        assert await boss.post(f"{path}/{attempt['event_id']}/send-again") == {
            "event_id": attempt["event_id"]
        }
        assert [body for _, body in await receiver.has(2)] == [first, first]
        assert len(await eventually(lambda: attempts(2))) == 2
        unknown = await boss.post(f"{path}/msg_none/send-again", status=404)
        assert unknown["code"] == "delivery_not_found"


async def test_a_delivery_that_waits_is_sent_at_once_and_not_twice(school):
    boss = school.person("boss", "admin")
    async with receiving() as receiver:
        receiver.answers = [500, 500]
        made = await boss.post(
            "/webhook-endpoints", {"url": receiver.url, "events": ["session.started"]}, 201
        )
        path = f"/webhook-endpoints/{made['id']}/deliveries"
        await school.lesson()
        await receiver.has(1)

        async def waiting(tries):
            found = (await boss.get(path))["waiting"]
            return found if found and found[0]["attempts"] == tries else None

        (delivery,) = await eventually(lambda: waiting(1))
        assert delivery["next_at"] > delivery["created_at"]
        await boss.post(f"{path}/{delivery['event_id']}/send-again")
        await receiver.has(2)
        (again,) = await eventually(lambda: waiting(2))
        assert again["event_id"] == delivery["event_id"]


async def test_tutors_see_no_deliveries(school):
    made = await school.application.post("/webhook-endpoints", {"url": "https://school.example"}, 201)
    path = f"/webhook-endpoints/{made['id']}/deliveries"
    eve = school.person("eve", "tutor")
    assert (await eve.get(path, 403))["code"] == "not_allowed"
    assert (await eve.post(f"{path}/msg_1/send-again", status=403))["code"] == "not_allowed"
