import logging
from collections import Counter
from types import SimpleNamespace

import pytest

from sfu.drops import DropReason
from sfu.engine.containment import LOG_INTERVAL_S, Containment


@pytest.fixture
def drops():
    return Counter()


@pytest.fixture
def containment(drops):
    return Containment(drops)


def test_a_fault_costs_its_client_alone(containment, drops):
    served = []

    def serve(client, now):
        if client == "bad":
            raise IndexError("a bug")
        served.append((client, now))

    containment.each(5.0, serve, ["ada", "bad", "eve"])
    assert served == [("ada", 5.0), ("eve", 5.0)]
    assert drops == {DropReason.ERROR: 1}


def test_clients_may_leave_while_others_are_served(containment):
    clients, served = {"ada": 1, "eve": 2}, []

    def serve(client, _now):
        served.append(client)
        clients.pop(client)

    containment.each(0.0, serve, clients)
    assert served == ["ada", "eve"]


def test_one_client_is_served_with_what_the_duty_takes(containment, drops):
    def divide(number, *, by):
        return number / by

    assert containment.run("ada", 0.0, divide, 6, by=3) == 2
    assert containment.run("ada", 0.0, divide, 6, by=0) is None
    assert drops == {DropReason.ERROR: 1}


def test_a_fault_that_comes_back_is_counted_each_time_and_logged_now_and_then(containment, drops, caplog):
    def fail(_client, _now):
        raise ValueError("a bug")

    def fail_too(_client, _now):
        raise ValueError("another")

    viewers = [SimpleNamespace(id=f"PA_{i}") for i in range(10)]
    for tick in range(100):
        containment.each(tick * LOG_INTERVAL_S / 200, fail, viewers)
    assert drops[DropReason.ERROR] == 1000
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "PA_0" in record.getMessage()
    assert record.exc_info is not None
    containment.each(1.0, fail_too, viewers)
    assert len(caplog.records) == 2  # another duty has its own
    containment.each(LOG_INTERVAL_S + 1, fail, viewers)
    assert len(caplog.records) == 3
