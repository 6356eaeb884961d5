import pytest

from signaling.daily.admission import Admitted
from signaling.daily.lobby import MAX_WAITING, PATIENCE_S, Answer, Lobby
from signaling.daily.properties import RoomProperties
from signaling.errors import LimitError
from signaling.permissions import Permissions
from signaling.timers import Timers

BEN = Admitted(Permissions(), "Ben", None, is_owner=False, eject_at=None, settings=RoomProperties())


class World:
    def __init__(self):
        self.now = 0.0
        self.came, self.gone = [], []
        self.timers = Timers(lambda: self.now)
        numbers = iter(range(1000))
        self.lobby = Lobby(self.timers, lambda: f"id{next(numbers)}", self.came.append, self.gone.append)

    def pass_time(self, seconds):
        self.now += seconds
        self.timers.run_due()


@pytest.fixture
def world():
    return World()


def test_who_knocks_waits_until_somebody_answers(world):
    knock = world.lobby.knock("maths", BEN)
    assert world.lobby.waiting("maths") == [knock]
    assert world.lobby.waiting("physics") == []
    assert world.lobby.ask("maths", knock.secret).answer is Answer.NONE
    assert world.lobby.answer("maths", knock.id, grant=True)
    assert world.lobby.waiting("maths") == []
    assert world.lobby.ask("maths", knock.secret).answer is Answer.GRANTED
    assert world.came == world.gone == [knock]


def test_a_no_is_told_as_well(world):
    knock = world.lobby.knock("maths", BEN)
    assert world.lobby.answer("maths", knock.id, grant=False)
    assert world.lobby.ask("maths", knock.secret).answer is Answer.DENIED


def test_only_the_room_itself_and_only_once_answers(world):
    knock = world.lobby.knock("maths", BEN)
    assert not world.lobby.answer("physics", knock.id, grant=True)
    assert not world.lobby.answer("maths", knock.secret, grant=True)
    assert world.lobby.answer("maths", knock.id, grant=False)
    assert not world.lobby.answer("maths", knock.id, grant=True)
    assert world.lobby.ask("maths", knock.secret).answer is Answer.DENIED


def test_those_inside_do_not_learn_what_lets_somebody_in(world):
    knock = world.lobby.knock("maths", BEN)
    assert world.lobby.ask("maths", knock.id) is None
    assert world.lobby.ask("physics", knock.secret) is None


def test_whoever_asks_no_more_is_gone(world):
    knock = world.lobby.knock("maths", BEN)
    world.pass_time(PATIENCE_S - 1)
    assert world.lobby.ask("maths", knock.secret) is knock
    world.pass_time(PATIENCE_S - 1)
    assert world.lobby.waiting("maths") == [knock]
    world.pass_time(1)
    assert world.lobby.waiting("maths") == []
    assert world.lobby.ask("maths", knock.secret) is None
    assert world.came == world.gone == [knock]


def test_whoever_withdraws_is_gone(world):
    knock = world.lobby.knock("maths", BEN)
    world.lobby.withdraw("physics", knock.secret)
    assert world.lobby.waiting("maths") == [knock]
    world.lobby.withdraw("maths", knock.secret)
    world.lobby.withdraw("maths", knock.secret)
    assert world.lobby.waiting("maths") == []
    assert world.timers.next_at is None


def test_a_crowd_at_one_door_is_bounded(world):
    for _ in range(MAX_WAITING):
        world.lobby.knock("maths", BEN)
    with pytest.raises(LimitError):
        world.lobby.knock("maths", BEN)
    assert world.lobby.knock("physics", BEN)
