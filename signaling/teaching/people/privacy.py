"""Stored data about a person, and its erasure.

Logs are the only truth about sessions, so erasure rewrites them: the person's id becomes a pseudonym, and their name,
what they wrote and what was noted about them are removed. Attendance stays, so that counts and the history of
other people stay right. Drawings on a whiteboard are one picture of everybody's strokes, and stay.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import msgspec

from classroom import codec
from classroom.errors import Code, Conflict
from classroom.ids import PersonId, SessionId
from classroom.roles import OPEN
from signaling.ids import TenantId
from signaling.store import Store
from signaling.store.classroom.library import Shelved
from signaling.store.classroom.records import SessionQuery, SessionRow
from signaling.store.classroom.shelf import TenantShelf, session_log
from signaling.store.people.audit import ERASED, AuditEntry
from signaling.teaching.files.session_files import SessionFiles
from signaling.teaching.registry import Registry
from signaling.teaching.school import School

_PAGE: Final = 1000

# Logs of a school's parts; those with a slash at the end have one for each tutor.
_PARTS: Final = ("courses", "study_groups", "office_hours/", "schedule/", "bookings/")

# Fields with texts by a person.
_TEXTS: Final = frozenset({"text", "note", "topic"})
# Fields with the author of the texts beside them.
_AUTHORS: Final = frozenset({"by", "author", "person", "owner"})

EraseElsewhere = Callable[[TenantId, PersonId, Sequence[SessionId]], Awaitable[object]]
"Erases a person of these sessions, in a way that can be repeated. StoreError."

_decode: Final = msgspec.json.decode
_encode: Final = msgspec.json.encode


class Erased(msgspec.Struct, frozen=True):
    """What an erasure changed."""

    person: PersonId
    pseudonym: PersonId
    "Replaces the person in the remaining data."
    sessions: int
    events: int
    files: int
    audit_entries: int
    account: bool


class Privacy:
    """Export and erasure for all tenants."""

    def __init__(self, store: Store, registry: Registry, school: School, files: SessionFiles) -> None:
        """Use the parts of the server that know people."""
        self._store = store
        self._registry = registry
        self._school = school
        self._files = files
        self._others: list[EraseElsewhere] = []

    def erase_too(self, erase: EraseElsewhere) -> None:
        """Let an erasure begin with `erase`, for what is stored elsewhere than in logs and files of sessions."""
        self._others.append(erase)

    async def export(self, tenant: TenantId, person: PersonId) -> dict[str, Any]:
        """Return all stored data about a person, as plain values. StoreError."""
        shelf = self._store.classroom.of(tenant)
        account = await self._store.accounts.of(tenant).get(person)
        sessions = []
        async for row in _sessions(shelf, person):
            events = [
                {"seq": seq, "event": event}
                async for seq, event in _about(shelf, session_log(row.id), person)
            ]
            sessions.append({"session": row.id, "title": row.title, "phase": row.phase, "events": events})
        school = []
        for log in await _school_logs(shelf):
            events = [{"seq": seq, "event": event} async for seq, event in _about(shelf, log, person)]
            if events:
                school.append({"log": log, "events": events})
        return {
            "person": person,
            "library": [asdict(item) async for item in _library(shelf, person)],
            "library_files": [asdict(file) for file in await shelf.library_files.all(person)],
            "account": None
            if account is None
            else {
                "email": account.email,
                "name": account.name,
                "role": account.role,
                "created_at": account.created_at,
            },
            "sessions": sessions,
            "school": school,
            "audit": [msgspec.to_builtins(entry) async for entry in self._audit(tenant, person)],
        }

    async def erase(self, tenant: TenantId, person: PersonId, now: float, actor: PersonId) -> Erased:
        """Erase a person. `Conflict` while they belong to an open session, StoreError.

        A repetition after a failure continues where it stopped.
        """
        shelf = self._store.classroom.of(tenant)
        rows = [row async for row in _sessions(shelf, person)]
        if any(row.phase in OPEN for row in rows):
            raise _open_session()
        # First, since the sessions of a person are not known any more once their logs are rewritten.
        for erase in self._others:
            await erase(tenant, person, [row.id for row in rows])
        pseudonym = PersonId(f"{ERASED}-{secrets.token_hex(8)}")
        events = files = 0
        for row in rows:
            count, deleted = await self._erase_session(shelf, row, person, pseudonym)
            events, files = events + count, files + deleted
        for log in await _school_logs(shelf):
            events += await self._school.rewrite(
                tenant, log, partial(_rewrite_part, shelf, log, person, pseudonym)
            )
        account = await self._store.accounts.of(tenant).delete(person)
        entries = await self._store.audit.erase(tenant, person)
        await shelf.bans.erase(person, pseudonym)
        await shelf.library.erase(person)
        files += await shelf.library_files.erase(person)
        await asyncio.to_thread(self._files.blobs.delete_library, tenant, person)
        await self._store.audit.add(tenant, AuditEntry(now, "person.erased", actor, pseudonym))
        return Erased(person, pseudonym, len(rows), events, files, entries, account)

    async def _erase_session(
        self, shelf: TenantShelf, row: SessionRow, person: PersonId, pseudonym: PersonId
    ) -> tuple[int, int]:
        async def action() -> tuple[int, list[str]]:
            now = await shelf.session(row.id)
            if now is None or now.phase in OPEN:
                raise _open_session()
            log = session_log(row.id)
            files, changed = [], {}
            async for seq, event in _about(shelf, log, person):
                if event["type"] == "files.added" and event["file"]["by"] == person:
                    files.append(event["file"]["id"])
                changed[seq] = redacted(event, person, pseudonym)
                # What could not be read again would lose the session.
                codec.decode_event(changed[seq])
            await shelf.rewrite(log, changed, session=row.id, person=person, other=pseudonym)
            return len(changed), files

        live = self._registry.session(shelf.tenant, row.id)
        events, files = await live.rewrite(action)
        for file in files:
            self._files.delete(shelf.tenant, row.id, file)
        return events, len(files)

    async def _audit(self, tenant: TenantId, person: PersonId) -> AsyncIterator[AuditEntry]:
        before: int | None = None
        while page := await self._store.audit.read(tenant, before, _PAGE, person):
            for entry in page:
                yield entry
            before = page[-1].number


def redacted(event: dict[str, Any], person: PersonId, pseudonym: PersonId) -> bytes:
    """Return the JSON of an event without a person: with the pseudonym as id, and without texts and names."""
    return _encode(_walk(event, person, pseudonym, theirs=False))


def _walk(value: Any, person: PersonId, pseudonym: PersonId, *, theirs: bool) -> Any:
    if isinstance(value, str):
        return pseudonym if value == person else value
    if isinstance(value, list):
        return [_walk(each, person, pseudonym, theirs=theirs) for each in value]
    if not isinstance(value, dict):
        return value
    # Without an author of its own, it belongs to what it is in, such as a ballot to the answer to a poll.
    if not _AUTHORS.isdisjoint(value):
        theirs = person in (value.get("author", value.get("by")), value.get("person"))
    walked = {}
    for name, each in value.items():
        if isinstance(each, str) and name in _TEXTS and theirs:
            walked[name] = ""
        elif isinstance(each, str) and _is_name(value, name, person):
            walked[name] = ERASED
        elif name == "grade" and value.get("person") == person:
            walked[name] = ""
        else:
            walked[pseudonym if name == person else name] = _walk(each, person, pseudonym, theirs=theirs)
    return walked


def _is_name(value: dict[str, Any], field: str, person: PersonId) -> bool:
    """Return whether a field is the name of the person, or that of a file of theirs."""
    if field == "owner_name":
        return bool(value.get("owner") == person)
    return field == "name" and bool(value.get("person", value.get("by")) == person)


def mentions(value: Any, person: PersonId) -> bool:
    """Return whether a person's id is somewhere in a JSON value."""
    if isinstance(value, str):
        return value == person
    if isinstance(value, list):
        return any(mentions(each, person) for each in value)
    return isinstance(value, dict) and (
        person in value or any(mentions(each, person) for each in value.values())
    )


async def _sessions(shelf: TenantShelf, person: PersonId) -> AsyncIterator[SessionRow]:
    before: tuple[float, SessionId] | None = None
    while page := await shelf.sessions(SessionQuery(person=person, before=before), _PAGE):
        for row in page:
            yield row
        before = (page[-1].created_at, page[-1].id)


async def _library(shelf: TenantShelf, person: PersonId) -> AsyncIterator[Shelved]:
    before: tuple[float, str] | None = None
    while page := await shelf.library.page(person, "", before, _PAGE):
        for item in page:
            yield item
        before = (page[-1].created_at, page[-1].id)


async def _school_logs(shelf: TenantShelf) -> list[str]:
    return [log for prefix in _PARTS for log in await shelf.logs(prefix, limit=100_000)]


async def _about(shelf: TenantShelf, log: str, person: PersonId) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Yield the number and content of each event of a log that names a person."""
    after = 0
    while page := await shelf.read(log, after, _PAGE):
        for each in page:
            event = _decode(each.data)
            if mentions(event, person):
                yield each.seq, event
        after = page[-1].seq


def _open_session() -> Conflict:
    return Conflict(Code.WRONG_PHASE, "The person belongs to a session that is open; end it first.")


async def _rewrite_part(shelf: TenantShelf, log: str, person: PersonId, pseudonym: PersonId) -> int:
    """Erase a person from the log of a part of a school; return how many events changed. StoreError."""
    if log.partition("/")[2] == person:
        await shelf.delete_log(log)
        return 0
    changed = {seq: redacted(event, person, pseudonym) async for seq, event in _about(shelf, log, person)}
    await shelf.rewrite(log, changed)
    return len(changed)
