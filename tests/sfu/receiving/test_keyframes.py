import pytest

from sfu.receiving.keyframes import KeyframeRequests


@pytest.mark.parametrize(("layer", "interval_s"), [(0, 0.5), (1, 1.0), (2, 1.0)])
class TestThrottle:
    def test_the_first_goes_out_at_once(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        assert requests.request(0.0)
        assert requests.due_at is None

    def test_others_wait_for_the_end_of_the_interval(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        requests.request(10.0)
        assert not requests.request(10.1)
        assert not requests.request(10.2)
        assert requests.due_at == 10.0 + interval_s
        assert not requests.due(10.0 + interval_s - 0.01)
        assert requests.due(10.0 + interval_s)
        assert requests.due_at is None
        assert not requests.due(10.0 + interval_s)

    def test_a_remembered_request_begins_the_next_interval(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        requests.request(0.0)
        requests.request(0.1)
        requests.due(interval_s)
        assert not requests.request(interval_s + 0.1)
        assert requests.due_at == 2 * interval_s

    def test_at_the_end_of_the_interval_the_next_goes_out_at_once(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        requests.request(0.0)
        assert requests.request(interval_s)

    def test_a_keyframe_serves_all_who_asked(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        requests.request(0.0)
        requests.request(0.1)
        requests.keyframe_received()
        assert requests.due_at is None
        assert not requests.due(interval_s)

    def test_who_asks_after_the_keyframe_still_waits(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        requests.request(0.0)
        requests.keyframe_received()
        assert not requests.request(0.1)
        assert requests.due(interval_s)

    def test_a_storm_is_at_most_one_per_interval(self, layer, interval_s):
        requests = KeyframeRequests(layer)
        sent = sum(requests.request(step / 100) or requests.due(step / 100) for step in range(1000))
        assert sent == 10 / interval_s


def test_nothing_due_before_anybody_asks():
    assert not KeyframeRequests(0).due(100.0)
