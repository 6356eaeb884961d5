"""The recorder: a process that reads a tap's messages from a socket and writes recordings.

`sfu.shell.recorder` starts it as `python -m recording.recorder FD SETTINGS`. It ends when the socket does, so it never
outlives the process that started it. One thread does everything: while the disk is slow nothing is read, the socket
fills, and the tap drops its newest packets.
"""

import logging
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from recording.containers.cutter import CloseSegment
from recording.files.folder import FolderError, Moment, RecordingFolder
from recording.files.layout import LayoutError
from recording.files.syncing import InlineSyncer, Syncer, ThreadSyncer
from recording.live.relay import LiveRelay
from recording.state import InvalidError, Output, RecordingState, TrackChange
from sfu.values import RecordingId
from sfu.wire import tap

logger = logging.getLogger(__name__)

TICK_NS = 100_000_000
_ROOM_CHECK_NS = 1_000_000_000
_READ_OCTETS = 256 << 10
# What the tap has not read. Requests to publishers are worth nothing when they are late.
_MAX_REQUESTS_OCTETS, _MAX_BACKLOG_OCTETS = 256 << 10, 4 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RecorderSettings(msgspec.Struct, frozen=True):
    """What the recorder is started with."""

    folder: str
    "Of all recordings."
    reserve_octets: int = 1 << 30
    "A recording stops when less is free: the database is on the same disk."
    keyframe_interval_s: float = 20.0
    "Interval of keyframe requests for cameras, so that a seek has less to decode; 0: only when one is missing."


class _Running:
    """A recording with its files."""

    def __init__(self, folder: RecordingFolder, state: RecordingState) -> None:
        self.folder = folder
        self.state = state

    def apply(self, recording_id: RecordingId, outputs: Sequence[Output]) -> list[tap.FromRecorder]:
        """Write the changes; return the messages to the tap. FolderError."""
        told: list[tap.FromRecorder] = []
        for output in outputs:
            if not isinstance(output, TrackChange):
                told.append(output)
                continue
            self.folder.apply(output.track_id, output.change)
            if isinstance(output.change, CloseSegment):
                record = output.change.record
                told.append(
                    tap.SegmentWritten(
                        recording_id, output.track_id, record.start_ns, record.end_ns, record.length
                    )
                )
        return told


class Recorder:
    """All recordings of one tap. Each fails by itself."""

    def __init__(
        self,
        settings: RecorderSettings,
        now: Callable[[], Moment],
        tell: Callable[[Sequence[tap.FromRecorder]], None],
        syncer: Syncer | None = None,
    ) -> None:
        """`now` reads the clocks, `tell` sends messages to the tap; without a `syncer`, files are synced at once."""
        self._syncer = syncer or InlineSyncer()
        self._settings = settings
        self._now = now
        self._tell = tell
        self._running: dict[RecordingId, _Running] = {}
        self._streams: dict[int, RecordingId] = {}
        "Recording by stream."
        self._check_at_ns = 0

    def handle(self, message: tap.ToRecorder) -> None:
        """Handle a message of the tap. A recording that cannot continue is reported as failed."""
        if isinstance(message, tap.Ping):
            self._tell([tap.Pong(message.number)])
        elif isinstance(message, tap.StartRecording):
            self._guarded(message.recording_id, partial(self._start, message))
        elif isinstance(message, tap.StopRecording):
            self._guarded(message.recording_id, partial(self._stop, message.recording_id, message.at_ns))
        elif isinstance(message, tap.OpenTrack | tap.CloseTrack | tap.MuteTrack | tap.OpenStream):
            if isinstance(message, tap.OpenStream):
                self._streams[message.stream] = message.recording_id
            self._take(message.recording_id, message)
        else:
            recording_id = self._streams.get(message.stream)
            if recording_id is not None:
                self._take(recording_id, message)
            if isinstance(message, tap.CloseStream):
                self._streams.pop(message.stream, None)

    def tick(self) -> None:
        """Do what the time brings; to be called each TICK_NS."""
        now_ns = self._now().monotonic_ns
        check = now_ns >= self._check_at_ns
        if check:
            self._check_at_ns = now_ns + _ROOM_CHECK_NS
        for recording_id in list(self._running):
            self._guarded(recording_id, partial(self._tick, recording_id, now_ns, check))

    def finish(self) -> None:
        """The tap has disconnected: write everything that waits. The recordings can be continued."""
        now_ns = self._now().monotonic_ns
        for recording_id in list(self._running):
            self._guarded(recording_id, partial(self._stop, recording_id, now_ns))

    def _guarded(self, recording_id: RecordingId, action: Callable[[], None]) -> None:
        try:
            action()
        except FolderError as error:
            self._fail(recording_id, error.reason, str(error))
        except (LayoutError, InvalidError) as error:
            self._fail(recording_id, "invalid", str(error))
        except Exception:
            logger.exception("a recording failed")
            self._fail(recording_id, "internal", "the recorder failed")

    def _fail(self, recording_id: RecordingId, reason: str, detail: str) -> None:
        running = self._running.pop(recording_id, None)
        if running is not None:
            running.folder.close()
        self._tell([tap.RecordingFailed(recording_id, reason, detail)])

    def _start(self, message: tap.StartRecording) -> None:
        if message.recording_id in self._running:
            return
        now = self._now()
        begun = Moment(message.at_ns, now.unix_ns - (now.monotonic_ns - message.at_ns), now.boot_id)
        folder = RecordingFolder(
            Path(self._settings.folder),
            message.recording_id,
            begun,
            self._settings.reserve_octets,
            self._syncer,
            message.key,
        )
        state = RecordingState(folder.epoch_ns, round(self._settings.keyframe_interval_s * 1e9))
        self._running[message.recording_id] = _Running(folder, state)

    def _stop(self, recording_id: RecordingId, at_ns: int) -> None:
        running = self._running.get(recording_id)
        if running is not None:
            self._tell(running.apply(recording_id, running.state.finish(at_ns)))
            running.folder.flush()
            running.folder.close()
            del self._running[recording_id]
            self._tell([tap.RecordingEnded(recording_id)])

    def _take(self, recording_id: RecordingId, message: tap.ToRecorder) -> None:
        running = self._running.get(recording_id)
        if running is not None:
            self._guarded(recording_id, partial(self._do, recording_id, running, message))

    def _do(self, recording_id: RecordingId, running: _Running, message: tap.ToRecorder) -> None:
        if isinstance(message, tap.OpenTrack):
            if message.track_id not in running.state.tracks:
                running.state.check_track(message)
                running.state.open_track(message, running.folder.open_track(message))
            else:
                running.state.use_keys(message)
        elif not isinstance(message, tap.StartRecording | tap.StopRecording | tap.Ping):
            told = running.apply(recording_id, running.state.handle(message))
            if told:
                self._tell(told)

    def _tick(self, recording_id: RecordingId, now_ns: int, check: bool) -> None:
        running = self._running[recording_id]
        if check:
            running.folder.check_room()
        told = running.apply(recording_id, running.state.tick(now_ns))
        if told:
            self._tell(told)


class Connection:
    """The socket to the tap; writing never waits."""

    def __init__(self, connection: socket.socket) -> None:
        """Take the socket over."""
        self._socket = connection
        # Not a timeout of the socket: Python would wait for it before it sends, too.
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._frames = tap.FrameBuffer()
        self._backlog = bytearray()

    def read(self) -> list[bytes] | None:
        """The received frames; empty after a tick without any; None at the end. TapError."""
        if not self._poll.poll(TICK_NS / 1e6):
            return []
        try:
            data = self._socket.recv(_READ_OCTETS)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._frames.feed(data) if data else None

    def send(self, messages: Sequence[tap.FromRecorder]) -> None:
        """Send messages as far as the tap reads; requests that would wait long are dropped."""
        if len(self._backlog) > _MAX_REQUESTS_OCTETS:
            messages = [m for m in messages if not isinstance(m, tap.Nack | tap.RequestKeyframe)]
        if messages and len(self._backlog) < _MAX_BACKLOG_OCTETS:
            self._backlog += tap.frame(messages)
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        while self._backlog:
            try:
                sent = self._socket.send(self._backlog[: 64 << 10])
            except OSError:
                return  # it is full, or its end shows when it is read
            del self._backlog[:sent]


def serve(
    recorder: Recorder,
    connection: Connection,
    now_ns: Callable[[], int],
    handle: Callable[[tap.ToRecorder], None] | None = None,
) -> None:
    """Record until the tap closes the connection; `handle` takes the messages, by default the recorder."""
    handle = handle or recorder.handle
    tick_at_ns = now_ns()
    while (bodies := connection.read()) is not None:
        for body in bodies:
            for message in tap.read_to_recorder(body):
                handle(message)
        if now_ns() >= tick_at_ns:
            recorder.tick()
            tick_at_ns = now_ns() + TICK_NS
        connection.flush()


def _now() -> Moment:
    return Moment(
        time.monotonic_ns(), time.time_ns(), _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
    )


def main() -> None:
    """Run on the socket and with the settings that the command line names."""
    # Ctrl-C and an orderly stop go to the whole group; the process that started this one says when to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO)
    settings = msgspec.json.decode(sys.argv[2], type=RecorderSettings)
    connection = Connection(socket.socket(fileno=int(sys.argv[1])))
    recorder = Recorder(settings, _now, connection.send, ThreadSyncer())
    relay = LiveRelay(Path(settings.folder), connection.send, recorder.handle)
    try:
        serve(recorder, connection, time.monotonic_ns, relay.handle)
    finally:
        relay.close()
        recorder.finish()


if __name__ == "__main__":
    main()
