"""One participant's storms on the media plane, beside a victim room on the same worker."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Of what a storm of feedback provokes, a second: keyframe requests to a publisher are paced by the server.
ASKED_PER_S = 20
# A viewer's retransmissions have a byte budget; this is far above what a link of a viewer can lose.
RESENT_PER_S = 2000
SECONDS = 1.5


@pytest.mark.parametrize("name", ["nacks", "picture_loss", "full_intra", "estimates", "arrivals"])
async def test_a_viewers_feedback_costs_nobody_else_anything(arena, name):
    outcome = await arena.storm(f"media.{name}", SECONDS)
    assert outcome.storm["asked"] <= ASKED_PER_S * (SECONDS + 1)
    assert outcome.storm["received"] <= RESENT_PER_S * SECONDS


@pytest.mark.parametrize("name", ["packets", "octets"])
async def test_a_publisher_sends_no_more_than_a_camera_can(arena, name):
    outcome = await arena.storm(f"media.{name}", SECONDS)
    # What exceeds a publisher's share is dropped before any work, and whoever goes on is removed with a reason.
    assert outcome.storm["received"] <= outcome.storm["sent"] / 2
    assert outcome.dropped > outcome.storm["sent"] / 2 or outcome.storm["end"] not in {"", "closed"}


@pytest.mark.parametrize("name", ["unknown_ssrcs", "replays", "unauthentic"])
async def test_what_no_viewer_can_use_is_dropped_and_counted(arena, name):
    outcome = await arena.storm(f"media.{name}", SECONDS)
    assert outcome.storm["received"] <= 50
    assert outcome.dropped > outcome.storm["sent"] / 2 or outcome.storm["end"] not in {"", "closed"}


@pytest.mark.parametrize("name", ["renegotiation", "eager_renegotiation", "subscription_churn"])
async def test_signalling_of_one_costs_the_others_media_nothing(arena, name):
    await arena.storm(f"media.{name}", SECONDS)


async def test_a_video_that_falls_silent_ends_nobodys_lesson(arena):
    # Silence counts after 6 s, when no window of the stream's bit rate is recent any more.
    outcome = await arena.storm("media.silence", 7.5)
    assert outcome.storm["end"] == ""
