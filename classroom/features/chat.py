"""Chat: to all, to staff, to one person or to a breakout; editing, deleting, pinning and moderation."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.audience import beginning, everyone, fitting
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, NotAllowed, NotFound
from classroom.features.people import find
from classroom.ids import FileId, MessageId, PersonId
from classroom.permissions import require_role
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Scope(StrEnum):
    """Who receives a message."""

    ALL = "all"
    STAFF = "staff"
    PERSON = "person"
    BREAKOUT = "breakout"


class Mode(StrEnum):
    """How the messages of students are moderated."""

    OPEN = "open"
    "Not moderated."
    SLOW = "slow"
    "Each student has to wait between two messages."
    STAFF_FIRST = "staff_first"
    "A student's message reaches other people after staff have approved it."
    CLOSED = "closed"
    "Students can write to staff only."


class Send(Command, frozen=True, tag="chat.send"):
    """Write a message."""

    message: MessageId
    "New id."
    text: str
    scope: Scope = Scope.ALL
    target: str = ""
    "Id of a person or a breakout, depending on the scope."
    files: tuple[FileId, ...] = ()
    "Files of the author that the readers may load; with files, the text may be empty."


class Edit(Command, frozen=True, tag="chat.edit"):
    """Correct your own message."""

    message: MessageId
    text: str


class Delete(Command, frozen=True, tag="chat.delete"):
    """Delete your own message, or as staff any message that you can read."""

    message: MessageId


class Pin(Command, frozen=True, tag="chat.pin"):
    """Pin a message for everybody."""

    message: MessageId


class Unpin(Command, frozen=True, tag="chat.unpin"):
    """Unpin a message."""

    message: MessageId


class Approve(Command, frozen=True, tag="chat.approve"):
    """Release a held message to its readers."""

    message: MessageId


class SetMode(Command, frozen=True, tag="chat.set_mode"):
    """Change how messages are moderated."""

    mode: Mode
    interval_s: int = 30
    "Seconds between two messages of one student in slow mode."


class Sent(Event, frozen=True, kw_only=True, tag="chat.sent"):
    """A message was sent."""

    message: MessageId
    text: str
    scope: Scope
    target: str
    held: bool
    "Only staff and the author see it until it is approved."
    files: tuple[FileId, ...] = ()
    v: int = 2


class Edited(Event, frozen=True, tag="chat.edited"):
    """`by` changed the text of a message. The event carries the scope, because old messages leave the state."""

    message: MessageId
    text: str
    scope: Scope
    target: str
    held: bool


class Deleted(Event, frozen=True, tag="chat.deleted"):
    """A message was deleted."""

    message: MessageId
    author: PersonId
    scope: Scope
    target: str
    held: bool


class Pinned(Event, frozen=True, tag="chat.pinned"):
    """A message was pinned."""

    message: MessageId


class Unpinned(Event, frozen=True, tag="chat.unpinned"):
    """A message is no longer pinned."""

    message: MessageId


class Approved(Event, frozen=True, kw_only=True, tag="chat.approved"):
    """A held message was released. The event carries all of it, because its readers see it for the first time."""

    message: MessageId
    author: PersonId
    text: str
    scope: Scope
    target: str
    sent_at: float
    files: tuple[FileId, ...] = ()
    v: int = 2


class ModeSet(Event, frozen=True, tag="chat.mode_set"):
    """The moderation of messages changed."""

    mode: Mode
    interval_s: int


class Message(Struct):
    """One message."""

    id: MessageId
    by: PersonId
    at: float
    text: str
    scope: Scope
    target: str
    held: bool = False
    pinned: bool = False
    deleted: bool = False
    edited_at: float | None = None
    cut: bool = False
    "In a view: the full text is longer."
    files: tuple[FileId, ...] = ()


class State(Struct):
    """The latest messages and the mode of moderation."""

    messages: dict[MessageId, Message] = field(default_factory=dict)
    "The latest messages and the pinned ones, oldest first."
    count: int = 0
    "Number of messages ever sent."
    pins: dict[MessageId, None] = field(default_factory=dict)
    mode: Mode = Mode.OPEN
    interval_s: int = 30
    recent: dict[PersonId, list[float]] = field(default_factory=dict)
    "By person, when the latest messages were sent; limits the rate."


def _send(room: "Classroom", command: Send, now: float) -> Events:
    message_id = checks.identifier(command.message, "message")
    text = checks.text(command.text, limits.MESSAGE_LENGTH, "message", empty=bool(command.files))
    if message_id in room.chat.messages:
        raise Conflict(Code.ALREADY_EXISTS, "There is a message with this id already.")
    author = find(room, command.by)
    _check_readers(room, author, command.scope, command.target)
    _check_files(room, author, command)
    _check_pace(room.chat, author, now)
    held = room.chat.mode is Mode.STAFF_FIRST and _moderated(author, command.scope)
    return [
        Sent(
            at=now,
            by=author.id,
            message=message_id,
            text=text,
            scope=command.scope,
            target=command.target,
            held=held,
            files=command.files,
        )
    ]


def _check_files(room: "Classroom", author: "Person", command: Send) -> None:
    if len(command.files) > limits.MESSAGE_FILES:
        raise LimitReached(Code.TOO_MANY, f"A message may have {limits.MESSAGE_FILES} files at most.")
    for file_id in command.files:
        file = room.files.files.get(file_id)
        if file is None or file.by != author.id:
            raise NotFound(Code.FILE_NOT_FOUND, "There is no such file of this person.")
        # Otherwise some readers of the message could not load its file.
        readers = (file.scope.value, file.target)
        if readers not in {(Scope.ALL.value, ""), (command.scope.value, command.target)}:
            raise NotAllowed(Code.NOT_ALLOWED, "The readers of the message may not all load the file.")


def _moderated(author: "Person", scope: Scope) -> bool:
    return author.role not in STAFF and scope is not Scope.STAFF


def _check_readers(room: "Classroom", author: "Person", scope: Scope, target: str) -> None:
    to_staff = scope is Scope.STAFF
    if scope is Scope.PERSON:
        reader = find(room, PersonId(target))
        to_staff = reader.role in STAFF
        if author.role not in STAFF and not to_staff and not room.session.settings.private_chat:
            raise NotAllowed(Code.PRIVATE_CHAT_OFF, "Students may write in private to staff only.")
    elif scope is Scope.BREAKOUT:
        if target not in room.breakouts.rooms:
            raise NotFound(Code.BREAKOUT_NOT_FOUND, "There is no such breakout.")
        if author.role not in STAFF and room.breakouts.places.get(author.id) != target:
            raise NotAllowed(Code.NOT_PRESENT, "This person is not in that breakout.")
    elif target:
        raise NotFound(Code.PERSON_NOT_FOUND, "A message to all or to staff has no target.")
    if room.chat.mode is Mode.CLOSED and author.role not in STAFF and not to_staff:
        raise NotAllowed(Code.CHAT_CLOSED, "The chat is closed; students may write to staff only.")


def _check_pace(chat: State, author: "Person", now: float) -> None:
    recent = chat.recent.get(author.id)
    if not recent:
        return
    if chat.mode is Mode.SLOW and author.role not in STAFF:
        wait_s = recent[-1] + chat.interval_s - now
        if wait_s > 0:
            raise LimitReached(Code.TOO_FAST, f"The next message can be sent in {wait_s:.0f} seconds.")
    if len(recent) == limits.MESSAGES_PER_MINUTE and now - recent[0] < 60:
        raise LimitReached(Code.TOO_FAST, "These are too many messages in one minute.")


def _find(room: "Classroom", message_id: MessageId) -> Message:
    message = room.chat.messages.get(message_id)
    if message is None:
        raise NotFound(Code.MESSAGE_NOT_FOUND, "There is no such message.")
    if message.deleted:
        raise Conflict(Code.MESSAGE_DELETED, "The message was deleted.")
    return message


def _edit(room: "Classroom", command: Edit, now: float) -> Events:
    message = _find(room, command.message)
    if message.by != command.by:
        raise NotAllowed(Code.NOT_YOURS, "Only the author edits a message.")
    # Otherwise an author could replace a text that staff approved; deleting and writing a new message is possible.
    if room.chat.mode is Mode.STAFF_FIRST and _moderated(find(room, command.by), message.scope):
        raise NotAllowed(Code.NOT_ALLOWED, "Messages cannot be edited while staff approve them.")
    text = checks.text(command.text, limits.MESSAGE_LENGTH, "message")
    if text == message.text:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The text is unchanged.")
    return [
        Edited(
            at=now,
            by=command.by,
            message=message.id,
            text=text,
            scope=message.scope,
            target=message.target,
            held=message.held,
        )
    ]


def _delete(room: "Classroom", command: Delete, now: float) -> Events:
    message = _find(room, command.message)
    if message.by != command.by:
        require_role(room, command.by, STAFF)
        actor = room.people.everyone.get(command.by)
        if actor is not None and not _reads(room, message.by, message.scope, message.target, actor):
            raise NotFound(Code.MESSAGE_NOT_FOUND, "There is no such message.")
    return [
        Deleted(
            at=now,
            by=command.by,
            message=message.id,
            author=message.by,
            scope=message.scope,
            target=message.target,
            held=message.held,
        )
    ]


def _pin(room: "Classroom", command: Pin, now: float) -> Events:
    message = _find(room, command.message)
    if message.pinned or message.held or message.scope is not Scope.ALL:
        raise Conflict(Code.NOTHING_TO_CHANGE, "Only an unpinned message to all can be pinned.")
    checks.room_for_one(len(room.chat.pins), limits.PINNED_MESSAGES, "pinned messages")
    return [Pinned(at=now, by=command.by, message=message.id)]


def _unpin(room: "Classroom", command: Unpin, now: float) -> Events:
    message = _find(room, command.message)
    if not message.pinned:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The message is not pinned.")
    return [Unpinned(at=now, by=command.by, message=message.id)]


def _approve(room: "Classroom", command: Approve, now: float) -> Events:
    message = _find(room, command.message)
    if not message.held:
        raise Conflict(Code.NOT_HELD, "The message is not waiting for approval.")
    return [
        Approved(
            at=now,
            by=command.by,
            message=message.id,
            author=message.by,
            text=message.text,
            scope=message.scope,
            target=message.target,
            sent_at=message.at,
            files=message.files,
        )
    ]


def _set_mode(room: "Classroom", command: SetMode, now: float) -> Events:
    interval_s = int(checks.number(command.interval_s, 1, limits.SLOW_MODE_S, "time between two messages"))
    if (command.mode, interval_s) == (room.chat.mode, room.chat.interval_s):
        raise Conflict(Code.NOTHING_TO_CHANGE, "The moderation is unchanged.")
    return [ModeSet(at=now, by=command.by, mode=command.mode, interval_s=interval_s)]


def _sent(state: State, event: Sent) -> None:
    state.messages[event.message] = Message(
        event.message,
        event.by,
        event.at,
        event.text,
        event.scope,
        event.target,
        held=event.held,
        files=event.files,
    )
    state.count += 1
    if len(state.messages) - len(state.pins) > limits.MESSAGES_KEPT:
        del state.messages[next(key for key, message in state.messages.items() if not message.pinned)]
    recent = state.recent.get(event.by)
    if recent is None:
        recent = state.recent[event.by] = []
    recent.append(event.at)
    if len(recent) > limits.MESSAGES_PER_MINUTE:
        recent.pop(0)


def _edited(state: State, event: Edited) -> None:
    message = state.messages[event.message]
    message.text, message.edited_at = event.text, event.at


def _deleted(state: State, event: Deleted) -> None:
    message = state.messages[event.message]
    message.text, message.files, message.deleted, message.pinned = "", (), True, False
    state.pins.pop(event.message, None)


def _pinned(state: State, event: Pinned) -> None:
    state.messages[event.message].pinned = True
    state.pins[event.message] = None


def _unpinned(state: State, event: Unpinned) -> None:
    state.messages[event.message].pinned = False
    del state.pins[event.message]


def _approved(state: State, event: Approved) -> None:
    state.messages[event.message].held = False


def _mode_set(state: State, event: ModeSet) -> None:
    state.mode, state.interval_s = event.mode, event.interval_s


def _reads(room: "Classroom", author: PersonId, scope: Scope, target: str, person: "Person") -> bool:
    """Return whether a person is among the addressees of a message, held or not."""
    if person.id == author or scope is Scope.ALL:
        return True
    if scope is Scope.PERSON:
        return person.id == target
    if person.role in STAFF:
        return True
    return scope is Scope.BREAKOUT and room.breakouts.places.get(person.id) == target


def _sent_shown(room: "Classroom", event: Sent, person: "Person") -> Event | None:
    """Shown to its readers; if held, to staff and the author only. Without its text after its deletion."""
    message = room.chat.messages.get(event.message)
    held = event.held if message is None else message.held
    # Held now or earlier: people other than staff and the author receive it by `chat.approved`.
    if (held or event.held) and person.role not in STAFF and person.id != event.by:
        return None
    if not _reads(room, event.by, event.scope, event.target, person):
        return None
    # A person who catches up after the deletion cannot read it.
    return structs.replace(event, text="", files=()) if message is not None and message.deleted else event


def _approved_shown(room: "Classroom", event: Approved, person: "Person") -> Event | None:
    """Shown to the readers. Without its text after the message was deleted."""
    if not _reads(room, event.author, event.scope, event.target, person):
        return None
    message = room.chat.messages.get(event.message)
    return structs.replace(event, text="", files=()) if message is not None and message.deleted else event


def _edited_shown(room: "Classroom", event: Edited, person: "Person") -> Event | None:
    """Shown to the readers. Without its text after the message was deleted."""
    if event.held and person.role not in STAFF and person.id != event.by:
        return None  # `chat.approved` will carry the text of that time
    if not _reads(room, event.by, event.scope, event.target, person):
        return None
    message = room.chat.messages.get(event.message)
    return structs.replace(event, text="") if message is not None and message.deleted else event


def _deleted_shown(room: "Classroom", event: Deleted, person: "Person") -> Event | None:
    """Shown to the readers of the message."""
    if event.held and person.role not in STAFF and person.id != event.author:
        return None
    return event if _reads(room, event.author, event.scope, event.target, person) else None


def _short(message: Message) -> Message:
    text, cut = beginning(message.text)
    return structs.replace(message, text=text, cut=cut)


class View(Struct, frozen=True):
    """The latest messages that the person may read, oldest first."""

    messages: list[Message]
    pinned: list[Message]
    mode: Mode
    interval_s: int
    more: bool
    "There are older messages, which are requested page by page."


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    chat = room.chat

    def readable(message: Message) -> bool:
        if message.deleted or (message.held and person.role not in STAFF and person.id != message.by):
            return False
        return _reads(room, message.by, message.scope, message.target, person)

    latest = (_short(message) for message in reversed(chat.messages.values()) if readable(message))
    messages, more = fitting(latest, limits.VIEW_CHAT)
    pinned, _ = fitting((_short(chat.messages[key]) for key in chat.pins), limits.VIEW_PINNED)
    return View(messages[::-1], pinned, chat.mode, chat.interval_s, more)


FEATURE: Final = Feature(
    name="chat",
    state=State,
    decide={
        Send: _send,
        Edit: _edit,
        Delete: _delete,
        Pin: _pin,
        Unpin: _unpin,
        Approve: _approve,
        SetMode: _set_mode,
    },
    apply={
        Sent: _sent,
        Edited: _edited,
        Deleted: _deleted,
        Pinned: _pinned,
        Unpinned: _unpinned,
        Approved: _approved,
        ModeSet: _mode_set,
    },
    shown={
        Sent: _sent_shown,
        Edited: _edited_shown,
        Deleted: _deleted_shown,
        Pinned: everyone,
        Unpinned: everyone,
        Approved: _approved_shown,
        ModeSet: everyone,
    },
    view=_view,
)
