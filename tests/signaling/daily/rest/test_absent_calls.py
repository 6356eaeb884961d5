import pytest

NO_CALL = (404, "not-found", "room lesson does not seem to be hosting a call currently")


@pytest.mark.parametrize("command", ["start", "update", "stop"])
async def test_commands_are_refused(daily, command):
    path = f"/rooms/lesson/live-streaming/{command}"
    assert await daily.refused("POST", path, {}) == (404, "not-found", "room lesson not found")
    await daily.post("/rooms", {"name": "lesson"})
    assert await daily.refused("POST", path, {}) == NO_CALL
    assert await daily.refused("POST", path) == NO_CALL
    assert (await daily.refused("POST", path, data=b"{"))[:2] == (400, "json-parsing-error")
    await daily.world.join("ada")
    assert (await daily.refused("POST", path, {}))[:2] == (403, "forbidden-error")
