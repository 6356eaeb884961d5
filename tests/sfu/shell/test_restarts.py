from sfu.shell.restarts import RestartDelays


def test_processes_that_die_at_once_are_started_ever_later_and_one_that_ran_is_started_at_once():
    delays = RestartDelays()
    assert [delays.next_s(0.1) for _ in range(6)] == [0.0, 0.5, 2.0, 5.0, 5.0, 5.0]
    assert delays.next_s(31.0) == 0.0
    assert [delays.next_s(0.1) for _ in range(2)] == [0.0, 0.5]


def test_how_long_a_process_has_to_run_depends_on_its_owner():
    delays = RestartDelays(2.0)
    assert [delays.next_s(2.1) for _ in range(6)] == [0.0] * 6
    assert [delays.next_s(1.9) for _ in range(3)] == [0.0, 0.5, 2.0]
