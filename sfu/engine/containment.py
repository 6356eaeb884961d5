"""A fault in what is done for one client costs that client its turn, and nobody else anything.

Every loop over peers, subscriptions, substreams or rooms calls `Containment`, so no caller has to catch anything.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec, TypeVar

from sfu.drops import DropReason
from sfu.values import EngineError, MediaError

logger = logging.getLogger(__name__)

# One traceback of each duty is logged in this time: what fails for a viewer fails at each tick, and for many viewers.
LOG_INTERVAL_S = 10.0

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Containment:
    """Runs duties, and contains their exceptions."""

    def __init__(self, drops: Counter[DropReason]) -> None:
        """`drops` counts the faults, as Drop.ERROR."""
        self._drops = drops
        self._quiet_until: dict[str, float] = {}

    def run(
        self, client: object, now: float, duty: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R | None:
        """Run a duty for one client; return None if it failed."""
        try:
            return duty(*args, **kwargs)
        except Exception:  # noqa: BLE001 - whatever the fault is, it is this client's alone
            self._failed(client, now, duty)
            return None

    def each(self, now: float, duty: Callable[[T, float], object], clients: Iterable[T]) -> None:
        """Run a duty for each client; clients that join or leave meanwhile are skipped."""
        for client in list(clients):
            try:
                duty(client, now)
            except Exception:  # noqa: BLE001 - as above
                self._failed(client, now, duty)

    def _failed(self, client: object, now: float, duty: Callable[..., object]) -> None:
        self._drops[DropReason.ERROR] += 1
        duty = getattr(duty, "func", duty)  # of a partial
        name = getattr(duty, "__qualname__", type(duty).__name__)
        # duties are functions of this program, so the table is as small as that
        if now >= self._quiet_until.get(name, float("-inf")):
            self._quiet_until[name] = now + LOG_INTERVAL_S
            logger.exception("%s failed for %s", name, getattr(client, "id", client))  # noqa: LOG004 - called from the handlers above


@contextlib.contextmanager
def faults_as_engine_errors() -> Iterator[None]:
    """Raise faults of this program as EngineError: they are not the client's, unlike a refused description."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        logger.exception("a description was not processed")
        raise EngineError("the engine failed") from error
