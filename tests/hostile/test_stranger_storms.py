"""Storms of those who are no participants, or whose media never connects, beside a victim room."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["stun_flood", "dtls_flood", "noise"])
async def test_a_stranger_gets_no_answer(arena, name):
    outcome = await arena.storm(f"strangers.{name}")
    assert (outcome.storm["answers"], outcome.storm["media"]) == (0, 0)
    assert outcome.dropped > outcome.storm["sent"] / 4


async def test_superseded_credentials_redirect_nothing(arena):
    outcome = await arena.storm("strangers.superseded_credentials")
    assert (outcome.storm["answers"], outcome.storm["media"]) == (0, 0)
    assert outcome.storm["arrived"] >= outcome.storm["sent"]


async def test_credentials_end_with_their_peer(arena):
    outcome = await arena.storm("strangers.departed")
    assert (outcome.storm["answers"], outcome.storm["media"]) == (0, 0)


async def test_half_open_peers_cost_little(arena):
    outcome = await arena.storm("strangers.half_open")
    assert outcome.storm["sent"] > 10


async def test_slow_requests_hold_nobody_up(arena):
    await arena.storm("strangers.slow_requests")


async def test_a_school_that_comes_at_once_gets_in(arena):
    # Forty joins a second are most of what one core does: each waits for some of the others, and gets in.
    outcome = await arena.storm("strangers.mass_join", 3, signalling_ms=3000)
    assert outcome.storm["joined"] == outcome.storm["sent"]


async def test_idle_sockets_lock_nobody_out(shared_arena):
    """1,200 of them at systemd's default soft limit of 1,024 descriptors."""
    arena = await shared_arena.ready(descriptors=1024)
    await arena.storm("strangers.idle_sockets", 1.5)


async def test_idle_sockets_at_a_hard_limit_fill_no_log_and_leave_the_lesson_alone(shared_arena):
    arena = await shared_arena.ready(descriptors=512, hard=True)
    await arena.storm("strangers.idle_sockets", 1.5)
    assert (await arena.server.get("/readyz"))[0] == 200
