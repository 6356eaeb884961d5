"""The load generator against a real server."""

import json

import pytest

from bench.load import LoadError, Plan, picture, run
from bench.server import serving


@pytest.mark.timeout(100)
@pytest.mark.parametrize("profile", ["gcm", "cm"])
def test_every_viewer_gets_every_packet_unchanged(profile, tmp_path):
    with serving(core=None) as (url, pid):
        plan = Plan(
            url, "devkey", "secret", rooms=2, viewers=2, duration_s=1.0, burst=3, profile=profile, pid=pid
        )
        result = run(plan)
    assert (result.joined, result.failed, result.dropped) == (4, [], 0)
    assert len(result.first_media_s) == 4
    # two publishers of 200 a second, each to two viewers, for a second on a busy machine
    assert result.media.received > 400
    assert (result.media.lost, result.media.wrong) == (0, 0)
    assert result.media.sampled > 4
    assert 0 < result.us_per_packet < 10_000
    assert json.dumps(result.summary())
    picture(result, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes()[:4] == b"\x89PNG"


def test_a_publisher_that_is_refused_is_told_in_words():
    with serving(core=None) as (url, _):
        plan = Plan(url, "devkey", "not the secret", viewers=1, duration_s=0.1)
        with pytest.raises(LoadError, match=r"the publishers: .*401"):
            run(plan)
