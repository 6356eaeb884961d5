"""The performance of a teaching session with a whole class: joining state, calls, live events, and raised hands.

`python -m bench.sessions` starts a server and a class of 50 that follows one session. Calls are made at a steady rate.
The duration of a call counts from the time at which it was due, and that of an event until the last page has received
it.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import psutil

from bench.load.report import percentile
from bench.server import serving
from signaling.access import tokens

STUDENTS = 50
CALLS_PER_S = 50.0
KEY, SECRET = "devkey", "secret"
# For a class on one process beside other work; people perceive these delays as immediate.
AIM_STATE_BYTES = 50_000
AIM_EVENT_P95_S = 0.2
AIM_CALL_P95_S = 0.2
# Raised hands that arrive within two seconds are sent to each page in a few messages.
HANDS = 1000
PATIENCE_S = 20.0
AIM_HAND_MESSAGES = 60


class Class:
    """A session and the pages that follow it."""

    def __init__(self, http: aiohttp.ClientSession, students: int = STUDENTS) -> None:
        """`http` has the server's base URL."""
        self._http = http
        self.students = students
        self.session = ""
        self.state_bytes = 0
        self.messages = 0
        self.heard: dict[str, list[float]] = {}
        self._followers: list[asyncio.Task[None]] = []

    async def call(self, token: str, path: str, body: Any = None) -> Any:
        """POST with a person's token; RuntimeError when the server refuses."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"/api/v1{path}", json=body or {}, headers=headers) as answer:
            content = await answer.json(content_type=None)
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {content}")
        return content

    async def begin(self) -> None:
        """Create and start a session, let the students join, and follow the session as each of them."""
        students = self.students
        made = await self.call(SECRET, "/sessions", {"title": "Bench", "owner": {"id": "tutor"}})
        self.session = f"/sessions/{made['id']}"
        await self.call(SECRET, f"{self.session}/start")
        await asyncio.gather(
            *(self.call(student(number), f"{self.session}/join") for number in range(students))
        )
        ready = [asyncio.Event() for _ in range(students)]
        self._followers = [
            asyncio.create_task(self._follow(number, each)) for number, each in enumerate(ready)
        ]
        await asyncio.gather(*(each.wait() for each in ready))

    async def _follow(self, number: int, ready: asyncio.Event) -> None:
        path = f"/api/v1{self.session}/events?access_token={student(number)}"
        async with self._http.ws_connect(path, max_msg_size=0) as ws:
            async for frame in ws:
                message = json.loads(frame.data)
                if message["type"] == "state":
                    self.state_bytes = max(self.state_bytes, len(frame.data))
                    ready.set()
                    continue
                self.messages += 1
                now = time.perf_counter()
                for run in message["runs"]:
                    texts = run["columns"].get("text") or [run["same"].get("text")] * run["count"]
                    for text in texts if run["type"] == "chat.sent" else ():
                        self.heard.setdefault(text, []).append(now)

    async def until_heard(self, count: int) -> None:
        """Wait, with a timeout, until every page has received this many messages."""
        deadline = time.perf_counter() + PATIENCE_S
        while sum(len(times) for times in self.heard.values()) < count * self.students:
            if time.perf_counter() > deadline:
                raise RuntimeError("messages did not reach every page")
            await asyncio.sleep(0.05)

    async def end(self) -> None:
        """Stop following the session."""
        for task in self._followers:
            task.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)


def student(number: int) -> str:
    """Return a student's access token."""
    claims = {"sub": f"student-{number}", "name": f"Student {number}", "role": "student"}
    return tokens.mint(claims, tokens.Signer(KEY, SECRET), 1_700_000_000, 10 * 365 * 86_400)


async def chatter(lessons: Sequence[Class], duration_s: float) -> tuple[list[float], list[float]]:
    """Return the durations of calls, and the delays until every page of a class had each message.

    Calls are made at the steady rate, in one class after the other.
    """
    calls: list[float] = []
    sent_at: list[dict[str, float]] = [{} for _ in lessons]
    begun_at = time.perf_counter()

    async def say(number: int, due_at: float) -> None:
        place = number % len(lessons)
        lesson = lessons[place]
        sent_at[place][str(number)] = due_at
        by = student(number // len(lessons) % lesson.students)
        await lesson.call(by, f"{lesson.session}/chat", {"text": str(number)})
        calls.append(time.perf_counter() - due_at)

    async with asyncio.TaskGroup() as group:
        for number in range(round(duration_s * CALLS_PER_S)):
            due_at = begun_at + number / CALLS_PER_S
            await asyncio.sleep(max(due_at - time.perf_counter(), 0.0))
            group.create_task(say(number, due_at))
    everywhere = []
    for lesson, sent in zip(lessons, sent_at, strict=True):
        await lesson.until_heard(len(sent))
        everywhere += [max(lesson.heard[text]) - at for text, at in sent.items()]
    return calls, everywhere


async def hands(lesson: Class) -> float:
    """Return how many messages each page receives when 1,000 hands are raised and lowered within two seconds."""
    before = lesson.messages
    for _ in range(HANDS // (2 * STUDENTS)):
        for what in ("hands", "hands/lower"):
            paths = [lesson.call(student(number), f"{lesson.session}/{what}") for number in range(STUDENTS)]
            await asyncio.gather(*paths)
    await asyncio.sleep(0.5)
    return (lesson.messages - before) / STUDENTS


async def measure(url: str, pid: int, duration_s: float) -> dict[str, float]:
    """Return the results by name."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url.replace("ws", "http", 1), connector=connector) as http:
        lesson = Class(http)
        await lesson.begin()
        before = cpu_s(pid)
        calls, events = await chatter([lesson], duration_s)
        spent_s = cpu_s(pid) - before
        messages = await hands(lesson)
        await lesson.end()
    return {
        "state bytes": float(lesson.state_bytes),
        "CPU ms per message": 1000 * spent_s / len(calls),
        "call p50 ms": 1000 * percentile(calls, 0.5),
        "call p95 ms": 1000 * percentile(calls, 0.95),
        "event p95 ms": 1000 * percentile(events, 0.95),
        "messages of 1,000 hands": messages,
    }


def cpu_s(pid: int) -> float:
    """Return the CPU time of the server's main process; unlike durations, it hardly depends on other programs."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def run(duration_s: float) -> dict[str, float]:
    """Measure a fresh server and print the results."""
    with serving(core=None) as (url, pid):
        figures = asyncio.run(measure(url, pid, duration_s))
    for name, value in figures.items():
        print(f"{name:26} {value:10.1f}")
    return figures


def missed(figures: dict[str, float]) -> list[str]:
    """Return the targets that were missed."""
    aims = {
        "state bytes": AIM_STATE_BYTES,
        "call p95 ms": 1000 * AIM_CALL_P95_S,
        "event p95 ms": 1000 * AIM_EVENT_P95_S,
        "messages of 1,000 hands": AIM_HAND_MESSAGES,
    }
    return [name for name, aim in aims.items() if figures[name] > aim]


def main() -> int:
    """Print the results; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--duration", type=float, default=10.0, help="seconds (default %(default)s)")
    return int(bool(missed(run(parser.parse_args().duration))))


if __name__ == "__main__":
    sys.exit(main())
