"""The child process that composes: reads a `plan.Job` as JSON from standard input, prints its progress as JSON lines.

It runs at the lowest priority, and writes beside the output, which it replaces at the end. A signal ends it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import av
import msgspec

from recording.compose.film import EmptyError, Film
from recording.compose.plan import Job
from recording.files.layout import LayoutError


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of output."""

    progress: float = 0.0
    "From 0 to 1."
    error: str = ""


def compose(job: Job, send: Callable[[Report], None]) -> int:
    """Compose a film; return the exit status."""
    unfinished = Path(job.output).with_suffix(".part")
    try:
        Film(job).write(str(unfinished), lambda done: send(Report(round(done, 4))))
        unfinished.replace(job.output)
    except (LayoutError, EmptyError, OSError, av.FFmpegError) as error:
        unfinished.unlink(missing_ok=True)
        send(Report(error=str(error)))
        return 1
    return 0


def main() -> int:
    """Read the job and compose the film."""
    os.nice(19)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)

    def send(report: Report) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()

    return compose(job, send)


if __name__ == "__main__":
    sys.exit(main())
