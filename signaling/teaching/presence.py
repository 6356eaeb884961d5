"""Who of a session is connected: by media, by a feed, or by calls. Their absence becomes a lost connection.

A person who joined has a moment to connect. While any link of theirs is up they are there. When the last one goes, the
connection is lost from that time on, and the grace time of the session begins. Somebody who only calls the API is heard
by each call.
"""

from collections import defaultdict
from collections.abc import Hashable
from typing import Final

from classroom.base import Command
from classroom.features import people
from classroom.ids import PersonId, SessionId
from classroom.roles import UNFINISHED, Standing
from classroom.state import Classroom
from signaling.ids import TenantId
from signaling.teaching.live import LiveSession, unawaited
from signaling.teaching.registry import Registry

# Without a link, somebody counts as connected for this long after joining or after their last call.
SILENCE_S: Final = 60.0

# Between two searches for the silent.
SEARCH_S: Final = 5.0

Key = tuple[TenantId, SessionId, PersonId]


class Presence:
    """The links of everybody: tenant, session and person by link."""

    def __init__(self, registry: Registry) -> None:
        """Commands go to the sessions of `registry`."""
        self._registry = registry
        self._links: dict[Key, set[Hashable]] = defaultdict(set)
        self._heard: dict[Key, float] = {}

    def linked(self, live: LiveSession, person: PersonId, link: Hashable) -> None:
        """Note that a link of somebody is up; a lost connection is restored."""
        self._links[live.tenant, live.id, person].add(link)
        live.submit(lambda room, _now: _restore(room, person)).add_done_callback(unawaited)

    def unlinked(self, live: LiveSession, person: PersonId, link: Hashable) -> None:
        """Note that a link of somebody is gone; with the last one, the connection is lost."""
        key = live.tenant, live.id, person
        links = self._links.get(key)
        if links is None or link not in links:
            return
        links.remove(link)
        if links:
            return
        del self._links[key]
        lost_at = self._registry.wall_clock()
        live.submit(lambda room, _now: self._lose(live, room, person, lost_at)).add_done_callback(unawaited)

    def has_link(self, live: LiveSession, person: PersonId) -> bool:
        """Whether anything connects somebody."""
        return bool(self._links.get((live.tenant, live.id, person)))

    def heard(self, live: LiveSession, person: PersonId) -> None:
        """Note a call of somebody."""
        self._heard[live.tenant, live.id, person] = self._registry.wall_clock()
        room = live.loaded
        known = None if room is None else room.people.everyone.get(person)
        if known is not None and known.lost_at is not None:
            live.submit(lambda room, _now: _restore(room, person)).add_done_callback(unawaited)

    def search(self) -> None:
        """Report those of whom nothing has been heard for too long."""
        now = self._registry.wall_clock()
        for live in self._registry:
            room = live.loaded
            if room is None or room.session.phase not in UNFINISHED:
                continue
            for person in tuple(room.people.present):
                known = room.people.everyone[person]
                heard = max(
                    known.since,
                    room.people.recovered_at,
                    self._heard.get((live.tenant, live.id, person), 0.0),
                )
                if known.lost_at is None and not self.has_link(live, person) and heard < now - SILENCE_S:
                    self._report(live, person, heard)
        self._heard = {key: at for key, at in self._heard.items() if at >= now - SILENCE_S}

    def _report(self, live: LiveSession, person: PersonId, heard: float) -> None:
        live.submit(lambda room, _now: self._lose(live, room, person, heard)).add_done_callback(unawaited)

    def _lose(self, live: LiveSession, room: Classroom, person: PersonId, lost_at: float) -> Command | None:
        known = room.people.everyone.get(person)
        if known is None or known.standing is not Standing.PRESENT or known.lost_at is not None:
            return None
        return None if self.has_link(live, person) else people.LoseConnection(person=person, lost_at=lost_at)


def _restore(room: Classroom, person: PersonId) -> Command | None:
    known = room.people.everyone.get(person)
    if known is None or known.lost_at is None or known.standing is not Standing.PRESENT:
        return None
    return people.RestoreConnection(person=person)
