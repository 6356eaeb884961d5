"""Tells applications which properties change nothing here, instead of accepting them without a word.

Daily's answers have no place for it, and clients of some languages refuse answers with further fields: so, a header.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from signaling.daily.properties import RoomProperties, TokenProperties, without_effect
from signaling.daily.rest.style import Caller
from signaling.http.api import add_header

log = logging.getLogger(__name__)

HEADER = "X-Lectern-Without-Effect"

# Names are the application's text; more and longer ones are cut.
_MAX_CHARS = 1000


def name_unsupported(
    caller: Caller, kind: type[RoomProperties | TokenProperties], given: Iterable[Mapping[str, Any] | None]
) -> None:
    """Name in the answer's header, and in the log, the properties in `given` that change nothing."""
    names = sorted({name for raw in given if raw for name in without_effect(kind, raw)})
    if names:
        text = ", ".join(quote(name, safe="") for name in names)[:_MAX_CHARS]
        add_header(HEADER, text)
        log.info("API key %s sets properties without effect here: %s", caller.domain.name, text)
