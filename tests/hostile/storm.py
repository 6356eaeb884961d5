"""Runs one storm: `python -m tests.hostile.storm MODULE.FUNCTION URL SECONDS`.

A storm is an asynchronous generator: it prepares itself, yields once, rages for `seconds` after that, and yields a
dictionary of what happened. It waits in between for a line on standard input.
"""

import asyncio
import importlib
import json
import sys


async def main(name, url, seconds):
    module, _, function = name.partition(".")
    storm = getattr(importlib.import_module(f"tests.hostile.storms.{module}"), function)(url, float(seconds))
    await anext(storm)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await anext(storm)), flush=True)
    await storm.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
