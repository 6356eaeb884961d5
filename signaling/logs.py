"""The log: lines for people or JSON for machines, bound to room and participant, and free of secrets.

The participant of a line is given with it (`extra=about(person)`), bound to the running task (`bind`), or found by the
id in a line of the engine (`know_people`). A line has the room's name and the participant's identity, which people
search for, and both sids, which connect it with other lines and the database. Display names are personal: not logged.
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol


class _Place(Protocol):
    """A room, as far as the log names it."""

    @property
    def sid(self) -> str:
        """Id of the room."""

    @property
    def name(self) -> str:
        """Name of the room."""


class Subject(Protocol):
    """A participant, as far as the log names one."""

    @property
    def sid(self) -> str:
        """Id of the participant."""

    @property
    def identity(self) -> str:
        """Identity of the participant."""

    @property
    def room(self) -> _Place:
        """The room where the participant is."""


FORMATS = ("text", "json")

# A school that joins at once has 300 people.
FLOOD_WINDOW_S = 60.0
MAX_LINES = 300
MAX_TRACEBACKS = 10

_served: ContextVar[Subject | None] = ContextVar("served", default=None)

# A shorter one may be an ordinary word, such as the secret of development mode.
_MIN_SECRET_CHARS = 16

# Tokens by their form (a JWT's header is JSON, and `{"` in base64 is eyJ), bearers, and parameters that carry one.
_TOKENS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}"
    r"|(?<=[?&]access_token=)[^&\s\"']+|(?<=[?&]join_request=)[^&\s\"']+"
    r"|(?<=[?&]token=)[^&\s\"']+|(?<=[?&]t=)[^&\s\"']+"
    r"|(?<=\bBearer )[^\s\"']+",
    re.IGNORECASE,
)
_HIDDEN = "[hidden]"

_secrets: set[str] = set()

_find: Callable[[str], Subject | None] = lambda _participant_id: None  # noqa: E731 - replaced as a whole

# Some of a line's text is a client's; none of it may begin another line or move a terminal's cursor.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}

# Loggers of the engine, and its form of participants' ids.
_ENGINE = "sfu."
_PARTICIPANT_ID = re.compile(r"\bPA_\w+")

# A room or an identity is a client's text: quoted, so that it cannot look like something else or begin a line.
_NAMED = {"room": "room_id", "participant": "participant_id"}


def about(person: Subject) -> dict[str, str]:
    """Return the `extra` of a line about a participant."""
    return {
        "room": person.room.name,
        "room_id": person.room.sid,
        "participant": person.identity,
        "participant_id": person.sid,
    }


def bind(person: Subject) -> None:
    """Bind later lines of the running task to a participant, in its present room."""
    _served.set(person)


@contextmanager
def unbound() -> Iterator[None]:
    """Bind the lines of the block to no participant: the running task only started what runs there."""
    before = _served.set(None)
    try:
        yield
    finally:
        _served.reset(before)


def know_people(find: Callable[[str], Subject | None]) -> None:
    """Bind lines of the engine, which knows only ids, to the participant that `find` returns for an id in them."""
    global _find  # noqa: PLW0603 - logging is global
    _find = find


def hide(secrets: Iterable[str]) -> None:
    """Let these never appear in the log."""
    _secrets.update(secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS)


def set_up(form: str) -> None:
    """Send all logging to standard error, as `text` or `json`."""
    handler = logging.StreamHandler()
    handler.addFilter(Flood())
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class Flood(logging.Filter):
    """Limits the lines that each log statement writes in an interval, and reports the number of suppressed ones.

    One client, or a stranger, can provoke many of the lines at any rate; a full disk would stop the server.
    """

    def __init__(self, lines: int = MAX_LINES, tracebacks: int = MAX_TRACEBACKS) -> None:
        """Lines without and with a traceback, in FLOOD_WINDOW_S."""
        super().__init__()
        self._most = {False: lines, True: tracebacks}
        self._seen: dict[tuple[str, str, int, bool], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record may be written; the first one after a flood reports how many were suppressed."""
        has_traceback = bool(record.exc_info)
        key = (record.name, record.pathname, record.lineno, has_traceback)
        began, count = self._seen.get(key, (-math.inf, 0))
        # The record's own time; if the clock was set back, the interval restarts.
        if not 0 <= record.created - began < FLOOD_WINDOW_S:
            left_out = int(count) - self._most[has_traceback]
            self._seen[key] = [record.created, 1]
            if left_out > 0:
                record.msg = f"{record.getMessage()} (and {left_out} more such lines, which were left out)"
                record.args = None
            return True
        self._seen[key] = [began, count + 1]
        return count < self._most[has_traceback]


class _Lines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def _cleaned(self, text: str) -> str:
        for secret in _secrets:
            text = text.replace(secret, _HIDDEN)
        return _TOKENS.sub(_HIDDEN, text)


class TextLines(_Lines):
    """One line for each record, then its traceback if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self._cleaned(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the first line, with what the record is about at its end."""
        line = super().formatMessage(record)
        if not record.name.startswith(_ENGINE):  # whose tracebacks come as text from another process
            line = line.translate(_CONTROLS)
        subject = _subject(record)
        known = ", ".join(
            f"{kind} {json.dumps(subject[kind], ensure_ascii=False)} {subject[by_id]}"
            for kind, by_id in _NAMED.items()
            if kind in subject
        )
        return line + (f" ({known})" if known else "")


class JsonLines(_Lines):
    """One JSON object on one line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._cleaned(record.getMessage()),
            **_subject(record),
        }
        if record.exc_info:
            entry["error"] = self._cleaned(self.formatException(record.exc_info))
        return json.dumps(entry)


def _subject(record: logging.LogRecord) -> Mapping[str, str]:
    given = {
        name: value
        for name in ("room", "room_id", "participant", "participant_id")
        if (value := getattr(record, name, None)) is not None
    }
    if given:
        return given
    subject = _served.get()
    if record.name.startswith(_ENGINE):
        named = _PARTICIPANT_ID.search(record.getMessage())
        subject = None if named is None else _find(named[0])
    return {} if subject is None else about(subject)
