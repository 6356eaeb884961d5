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
from recording.files.encryption import new_salt
from recording.files.layout import FilmInfo, LayoutError, write_json
from recording.files.media_file import EncryptedFile, film_cipher_of, film_description


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of output."""

    progress: float = 0.0
    "From 0 to 1."
    error: str = ""


def compose(job: Job, send: Callable[[Report], None]) -> int:
    """Compose a film; return the exit status."""
    output = Path(job.output)
    unfinished = output.with_suffix(".part")

    def progress(done: float) -> None:
        send(Report(round(done, 4)))

    try:
        film = Film(job)
        if job.key:
            salt = new_salt()
            with EncryptedFile(unfinished, film_cipher_of(output, salt, job.key)) as file:
                film.write(file, progress)
            write_json(film_description(output), FilmInfo(salt))
        else:
            film_description(output).unlink(missing_ok=True)
            film.write(str(unfinished), progress)
        unfinished.replace(output)
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
