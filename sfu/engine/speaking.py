"""Who speaks in each room, and whose camera therefore comes first."""

from collections.abc import Callable
from functools import partial

from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.peers.link import ConnectionId
from sfu.engine.peers.peer import Peer
from sfu.receiving.speakers import UPDATE_INTERVAL_S, Levels, Speakers
from sfu.values import PublicationId, RoomId, SpeakersChanged


class Speaking:
    """The speakers of all rooms of an engine."""

    def __init__(self, context: Context) -> None:
        """Nobody has spoken."""
        self._context = context
        self.rooms: dict[RoomId, Speakers] = {}
        self._counted: dict[tuple[PublicationId, Callable[[], Levels | None]], Peer] = {}
        "Who sends the publications whose levels the data plane counts, and where they are taken, stream by stream."

    def observe(self, peer: Peer, publication_id: PublicationId, level: int, now: float) -> None:
        """One audio packet's level (RFC 6464), in all rooms where it is received."""
        for room_id in peer.rooms:
            self._speakers(room_id, now).observe(publication_id, level, now)

    def expect(
        self, peer: Peer, publication_id: PublicationId, take: Callable[[], Levels | None], now: float
    ) -> None:
        """Levels of a publication are being counted; `take` returns and resets them."""
        self._counted[publication_id, take] = peer
        for room_id in peer.rooms:
            self._speakers(room_id, now).expect(publication_id, now)

    def _speakers(self, room_id: RoomId, now: float) -> Speakers:
        """Return the speakers of a room, who will be updated."""
        speakers = self.rooms.get(room_id)
        if speakers is None:
            speakers = self.rooms[room_id] = Speakers()
        if speakers.is_idle:
            self._update_later(room_id, now)
        return speakers

    def _take_counted(self, room_id: RoomId) -> None:
        """Take what was counted for the publications of a room, for all rooms where each is received."""
        for (publication_id, take), peer in list(self._counted.items()):
            if room_id not in peer.rooms:
                continue
            del self._counted[publication_id, take]
            levels = take()
            for each in peer.rooms if levels is not None else ():
                if each in self.rooms and levels is not None:
                    self.rooms[each].add(publication_id, levels)

    def remove(self, room_id: RoomId, publication_id: PublicationId, now: float) -> None:
        """A publication is no longer received in a room."""
        for key in [key for key in self._counted if key[0] == publication_id]:
            del self._counted[key]
        speakers = self.rooms.get(room_id)
        if speakers is not None:
            speakers.remove(publication_id)
            if not speakers.is_idle and not self._context.deadlines.is_set(room_id, Reason.SPEAKERS):
                self._update_later(room_id, now)

    def remove_room(self, room_id: RoomId) -> None:
        """Nobody is in a room."""
        self.rooms.pop(room_id, None)
        self._context.deadlines.cancel(room_id, Reason.SPEAKERS)

    def focus(self, room_id: RoomId) -> ConnectionId | None:
        """The peer who speaks in a room, or spoke last; None: nobody has."""
        speakers = self.rooms.get(room_id)
        if speakers is None or speakers.dominant is None:
            return None
        return next((p.id for p in self._context.peers.values() if speakers.dominant in p.published), None)

    def _update_later(self, room_id: RoomId, now: float) -> None:
        duty = partial(self._update, room_id)
        at = now + UPDATE_INTERVAL_S
        self._context.deadlines.set(room_id, Reason.SPEAKERS, at, duty, every_s=UPDATE_INTERVAL_S)

    def _update(self, room_id: RoomId, now: float) -> None:
        self._take_counted(room_id)
        changed = self.rooms[room_id].update(now)
        if changed:
            self._context.emit(SpeakersChanged(room_id, changed))
        if self.rooms[room_id].is_idle:
            self._context.deadlines.cancel(room_id, Reason.SPEAKERS)
