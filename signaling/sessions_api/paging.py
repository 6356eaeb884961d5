"""Cursors of lists: they name the last row that was shown, so that rows which are added move nothing."""

import base64
import binascii
from typing import Annotated, Final

import msgspec

from classroom.ids import SessionId
from signaling.http.api import ApiError

MAX_PAGE: Final = 200

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)]
Cursor = Annotated[str, msgspec.Meta(max_length=400)]


def encode(created_at: float, row_id: SessionId) -> str:
    """Return the cursor behind a row."""
    return base64.urlsafe_b64encode(msgspec.json.encode([created_at, row_id])).decode().rstrip("=")


def decode(cursor: str) -> tuple[float, SessionId]:
    """Return creation time and id of the row that a cursor names. ApiError."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(text, type=tuple[float, SessionId])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise ApiError(400, "bad_cursor", "The cursor is none that this server gave out.") from error
