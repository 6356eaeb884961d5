"""Requests to reset streams, of both sides, and hostile ones."""

import pytest

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import BEGIN, END, Data, OtherRequest, ReConfig, ResetRequest, ResetResponse
from sfu.sctp.receiver import Receiver
from sfu.sctp.reset import BAD_NUMBER, DENIED, IN_PROGRESS, PERFORMED, Resets
from sfu.sctp.sender import Message, Sender


class World:
    def __init__(self):
        self.reset, self.done = [], []
        self.sender = Sender(100)
        self.sender.window = 100_000
        self.receiver = Receiver(1, 1000, 1024, lambda *_: None)
        self.resets = Resets(self.sender, 100, self.reset.append, self.done.append)
        self.resets.expect(1)

    def take(self, *parts):
        """The answers, as (number, result)."""
        self.resets.on_reconfiguration(ReConfig(list(parts)), self.receiver, 0.0)
        return self.answers()

    def answers(self):
        read = [
            sctp.parse(sctp.packet(1, 1, 1, [sctp.chunk(sctp.RE_CONFIG, one)]))
            for one in self.resets.responses
        ]
        self.resets.responses.clear()
        return [(part.number, part.result) for packet in read for part in packet.chunks[0][1].parts]

    def request(self):
        chunk = self.resets.request(0.0)
        if chunk is None:
            return None
        return sctp.parse(sctp.packet(1, 1, 1, [chunk])).chunks[0][1].parts[0]

    def data(self, tsn, stream=0):
        self.receiver.receive(Data(tsn, stream, 0, 53, BEGIN | END, b"x"), 0)


@pytest.fixture
def world():
    return World()


def test_a_request_is_sent_once_until_it_is_due_again(world):
    world.resets.ask([3, 5])
    assert world.request() == ResetRequest(100, 0, 99, (3, 5))
    assert world.request() is None
    world.resets.timed_out(1.0, 0.5)
    assert world.resets.at == 2.0
    assert world.request() == ResetRequest(100, 0, 99, (3, 5))
    world.take(ResetResponse(100, PERFORMED))
    assert (world.done, world.resets.at) == ([(3, 5)], None)
    world.resets.ask([3])
    assert world.request().number == 101


def test_a_request_waits_for_the_message_that_is_being_sent(world):
    world.sender.queue(Message(3, 53, bytes(30_000)))
    world.sender.chunks(1176, 0.0)
    world.resets.ask([3])
    assert world.request() is None
    world.sender.restart(3)
    while world.sender.backlog(3):
        world.sender.cwnd = 100_000
        world.sender.chunks(1176, 0.0)
    assert world.request().last_tsn == world.sender.last % 2**32


def test_an_answer_to_another_request_is_passed_over(world):
    world.resets.ask([3])
    world.request()
    world.take(ResetResponse(7, PERFORMED))
    assert world.done == []
    world.take(ResetResponse(100, IN_PROGRESS))
    assert world.done == []
    world.take(ResetResponse(100, DENIED))
    assert world.done == [(3,)]  # nothing more can be done about it


def test_a_peers_request_is_performed_when_its_data_has_come(world):
    world.data(1, stream=4)
    request = ResetRequest(1, 99, 2, (4,))
    assert world.take(request) == [(1, IN_PROGRESS)]
    assert world.take(request) == [(1, IN_PROGRESS)]
    world.resets.catch_up(world.receiver)
    assert world.reset == []
    world.data(2, stream=5)
    world.resets.catch_up(world.receiver)
    assert (world.answers(), world.reset) == ([(1, PERFORMED)], [(4,)])
    assert list(world.receiver._streams) == [5]
    assert world.take(request) == [(1, PERFORMED)]  # its answer was lost
    assert world.reset == [(4,)]


def test_requests_out_of_turn_are_refused(world):
    assert world.take(ResetRequest(9, 99, 0, (1,))) == [(9, BAD_NUMBER)]
    assert world.reset == []


def test_what_data_channels_do_not_need_is_denied(world):
    assert world.take(OtherRequest(1, sctp.ADD_OUTGOING)) == [(1, DENIED)]
    assert world.take(OtherRequest(2, sctp.INCOMING_RESET)) == [(2, DENIED)]
    assert world.take(ResetRequest(3, 99, 0, ())) == [(3, PERFORMED)]
    assert world.reset == [()]


def test_a_peer_without_re_config_is_not_asked(world):
    world.resets.supported = False
    world.resets.ask([1])
    assert world.request() is None
