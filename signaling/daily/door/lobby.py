"""Who stands at the door of which room, and what those inside said."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from signaling.daily.door.admission import Admitted
from signaling.timers import Timers

# A page that waits asks every two seconds; one that has not asked for so long is gone.
PATIENCE_S = 10.0

# People at one door, and those of them who come from one address: a class is thirty. For one more, somebody has to go
# who waits already, so that nobody fills the memory and nobody closes the door.
MAX_WAITING = 100
MAX_WAITING_OF_ADDRESS = 50


class Answer(Enum):
    """What has been said to somebody at the door."""

    NONE = "nothing yet"
    GRANTED = "come in"
    DENIED = "no"


@dataclass(slots=True, eq=False)
class Knock:
    """Somebody at a door."""

    id: str
    "By which those inside name them."
    secret: str
    "By which they themselves ask."
    room_name: str
    "Which door."
    admitted: Admitted
    "What a yes makes of them."
    room_id: str = ""
    "The `RoomConfig.id` behind the door at which they knocked."
    address: str = ""
    "Whence, as `limits` counts addresses; empty where that says nothing."
    answer: Answer = Answer.NONE


class Lobby:
    """The doors of all rooms."""

    def __init__(
        self,
        timers: Timers,
        new_id: Callable[[], str],
        came: Callable[[Knock], None],
        gone: Callable[[Knock], None],
    ) -> None:
        """`came` is told of somebody who knocks, `gone` when they were answered or do not wait any more."""
        self._timers = timers
        self._new_id = new_id
        self._came = came
        self._gone = gone
        self._knocks: dict[str, Knock] = {}
        self._doors: dict[str, dict[str, Knock]] = {}
        "The same by room."

    def knock(self, room_name: str, admitted: Admitted, *, room_id: str = "", address: str = "") -> Knock:
        """Note somebody who came; where too many wait, the oldest one of the address that most came from goes."""
        waiting = self.waiting(room_name)
        counts = Counter(each.address for each in waiting)
        if address and counts[address] >= MAX_WAITING_OF_ADDRESS:
            self._forget(next(each for each in waiting if each.address == address))
        elif len(waiting) >= MAX_WAITING:
            self._forget(max(waiting, key=lambda each: counts[each.address]))
        knock = Knock(self._new_id(), self._new_id(), room_name, admitted, room_id, address)
        self._knocks[knock.secret] = knock
        self._doors.setdefault(room_name, {})[knock.secret] = knock
        self._expect(knock)
        self._came(knock)
        return knock

    def ask(self, room_name: str, secret: str) -> Knock | None:
        """Return what somebody at the door asks about, and wait for their next question; None: not there."""
        knock = self._knocks.get(secret)
        if knock is None or knock.room_name != room_name:
            return None
        self._expect(knock)
        return knock

    def withdraw(self, room_name: str, secret: str) -> None:
        """Forget somebody; nothing happens when they are not there."""
        knock = self._knocks.get(secret)
        if knock is not None and knock.room_name == room_name:
            self._forget(knock)

    def waiting(self, room_name: str) -> list[Knock]:
        """Return those who wait for an answer, in the order in which they came."""
        return [knock for knock in self._doors.get(room_name, {}).values() if knock.answer is Answer.NONE]

    def answer(self, room_name: str, knock_id: str, *, grant: bool) -> bool:
        """Say yes or no to somebody; False: they do not wait there."""
        knock = next((knock for knock in self.waiting(room_name) if knock.id == knock_id), None)
        if knock is None:
            return False
        knock.answer = Answer.GRANTED if grant else Answer.DENIED
        self._gone(knock)
        return True

    def _expect(self, knock: Knock) -> None:
        self._timers.set(knock.secret, "knock", PATIENCE_S, lambda: self._forget(knock))

    def _forget(self, knock: Knock) -> None:
        self._timers.cancel(knock.secret, "knock")
        del self._knocks[knock.secret]
        door = self._doors[knock.room_name]
        del door[knock.secret]
        if not door:
            del self._doors[knock.room_name]
        if knock.answer is Answer.NONE:
            self._gone(knock)
