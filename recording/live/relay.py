"""In the recorder: passes the audio packets of captioned rooms on, and everything else to the recorder.

Nothing is stored, and nothing waits: a packet that the captioning process has no room for is dropped.
"""

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from recording.live.messages import MAX_OCTETS, LivePacket, encode, is_live, socket_path
from sfu.values import RecordedTrackId, RecordingId
from sfu.wire import tap

_TrackKey = tuple[RecordingId, RecordedTrackId]
# sun_path of a Unix socket (unix(7)) has 108 octets, with the final zero.
_MAX_ADDRESS: Final = 107
# Between attempts to reach the captioning process.
_AGAIN_NS: Final = 200_000_000


def address(path: Path) -> str:
    """Return an address for the socket at a path; long paths are reached through the process's open folder."""
    if len(os.fsencode(path)) <= _MAX_ADDRESS:
        return str(path)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{folder}/{path.name}"


class LiveRelay:
    """Tells apart what is recorded and what is captioned."""

    def __init__(
        self,
        folder: Path,
        tell: Callable[[Sequence[tap.FromRecorder]], None],
        record: Callable[[tap.ToRecorder], None],
    ) -> None:
        """`folder` is that of the recordings; `record` handles the messages of recordings."""
        self._path = socket_path(folder)
        self._tell = tell
        self._record = record
        self._running: set[RecordingId] = set()
        self._muted: set[_TrackKey] = set()
        self._streams: dict[int, _TrackKey] = {}
        self._socket: socket.socket | None = None
        self._address = ""
        self._again_at_ns = 0
        self.dropped = 0
        "Packets that the captioning process did not take."

    def handle(self, message: tap.ToRecorder) -> None:
        """Take a message of the tap."""
        if isinstance(message, tap.Packet):
            track = self._streams.get(message.stream)
            if track is None:
                self._record(message)
            elif track not in self._muted:
                self._send(track, message)
        elif isinstance(message, tap.CloseStream) and message.stream in self._streams:
            del self._streams[message.stream]
        elif isinstance(message, tap.SenderReport | tap.PacketsDropped) and message.stream in self._streams:
            pass  # captions are placed by the arrival of packets
        elif isinstance(message, _OF_RECORDING) and is_live(message.recording_id):
            self._follow(message)
        else:
            self._record(message)

    def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _follow(self, message: "_OfRecording") -> None:
        recording_id = message.recording_id
        if isinstance(message, tap.StartRecording):
            self._running.add(recording_id)
        elif isinstance(message, tap.StopRecording):
            self._stop(recording_id)
        elif isinstance(message, tap.OpenStream) and recording_id in self._running:
            self._streams[message.stream] = recording_id, message.track_id
        elif isinstance(message, tap.MuteTrack):
            change = self._muted.add if message.muted else self._muted.discard
            change((recording_id, message.track_id))
        elif isinstance(message, tap.CloseTrack):
            self._muted.discard((recording_id, message.track_id))

    def _stop(self, recording_id: RecordingId) -> None:
        self._running.discard(recording_id)
        self._muted = {key for key in self._muted if key[0] != recording_id}
        self._streams = {stream: key for stream, key in self._streams.items() if key[0] != recording_id}
        self._tell([tap.RecordingEnded(recording_id)])

    def _send(self, track: _TrackKey, packet: tap.Packet) -> None:
        data = encode(LivePacket(*track, os.getpid(), packet))
        if len(data) > MAX_OCTETS or not self._is_connected(packet.arrived_ns):
            self.dropped += 1
            return
        assert self._socket is not None
        try:
            self._socket.send(data)
        except BlockingIOError:
            self.dropped += 1
        except OSError:  # it has ended
            self.dropped += 1
            self.close()

    def _is_connected(self, now_ns: int) -> bool:
        if self._socket is None and now_ns >= self._again_at_ns:
            self._again_at_ns = now_ns + _AGAIN_NS
            if not self._address:
                self._address = address(self._path)
            # Each packet is one message, and what has not been read is limited by the socket's buffer (unix(7)).
            new = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            try:
                new.connect(self._address)
            except OSError:  # it does not listen yet
                new.close()
            else:
                self._socket = new
        return self._socket is not None


_OfRecording = (
    tap.StartRecording | tap.StopRecording | tap.OpenTrack | tap.CloseTrack | tap.MuteTrack | tap.OpenStream
)
_OF_RECORDING: Final = (
    tap.StartRecording,
    tap.StopRecording,
    tap.OpenTrack,
    tap.CloseTrack,
    tap.MuteTrack,
    tap.OpenStream,
)
