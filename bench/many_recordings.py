"""Many sessions recorded at once by one recorder: its CPU, its delay, what it writes, and what it loses.

`python -m bench.many_recordings [--sessions 20] [--seconds 20] [--plain]` sends the packets of lessons (a camera and
a shared screen of 0.3 Mbit/s, ten microphones of 32 kbit/s each) in real time to one recorder process, as a tap does,
and reads the recordings afterwards. A packet is lost if it is in no segment: the tap drops what its queue cannot hold.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
import psutil

from bench.load.media import vp8_start
from recording.files.encryption import new_key
from recording.files.reader import RecordingReader
from recording.recorder import RecorderSettings
from recording.values import EVER_NS
from sfu.values import RecordedTrackId, RecordingId
from sfu.wire import tap

MICROPHONES: Final = 10
INTERVAL_S: Final = 0.02
NS: Final = 1_000_000_000
# As the tap's own (`sfu.shell.recorder.MAX_QUEUE_OCTETS`).
QUEUE_OCTETS: Final = 8 << 20
# A frame of video in every other interval: 25 a second, in two packets of 1,500 octets together.
VIDEO_OCTETS: Final = 750
KEYFRAME_EVERY: Final = 250
AUDIO: Final = bytes([0xFC]) + bytes(79)


class Tap:
    """A tap's end of the connection, with its bounded queue."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = socket.socketpair()
        settings = msgspec.json.encode(RecorderSettings(str(folder), 0)).decode()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recording.recorder", str(theirs.fileno()), settings],
                pass_fds=(theirs.fileno(),),
            )
        ours.setblocking(False)
        self._socket = ours
        self._queue = bytearray()
        self.longest = 0
        self.dropped = 0

    def put(self, messages: list[tap.ToRecorder]) -> None:
        """Queue messages, or drop their packets if the queue is full."""
        if len(self._queue) > QUEUE_OCTETS:
            self.dropped += len(messages)
            return
        self._queue += tap.frame(messages)
        self.flush()

    def flush(self) -> None:
        """Send what the recorder takes, and read what it says."""
        self.longest = max(self.longest, len(self._queue))
        try:
            while self._queue:
                del self._queue[: self._socket.send(self._queue[: 1 << 20])]
        except BlockingIOError:
            pass
        try:
            while self._socket.recv(1 << 16):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Let the recorder read everything, and end."""
        while self._queue:
            self.flush()
            time.sleep(0.01)
        self._socket.shutdown(socket.SHUT_WR)
        self.process.wait()


def packets(base: int, index: int, at_ns: int) -> list[tap.ToRecorder]:
    """Return the packets of a session in an interval; its streams are `base`, `base + 1`, ..."""
    found: list[tap.ToRecorder] = []
    if index % 2 == 0:
        frame = index // 2
        start = vp8_start(frame, keyframe=frame % KEYFRAME_EVERY == 0)
        for stream in (base, base + 1):
            first = start + bytes(VIDEO_OCTETS - len(start))
            # The descriptor without its bit for the start of a partition (RFC 7741, section 4.2).
            rest = b"\x80" + start[1:4] + bytes(VIDEO_OCTETS - 4)
            for half, payload in enumerate((first, rest)):
                found.append(
                    tap.Packet(stream, 2 * frame + half, 3600 * frame, half == 1, "vp8", payload, at_ns)
                )
    microphones = range(base + 2, base + 2 + MICROPHONES)
    found += [tap.Packet(stream, index, 960 * index, True, "opus", AUDIO, at_ns) for stream in microphones]
    return found


def start(recorder: Tap, sessions: int, key: bytes) -> None:
    """Open all tracks of all sessions."""
    for number in range(sessions):
        at_ns, recording = time.monotonic_ns(), RecordingId(f"session-{number}")
        messages: list[tap.ToRecorder] = [tap.StartRecording(recording, at_ns, key)]
        for stream in range(2 + MICROPHONES):
            track, kind = RecordedTrackId(str(stream)), "video" if stream < 2 else "audio"
            rate = 90_000 if stream < 2 else 48_000
            messages.append(tap.OpenTrack(recording, track, kind, "", at_ns, stream == 1))
            messages.append(tap.OpenStream(100 * number + stream, recording, track, "p", rate, at_ns))
        recorder.put(messages)


def recorded_s(folder: Path, sessions: int, key: bytes) -> tuple[float, float, int]:
    """Return the least and the mean length of a track in s, and the octets of all indexes."""
    lengths: list[float] = []
    index = 0
    for number in range(sessions):
        for track in RecordingReader(folder, RecordingId(f"session-{number}"), key).tracks()[0]:
            spans = [record.end_ns - record.start_ns for record in track.segments(0, EVER_NS)]
            lengths.append(sum(spans) / NS)
            index += (track.path / "segments.idx").stat().st_size
    return min(lengths), sum(lengths) / len(lengths), index


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--plain", action="store_true", help="without encryption")
    options = parser.parse_args()
    key = b"" if options.plain else new_key()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorder = Tap(folder)
        process = psutil.Process(recorder.process.pid)
        start(recorder, options.sessions, key)
        began, late_s, sent = time.monotonic(), 0.0, 0
        for index in range(round(options.seconds / INTERVAL_S)):
            due = began + index * INTERVAL_S
            late_s = max(late_s, time.monotonic() - due)
            while time.monotonic() < due:
                recorder.flush()
                time.sleep(0.002)
            for number in range(options.sessions):
                # Sessions do not send in step; those of an interval arrive spread over it.
                found = packets(100 * number, index, time.monotonic_ns())
                sent += len(found)
                recorder.put(found)
        took_s = time.monotonic() - began
        times = process.cpu_times()
        recorder.close()
        octets = sum(each.stat().st_size for each in folder.rglob("*.webm"))
        least_s, mean_s, index_octets = recorded_s(folder, options.sessions, key)
        load = os.getloadavg()[0]
        print(
            f"{options.sessions} sessions, {took_s:.1f} s, load average {load:.1f}, sender late by {late_s:.3f} s"
        )
        print(f"{sent / took_s:.0f} packets/s; dropped by the queue: {recorder.dropped} messages")
        print(
            f"recorder: {(times.user + times.system) / took_s:.0%} of a core, longest queue {recorder.longest} octets"
        )
        print(f"written: {octets * 8 / took_s / 1e6:.1f} Mbit/s; indexes {index_octets} octets")
        print(f"recorded of each track: {least_s:.2f} s at least, {mean_s:.2f} s on average")


if __name__ == "__main__":
    main()
