"""Files of a session: their metadata and the rules. The caller stores the bytes and inspects them first.

The kind of a file is determined by its content, never by what its sender claims. Kinds that a browser would run (HTML,
SVG, scripts) are refused, and only kinds that are safe to show are marked `inline`; everything else is served as an
attachment.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import fitting
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound
from classroom.features.people import find
from classroom.ids import FileId, PersonId
from classroom.permissions import require_role
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Scope(StrEnum):
    """Who may load a file."""

    ALL = "all"
    STAFF = "staff"
    PERSON = "person"


class Kind(NamedTuple):
    """The rules for one content type."""

    suffixes: frozenset[str]
    "Suffixes that the file name may have, lower case."
    size: int
    "Maximum number of bytes."
    inline: bool = False
    "A browser may show it inline."


def _office(suffix: str) -> Kind:
    return Kind(frozenset({suffix}), limits.FILE_SIZE)


_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."
_TEXT: Final = frozenset(
    {".txt", ".md", ".csv", ".tsv", ".py", ".java", ".c", ".h", ".cpp", ".js", ".ts", ".json"}
)

KINDS: Final[dict[str, Kind]] = {
    "application/pdf": Kind(frozenset({".pdf"}), limits.FILE_SIZE, inline=True),
    "image/png": Kind(frozenset({".png"}), limits.IMAGE_SIZE, inline=True),
    "image/jpeg": Kind(frozenset({".jpg", ".jpeg"}), limits.IMAGE_SIZE, inline=True),
    "image/gif": Kind(frozenset({".gif"}), limits.IMAGE_SIZE, inline=True),
    "image/webp": Kind(frozenset({".webp"}), limits.IMAGE_SIZE, inline=True),
    "audio/mpeg": Kind(frozenset({".mp3"}), limits.FILE_SIZE),
    "audio/ogg": Kind(frozenset({".ogg", ".opus"}), limits.FILE_SIZE),
    "text/plain": Kind(_TEXT, limits.IMAGE_SIZE),
    "application/zip": Kind(frozenset({".zip"}), limits.FILE_SIZE),
    _OOXML + "wordprocessingml.document": _office(".docx"),
    _OOXML + "presentationml.presentation": _office(".pptx"),
    _OOXML + "spreadsheetml.sheet": _office(".xlsx"),
    _ODF + "text": _office(".odt"),
    _ODF + "presentation": _office(".odp"),
    _ODF + "spreadsheet": _office(".ods"),
}
"By content type, as detected from the bytes."


class Add(Command, frozen=True, tag="files.add"):
    """Add a file whose bytes the caller has received, measured and inspected."""

    file: FileId
    name: str
    size: int
    kind: str
    "The content type detected from the bytes."
    digest: str
    "SHA-256 of the bytes in hex."
    scope: Scope = Scope.ALL
    target: str = ""


class Remove(Command, frozen=True, tag="files.remove"):
    """Delete your own file, or as staff any file that you can load."""

    file: FileId


class File(Struct, frozen=True):
    """Metadata of a file."""

    id: FileId
    by: PersonId
    at: float
    name: str
    size: int
    kind: str
    digest: str
    scope: Scope
    target: str


class Added(Event, frozen=True, tag="files.added"):
    """A file was added."""

    file: File


class Removed(Event, frozen=True, tag="files.removed"):
    """A file was removed; the caller deletes its bytes."""

    file: File


class State(Struct):
    """The files and their total size."""

    files: dict[FileId, File] = field(default_factory=dict)
    size: int = 0
    by_person: dict[PersonId, int] = field(default_factory=dict)
    "Bytes by the person who added the files."


def is_inline(kind: str) -> bool:
    """Return whether a file may be shown inline instead of being offered as a download."""
    return kind in KINDS and KINDS[kind].inline


def check_name(name: str, kind: str) -> str:
    """Return a file's name without folders; its suffix has to match its content."""
    kept = checks.line(name, limits.FILE_NAME_LENGTH, "file name")
    if "/" in kept or "\\" in kept or kept.startswith("."):
        raise Malformed(Code.BAD_TEXT, "The file name contains a folder or starts with a dot.")
    known = KINDS.get(kind)
    if known is None:
        raise Malformed(Code.FILE_TYPE_REFUSED, f"Files of the type {kind[:100]!r} are not accepted.")
    suffix = PurePosixPath(kept).suffix.lower()
    if suffix not in known.suffixes:
        expected = " or ".join(sorted(known.suffixes))
        raise Malformed(Code.FILE_NAME_MISMATCH, f"The content is {kind}; its name has to end in {expected}.")
    return kept


def check_size(size: int, kind: str) -> None:
    """Refuse a size that files of this known type may not have. `Refused`."""
    checks.number(size, 0, 2**53, "size")
    if size > KINDS[kind].size:
        limit = KINDS[kind].size // 2**20
        raise LimitReached(Code.TOO_LARGE, f"Files of this type may have {limit} MiB at most.")


def check_pixels(width: int, height: int) -> None:
    """Refuse an image that would fill the memory of those who see it. `LimitReached`."""
    if width * height > limits.IMAGE_PIXELS:
        megapixels = limits.IMAGE_PIXELS // 10**6
        raise LimitReached(Code.TOO_LARGE, f"Images may have {megapixels} megapixels at most.")


def check_room(room: "Classroom", author: PersonId, sizes: Sequence[int]) -> None:
    """Refuse files of these sizes that do not all fit the session and its author's quota. `LimitReached`."""
    state, added = room.files, sum(sizes)
    if len(state.files) + len(sizes) > limits.FILES:
        raise LimitReached(Code.TOO_MANY, f"There may be {limits.FILES} files in a session at most.")
    if state.by_person.get(author, 0) + added > limits.PERSON_QUOTA:
        raise LimitReached(Code.QUOTA_EXCEEDED, "The files of this person are too large together.")
    if state.size + added > limits.SESSION_QUOTA:
        raise LimitReached(Code.QUOTA_EXCEEDED, "The files of the session are too large together.")


def _add(room: "Classroom", command: Add, now: float) -> Events:
    state = room.files
    file_id = checks.identifier(command.file, "file")
    name = check_name(command.name, command.kind)
    if len(command.digest) != 64 or not set(command.digest) <= set("0123456789abcdef"):
        raise Malformed(Code.BAD_TEXT, "The digest has to be 64 hexadecimal digits.")
    if file_id in state.files:
        raise Conflict(Code.ALREADY_EXISTS, "There is a file with this id already.")
    author = find(room, command.by)
    if command.scope is Scope.PERSON:
        reader = find(room, PersonId(command.target))
        if author.role not in STAFF and reader.role not in STAFF and not room.session.settings.private_chat:
            raise NotAllowed(Code.PRIVATE_CHAT_OFF, "Students may send files in private to staff only.")
    elif command.target:
        raise NotFound(Code.PERSON_NOT_FOUND, "A file for all or for staff has no target.")
    check_size(command.size, command.kind)
    check_room(room, author.id, [command.size])
    file = File(
        id=file_id,
        by=author.id,
        at=now,
        name=name,
        size=command.size,
        kind=command.kind,
        digest=command.digest,
        scope=command.scope,
        target=command.target,
    )
    return [Added(at=now, by=author.id, file=file)]


def _remove(room: "Classroom", command: Remove, now: float) -> Events:
    file = room.files.files.get(command.file)
    actor = room.people.everyone.get(command.by)
    if file is None or (actor is not None and not is_reader(file, actor)):
        raise NotFound(Code.FILE_NOT_FOUND, "There is no such file.")
    if file.by != command.by:
        require_role(room, command.by, STAFF)
    return [Removed(at=now, by=command.by, file=file)]


def _added(state: State, event: Added) -> None:
    file = event.file
    state.files[file.id] = file
    state.size += file.size
    state.by_person[file.by] = state.by_person.get(file.by, 0) + file.size


def _removed(state: State, event: Removed) -> None:
    file = state.files.pop(event.file.id)
    state.size -= file.size
    state.by_person[file.by] -= file.size


def is_reader(file: File, person: "Person") -> bool:
    """Return whether a person may load a file of their session."""
    if person.id == file.by or file.scope is Scope.ALL:
        return True
    return person.id == file.target if file.scope is Scope.PERSON else person.role in STAFF


def may_read(room: "Classroom", file_id: FileId, person_id: PersonId) -> bool:
    """Return whether a person may load a file."""
    file, person = room.files.files.get(file_id), room.people.everyone.get(person_id)
    return file is not None and person is not None and is_reader(file, person)


class View(Struct, frozen=True):
    """The files that the person may load, the latest first."""

    files: list[File]
    more: bool


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    readable = (file for file in reversed(room.files.files.values()) if is_reader(file, person))
    return View(*fitting(readable, limits.VIEW_FILES))


def _shown(_room: "Classroom", event: Added | Removed, person: "Person") -> Event | None:
    """Shown to everybody who may load the file."""
    return event if is_reader(event.file, person) else None


FEATURE: Final = Feature(
    name="files",
    state=State,
    decide={Add: _add, Remove: _remove},
    apply={Added: _added, Removed: _removed},
    shown={Added: _shown, Removed: _shown},
    view=_view,
)
