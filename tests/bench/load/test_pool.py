"""Orders to a process of media clients, from threads as from locust's greenlets."""

import threading

import pytest

from bench.load.clients import Pace
from bench.load.descriptions import Remote
from bench.load.pool import ClientError, Process, ProcessEndedError


@pytest.fixture
def process():
    running = Process()
    yield running
    running.stop()


def test_orders_are_answered_out_of_turn(process):
    clients = [process.open(room=room, srtp="gcm", tracks=[], view=True).client for room in ("a", "b", "b")]
    assert len(set(clients)) == 3
    results = []
    waiting = threading.Thread(target=lambda: results.append(_error(process.first_media, clients[0])))
    waiting.start()
    # answered although the first packet of another client is still being waited for
    assert process.close(clients[1]) == 0.0
    assert sorted(process.start_window().media) == ["a", "b"]
    assert process.report().sent == 0
    process._process.kill()
    waiting.join(10)
    assert [type(error) for error in results] == [ProcessEndedError]


def test_what_cannot_be_done_is_told_and_hurts_nobody_else(process):
    opened = process.open(room="a", srtp="gcm", tracks=[Pace("video", 10.0, 1)], view=False)
    with pytest.raises(ClientError, match="7"):
        process.connect(7, Remote("u", "p", (), ()))  # there is no such client
    assert process.close(opened.client) == 0.0


def test_an_ended_process_refuses_at_once(process):
    process._process.kill()
    process._process.wait()
    assert isinstance(_error(process.report), ProcessEndedError)
    assert isinstance(_error(process.report), ProcessEndedError)


def _error(call, *arguments):
    with pytest.raises(Exception) as caught:
        call(*arguments)
    return caught.value
