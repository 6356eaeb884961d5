from hypothesis import given
from hypothesis import strategies as st

from sfu.budget import Budget, Rate


def test_a_budget_starts_full_and_refills_up_to_its_burst():
    budget = Budget(Rate(per_s=10, burst=5))
    assert budget.take_tokens(5, 1.0)
    assert not budget.take_tokens(0.5, 1.0)
    assert budget.take_tokens(2, 1.25)
    assert budget.left(100.0) == 5


def test_what_is_refused_is_not_taken():
    budget = Budget(Rate(per_s=10, burst=5))
    assert not budget.take_tokens(6, 1.0)
    assert budget.take_tokens(5, 1.0)


def test_a_clock_that_stands_still_refills_nothing():
    budget = Budget(Rate(per_s=10, burst=5))
    assert budget.take_tokens(5, 2.0)
    assert budget.left(1.0) == 0
    assert budget.left(2.0) == 0


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 20)), max_size=50))
def test_no_sequence_of_requests_gets_more_than_the_burst_and_the_rate(requests):
    rate = Rate(per_s=10, burst=5)
    budget, now, taken = Budget(rate), 0.0, 0.0
    for pause, cost in requests:
        now += pause
        taken += cost if budget.take_tokens(cost, now) else 0
        assert taken <= rate.burst + rate.per_s * now + 1e-6
