import pytest

from signaling.recordings.steps import FIRST_RETRY_S, LEASE_S, MAX_ATTEMPTS, Steps


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def steps(store, clock):
    return Steps(store, "transcript", 2, lambda: clock[0])


async def test_a_step_is_claimed_once_and_done_once(steps, clock):
    claimed = await steps.claim("rec_1")
    assert claimed.claimed_until == 1000.0 + LEASE_S
    assert await steps.claim("rec_1") is None
    assert await steps.claim("rec_2") is not None
    await steps.done("rec_1")
    clock[0] += 10 * LEASE_S
    assert await steps.claim("rec_1") is None
    assert steps.is_done(await steps.get("rec_1"))


async def test_a_claim_that_was_left_expires_unless_it_is_renewed(steps, clock):
    claimed = await steps.claim("rec_1")
    clock[0] += LEASE_S - 1
    await steps.renew("rec_1", claimed)
    clock[0] += 2
    assert await steps.claim("rec_1") is None
    clock[0] += LEASE_S
    again = await steps.claim("rec_1")
    assert again is not None
    await steps.released("rec_1", again)
    assert await steps.claim("rec_1") is not None


async def test_failures_are_tried_again_later_and_given_up(steps, clock):
    waits = []
    for attempt in range(MAX_ATTEMPTS):
        claimed = await steps.claim("rec_1")
        failed = await steps.failed("rec_1", claimed, f"fault {attempt}")
        waits.append(failed.next_at - clock[0])
        assert await steps.claim("rec_1") is None
        clock[0] = failed.next_at
    assert waits == [FIRST_RETRY_S * 2**attempt for attempt in range(MAX_ATTEMPTS)]
    assert await steps.claim("rec_1") is None
    assert steps.is_given_up(await steps.get("rec_1"))
    await steps.forget("rec_1")
    assert await steps.claim("rec_1") is not None


async def test_a_newer_program_does_a_step_again(steps, store, clock):
    await steps.done("rec_1")
    newer = Steps(store, "transcript", 3, lambda: clock[0])
    assert not newer.is_done(await newer.get("rec_1"))
    assert await newer.claim("rec_1") is not None
