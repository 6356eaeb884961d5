import pytest

from sfu.limits import (
    CLOSED_AFTER_S,
    FLOOD_PRICE,
    RTCP_DATAGRAM_OCTETS,
    RTCP_OCTETS,
    TOLERATED_EXCESS,
    PeerLimits,
)
from sfu.settings import MediaSettings


def flood(limits, second, packets=10_000, octets=100, ssrc=7):
    """Send evenly for a second; returns how many were taken."""
    return sum(limits.rtp(ssrc, octets, second + i / packets) for i in range(packets))


def test_a_publisher_may_send_what_the_settings_say_in_packets_and_in_octets():
    limits = PeerLimits(MediaSettings(max_packets_per_s=1000, max_bitrate_bps=8e6))
    assert flood(limits, 0, packets=1300) == pytest.approx(1100, abs=2)  # with the burst
    assert limits.close_second() == {}  # less than a flood
    assert flood(limits, 1, packets=1300) == pytest.approx(1000, abs=2)
    limits = PeerLimits(MediaSettings(max_packets_per_s=1000, max_bitrate_bps=8e6))
    assert flood(limits, 0, packets=800, octets=2000) == pytest.approx(550, abs=2)
    limits.close_second()
    assert flood(limits, 1, packets=800, octets=2000) == pytest.approx(500, abs=2)


def test_a_lesson_is_far_from_the_limits():
    limits = PeerLimits()
    for second in range(5):
        assert flood(limits, second, packets=1500, octets=1200) == 1500
        assert limits.close_second() == {}
        assert all(limits.rtcp(200, second + i / 100) for i in range(100))
    assert limits.flooded_s == 0


def test_who_floods_gets_less_until_it_stops():
    limits = PeerLimits(MediaSettings(max_packets_per_s=1000, max_bitrate_bps=1e9))
    assert flood(limits, 0) == pytest.approx(
        100 + 1000 / FLOOD_PRICE, abs=100
    )  # from the 300th excess packet on
    assert limits.close_second()[7] > 9000
    assert flood(limits, 1) == pytest.approx(1000 / FLOOD_PRICE, abs=2)
    limits.close_second()
    assert limits.flooded_s == 2
    assert limits.close_second() == {}
    assert limits.flooded_s == 0
    assert flood(limits, 3, packets=1200) > 1000


def test_excess_for_a_moment_is_no_flood():
    limits = PeerLimits(MediaSettings(max_packets_per_s=1000, max_bitrate_bps=1e9))
    for second in range(2 * CLOSED_AFTER_S):
        flood(limits, second, packets=1000 + TOLERATED_EXCESS // 2)
        limits.close_second()
        assert limits.flooded_s == 0


def test_made_up_ssrcs_are_accounted_for_together():
    limits = PeerLimits(MediaSettings(max_packets_per_s=1, max_bitrate_bps=1e9))
    for ssrc in range(1, 10_000):
        limits.rtp(ssrc, 100, 0.0)
    excess = limits.close_second()
    assert len(excess) <= 65
    assert sum(excess.values()) >= 9998


def test_rtcp_is_paid_for_by_its_length_and_at_least_a_little():
    limits = PeerLimits()
    assert sum(limits.rtcp(1200, 1.0) for _ in range(1000)) == RTCP_OCTETS.burst // (
        1200 + RTCP_DATAGRAM_OCTETS
    )
    limits = PeerLimits()
    assert sum(limits.rtcp(0, 1.0) for _ in range(5000)) == RTCP_OCTETS.burst // RTCP_DATAGRAM_OCTETS


def test_dtls_beyond_the_limit_is_dropped_and_is_no_flood():
    limits = PeerLimits(MediaSettings(max_packets_per_s=100, max_bitrate_bps=1e9))
    assert sum(limits.dtls(100, 1.0) for _ in range(1000)) == 10
    assert limits.close_second() == {}


@pytest.mark.parametrize(("forged_share", "seconds"), [(1.0, 0), (0.6, 0), (0.4, 3)])
def test_a_peer_is_not_punished_for_what_a_stranger_forges_in_its_name(forged_share, seconds):
    limits = PeerLimits(MediaSettings(max_packets_per_s=1000, max_bitrate_bps=1e9))
    for second in range(3):
        for _ in range(int(forged_share * flood(limits, second))):
            limits.forged()
        limits.close_second()
    assert limits.flooded_s == seconds
