"""The log of a session: by pages, by WebSocket, by server-sent events, and what each person sees of it."""

import asyncio
import json

import aiohttp


class Stream:
    """A WebSocket that follows a session."""

    def __init__(self, ws):
        self.ws = ws
        self.seq = 0
        self.events = []
        self.states = []

    async def message(self):
        frame = await self.ws.receive(timeout=5)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            return None
        message = json.loads(frame.data)
        if message["type"] == "state":
            self.states.append(message["state"])
            self.seq = message["seq"]
        else:
            assert message["after"] >= self.seq, "an event came twice"
            self.seq = message["upto"]
            for run in message["runs"]:
                for index in range(run["count"]):
                    columns = {name: values[index] for name, values in run["columns"].items()}
                    self.events.append({"type": run["type"], **run["same"], **columns})
        return message

    async def until(self, kind):
        while not any(event["type"] == kind for event in self.events):
            assert await self.message() is not None, f"the stream ended before {kind}"
        return next(event for event in self.events if event["type"] == kind)


async def follow(caller, session, after=None):
    query = f"access_token={caller.token}" + ("" if after is None else f"&after={after}")
    ws = await caller.http.ws_connect(f"{caller.url}/api/v1/sessions/{session}/events?{query}")
    return Stream(ws)


async def test_a_page_has_the_state_once_and_then_every_event(school):
    session = await school.lesson()
    stream = await follow(school.person("tutor", "tutor"), session)
    await stream.message()
    assert stream.states[0]["session"]["phase"] == "live"
    await school.person("sam").post(f"/sessions/{session}/join")
    assert (await stream.until("people.joined"))["person"] == "sam"
    await school.application.post(f"/sessions/{session}/end")
    await stream.until("session.ended")
    assert await stream.message() is None
    assert stream.ws.close_code == 4000


async def test_after_a_cut_nothing_is_missed_or_repeated(school):
    session = await school.lesson()
    sam = school.person("sam")
    await sam.post(f"/sessions/{session}/join")
    stream = await follow(sam, session)
    await stream.message()
    await sam.post(f"/sessions/{session}/chat", {"text": "one"})
    await stream.until("chat.sent")
    seq = stream.seq
    await stream.ws.close()
    for text in ("two", "three"):
        await school.person("tutor", "tutor").post(f"/sessions/{session}/chat", {"text": text})
    again = await follow(sam, session, seq)
    again.seq = seq
    while len([event for event in again.events if event["type"] == "chat.sent"]) < 2:
        await again.message()
    await sam.post(f"/sessions/{session}/chat", {"text": "four"})
    while len(texts := [event["text"] for event in again.events if event["type"] == "chat.sent"]) < 3:
        await again.message()
    assert texts == ["two", "three", "four"]
    assert again.states == []
    await again.ws.close()


async def test_what_is_private_reaches_only_those_whom_it_is_for(school):
    session = await school.lesson()
    people = {name: school.person(name) for name in ("sam", "kim")}
    streams = {}
    for name, person in people.items():
        await person.post(f"/sessions/{session}/join")
        streams[name] = await follow(person, session)
        await streams[name].message()
    await people["sam"].post(f"/sessions/{session}/chat", {"text": "help", "scope": "staff"})
    await school.person("tutor", "tutor").post(f"/sessions/{session}/chat", {"text": "hello all"})
    await streams["sam"].until("chat.sent")
    assert (await streams["kim"].until("chat.sent"))["text"] == "hello all"
    page = await people["kim"].get(f"/sessions/{session}/events?type=chat.sent")
    assert [each["event"]["text"] for each in page["events"]] == ["hello all"]
    assert page["more"] is False
    everything = await school.application.get(f"/sessions/{session}/events?type=chat.sent")
    assert [each["event"]["text"] for each in everything["events"]] == ["help", "hello all"]
    for stream in streams.values():
        await stream.ws.close()


async def test_a_student_in_the_lobby_gets_the_state_when_admitted(school):
    session = await school.lesson(settings={"lobby": "knock"})
    sam = school.person("sam")
    waiting = await sam.post(f"/sessions/{session}/join")
    assert (waiting["standing"], waiting["why"], waiting["credentials"]) == ("waiting", "knock", None)
    stream = await follow(school.bearer(waiting["access_token"]), session)
    first = await stream.message()
    assert (first["outside"], stream.states[0]["place"]) == (True, 1)
    await school.person("tutor", "tutor").post(f"/sessions/{session}/participants/sam/admit")
    while len(stream.states) < 2:
        await stream.message()
    assert stream.states[1]["people"]["me"] == "student"
    assert (await sam.post(f"/sessions/{session}/token"))["credentials"]["token"]
    await stream.ws.close()


async def test_a_thousand_hands_are_few_messages(school):
    session = await school.lesson()
    students = [school.person(f"s{number}") for number in range(30)]
    await asyncio.gather(*(student.post(f"/sessions/{session}/join") for student in students))
    stream = await follow(school.person("tutor", "tutor"), session)
    await stream.message()
    await asyncio.gather(*(student.post(f"/sessions/{session}/hands") for student in students))
    messages = 0
    while len([event for event in stream.events if event["type"] == "hands.raised"]) < 30:
        await stream.message()
        messages += 1
    assert messages < 15
    await stream.ws.close()


async def test_server_sent_events_carry_the_same(school):
    session = await school.lesson()
    tutor = school.person("tutor", "tutor")
    headers = {"Authorization": f"Bearer {tutor.token}", "Accept": "text/event-stream"}
    url = f"{school.url}/api/v1/sessions/{session}/events"
    async with school.http.get(url, headers=headers) as response:
        assert response.content_type == "text/event-stream"
        assert (await response.content.readuntil(b"\n\n")).splitlines()[1] == b"event: state"
        await tutor.post(f"/sessions/{session}/chat", {"text": "hello"})
        event = (await response.content.readuntil(b"\n\n")).splitlines()
        seq = int(event[0].removeprefix(b"id: "))
        assert json.loads(event[2].removeprefix(b"data: "))["upto"] == seq
    await tutor.post(f"/sessions/{session}/chat", {"text": "again"})
    async with school.http.get(url, headers={**headers, "Last-Event-ID": str(seq)}) as response:
        event = (await response.content.readuntil(b"\n\n")).splitlines()
        assert json.loads(event[2].removeprefix(b"data: "))["after"] == seq


async def test_a_stranger_follows_nothing(school):
    session = await school.lesson()
    for caller in (school.person("sam"), school.person("sam", tenant="other")):
        assert (await caller.get(f"/sessions/{session}/events", 404))["code"] == "session_not_found"
        assert (await caller.get(f"/sessions/{session}/state", 404))["code"] == "session_not_found"
