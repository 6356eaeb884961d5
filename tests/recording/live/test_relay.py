"""What goes to the captioning process, and what to the recorder."""

import socket

import pytest

from recording.live.messages import LiveError, LivePacket, decode, encode, socket_path
from recording.live.relay import LiveRelay, address
from sfu.wire import tap

S = 1_000_000_000


class Ends:
    """A relay between a recorder and the captioning process."""

    def __init__(self, folder):
        self.recorded, self.told = [], []
        self.folder = folder
        self.relay = LiveRelay(folder, self.told.extend, self.recorded.append)
        self.connection = None
        self.listener = None

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(address(socket_path(self.folder)))
        self.listener.listen()

    def open(self, recording, stream, track="tia/microphone"):
        for message in (
            tap.StartRecording(recording, 0),
            tap.OpenTrack(recording, track, "audio", "Tia", 0),
            tap.MuteTrack(recording, track, False, 0),
            tap.OpenStream(stream, recording, track, "p", 48_000, 0),
        ):
            self.relay.handle(message)

    def send(self, stream, at_ns=0, payload=b"x"):
        self.relay.handle(tap.Packet(stream, 1, 1, False, "opus", payload, at_ns))

    def received(self):
        if self.connection is None:
            self.connection = self.listener.accept()[0]
            self.connection.setblocking(False)
        found = []
        while True:
            try:
                data = self.connection.recv(1 << 16)
            except BlockingIOError:
                return found
            found.append(decode(data))

    def close(self):
        for each in (self.connection, self.listener, self.relay._socket):
            if each is not None:
                each.close()


@pytest.fixture
def ends(tmp_path):
    made = Ends(tmp_path)
    yield made
    made.close()


def test_recordings_are_recorded_and_captioned_rooms_are_not(ends):
    ends.listen()
    ends.open("rec_1", 1)
    ends.open("live_1", 2)
    ends.send(1)
    ends.send(2)
    assert [type(message).__name__ for message in ends.recorded] == [
        "StartRecording",
        "OpenTrack",
        "MuteTrack",
        "OpenStream",
        "Packet",
    ]
    [message] = ends.received()
    assert (message.recording_id, message.track_id, message.packet.stream) == (
        "live_1",
        "tia/microphone",
        2,
    )
    assert not list(ends.folder.glob("live_*"))
    ends.relay.handle(tap.StopRecording("live_1", 0))
    assert ends.told == [tap.RecordingEnded("live_1")]
    ends.send(2)
    assert ends.received() == []
    ends.relay.handle(tap.StopRecording("rec_1", 0))
    assert ends.recorded[-1] == tap.StopRecording("rec_1", 0)


def test_a_muted_track_is_not_heard(ends):
    ends.listen()
    ends.open("live_1", 1)
    ends.relay.handle(tap.MuteTrack("live_1", "tia/microphone", True, 0))
    ends.send(1)
    ends.relay.handle(tap.MuteTrack("live_1", "tia/microphone", False, 0))
    ends.send(1, S)
    assert [message.packet.arrived_ns for message in ends.received()] == [S]


def test_nothing_waits_for_a_process_that_is_not_there_or_does_not_read(ends):
    ends.open("live_1", 1)
    ends.send(1)
    assert ends.relay.dropped == 1
    ends.listen()
    ends.send(1, S)
    for number in range(5000):
        ends.send(1, S + number, b"x" * 1000)
    assert ends.relay.dropped > 1000
    assert 1 < len(ends.received()) < 4000


def test_a_process_that_ended_is_found_again(ends):
    ends.listen()
    ends.open("live_1", 1)
    ends.send(1)
    assert len(ends.received()) == 1
    ends.connection.close()
    ends.listener.close()
    socket_path(ends.folder).unlink()
    ends.connection = None
    ends.send(1, S)
    ends.listen()
    ends.send(1, 2 * S)
    assert [message.packet.arrived_ns for message in ends.received()] == [2 * S]


def test_a_long_path_is_reached(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    ends = Ends(folder)
    ends.listen()
    ends.open("live_1", 1)
    ends.send(1)
    assert len(ends.received()) == 1
    ends.close()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01", encode(LivePacket("a", "b", 1, None))])
def test_octets_that_are_no_message_are_refused(data):
    with pytest.raises(LiveError):
        decode(data)
