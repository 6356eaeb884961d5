"""The events of the media engine, each to those who asked for its kind."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from sfu.values import Event
from signaling.logs import unbound

log = logging.getLogger(__name__)

E = TypeVar("E")


class MediaEvents:
    """Hands each event of the engine to those who asked for its type.

    It exists before the engine, which wants its listener at construction.
    """

    def __init__(self) -> None:
        """Start with no listener."""
        self._listeners: dict[type, list[Callable[[Any], None]]] = {}

    def on(self, kind: type[E], listener: Callable[[E], None]) -> None:
        """Call `listener` with every event of this very type, after those registered before it."""
        self._listeners.setdefault(kind, []).append(listener)

    def dispatch(self, event: Event) -> None:
        """Deliver one event; a listener that fails is logged, so the engine's loop and the others go on."""
        with unbound():
            for listener in self._listeners.get(type(event), ()):
                try:
                    listener(event)
                except Exception:
                    log.exception("media event %s was not handled", type(event).__name__)
