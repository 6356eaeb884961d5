from signaling.history import attempts
from signaling.history.attempts import Attempts
from signaling.store import Delivery, NewDelivery


def delivery(number, endpoint="e1", tries=0):
    return Delivery(number, NewDelivery(endpoint, "room", f"EV_{number}", "ended", "{}"), 1.0, tries)


def test_the_last_attempts_of_each_endpoint_are_kept_newest_first():
    kept = Attempts()
    for number in range(attempts.KEPT_PER_ENDPOINT + 5):
        kept.record(delivery(number), float(number), "delivered", "200")
    kept.record(delivery(99, "e2", tries=2), 7.0, "failed", "timeout")
    found = kept.of("e1")
    assert [each.content.event_id for each in found] == [f"EV_{number}" for number in range(24, 4, -1)]
    (other,) = kept.of("e2")
    assert (other.at, other.number, other.result, other.answer) == (7.0, 3, "failed", "timeout")
    assert kept.of("e3") == []


def test_many_endpoints_cost_bounded_memory(monkeypatch):
    monkeypatch.setattr(attempts, "KEPT_ENDPOINTS", 2)
    kept = Attempts()
    for endpoint in ("e1", "e2", "e1", "e3"):
        kept.record(delivery(1, endpoint), 0.0, "delivered", "200")
    assert [len(kept.of(endpoint)) for endpoint in ("e1", "e2", "e3")] == [2, 0, 1]
