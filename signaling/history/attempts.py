"""The last attempts to deliver webhooks, in memory: they show administrators why an application hears nothing."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from signaling.store import Delivery, NewDelivery

KEPT_PER_ENDPOINT: Final = 20
# 20 bodies of about 1 KB for each: 20 MB at most, and much less with usual endpoints.
KEPT_ENDPOINTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to an endpoint."""

    content: NewDelivery
    at: float
    "Seconds since 1970."
    number: int
    "From 1."
    result: str
    "`delivered`, `failed` (another attempt follows) or `given_up`."
    answer: str
    "The HTTP status, such as `200`, or why there was none."


class Attempts:
    """The last attempts of each endpoint. A restarted server knows none."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_endpoint: OrderedDict[str, deque[Attempt]] = OrderedDict()

    def record(self, delivery: Delivery, at: float, result: str, answer: str) -> None:
        """Keep an attempt; the endpoint with the oldest last attempt makes room for a new one."""
        endpoint_id = delivery.content.endpoint_id
        kept = self._by_endpoint.setdefault(endpoint_id, deque(maxlen=KEPT_PER_ENDPOINT))
        kept.append(Attempt(delivery.content, at, delivery.attempts + 1, result, answer))
        self._by_endpoint.move_to_end(endpoint_id)
        if len(self._by_endpoint) > KEPT_ENDPOINTS:
            self._by_endpoint.popitem(last=False)

    def of(self, endpoint_id: str) -> list[Attempt]:
        """Return the attempts of an endpoint, newest first."""
        return list(self._by_endpoint.get(endpoint_id, ()))[::-1]
