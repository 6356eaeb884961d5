"""The waiting area: the people who knocked at each room, and the replies to them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from signaling.daily.door.admission import Admitted
from signaling.ids import RoomName
from signaling.timers import Timers

# A waiting page asks every two seconds; one that has not asked for this long is gone.
PATIENCE_S = 10.0

# Maximum number of people waiting for one room, and of those from one address: a class is thirty. A further knock
# replaces an older one, so that nobody can fill the memory, and nobody can block the others.
MAX_WAITING = 100
MAX_WAITING_OF_ADDRESS = 50


class Answer(Enum):
    """The reply to a knock."""

    NONE = "none yet"
    GRANTED = "admitted"
    DENIED = "denied"


@dataclass(slots=True, eq=False)
class Knock:
    """A person who waits to be admitted."""

    id: str
    "Names the person towards participants."
    secret: str
    "Authenticates the person's own requests."
    room_name: RoomName
    "The room to enter."
    admitted: Admitted
    "What applies once the person is admitted."
    room_id: str = ""
    "The `RoomConfig.id` of the room at the time of the knock."
    address: str = ""
    "The person's address, as `limits` counts addresses; empty if unknown."
    answer: Answer = Answer.NONE


class WaitingArea:
    """The people waiting for all rooms."""

    def __init__(
        self,
        timers: Timers,
        new_id: Callable[[], str],
        came: Callable[[Knock], None],
        gone: Callable[[Knock], None],
    ) -> None:
        """`came` is called after each knock, `gone` once the person was answered or no longer waits."""
        self._timers = timers
        self._new_id = new_id
        self._came = came
        self._gone = gone
        self._knocks: dict[str, Knock] = {}
        self._doors: dict[RoomName, dict[str, Knock]] = {}
        "The same knocks, by room."

    def knock(
        self, room_name: RoomName, admitted: Admitted, *, room_id: str = "", address: str = ""
    ) -> Knock:
        """Add a knock; if too many people wait, replace the oldest knock of the address with the most knocks."""
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

    def ask(self, room_name: RoomName, secret: str) -> Knock | None:
        """Return a knock for its secret, and extend its time; None if there is none."""
        knock = self._knocks.get(secret)
        if knock is None or knock.room_name != room_name:
            return None
        self._expect(knock)
        return knock

    def withdraw(self, room_name: RoomName, secret: str) -> None:
        """Remove a knock; does nothing if there is none."""
        knock = self._knocks.get(secret)
        if knock is not None and knock.room_name == room_name:
            self._forget(knock)

    def waiting(self, room_name: RoomName) -> list[Knock]:
        """Return the knocks without a reply, oldest first."""
        return [knock for knock in self._doors.get(room_name, {}).values() if knock.answer is Answer.NONE]

    def answer(self, room_name: RoomName, knock_id: str, *, grant: bool) -> bool:
        """Admit or deny a person; False if the person does not wait for this room."""
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
