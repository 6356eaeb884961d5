from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from tests.signaling.fake_media import FakeMedia


async def explained(world, room, identity):
    async with world.http.get(f"{world.url}/debug/rooms/{room}/{identity}") as response:
        return response.status, await response.json()


async def test_why_somebody_gets_what_they_get(world):
    await world.join("ada")
    assert await explained(world, "lesson", "ada") == (
        200,
        {
            "available_bps": None,
            "audio_bps": 32_000.0,
            "wanted_bps": 32_000.0,
            "videos": [],
            "recent": [],
            "published": ["camera: h, 2 viewers"],
        },
    )


async def test_nobody_of_that_name(world):
    await world.join("ada")
    assert (await explained(world, "lesson", "bob"))[0] == 404
    assert (await explained(world, "other", "ada"))[0] == 404
    world.media.peers.clear()
    assert (await explained(world, "lesson", "ada"))[0] == 404


async def test_only_in_dev_mode(world):
    events = MediaEvents()
    for dev in (True, False):
        config = ServerConfig(dev=dev, keys=DEV_KEYS)
        server = Server(config, FakeMedia(events.dispatch), events, world.server.store)
        paths = {resource.canonical for resource in server._runner.app.router.resources()}
        assert ("/debug/rooms/{room}/{identity}" in paths) is dev
