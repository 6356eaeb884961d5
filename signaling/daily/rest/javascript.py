"""JSON and times as JavaScript formats them, byte for byte.

Daily's documented receiver parses a webhook's body, serialises it again, and verifies the signature over the result;
others verify it over the received bytes. So the bytes have to equal `JSON.stringify(JSON.parse(body))`.
"""

import datetime as dt
import math
from typing import Any

import msgspec

# Beyond, JavaScript's digits differ; no time or duration is that large.
_MAX_EXACT = 2**53

# Keys that JavaScript puts first, in the order of their numbers: array indices (ECMA-262, OrdinaryOwnPropertyKeys).
_MAX_INDEX = 2**32 - 2


def stringify(value: Any) -> str:
    """Return the JSON of plain values. Numbers keep milliseconds, the precision of times and durations."""
    return msgspec.json.encode(_as_javascript(value)).decode()


def iso(at: float) -> str:
    """Return a moment as JavaScript writes it: ISO 8601 in milliseconds, with a Z."""
    text = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _as_javascript(value: Any) -> Any:
    if isinstance(value, dict):
        indices = sorted((key for key in value if _is_index(key)), key=int)
        names = (key for key in value if not _is_index(key))
        return {key: _as_javascript(value[key]) for key in (*indices, *names)}
    if isinstance(value, list | tuple):
        return [_as_javascript(each) for each in value]
    if isinstance(value, float):
        return _number(value)
    return value


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = round(value, 3)
    # 1.0 is 1 there; so is -0.0 0.
    return int(rounded) if rounded.is_integer() and abs(rounded) <= _MAX_EXACT else rounded


def _is_index(key: str) -> bool:
    return (
        key.isascii()
        and key.isdigit()
        and (key == "0" or not key.startswith("0"))
        and len(key) <= 10
        and int(key) <= _MAX_INDEX
    )
