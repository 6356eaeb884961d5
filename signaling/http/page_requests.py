"""What the requests of the built-in page share: reading a body, the claims of a guest, answers as JSON."""

import json
from typing import Any

from aiohttp import hdrs, web

from signaling.access import private_claims
from signaling.http.body import BodyError, BodyTooLargeError, read_body
from signaling.http.headers import SECURITY_HEADERS
from signaling.rooms.rooms import MAX_NAME_CHARS
from signaling.rooms.sids import random_sid

GUEST_TOKEN_TTL_S = 6 * 3600
_BODY_TIMEOUT_S = 15.0


class UnreadableError(Exception):
    """A body that cannot be used; the page is shown the text."""

    def __init__(self, text: str, status: int = 400) -> None:
        """`status` is the HTTP status of the refusal."""
        super().__init__(text)
        self.status = status

    def response(self) -> web.Response:
        """Return the refusal."""
        return answer({"error": str(self)}, self.status)


async def read_fields(request: web.Request, max_bytes: int, required: str, form: str) -> dict[str, Any]:
    """Return a body, a JSON object that has the field `required`. UnreadableError, whose text names the `form`."""
    try:
        fields = json.loads(await read_body(request, max_bytes, _BODY_TIMEOUT_S))
    except BodyError as error:
        raise UnreadableError(str(error), 413 if isinstance(error, BodyTooLargeError) else 400) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"the request is not {form}") from error
    if not isinstance(fields, dict) or required not in fields:
        raise UnreadableError(f"the request is not {form}")
    return fields


def is_text(value: object, max_chars: int = MAX_NAME_CHARS) -> bool:
    """Whether a value is a text of at most so many characters that can be encoded: JSON can spell lone surrogates."""
    if not isinstance(value, str) or len(value) > max_chars:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def guest_claims(room: str, name: str) -> dict[str, Any]:
    """Return the claims of an access token for a guest of the page."""
    return {
        "sub": random_sid("guest-"),
        "name": name,
        "video": {"room": room, "roomJoin": True, "canUpdateOwnMetadata": True},
        # Not the word of an application: a room with a door stays shut.
        private_claims.NAME: {"room_id": ""},
    }


def answer(content: dict[str, Any], status: int = 200) -> web.Response:
    """Return an answer, which no cache may store."""
    headers = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"}
    return web.json_response(content, status=status, headers=headers)
