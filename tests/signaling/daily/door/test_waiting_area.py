import pytest

from signaling.daily.door.admission import Admitted
from signaling.daily.door.waiting_area import (
    MAX_WAITING,
    MAX_WAITING_OF_ADDRESS,
    PATIENCE_S,
    Answer,
    WaitingArea,
)
from signaling.daily.properties import RoomProperties
from signaling.rooms.permissions import Permissions
from signaling.timers import Timers

BEN = Admitted(Permissions(), "Ben", None, is_owner=False, eject_at=None, settings=RoomProperties())


class World:
    def __init__(self):
        self.now = 0.0
        self.came, self.gone = [], []
        self.timers = Timers(lambda: self.now)
        numbers = iter(range(1000))
        self.lobby = WaitingArea(
            self.timers, lambda: f"id{next(numbers)}", self.came.append, self.gone.append
        )

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


def test_a_crowd_at_one_door_is_bounded_and_shuts_nobody_out(world):
    crowd = [world.lobby.knock("maths", BEN, address=f"198.51.100.{n}") for n in range(MAX_WAITING)]
    late = world.lobby.knock("maths", BEN, address="192.0.2.1")
    assert world.lobby.waiting("maths") == [*crowd[1:], late]
    assert world.lobby.ask("maths", crowd[0].secret) is None
    assert world.gone == [crowd[0]]
    assert world.lobby.knock("physics", BEN)


def test_one_address_takes_its_own_part_of_the_door(world):
    class_mate = world.lobby.knock("maths", BEN, address="192.0.2.1")
    noisy = [world.lobby.knock("maths", BEN, address="192.0.2.2") for _ in range(MAX_WAITING_OF_ADDRESS + 1)]
    assert world.lobby.waiting("maths") == [class_mate, *noisy[1:]]


@pytest.mark.parametrize("address", ["", "192.0.2.9"])
def test_where_too_many_wait_the_address_with_most_of_them_gives_way(world, address):
    others = [world.lobby.knock("maths", BEN, address=f"198.51.100.{n}") for n in range(60)]
    noisy = [world.lobby.knock("maths", BEN) for _ in range(MAX_WAITING - 60)]
    late = world.lobby.knock("maths", BEN, address=address)
    assert world.lobby.waiting("maths") == [*others, *noisy[1:], late]


def test_whoever_was_answered_takes_no_place(world):
    first = world.lobby.knock("maths", BEN, address="192.0.2.1")
    world.lobby.answer("maths", first.id, grant=True)
    for number in range(MAX_WAITING + 1):
        world.lobby.knock("maths", BEN, address=f"198.51.100.{number}")
    assert world.lobby.ask("maths", first.secret).answer is Answer.GRANTED
