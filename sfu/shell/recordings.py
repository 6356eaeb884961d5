"""The recordings of one engine: messages between its taps, which do no I/O, and the recorder process.

The process is started with the first recording and stopped after the last one.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping

from sfu.engine.peers.publication import Publication
from sfu.engine.taps import Taps
from sfu.settings import MediaSettings
from sfu.shell.recorder import RecorderProcess
from sfu.values import (
    Event,
    PublicationId,
    RecordedTrack,
    RecordingId,
    RecordingStopped,
    RoomId,
    SegmentRecorded,
)
from sfu.wire import tap

logger = logging.getLogger(__name__)

# Packets are gathered for so long: a write and the recorder's wake-up cost more than a packet.
GATHERING_S = 0.02
# In one frame: 1,000 packets of 1,500 octets are well below `tap.MAX_FRAME_OCTETS`.
_MESSAGES_PER_FRAME = 1000


class Recordings:
    """Starts and stops recordings, and carries messages between taps and recorder."""

    def __init__(
        self,
        settings: MediaSettings,
        taps: Taps,
        publications: Mapping[PublicationId, Publication],
        emit: Callable[[Event], None],
    ) -> None:
        """Create it without a process; `publications` are those of the engine by id, and `emit` receives events."""
        self._settings = settings
        self._taps = taps
        self._publications = publications
        self._emit = emit
        self._running: set[RecordingId] = set()
        "Recordings that the recorder has not reported as ended."
        self._recorder: RecorderProcess | None = None
        self._ending: set[asyncio.Task[None]] = set()
        "Recorders that are being stopped."
        self._timer: asyncio.TimerHandle | None = None
        self._restarts = self._dropped = 0
        "Of recorders that were stopped."
        taps.on_messages = self._gather

    def start(self, recording_id: RecordingId, room_id: RoomId, key: bytes = b"") -> None:
        """Begin a recording, or continue an earlier one, also one of another process; `key` encrypts its files."""
        if not self._settings.recordings_folder:
            self._emit(RecordingStopped(recording_id, "off", "the server has no folder for recordings"))
            return
        if self._recorder is None:
            settings = {
                "folder": self._settings.recordings_folder,
                "reserve_octets": self._settings.recordings_reserve_octets,
            }
            self._recorder = RecorderProcess(json.dumps(settings), self._on_message, self._died)
            self._recorder.start()
        self._running.add(recording_id)
        self._taps.start(recording_id, room_id, time.monotonic(), key)

    def record(self, recording_id: RecordingId, publication_id: PublicationId, track: RecordedTrack) -> None:
        """Record a publication, if it belongs to the recorded room."""
        published = self._publications.get(publication_id)
        if published is not None:
            self._taps.record(recording_id, published, track, time.monotonic())

    def leave(self, recording_id: RecordingId, publication_id: PublicationId) -> None:
        """Stop recording a publication."""
        published = self._publications.get(publication_id)
        if published is not None:
            self._taps.leave(recording_id, published, time.monotonic())

    def pause(self, recording_id: RecordingId, paused: bool) -> None:
        """Pause or resume a recording."""
        self._taps.pause(recording_id, paused, time.monotonic())

    def stop_recording(self, recording_id: RecordingId) -> None:
        """End a recording; `RecordingStopped` is emitted when everything is written."""
        if self._taps.stop(recording_id, time.monotonic()):
            self._hand_over()
        elif recording_id not in self._running:
            self._emit(RecordingStopped(recording_id))

    async def stop(self) -> None:
        """End all recordings, and the recorder."""
        for recording_id in tuple(self._running):
            self._taps.stop(recording_id, time.monotonic())
        self._hand_over()
        self._running.clear()
        self._end_process()
        if self._ending:
            await asyncio.wait(self._ending)

    def metrics(self) -> dict[str, float]:
        """Counters and gauges by name."""
        recorder = self._recorder
        return {
            "recordings": len(self._running),
            "packets_recorded": self._taps.packets,
            "recorders_restarted": self._restarts + (recorder.restarts if recorder is not None else 0),
            "dropped_recording": self._dropped + (recorder.dropped_packets if recorder is not None else 0),
        }

    # --- to the recorder -----------------------------------------------------------------------------------------

    def _gather(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHERING_S, self._hand_over)

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        messages, now_ns = self._taps.take_messages(), time.monotonic_ns()
        if self._recorder is not None:
            for at in range(0, len(messages), _MESSAGES_PER_FRAME):
                self._recorder.send(messages[at : at + _MESSAGES_PER_FRAME], now_ns)

    def _end_process(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._restarts += recorder.restarts
            self._dropped += recorder.dropped_packets
            task = asyncio.create_task(recorder.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    # --- from the recorder ---------------------------------------------------------------------------------------

    def _on_message(self, message: tap.FromRecorder) -> None:
        now = time.monotonic()
        if isinstance(message, tap.Nack):
            self._taps.send_again(message.stream, message.sequences, now)
        elif isinstance(message, tap.RequestKeyframe):
            self._taps.request_keyframe(message.stream, now)
        elif isinstance(message, tap.SegmentWritten):
            self._emit(
                SegmentRecorded(message.recording_id, message.track_id, message.end_ns, message.octets)
            )
        elif isinstance(message, tap.RecordingEnded):
            self._ended(RecordingStopped(message.recording_id))
        elif isinstance(message, tap.RecordingFailed):
            logger.error("recording %s failed: %s: %s", message.recording_id, message.reason, message.detail)
            self._taps.stop(message.recording_id, now)
            self._ended(RecordingStopped(message.recording_id, message.reason, message.detail))

    def _died(self) -> None:
        self._taps.request_keyframes(time.monotonic())

    def _ended(self, event: RecordingStopped) -> None:
        if event.recording_id in self._running:
            self._running.remove(event.recording_id)
            self._emit(event)
        if not self._running:
            self._end_process()
