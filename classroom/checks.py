"""Checks of commands' fields. Each returns the value to store, or raises `Malformed` with a sentence."""

import math
import re
import unicodedata
from typing import TypeVar
from urllib.parse import urlsplit

from classroom import limits
from classroom.errors import Code, LimitReached, Malformed

K = TypeVar("K", bound=str)

# Ids that applications use: UUIDs, e-mail addresses, prefixed keys. No slash, so that an id fits one path segment.
_IDENTIFIER = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:@+=|~-]{{0,{limits.IDENTIFIER_LENGTH - 1}}}", re.ASCII)

# Embeddings, overrides and isolates (UAX #9, section 2) can disguise a name or a file name as another one. The implicit
# marks LRM and RLM are allowed, since right-to-left names need them.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def identifier(value: K, what: str) -> K:
    """Return an id that is short enough, and safe in paths, logs and headers."""
    if _IDENTIFIER.fullmatch(value) is None:
        raise Malformed(
            Code.BAD_IDENTIFIER, f"The id of the {what} has to be 1 to 128 plain ASCII characters."
        )
    return value


def text(value: str, limit: int, what: str, *, empty: bool = False) -> str:
    """Return text in NFC without surrounding blanks; line breaks and tabs are kept, other controls refused."""
    if len(value) > 2 * limit:  # before the work: normalisation costs time
        raise Malformed(Code.TEXT_TOO_LONG, f"The {what} may have {limit} characters at most.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in value):
        raise Malformed(Code.BAD_TEXT, f"The {what} contains control characters.")
    kept = unicodedata.normalize("NFC", value).strip()
    if not kept and not empty:
        raise Malformed(Code.TEXT_EMPTY, f"The {what} is empty.")
    if len(kept) > limit:
        raise Malformed(Code.TEXT_TOO_LONG, f"The {what} may have {limit} characters at most.")
    return kept


def line(value: str, limit: int, what: str, *, empty: bool = False) -> str:
    """Return a single line of text, such as a name or a title, that cannot be disguised as another one."""
    kept = text(value, limit, what, empty=empty)
    if not _BIDI_CONTROLS.isdisjoint(kept) or "\n" in kept or "\t" in kept:
        raise Malformed(Code.BAD_TEXT, f"The {what} has to be one line without control characters.")
    return kept


def number(value: float, low: float, high: float, what: str) -> float:
    """Return a finite number from `low` to `high`."""
    if not math.isfinite(value) or not low <= value <= high:
        raise Malformed(Code.BAD_NUMBER, f"The {what} has to be from {low:g} to {high:g}.")
    return value


def link(value: str) -> str:
    """Return an address that a page may offer as a link (http or https, never `javascript:`), or an empty string."""
    kept = line(value, limits.LINK_LENGTH, "link", empty=True)
    if not kept:
        return kept
    try:
        parts = urlsplit(kept)
    except ValueError:
        raise Malformed(Code.BAD_LINK, "The link is not a valid address.") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc or " " in kept:
        raise Malformed(Code.BAD_LINK, "The link has to start with http:// or https://.")
    return kept


def room_for_one(count: int, limit: int, what: str) -> None:
    """Refuse one more item when `limit` is reached."""
    if count >= limit:
        raise LimitReached(Code.TOO_MANY, f"There may be {limit} {what} at most.")
