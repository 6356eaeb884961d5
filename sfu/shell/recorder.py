"""The recorder for the taps: a process that is restarted when it dies, behind a bounded queue."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sfu.shell import child
from sfu.shell.restarts import RestartDelays
from sfu.values import RecordedTrackId, RecordingId
from sfu.wire import tap

logger = logging.getLogger(__name__)

# What the recorder has not read. Above it, packets are dropped and marked: two seconds of twenty lessons.
MAX_QUEUE_OCTETS: Final = 8 << 20
STOP_TIMEOUT_S = 10.0
# A new process is handed the packets of so long again: those that a killed one had in memory, and those that came while
# none was there. 0.7 s in memory (recording/README.md), and as much to start, on a busy machine up to three seconds.
RETAINED_NS, MAX_RETAINED_OCTETS = 4_000_000_000, 4 << 20
# A new process places a stream as the killed one did: by the reports with the least delay, of some five seconds each.
RETAINED_REPORTS = 16
# A delay costs what was sent meanwhile, beyond what is handed over again, so only a process that dies while it starts
# waits for one.
_STABLE_S: Final = 2.0
_READ_OCTETS = 64 << 10


def _octets(packets: Sequence[tap.Packet]) -> int:
    return sum(len(packet.payload) for packet in packets)


class _OpenThings:
    """The messages that a restarted process needs before it can continue."""

    def __init__(self) -> None:
        self.recordings: dict[RecordingId, tap.StartRecording] = {}
        self.tracks: dict[tuple[RecordingId, RecordedTrackId], tap.OpenTrack] = {}
        self.muted: dict[tuple[RecordingId, RecordedTrackId], tap.MuteTrack] = {}
        self.streams: dict[int, tap.OpenStream] = {}
        self.reports: dict[int, deque[tap.SenderReport]] = {}

    def record(self, message: tap.ToRecorder) -> None:
        if isinstance(message, tap.SenderReport):
            reports = self.reports.setdefault(message.stream, deque(maxlen=RETAINED_REPORTS))
            reports.append(message)
        elif isinstance(message, tap.StartRecording):
            self.recordings[message.recording_id] = message
        elif isinstance(message, tap.StopRecording):
            self.remove(message.recording_id)
        elif isinstance(message, tap.OpenTrack):
            self.tracks[message.recording_id, message.track_id] = message
        elif isinstance(message, tap.MuteTrack):
            self.muted[message.recording_id, message.track_id] = message
        elif isinstance(message, tap.CloseTrack):
            self._close(message.recording_id, message.track_id)
        elif isinstance(message, tap.OpenStream):
            self.streams[message.stream] = message
        elif isinstance(message, tap.CloseStream):
            self.streams.pop(message.stream, None)
            self.reports.pop(message.stream, None)

    def remove(self, recording_id: RecordingId) -> None:
        self.recordings.pop(recording_id, None)
        for recording, track in [key for key in self.tracks if key[0] == recording_id]:
            self._close(recording, track)

    def _close(self, recording_id: RecordingId, track_id: RecordedTrackId) -> None:
        self.tracks.pop((recording_id, track_id), None)
        self.muted.pop((recording_id, track_id), None)
        for stream in [
            s.stream
            for s in self.streams.values()
            if (s.recording_id, s.track_id) == (recording_id, track_id)
        ]:
            del self.streams[stream]
            self.reports.pop(stream, None)

    def messages(self) -> list[tap.ToRecorder]:
        return [
            *self.recordings.values(),
            *self.tracks.values(),
            *self.muted.values(),
            *self.streams.values(),
            *sorted(itertools.chain(*self.reports.values()), key=lambda report: report.arrived_ns),
        ]


class RecorderProcess:
    """Starts and restarts the recorder, and sends it messages; a slow recorder loses only its own packets."""

    def __init__(
        self,
        settings: str,
        on_message: Callable[[tap.FromRecorder], None],
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        """`settings` is the JSON of the recorder's settings; `on_death` is called when the process has died."""
        self._settings = settings
        self._on_message = on_message
        self._on_death = on_death
        self._open = _OpenThings()
        self._writer: asyncio.StreamWriter | None = None
        self._recent: deque[tuple[int, list[tap.Packet]]] = deque()
        "The last packets, with the time at which they were handed over."
        self._recent_octets = 0
        self._dropped: Counter[int] = Counter()
        "Packets by stream, which the recorder has not been told of."
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self.dropped_packets = 0

    def start(self) -> None:
        """Start the process; messages may be sent at once."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let the recorder write its packets and confirm; kill it if that takes too long."""
        self._stopping.set()
        if self._writer is not None:
            self._writer.write_eof()
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=STOP_TIMEOUT_S)
        if not done and self.process is not None:
            self.process.kill()
        await self._task

    def send(self, messages: Sequence[tap.ToRecorder], now_ns: int) -> None:
        """Send messages, best those of a burst at once. While the queue is full, packets are dropped."""
        packets: list[tap.Packet] = []
        for message in messages:
            if isinstance(message, tap.Packet):
                packets.append(message)
            else:
                self._open.record(message)
        self._retain(packets, now_ns)
        writer = self._writer
        if writer is None or writer.is_closing():
            return  # a new process is handed what is retained, and marks what is missing
        if writer.transport.get_write_buffer_size() > MAX_QUEUE_OCTETS:
            kept = [message for message in messages if not isinstance(message, tap.Packet)]
            self._dropped.update(packet.stream for packet in packets)
            self.dropped_packets += len(packets)
            messages = kept
        elif self._dropped:
            marks = [tap.PacketsDropped(stream, count, now_ns) for stream, count in self._dropped.items()]
            self._dropped.clear()
            messages = [*marks, *messages]
        if messages:
            writer.write(tap.frame(messages))

    def _retain(self, packets: list[tap.Packet], now_ns: int) -> None:
        recent = self._recent
        if packets:
            recent.append((now_ns, packets))
            self._recent_octets += _octets(packets)
        while recent and (now_ns - recent[0][0] > RETAINED_NS or self._recent_octets > MAX_RETAINED_OCTETS):
            self._recent_octets -= _octets(recent.popleft()[1])

    def _retained(self) -> Iterator[list[tap.Packet]]:
        """Return those of the last packets that a new process can use."""
        since_ns = time.monotonic_ns() - RETAINED_NS
        for at_ns, packets in self._recent:
            kept = [packet for packet in packets if packet.stream in self._open.streams]
            if at_ns >= since_ns and kept:
                yield kept

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        delays = RestartDelays(_STABLE_S)
        while not self._stopping.is_set():
            started_at = loop.time()
            try:
                await self._run_once()
            except (OSError, tap.TapError):
                logger.exception("the recorder cannot be used")
            if self._stopping.is_set():
                return
            self.restarts += 1
            logger.error("the recorder ended and is started again")
            self._on_death()
            delay_s = delays.next_s(loop.time() - started_at)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def _run_once(self) -> None:
        self.process, reader, writer = await child.start("recording.recorder", self._settings)
        try:
            writer.write(tap.frame(self._open.messages()))
            for packets in self._retained():
                writer.write(tap.frame(packets))
            self._dropped.clear()
            self._writer = writer
            if self._stopping.is_set():
                writer.close()
            await self._read(reader)
        finally:
            self._writer = None
            writer.close()
            await self._reap()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = tap.FrameBuffer()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_READ_OCTETS):
                for body in frames.feed(data):
                    for message in tap.read_from_recorder(body):
                        if isinstance(message, tap.RecordingFailed):
                            self._open.remove(message.recording_id)
                        self._on_message(message)

    async def _reap(self) -> None:
        process = self.process
        assert process is not None
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
