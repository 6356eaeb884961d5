"""The child process that captions, started while some room is captioned, and again after it fails."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from recording.speech.captions import CaptionJob, CaptionReport
from signaling.recordings.children import Child

log = logging.getLogger(__name__)

_MODULE: Final = "recording.speech.captions_process"
# The process reports every three seconds that it is alive; loading a large model takes longer.
_SILENCE_S: Final = 60.0
# The process is stopped so long after the last room: loading the model again would cost more.
IDLE_S: Final = 60.0
_FIRST_RETRY_S: Final = 2.0
_LAST_RETRY_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class CaptionSettings:
    """The operator's choices about live captions."""

    on: bool = False
    cpu_percent: int = 50
    "Most CPU time of one core that captions use in the long term."


class CaptionChild:
    """Runs the process while it is needed."""

    def __init__(
        self, job: CaptionJob, on_report: Callable[[CaptionReport], None], on_failure: Callable[[], None]
    ) -> None:
        """`on_failure` is called each time the process has failed; it is started again after a while."""
        self._job = job
        self._on_report = on_report
        self._on_failure = on_failure
        self._task: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process runs, or is about to be started again."""
        return self._task is not None

    def need(self) -> None:
        """Start the process if it does not run."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def release(self) -> None:
        """Stop the process soon, unless it is needed again."""
        if self._task is not None and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._stop)

    async def close(self) -> None:
        """Stop the process."""
        task = self._task
        self._stop()
        if task is not None:
            await asyncio.wait([task])

    def _stop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        wait_s = _FIRST_RETRY_S
        while True:
            began = asyncio.get_running_loop().time()
            try:
                why = await self._run_once()
            except (OSError, TimeoutError, ValueError) as error:
                why = str(error) or "the process does not answer"
            log.error("live captions have failed and are started again: %s", why)
            self._on_failure()
            if asyncio.get_running_loop().time() - began > _LAST_RETRY_S:
                wait_s = _FIRST_RETRY_S
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LAST_RETRY_S)

    async def _run_once(self) -> str:
        """Return why the process ended. OSError, TimeoutError, ValueError."""
        async with Child(_MODULE, msgspec.json.encode(self._job), _SILENCE_S) as child:
            async for output in child:
                report = msgspec.json.decode(output, type=CaptionReport)
                if report.error:
                    return report.error
                if report.recording_id:
                    self._on_report(report)
            return f"it ended with status {await child.status()}"


def make_job(folder: Path, model: Path, language: str, settings: CaptionSettings) -> CaptionJob:
    """Return the job of the process."""
    return CaptionJob(str(folder), str(model), language, settings.cpu_percent / 100)
