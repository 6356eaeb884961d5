"""A publisher of stamped pictures and tones in a process of its own, for a network namespace.

Started with the server's URL, a token, and the time on CLOCK_MONOTONIC at which the stamps began. It prints a line
once its tracks are published, and ends with its standard input.
"""

import asyncio
import sys

from livekit import rtc

from tests.e2e.test_recorded_session import Publisher


async def main() -> None:
    url, token, began = sys.argv[1:]
    room = rtc.Room()
    await room.connect(url, token)
    publisher = Publisher(room, float(began))
    await publisher.publish()
    sys.stdout.write("published\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await publisher.stop()
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
