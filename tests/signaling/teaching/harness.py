"""Sessions on a store in a file, with a clock that tests move."""

from contextlib import asynccontextmanager

from classroom.features import people, session
from signaling.store import Store
from signaling.teaching.presence import Presence
from signaling.teaching.registry import Registry

START = 1_800_000_000.0
ID = "ses_" + "a" * 20


class World:
    """One server's sessions."""

    def __init__(self, store):
        self.store = store
        self.now = START
        self.restart()

    def restart(self):
        """Another process on the same store."""
        self.registry = Registry(self.store.classroom, lambda: self.now)
        self.presence = Presence(self.registry)

    @property
    def live(self):
        return self.registry.session("north", ID)

    async def do(self, command):
        return await self.live.do(command, lambda _room, events: events)

    async def lesson(self, *students, **settings):
        """A live session with a tutor and students in it."""
        create = session.Create(
            session=ID,
            owner="tutor",
            owner_name="Ms Noether",
            title="Algebra",
            code_number=7,
            settings=session.Settings(**settings),
        )
        for command in (
            create,
            people.Join(by="tutor", name="Ms Noether", visit="v0"),
            session.Start(by="tutor"),
        ):
            await self.do(command)
        for student in students:
            await self.do(people.Join(by=student, name=student, visit=f"v-{student}"))

    async def kinds(self):
        return [str(event.__struct_config__.tag) for event in await self.live.events(0)]


@asynccontextmanager
async def teaching(tmp_path):
    store = await Store.open(f"sqlite:///{tmp_path / 'lectern.db'}")
    world = World(store)
    yield world
    await world.registry.finish()
    await store.close()
