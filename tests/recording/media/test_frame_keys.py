"""Frames encrypted as LiveKit's clients do it, recorded with the key; tests/e2e has the real client."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recording.media.codecs.av1 import Av1Joiner
from recording.media.frame_keys import FrameKeys
from recording.media.track import Resume
from recording.values import GapReason, PayloadError
from sfu.wire.tap import OpenTrack, RequestKeyframe
from tests.recording.encoders import MS, Sender, decode, encode, nal_units, read_stamp, tones
from tests.recording.runs import Files, Run

KEY, NUMBER = os.urandom(16), 3
START = b"\0\0\0\1"


def sealed(clear, rest, key=KEY, number=NUMBER):
    """The encrypted part of a frame: ciphertext, nonce, length of the nonce, number of the key."""
    nonce = os.urandom(12)
    return AESGCM(key).encrypt(nonce, rest, clear) + nonce + bytes((12, number))


def escaped(data):
    """With emulation prevention (ITU-T H.264 section 7.4.1)."""
    found, zeros = bytearray(), 0
    for octet in data:
        if zeros == 2 and octet <= 3:
            found.append(3)
            zeros = 0
        found.append(octet)
        zeros = zeros + 1 if octet == 0 else 0
    return bytes(found)


def encrypted(codec, data, is_keyframe, key=KEY):
    """A whole frame as its sender hands it to the packetiser."""
    if codec == "h264":
        # The packetiser of these tests leaves out supplemental information, which only the first picture has.
        units = [unit for unit in nal_units(data) if unit[0] & 31 != 6]
        at = next(i for i, unit in enumerate(units) if unit[0] & 31 in {1, 5})
        clear = b"".join(START + unit for unit in (*units[:at], units[at][:2]))
        rest = START.join([units[at][2:], *units[at + 1 :]])
        return clear + escaped(sealed(clear, rest, key))
    octets = {"vp8": 10 if is_keyframe else 3, "vp9": 0, "opus": 1}[codec]
    return data[:octets] + sealed(data[:octets], data[octets:], key)


def run_with(kind, keys=((NUMBER, KEY),)):
    run = Run()
    run.state.open_track(OpenTrack("r", "t", kind, "", 0, False, keys), Resume())
    run.files["t"] = Files()
    return run


def pictures(files):
    return [read_stamp(frame) for part in files.parts.values() for _at, frame in decode(bytes(part))]


# Random octets make an escaped sequence of every kind likely in so many pictures.
@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264"])
def test_encrypted_pictures_are_recorded_as_they_were(codec):
    frames = encode(codec, 60, keyframes=(0, 30))
    sender = Sender(1, codec)
    packets = sender.frames([(encrypted(codec, data, key), key) for data, key in frames])
    run = run_with("video")
    run.open(1, "t")
    run.play(packet for each in packets for packet in each)
    run.finish(60 * 40 * MS)
    assert pictures(run.files["t"]) == list(range(60))
    assert run.files["t"].gaps == []


def test_encrypted_sound_is_recorded_as_it_was():
    packets = tones(1.0)
    sender = Sender(1, "opus", rate=48_000)
    run = run_with("audio")
    run.open(1, "t", rate=48_000)
    sent = [
        sender.packets([encrypted("opus", data, True)], i * 20 * MS, i * 20 * MS)
        for i, data in enumerate(packets)
    ]
    # Silence (discontinuous transmission) has no octets, and is not encrypted.
    run.play(packet for each in sent for packet in each)
    run.finish(1000 * MS)
    [part] = run.files["t"].parts.values()
    assert all(bytes(part).count(data) >= 1 for data in packets)


@pytest.mark.parametrize("keys", [((NUMBER, bytes(16)),), ((NUMBER + 1, KEY),), ((NUMBER, b"short"),)])
def test_nothing_is_written_with_another_key_and_no_endless_keyframes_are_asked_for(keys):
    frames = encode("vp8", 50, keyframes=range(50))
    packets = Sender(1, "vp8").frames([(encrypted("vp8", *frame), frame[1]) for frame in frames])
    run = run_with("video", keys)
    run.open(1, "t")
    run.play(packet for each in packets for packet in each)
    asked = [each for each in run.requests if isinstance(each, RequestKeyframe)]
    run.take(run.state.tick(60_000 * MS))
    assert [each for each in run.requests if isinstance(each, RequestKeyframe)] == asked
    run.finish(60_000 * MS)
    assert run.files["t"].parts == {}
    assert {gap.reason for gap in run.files["t"].gaps} == {GapReason.UNDECODABLE}


def test_a_new_key_is_for_the_streams_that_begin_after_it():
    other = os.urandom(32)
    run = run_with("video")
    run.open(1, "t")
    first = encode("vp8", 10)
    run.play(
        p for each in Sender(1, "vp8").frames([(encrypted("vp8", *f), f[1]) for f in first]) for p in each
    )
    run.state.use_keys(OpenTrack("r", "t", "video", "", 0, False, ((NUMBER, other),)))
    run.open(2, "t")
    second = [(encrypted("vp8", *frame, other), frame[1]) for frame in encode("vp8", 10, first=10)]
    run.play(p for each in Sender(2, "vp8").frames(second, start_ns=400 * MS) for p in each)
    run.finish(800 * MS)
    assert pictures(run.files["t"]) == list(range(20))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"x" * 15 + bytes((12, 3)), b"x" * 40, sealed(b"", b"data")[:-1] + b"\x09"]
)
def test_what_is_not_encrypted_as_expected_is_refused(data):
    with pytest.raises(PayloadError):
        FrameKeys([(NUMBER, KEY)]).open(b"", data)


def test_changed_octets_are_refused():
    octets = bytearray(encrypted("vp8", b"0123456789" * 5, True))
    for at in (0, 12, len(octets) - 5):
        changed = bytearray(octets)
        changed[at] ^= 1
        with pytest.raises(PayloadError):
            FrameKeys([(NUMBER, KEY)]).frame(bytes(changed), 10)
    assert FrameKeys([(NUMBER, KEY)]).frame(bytes(octets), 10) == b"0123456789" * 5
    assert FrameKeys([(NUMBER, KEY)]).frame(b"", 10) == b""


def test_an_access_unit_without_a_slice_stays():
    units = [b"\x67\1\2\3", b"\x68\1"]
    assert FrameKeys([(NUMBER, KEY)]).units(units) == units


def test_encrypted_av1_is_refused():
    with pytest.raises(PayloadError):
        Av1Joiner(FrameKeys([(NUMBER, KEY)])).join([b"\x08\x0a\x01\x00"])
