from signaling.teaching import registry as module
from tests.signaling.teaching.harness import ID, teaching


async def test_idle_sessions_are_forgotten_and_occupied_ones_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_IDLE", 2)
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        for number in range(5):
            world.registry.session("north", f"ses_{number}")
        kept = [live.id for live in world.registry]
        assert ID in kept
        assert len(kept) < 5
        assert world.registry.session("south", ID) is not world.live
