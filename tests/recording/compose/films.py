"""Recordings to compose: a tutor's camera and voice, a student's voice, and a screen for a while."""

from functools import cache

from recording.files.folder import Moment
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from tests.recording.encoders import MS, Sender, encode, tones

S = 1_000_000_000
SCREEN_S = (1.0, 3.0)
LENGTH_S = 4.0


def write(folder, recording="rec_1", key=b""):
    now = Moment(S, 1_800_000_000 * S, "boot")
    recorder = Recorder(RecorderSettings(str(folder), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording(recording, 0, key))
    packets = []
    for stream, (track, kind, rate, frames) in enumerate(_tracks(), 1):
        recorder.handle(tap.OpenTrack(recording, track, kind, track, 0))
        recorder.handle(tap.OpenStream(stream, recording, track, f"p{stream}", rate, 0))
        packets += [packet for each in frames for packet in each]
    for packet in sorted(packets, key=lambda each: each.arrived_ns):
        recorder.handle(packet)
    recorder.handle(tap.StopRecording(recording, int(LENGTH_S * S)))


@cache  # encoding takes longer than all else
def _tracks():
    return [
        ("tia/camera", "video", 90_000, Sender(1, "vp8").frames(encode("vp8", 100, keyframes=(0, 50)))),
        ("tia/screen_share", "video", 90_000, _screen()),
        ("tia/microphone", "audio", 48_000, _voice(3, 0.0, 2.0)),
        ("sam/microphone", "audio", 48_000, _voice(4, 2.0, 4.0)),
    ]


def _screen():
    frames = encode("h264", 50, width=320, height=180)
    return Sender(2, "h264").frames(frames, start_ns=int(SCREEN_S[0] * S))


def _voice(stream, from_s, until_s):
    sender = Sender(stream, "opus", rate=48_000)
    return [
        sender.packets([data], at_ns, at_ns + 20 * MS)
        for i, data in enumerate(tones(LENGTH_S))
        if from_s * S <= (at_ns := i * 20 * MS) < until_s * S
    ]
