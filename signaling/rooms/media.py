"""Dispatch of the media engine's events by type."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from sfu.values import Event
from signaling.logs import unbound

log = logging.getLogger(__name__)

E = TypeVar("E")


class MediaEvents:
    """Delivers each engine event to the listeners registered for its type.

    Created before the engine, whose constructor requires its listener.
    """

    def __init__(self) -> None:
        """Start with no listener."""
        self._listeners: dict[type, list[Callable[[Any], None]]] = {}

    def on(self, kind: type[E], listener: Callable[[E], None]) -> None:
        """Call `listener` with every event of exactly this type, after the listeners registered before it."""
        self._listeners.setdefault(kind, []).append(listener)

    def dispatch(self, event: Event) -> None:
        """Deliver one event; if a listener raises, the error is logged, and the engine and other listeners continue."""
        with unbound():
            for listener in self._listeners.get(type(event), ()):
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener failed on the media event %s", type(event).__name__)
