"""Who counts as connected."""

from signaling.teaching.presence import SILENCE_S
from tests.signaling.teaching.harness import START, teaching


async def test_the_last_link_that_goes_loses_the_connection(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        for link in ("media", "page"):
            world.presence.linked(world.live, "sam", link)
        world.presence.unlinked(world.live, "sam", "media")
        await world.registry.finish()
        assert (await world.kinds())[-1] == "people.joined"
        world.presence.unlinked(world.live, "sam", "page")
        world.presence.unlinked(world.live, "sam", "page")
        await world.registry.finish()
        assert (await world.kinds())[-1] == "people.connection_lost"
        world.presence.linked(world.live, "sam", "media")
        await world.registry.finish()
        assert (await world.kinds())[-1] == "people.connection_restored"


async def test_who_never_connects_is_lost_from_the_last_call_on(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        world.presence.linked(world.live, "tutor", "media")
        world.now += 10
        world.presence.heard(world.live, "sam")
        world.now += SILENCE_S
        world.presence.search()
        await world.registry.finish()
        assert (await world.kinds())[-1] == "people.joined"
        world.now += 1
        world.presence.search()
        await world.registry.finish()
        left = (await world.live.events(0))[-1]
        assert (left.person, left.left_at) == ("sam", START + 10)
        assert world.live.loaded.people.everyone["tutor"].lost_at is None
