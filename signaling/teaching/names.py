"""Ids of sessions, and the names of the rooms that carry their media."""

import hashlib
import re
import secrets
import string

from classroom.ids import PersonId, SessionId
from signaling.ids import RoomName
from signaling.rooms.model import Participant, RoomConfig

PREFIX = "ses_"

# 20 characters of 36 are 103 bits, so the room of another session cannot be guessed.
_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 20
_ID = re.compile(rf"{PREFIX}[{_ALPHABET}]{{{_LENGTH}}}")

# Between the session and a breakout in the name of the breakout's room; ids of sessions do not contain it.
_SEPARATOR = "~"

# A lesson's room outlives a moment without participants, so that a tutor who reloads alone rejoins the same meeting.
_EMPTY_S = 60


def new_id(prefix: str) -> str:
    """Return a new random id."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def derived_id(prefix: str, *parts: str) -> str:
    """Return the id derived from these texts: the same each time, so that a repeated call creates nothing twice."""
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest())
    letters = []
    for _ in range(_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return prefix + "".join(letters)


def room_name(session_id: SessionId, breakout: str = "") -> RoomName:
    """Return the name of the room of a session, or of one of its breakouts."""
    return RoomName(f"{session_id}{_SEPARATOR}{breakout}" if breakout else session_id)


def session_of(name: RoomName) -> SessionId | None:
    """Return the id of the session that a room belongs to; None for any other room."""
    session_id = name.partition(_SEPARATOR)[0]
    return SessionId(session_id) if _ID.fullmatch(session_id) else None


def person_of(participant: Participant) -> PersonId:
    """Return the person in the session behind a participant of its rooms."""
    return PersonId(participant.identity)


def room_config(name: RoomName) -> RoomConfig | None:
    """Return how the room of a session behaves; None for any other room. Only the session's own tokens open it."""
    session_id = session_of(name)
    if session_id is None:
        return None
    return RoomConfig(id=session_id, sealed=True, empty_timeout_s=_EMPTY_S, departure_timeout_s=_EMPTY_S)
