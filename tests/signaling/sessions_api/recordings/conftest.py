from contextlib import asynccontextmanager

import pytest
from livekit.protocol import models, rtc

from sfu.values import RecordingStopped
from tests.signaling.school_client import School, eventually
from tests.signaling.school_world import make_template, serving


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("template"))


class Lesson:
    """A live session on the fake engine, with people in its room."""

    def __init__(self, world, session, recordings):
        self.world = world
        self.recordings = recordings
        "The folder."
        self.school = School(world.http, world.url)
        self.session = session
        self.ended = {}
        "How the next recordings end, by id."

    @property
    def media(self):
        return self.world.media

    @property
    def tutor(self):
        return self.person("tutor", "tutor")

    def person(self, name, role="student"):
        return self.school.person(name, role)

    async def join(self, name, role="student"):
        """Join the session, and its room by LiveKit's protocol."""
        joined = await self.person(name, role).post(f"/sessions/{self.session}/join")
        request = rtc.JoinRequest(
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            publisher_offer=rtc.SessionDescription(type="offer", sdp="a3 v3", id=1),
        )
        client = await self.world.connect(joined["credentials"]["token"], request)
        client.info = (await client.receive()).join
        return client

    async def publish(
        self, client, kind=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE, **fields
    ):
        """Publish a track; returns its sid."""
        name = f"track{len(client.seen)}"
        track = await client.publish(name, kind, source=source, **fields)
        client.sections = [*getattr(client, "sections", []), f"{name}=mid{len(client.seen)}"]
        await client.send(
            offer=rtc.SessionDescription(type="offer", sdp=" ".join([*client.sections, "a3", "v3"]), id=2)
        )
        await client.until("answer")
        return track.sid

    async def record(self, status=201, **options):
        return await self.tutor.post(f"/sessions/{self.session}/recordings", options, status)

    async def recorded_by(self, write, people=("ada",)):
        """A recording of these people that has ended, with the files that `write` makes; returns the lesson."""
        for each in people:
            await self.join(each)
        made = await self.record()
        self.recording, self.path = made["id"], f"/recordings/{made['id']}"
        self.folder = self.recordings / made["id"]
        write(self.recordings, made["id"], self.media.recording_keys[made["id"]])
        await self.tutor.post(f"{self.path}/stop")
        await self.over(made["id"])
        return self

    def commands(self, *names):
        names = names or ("record_track", "stop_recording_track")
        return [command for command in self.media.commands if command[0] in names]

    def recorded(self):
        """Ids of the published tracks that are recorded now."""
        sids = []
        for name, _, sid, *_ in self.commands():
            if name == "record_track":
                sids.append(sid)
            else:
                sids.remove(sid)
        return sids

    def report(self, event):
        self.media.emit(event)

    async def over(self, recording, reason=""):
        """The recording, once it has ended."""
        if reason:
            self.report(RecordingStopped(recording, reason, "for a test"))

        async def ended():
            found = await self.tutor.get(f"/recordings/{recording}")
            return found if found["status"] in {"finished", "failed"} else None

        return await eventually(ended)


@pytest.fixture
def servers(template, tmp_path):
    """Servers on one database and one folder of recordings, one after another."""

    @asynccontextmanager
    async def start(session="", **options):
        options = {"recordings": str(tmp_path / "recordings"), **options}
        async with serving(template, tmp_path, **options) as world:
            session = session or await School(world.http, world.url).lesson()
            yield Lesson(world, session, tmp_path / "recordings")

    return start


@pytest.fixture
async def lesson(servers):
    async with servers() as made:
        yield made
