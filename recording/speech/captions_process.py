"""The child process that captions: a `CaptionJob` as JSON on standard input, `CaptionReport`s as JSON lines.

It runs at low priority with one thread for the model, and one that reads the recorders' packets. A signal ends it, and
so does the end of the server: it writes a line every few seconds, and ends when nobody reads.
"""

import contextlib
import os
import select
import socket
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from recording.live.messages import MAX_OCTETS, LiveError, LivePacket, decode, socket_path
from recording.live.relay import address
from recording.speech.captioner import Captioner, TrackKey
from recording.speech.captions import CaptionJob, CaptionReport
from recording.speech.cpu_budget import CpuBudget
from recording.speech.hearing import Hearing
from recording.speech.model import SpeechError
from recording.speech.recogniser import WhisperRecogniser
from recording.values import NS_PER_S

# Ten seconds of thirty open microphones.
_MAX_PACKETS: Final = 15_000
_WAIT_S: Final = 0.05
_ALIVE_S: Final = 3.0
# A track without packets for this long is forgotten.
_FORGOTTEN_S: Final = 30.0
_NICE: Final = 10
_MAX_CONNECTIONS: Final = 64


class Receiver:
    """Reads the packets of all recorders in a thread, so that a transcription does not make them wait."""

    def __init__(self, folder: Path) -> None:
        """Listen in the folder of the recordings. OSError."""
        path = socket_path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        old = os.umask(0o177)
        try:
            self._listener.bind(address(path))
        finally:
            os.umask(old)
        self._listener.listen(_MAX_CONNECTIONS)
        self._packets: deque[LivePacket] = deque(maxlen=_MAX_PACKETS)
        self._news = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, wait_s: float) -> list[LivePacket]:
        """Return the packets that have arrived; wait for some if there are none."""
        self._news.wait(wait_s)
        self._news.clear()
        found: list[LivePacket] = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._packets.popleft())
        return found

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        connections: dict[int, socket.socket] = {}
        while True:
            for number, _events in poll.poll():
                if number == self._listener.fileno():
                    connection = self._listener.accept()[0]
                    connections[connection.fileno()] = connection
                    poll.register(connection, select.POLLIN)
                elif not self._receive(connections[number]):
                    poll.unregister(number)
                    connections.pop(number).close()

    def _receive(self, connection: socket.socket) -> bool:
        try:
            data = connection.recv(MAX_OCTETS)
            if data:
                self._packets.append(decode(data))
                self._news.set()
        except (OSError, LiveError):
            return False
        return bool(data)


class Listening:
    """The streams that are heard, and the captioner that gets their samples."""

    def __init__(self, captioner: Captioner) -> None:
        self._captioner = captioner
        self._streams: dict[tuple[TrackKey, int, int], Hearing] = {}

    def hear(self, message: LivePacket) -> None:
        """Take a packet."""
        packet = message.packet
        track = message.recording_id, message.track_id
        key = track, message.source, packet.stream
        hearing = self._streams.get(key)
        if hearing is None:
            self._forget(track)
            hearing = self._streams[key] = Hearing()
        samples = hearing.take(packet)
        if len(samples):
            self._captioner.hear(track, samples, packet.arrived_ns / NS_PER_S)

    def tick(self, now_s: float) -> None:
        """Give up packets that did not come, and tracks that ended."""
        now_ns = round(now_s * NS_PER_S)
        for (track, _source, _stream), hearing in self._streams.items():
            samples = hearing.poll(now_ns)
            if len(samples):
                self._captioner.hear(track, samples, now_s)
        for track in self._captioner.silent_since(now_s, _FORGOTTEN_S):
            self._captioner.forget(track)
            self._forget(track)

    def _forget(self, track: TrackKey) -> None:
        """Remove the streams of a track: it has one at a time."""
        for key in [key for key in self._streams if key[0] == track]:
            del self._streams[key]


def run(job: CaptionJob) -> None:
    """Caption until the output is closed. SpeechError, OSError."""

    def send(report: CaptionReport) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()

    recogniser = WhisperRecogniser(Path(job.model))
    # Not before the model is loaded: what is said meanwhile would be too old.
    receiver = Receiver(Path(job.folder))
    budget = CpuBudget(job.cpu_share, time.monotonic())
    captioner = Captioner(recogniser, budget, time.process_time, job.language)
    listening = Listening(captioner)
    send(CaptionReport())
    alive_s = time.monotonic()
    while True:
        for message in receiver.take(_WAIT_S):
            listening.hear(message)
        now_s = time.monotonic()
        listening.tick(now_s)
        reports = captioner.step(now_s)
        if now_s - alive_s > _ALIVE_S:
            reports.append(CaptionReport())
            alive_s = now_s
        for report in reports:
            send(report)


def main() -> int:
    """Read the job and caption; the last report says why it ended."""
    os.nice(_NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=CaptionJob)
    try:
        run(job)
    except BrokenPipeError:
        return 0
    except (SpeechError, OSError, ValueError) as error:
        sys.stdout.buffer.write(msgspec.json.encode(CaptionReport(error=str(error) or "failed")) + b"\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
