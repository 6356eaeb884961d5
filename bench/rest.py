"""The duration of REST calls during lessons: both APIs, at a steady rate, beside the media of ten rooms.

`python -m bench.rest` starts a server and a load (bench.load.command) for the rooms. A call's duration counts from the
time at which it was due, so a slow server does not receive fewer calls.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import aiohttp

from bench.load.command import load
from bench.load.plan import Plan
from bench.load.report import percentile
from bench.server import serving
from signaling.access import tokens

ROOMS = 10
VIEWERS = 2
CALLS_PER_S = 50.0
AIM_P95_S = 0.05
# Number of created rooms that are not deleted yet.
KEPT = 20
KEY, SECRET = "devkey", "secret"
# Time for the load to start and open its rooms.
PATIENCE_S = 60.0

Call = tuple[str, str, str, Any]


def calls() -> Iterator[Call]:
    """Yield name, method, path and body of each call, for ever; rooms are created, used later, then deleted."""
    for number in itertools.count(KEPT):
        new, used, old = (f"lesson-{number - age}" for age in (0, KEPT // 2, KEPT))
        yield "create a room", "POST", "/v1/rooms", {"name": new, "privacy": "private"}
        yield "get a room", "GET", f"/v1/rooms/{used}", None
        yield "change a room", "POST", f"/v1/rooms/{used}", {"properties": {"max_participants": 30}}
        yield "make a meeting token", "POST", "/v1/meeting-tokens", {"properties": {"room_name": used}}
        yield "list rooms", "GET", "/v1/rooms?limit=20", None
        yield "presence", "GET", "/v1/presence", None
        yield "ListRooms", "POST", "/twirp/livekit.RoomService/ListRooms", {}
        yield "ListParticipants", "POST", "/twirp/livekit.RoomService/ListParticipants", {"room": "load-0"}
        yield "delete a room", "DELETE", f"/v1/rooms/{old}", None


class Client:
    """Calls a server and stores the duration of each call."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        """`http` has the server's base URL."""
        self._http = http
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.refused: list[str] = []
        claims = {"sub": "bench", "video": {"roomList": True, "roomAdmin": True, "room": "load-0"}}
        self._token = tokens.mint(claims, tokens.Signer(KEY, SECRET), time.time(), 3600)

    async def call(self, call: Call, due_at: float) -> Any:
        """Make a call and record its duration."""
        name, method, path, body = call
        bearer = self._token if path.startswith("/twirp") else SECRET
        headers = {"Authorization": f"Bearer {bearer}"}
        async with self._http.request(method, path, json=body, headers=headers) as answer:
            content = await answer.json()
        self.seconds[name].append(time.perf_counter() - due_at)
        if answer.status != 200:
            self.refused.append(f"{method} {path}: {answer.status} {content}")
        return content

    async def until_rooms_are_open(self, loading: "Future[Any]") -> None:
        """Wait until the load has opened all rooms."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                listed = await self.call(("", "POST", "/twirp/livekit.RoomService/ListRooms", {}), 0.0)
                if sum(room["num_participants"] > VIEWERS for room in listed["rooms"]) == ROOMS:
                    return
                if loading.done():
                    raise RuntimeError(f"the load has ended: {loading.exception()}")
                await asyncio.sleep(0.2)


@contextmanager
def lessons(url: str, duration_s: float) -> Iterator["Future[Any]"]:
    """Keep ten rooms with media open for about this long."""
    plan = Plan(url, rooms=ROOMS, viewers=VIEWERS, rate=50.0, duration=duration_s)
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(load, plan)


async def measure(url: str, duration_s: float) -> Client:
    """Return the client after calling at the steady rate for this long."""
    with lessons(url, duration_s) as loading:
        async with aiohttp.ClientSession(url.replace("ws", "http", 1)) as http:
            client = Client(http)
            await client.until_rooms_are_open(loading)
            for number in range(KEPT):
                await client.call(("", "POST", "/v1/rooms", {"name": f"lesson-{number}"}), 0.0)
            client.seconds.clear()
            begun_at = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number, call in enumerate(itertools.islice(calls(), round(duration_s * CALLS_PER_S))):
                    due_at = begun_at + number / CALLS_PER_S
                    await asyncio.sleep(max(due_at - time.perf_counter(), 0.0))
                    group.create_task(client.call(call, due_at))
    return client


def run(duration_s: float) -> tuple[float, list[str]]:
    """Measure a fresh server and print the result; return the 95th percentile and the refused calls."""
    with serving(core=None) as (url, _pid):
        client = asyncio.run(measure(url, duration_s))
    every = [seconds for each in client.seconds.values() for seconds in each]
    print("call                   count   p50 ms   p95 ms   p99 ms")
    for name, seconds in [*client.seconds.items(), ("all", every)]:
        p50, p95, p99 = (1000 * percentile(seconds, share) for share in (0.50, 0.95, 0.99))
        print(f"{name:21} {len(seconds):6} {p50:8.1f} {p95:8.1f} {p99:8.1f}")
    return percentile(every, 0.95), client.refused


def main() -> int:
    """Print a line per kind of call; return 1 if the target is missed or a call is refused."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--duration", type=float, default=30.0, help="seconds (default %(default)s)")
    p95_s, refused = run(parser.parse_args().duration)
    print(*refused, sep="\n", end="")
    return int(bool(refused) or p95_s > AIM_P95_S)


if __name__ == "__main__":
    sys.exit(main())
