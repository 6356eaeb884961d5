"""Storms of a student's token on signalling, beside a victim room: neither its media nor anybody's joining waits."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_body_is_read_only_for_whoever_may_call(arena):
    outcome = await arena.storm("signalling.big_bodies")
    allowed = {401, 403, 413, "ClientOSError", "ServerDisconnectedError", "ClientConnectionResetError"}
    assert set(outcome.storm["statuses"].values()) <= allowed


@pytest.mark.parametrize("name", ["text_frames", "binary_frames", "chatter"])
async def test_frames_cost_their_sender(arena, name):
    outcome = await arena.storm(f"signalling.{name}")
    assert outcome.storm["sent"] > 0
