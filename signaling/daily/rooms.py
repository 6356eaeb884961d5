"""Daily's rooms: durable, whether anybody is in them or not; and the open ones that LiveKit's API made."""

import asyncio
import re
import secrets
import string
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from signaling.daily.properties import RoomProperties, check_exp, merge, non_defaults, parse
from signaling.daily.rest.domains import Domain
from signaling.daily.rest.errors import DailyError, invalid, not_found
from signaling.daily.rest.pages import PageQuery
from signaling.ids import RoomName
from signaling.rooms.model import LeaveReason, Room, RoomConfig
from signaling.rooms.rooms import Rooms
from signaling.store import DurableRoom, Store

KIND = "daily"

Privacy = Literal["public", "private"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME_RULE = "contains invalid characters (room names can contain A-Z, a-z, 0-9, '-', and '_')"
_RANDOM_NAME_CHARS = 20

# The page of such a room would stand where something of the server is.
RESERVED_NAMES = frozenset({"agent", "docs", "healthz", "metrics", "readyz", "rtc", "sessions", "v1"})

# Namespace of documents: what a domain sets for all its rooms, by the domain's name.
_DOMAIN_CONFIG = "daily.domain"

# Ids of rooms that LiveKit's API made follow from their session's.
_NAMESPACE = uuid.UUID("b0a3d9ce-6f0d-4a87-9df3-3d5b5f5f4c07")


@dataclass(frozen=True, slots=True)
class DailyRoom:
    """A room as Daily's API shows it."""

    id: str
    "A UUID."
    name: RoomName
    domain: str
    "Its domain's name; empty for an open room that LiveKit's API made, which is everybody's."
    privacy: Privacy
    created_at: float
    "Seconds since 1970."
    given: Mapping[str, Any]
    "Properties that were set, by name."
    inherited: Mapping[str, Any]
    "Properties that its domain sets for all its rooms."

    @property
    def properties(self) -> RoomProperties:
        """The properties that hold: the room's, else the domain's, else the defaults."""
        return parse(RoomProperties, {**self.inherited, **self.given})

    @property
    def config(self) -> dict[str, Any]:
        """The room's own settings that differ from the defaults."""
        return non_defaults(self.given)

    @property
    def room_config(self) -> RoomConfig:
        """How the room behaves once it is open."""
        properties = self.properties
        return RoomConfig(
            owner=self.domain,
            # One that no Daily application made has no id that would outlive its session.
            id=self.id if self.domain else "",
            is_private=bool(self.domain) and self.privacy == "private",
            max_participants=properties.max_participants,
            unique_users=properties.enforce_unique_user_ids,
            ends_at=properties.exp if properties.eject_at_room_exp else None,
            opens_at=properties.nbf,
            closes_at=properties.exp,
            max_attendance_s=properties.eject_after_elapsed,
        )


class DailyRooms:
    """Daily's view of all rooms."""

    def __init__(self, store: Store, rooms: Rooms) -> None:
        """Durable rooms are in the store, open ones in `rooms`."""
        self._store = store
        self._rooms = rooms
        self._changing = asyncio.Lock()

    async def domain_config(self, domain_name: str) -> dict[str, Any]:
        """Return what a domain sets for its rooms, and for itself. StoreError."""
        stored: dict[str, Any] = await self._store.documents.get(_DOMAIN_CONFIG, domain_name) or {}
        return stored

    async def configure_domain(self, domain: Domain, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change some of what a domain sets; null takes a property back. DailyError, StoreError."""
        async with self._changing:
            config = merge(await self.domain_config(domain.name), change)
            parse(RoomProperties, config)
            await self._store.documents.put(_DOMAIN_CONFIG, domain.name, config)
        return config

    async def find(self, name: RoomName) -> DailyRoom | None:
        """Return a room of any domain, None if there is none. StoreError."""
        durable = await self._store.rooms.get(name)
        if durable is not None and durable.kind == KIND:
            return self._of_durable(durable, await self.domain_config(durable.made_by))
        open_room = self._rooms.room(name)
        return None if open_room is None else of_open(open_room)

    async def opening(self, durable: DurableRoom) -> RoomConfig:
        """Return how a room behaves when it opens, whichever API the first one comes through. StoreError."""
        return self._of_durable(durable, await self.domain_config(durable.made_by)).room_config

    async def get(self, domain: Domain, name: RoomName) -> DailyRoom:
        """Return a domain's room. DailyError, StoreError."""
        room = await self.find(name)
        if room is None or room.domain not in {domain.name, ""}:
            raise not_found(f"room {name} not found")
        return room

    async def create(
        self, domain: Domain, name: RoomName | None, privacy: Privacy, given: Mapping[str, Any], now: float
    ) -> DailyRoom:
        """Make a room. DailyError, StoreError."""
        [made] = await self.create_all(domain, [(name, privacy, given)], now)
        return made

    async def update(
        self,
        domain: Domain,
        name: RoomName,
        privacy: Privacy | None,
        change: Mapping[str, Any],
        now: float,
    ) -> DailyRoom:
        """Change some of a room's settings. DailyError, StoreError.

        An open room that LiveKit's API made becomes a durable one of this domain.
        """
        async with self._changing:
            room = await self.get(domain, name)
            given = merge(room.given, change)
            check_exp(change, now)
            parse(RoomProperties, given)
            settings = _settings(room.id, privacy or room.privacy, given)
            durable = DurableRoom(name, KIND, domain.name, room.created_at, settings)
            if not await self._store.rooms.update(name, settings):
                await self._store.rooms.put(durable)
        changed = self._of_durable(durable, await self.domain_config(domain.name))
        open_room = self._rooms.room(name)
        if open_room is not None:
            self._rooms.configure(open_room, changed.room_config)
        return changed

    async def delete(self, domain: Domain, name: RoomName) -> None:
        """Delete a room, and end it when it is open. DailyError, StoreError."""
        async with self._changing:
            await self.get(domain, name)
            await self._store.rooms.delete(name)
        open_room = self._rooms.room(name)
        if open_room is not None:
            detail = f"deleted by API key {domain.name}"
            self._rooms.close_room(open_room, LeaveReason.ROOM_DELETED, detail)

    async def create_all(
        self, domain: Domain, wanted: Sequence[tuple[RoomName | None, Privacy, Mapping[str, Any]]], now: float
    ) -> list[DailyRoom]:
        """Make several rooms, or none when one of them cannot be made. DailyError, StoreError."""
        named = [
            (_random_name() if name is None else name, privacy, given) for name, privacy, given in wanted
        ]
        durable = [self._new(domain, name, privacy, given, now) for name, privacy, given in named]
        async with self._changing:
            for index, (name, _, _) in enumerate(named):
                twice = name in {earlier for earlier, _, _ in named[:index]}
                if twice or self._rooms.room(name) is not None:
                    raise _taken(name)
            taken = await self._store.rooms.put_all(durable)
        if taken is not None:
            raise _taken(taken)
        inherited = await self.domain_config(domain.name)
        return [self._of_durable(each, inherited) for each in durable]

    async def delete_all(self, domain: Domain, names: Iterable[RoomName]) -> int:
        """Delete the domain's rooms among these, and return how many there were. StoreError."""
        count = 0
        for name in names:
            try:
                await self.delete(domain, name)
                count += 1
            except DailyError:
                continue
        return count

    async def page(self, domain: Domain, query: PageQuery) -> tuple[int, list[DailyRoom]]:
        """Return how many rooms a domain sees, and one page of them, newest first. DailyError, StoreError."""
        inherited = await self.domain_config(domain.name)
        open_rooms = self._rooms.rooms
        durable_names = await self._store.rooms.existing(room.name for room in open_rooms)
        undurable = [of_open(room) for room in open_rooms if room.name not in durable_names]
        total = await self._store.rooms.count(KIND, domain.name) + len(undurable)
        oldest_first = query.backwards
        behind = await self._place(domain, undurable, query)
        found = await self._store.rooms.page(
            KIND, domain.name, behind=behind, oldest_first=oldest_first, limit=query.limit
        )
        merged = [self._of_durable(each, inherited) for each in found]
        merged += [
            room
            for room in undurable
            if behind is None or (_place_of(room) > behind if oldest_first else _place_of(room) < behind)
        ]
        merged.sort(key=_place_of, reverse=not oldest_first)
        rooms = merged[: query.limit]
        return total, rooms[::-1] if oldest_first else rooms

    async def visible(self, domain: Domain, names: Iterable[RoomName]) -> frozenset[RoomName]:
        """Return those of these open rooms that a domain sees: all but other domains'. StoreError."""
        wanted = frozenset(names)
        return wanted - await self._store.rooms.foreign(KIND, domain.name, wanted)

    async def _place(
        self, domain: Domain, undurable: Iterable[DailyRoom], query: PageQuery
    ) -> tuple[float, str] | None:
        room_id = query.cursor
        if room_id is None:
            return None
        for room in undurable:
            if room.id == room_id:
                return _place_of(room)
        durable = await self._store.rooms.by_id(KIND, domain.name, room_id)
        if durable is None:
            raise invalid(f"there is no room with the id {room_id[:64]}")
        return durable.created_at, durable.name

    def open(self, room: DailyRoom) -> Room:
        """Return the open room, made with Daily's settings if nobody is in it yet."""
        config = room.room_config
        opened = self._rooms.open_room(room.name, config)
        if opened.config.id != config.id:
            # Opened while the database did not answer, or by somebody who was taken there.
            self._rooms.configure(opened, config)
        return opened

    @staticmethod
    def _new(
        domain: Domain, name: RoomName, privacy: Privacy, given: Mapping[str, Any], now: float
    ) -> DurableRoom:
        check_name(name)
        check_exp(given, now)
        parse(RoomProperties, given)
        return DurableRoom(
            name, KIND, domain.name, now, _settings(str(uuid.uuid4()), privacy, merge({}, given))
        )

    @staticmethod
    def _of_durable(durable: DurableRoom, inherited: Mapping[str, Any]) -> DailyRoom:
        settings = durable.settings
        return DailyRoom(
            id=settings["id"],
            name=durable.name,
            domain=durable.made_by,
            privacy=settings["privacy"],
            created_at=durable.created_at,
            given=settings["properties"],
            inherited=inherited,
        )


def of_open(room: Room) -> DailyRoom:
    """Return an open room that no Daily application made: LiveKit's need a token."""
    return DailyRoom(
        id=str(uuid.uuid5(_NAMESPACE, room.sid)),
        name=room.name,
        domain="",
        privacy="private",
        created_at=room.created_at,
        given={},
        inherited={},
    )


def check_name(name: RoomName) -> None:
    """Raise DailyError unless a room may be called so."""
    if not _NAME.fullmatch(name):
        raise invalid(f"{name[:128]} {_NAME_RULE}")
    if name in RESERVED_NAMES:
        raise invalid(f"{name} is an address of the server and cannot be the name of a room")


def _taken(name: RoomName) -> DailyError:
    return invalid(f"a room named {name} already exists")


def _place_of(room: DailyRoom) -> tuple[float, str]:
    return room.created_at, room.name


def _random_name() -> RoomName:
    letters = string.ascii_letters + string.digits
    return RoomName("".join(secrets.choice(letters) for _ in range(_RANDOM_NAME_CHARS)))


def _settings(room_id: str, privacy: Privacy, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": room_id, "privacy": privacy, "properties": dict(properties)}
