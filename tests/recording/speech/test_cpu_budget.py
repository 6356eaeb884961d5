from recording.speech.cpu_budget import CpuBudget


def test_the_share_is_kept_in_the_long_term():
    budget, now, used = CpuBudget(0.25, 0.0), 0.0, 0.0
    while now < 100:
        if budget.allows(now):
            budget.spend(0.2)
            used += 0.2
            now += 0.2
        now += 0.01
    assert 24 < used < 26.5


def test_what_is_not_used_is_available_in_a_burst_and_no_longer():
    budget, runs = CpuBudget(0.5, 0.0), 0
    budget.allows(1000.0)
    while budget.allows(1000.0):
        budget.spend(0.5)
        runs += 1
    assert runs == 4


def test_a_clock_that_is_set_back_gives_nothing():
    budget = CpuBudget(0.5, 100.0)
    budget.spend(2.0)
    assert not budget.allows(50.0)
    assert not budget.allows(100.0)
    assert budget.allows(100.1)
