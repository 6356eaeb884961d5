"""Running a module of this project in a child process that is cut off from the server."""

import asyncio
import os
import signal
import sys


async def run(
    module: str, *arguments: str, timeout_s: float, content: bytes | None = None
) -> tuple[int, bytes]:
    """Run `python -m MODULE ARGUMENTS`; return the exit status (negative: the signal that ended it) and its output.

    The child does not have the server's environment, which may hold secrets, and is in a session of its own, away from
    the server's signals. It gets `content` on standard input; without, its output is not read. It is killed after
    `timeout_s`. OSError if it cannot be started.
    """
    pipe = asyncio.subprocess.DEVNULL if content is None else asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        *arguments,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, _ = await process.communicate(content)
    except TimeoutError:
        return -signal.SIGKILL, b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output or b""
