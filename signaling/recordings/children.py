"""Child processes that work on a recording: one job on standard input, lines of JSON as output."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Self

_LINE_OCTETS = 1 << 20


class Child:
    """A running module; it is killed at the end of the context if it has not ended by itself."""

    def __init__(self, module: str, job: bytes, silence_s: float) -> None:
        """A child without output for `silence_s` is stuck."""
        self._module = module
        self._job = job
        self._silence_s = silence_s
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start the child. OSError."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            self._module,
            # Without the server's environment, which may contain secrets; and nothing is fetched from elsewhere.
            env={
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "OMP_NUM_THREADS": "1",
                "HF_HUB_OFFLINE": "1",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            limit=_LINE_OCTETS,
        )
        assert process.stdin is not None
        process.stdin.write(self._job)
        process.stdin.close()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Kill the child if it is running."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the lines of output. TimeoutError, ValueError for a line that is too long."""
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await asyncio.wait_for(self._process.stdout.readline(), self._silence_s):
            yield line

    async def status(self) -> int:
        """Return the exit status."""
        assert self._process is not None
        return await self._process.wait()
