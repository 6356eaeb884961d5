"""The victim room: a teacher's video to one student, measured in a process of its own.

Reads commands by line from standard input: `begin` opens a window, `end` closes it and prints what was measured as a
line of JSON. A hundred packets a second are sent all the time.
"""

import asyncio
import json
import sys
import time

from tests.hostile.client import Client

INTERVAL_S = 0.01
# A packet that has not arrived after this time is lost: nothing retransmits here.
PATIENCE_S = 1.5


class Victim:
    """The room, and the arrival of each packet by its number."""

    def __init__(self, url):
        self.teacher = Client(url, "victim", "teacher", publish=True)
        self.student = Client(url, "victim", "student")
        self.sent, self.latency = {}, {}
        self.first = None

    async def start(self):
        await self.teacher.connect()
        await self.student.connect()
        self.student.on_media = self._arrived
        self.sender = asyncio.create_task(self._send())
        async with asyncio.timeout(20):
            while len(self.latency) < 50:  # noqa: ASYNC110 - a counter with a deadline
                await asyncio.sleep(INTERVAL_S)

    def _arrived(self, datagram):
        found = self.student.read_video(datagram)
        if found is not None:
            self.latency.setdefault(found[0], time.monotonic() - found[1])

    async def _send(self):
        next_at = time.monotonic()
        while True:
            index = self.teacher.sent
            self.sent[index] = time.monotonic()
            self.teacher.send_video(keyframe=index % 100 == 0, size=900)
            next_at += INTERVAL_S
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    async def window(self, commands):
        """Measure from now until the next line."""
        first = self.teacher.sent
        await commands.readline()
        last = self.teacher.sent
        await asyncio.sleep(PATIENCE_S / 5)
        deadline = time.monotonic() + PATIENCE_S
        numbers = range(first, last)
        while time.monotonic() < deadline and any(n not in self.latency for n in numbers):  # noqa: ASYNC110 - as above
            await asyncio.sleep(INTERVAL_S)
        latencies = sorted(1000 * self.latency[number] for number in numbers if number in self.latency)
        return {
            "sent": len(numbers),
            "received": len(latencies),
            "median_ms": _quantile(latencies, 0.5),
            "p99_ms": _quantile(latencies, 0.99),
            "max_ms": _quantile(latencies, 1.0),
            "ended": self.teacher.end or self.student.end,
        }


def _quantile(values, share):
    return values[min(int(len(values) * share), len(values) - 1)] if values else None


async def main(url):
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    victim = Victim(url)
    await victim.start()
    print("ready", flush=True)
    while await commands.readline():
        print(json.dumps(await victim.window(commands)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
