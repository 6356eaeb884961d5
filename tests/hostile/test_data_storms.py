"""Storms on data channels, beside a victim room on the same worker."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["empty_parameter", "gaps", "skipped_streams", "nested_errors"])
async def test_sctp_that_no_client_sends_ends_at_most_its_sender(arena, name):
    await arena.storm(f"data.{name}")


@pytest.mark.parametrize("name", ["lossy_flood", "reliable_flood"])
async def test_a_flood_of_messages_is_limited_and_ends_no_listener(arena, name):
    outcome = await arena.storm(f"data.{name}")
    assert outcome.storm["ends"] == [""] * len(outcome.storm["ends"])
    # A sender that is slowed down is not removed, and its listeners get what it sends.
    assert min(outcome.storm["heard"]) > 0


async def test_a_slow_reader_of_a_file_stays_and_slows_nobody(arena):
    outcome = await arena.storm("data.slow_reader", 6)
    sent, (fast, slow) = outcome.storm["sent"], outcome.storm["heard"]
    assert outcome.storm["ends"] == ["", "", ""], outcome.storm
    # The fast one has all of it, which is more than the slow line could carry in that time.
    assert fast == sent > 2 * slow, outcome.storm
    assert sent > 17, outcome.storm
