"""Events over the media connection: to those who asked, and to nobody else."""

import json

from livekit.protocol import models

from signaling.teaching import delivery
from tests.signaling.school_client import eventually
from tests.signaling.teaching.test_media import enter, participant


def packets(world, sid):
    """What was sent to somebody on the reliable channel."""
    found = []
    for sids, _label, payload in world.media.sent:
        packet = models.DataPacket.FromString(payload)
        if sid in sids and packet.WhichOneof("value") == "user":
            assert (sids, packet.user.topic) == ((sid,), delivery.TOPIC)
            found.append(json.loads(packet.user.payload))
    return found


async def test_a_page_gets_the_state_and_the_events_over_its_connection(world, school, monkeypatch):
    session = await school.lesson()
    sam, _ = await enter(world, school, session, "sam")
    kim, _ = await enter(world, school, session, "kim")
    path = f"/sessions/{session}/events/deliver"
    assert await school.person("sam").post(path) == {"topic": "lectern.session"}
    refusal = await school.person("tutor", "tutor").post(path, status=409)
    assert refusal["code"] == "not_present"
    sid = participant(world, session, "sam").sid
    await school.person("tutor", "tutor").post(f"/sessions/{session}/chat", {"text": "hello"})

    async def heard():
        return [
            kind
            for message in packets(world, sid)
            for kind in [run["type"] for run in message.get("runs", ())]
        ]

    assert await eventually(heard) == ["chat.sent"]
    state = packets(world, sid)[0]
    assert (state["type"], state["state"]["people"]["me"]) == ("state", "student")
    assert packets(world, participant(world, session, "kim").sid) == []

    # A page that comes back says what it has; what is too large for a packet is loaded by a call.
    monkeypatch.setattr(delivery, "MAX_PAYLOAD_BYTES", 10)
    await school.person("sam").post(path, {"after": state["seq"]})

    async def again():
        return [message for message in packets(world, sid) if message["type"] == "load"]

    assert (await eventually(again))[0]["kind"] == "events"
    for client in (sam, kim):
        await client.ws.close()
