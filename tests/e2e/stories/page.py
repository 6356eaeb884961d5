"""What a page of an application does: joins with an unchanged client, and follows the events."""

import asyncio

from livekit import rtc

from tests.e2e.native import Viewer


async def connect(joined):
    """An unchanged native client with what `join` answered; the room, and what it receives."""
    room = rtc.Room()
    viewer = Viewer(room)
    await room.connect(joined["credentials"]["ws_url"], joined["token"])
    return room, viewer


class Page:
    """Follows a session by WebSocket."""

    def __init__(self, ws):
        self.ws = ws
        self.state = None
        self.events = []

    @classmethod
    async def open(cls, caller, joined):
        query = f"access_token={joined['access_token']}"
        page = cls(
            await caller.http.ws_connect(f"{caller.url}/api/v1/sessions/{joined['session']}/events?{query}")
        )
        page.state = (await page.ws.receive_json())["state"]
        return page

    async def event(self, kind, **wanted):
        """The first event of a kind with these fields, also one that came before; each is found once."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if event["type"] == kind and all(event[name] == value for name, value in wanted.items()):
                        self.events.remove(event)
                        return event
                for run in (await self.ws.receive_json())["runs"]:
                    for index in range(run["count"]):
                        columns = {name: values[index] for name, values in run["columns"].items()}
                        self.events.append({"type": run["type"], **run["same"], **columns})
