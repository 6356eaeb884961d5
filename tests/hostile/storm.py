"""Runs storms: `python -m tests.hostile.storm URL`, controlled by lines on standard input and output.

`MODULE.FUNCTION SECONDS` prepares a storm, which is answered with `ready`; `go` lets it rage, which is answered with a
line of JSON that says what happened. A storm is an asynchronous generator of `(url, seconds)`: it prepares itself,
yields once, rages, and yields its dictionary. The clients that it connects are closed for it.
"""

import asyncio
import importlib
import json
import resource
import sys
import traceback

from tests.hostile.client import Client


async def rage(url, name, seconds):
    module, _, function = name.partition(".")
    storm = getattr(importlib.import_module(f"tests.hostile.storms.{module}"), function)(url, float(seconds))
    await anext(storm)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return await anext(storm)


async def main(url):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            result = await rage(url, *line.split())
        except Exception as error:  # noqa: BLE001 - told to the test, which fails by it
            traceback.print_exc()
            result = {"error": repr(error)}
        print(json.dumps(result), flush=True)
        await Client.close_all()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
