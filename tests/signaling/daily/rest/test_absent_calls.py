import pytest

NO_CALL = (404, "not-found", "room lesson does not seem to be hosting a call currently")


@pytest.mark.parametrize("feature", ["transcription", "live-streaming"])
@pytest.mark.parametrize("command", ["start", "update", "stop"])
async def test_commands_are_refused(daily, feature, command):
    path = f"/rooms/lesson/{feature}/{command}"
    assert await daily.refused("POST", path, {}) == (404, "not-found", "room lesson not found")
    await daily.post("/rooms", {"name": "lesson"})
    assert await daily.refused("POST", path, {}) == NO_CALL
    assert await daily.refused("POST", path) == NO_CALL
    assert (await daily.refused("POST", path, data=b"{"))[:2] == (400, "json-parsing-error")
    await daily.world.join("ada")
    assert (await daily.refused("POST", path, {}))[:2] == (403, "forbidden-error")


async def test_there_are_no_transcripts(daily):
    assert await daily.get("/transcript?limit=5") == {"total_count": 0, "data": []}
    assert (await daily.refused("GET", "/transcript?limit=0"))[0] == 400
    for method, path in (("GET", "x"), ("DELETE", "x"), ("GET", "x/access-link")):
        assert await daily.refused(method, f"/transcript/{path}") == (404, "not-found", "x not found")
