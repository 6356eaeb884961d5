"""The child process that transcribes: a `SpeechJob` as JSON on standard input, `SpeechReport`s as JSON lines.

It runs at the lowest priority with one thread. A signal ends it.
"""

import os
import sys
from pathlib import Path

import msgspec

from recording.files.layout import LayoutError
from recording.speech.model import SpeechError
from recording.speech.transcriber import Transcriber, transcribe
from recording.speech.values import SpeechJob, SpeechReport


def main() -> int:
    """Read the job and transcribe; the last report says that it is done, or why not."""
    os.nice(19)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=SpeechJob)

    def send(report: SpeechReport) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()

    try:
        transcriber = Transcriber(Path(job.model), job.language)
        for line in transcribe(job, transcriber, lambda done: send(SpeechReport(round(done, 4)))):
            send(SpeechReport(line=line))
    except (LayoutError, SpeechError, OSError, ValueError) as error:
        send(SpeechReport(error=str(error)))
        return 1
    send(SpeechReport(1.0, done=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
