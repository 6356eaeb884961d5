"""A session that is encrypted end to end by LiveKit's unchanged SDK in Chromium, recorded with the tutor's key."""

import asyncio
from types import SimpleNamespace

import aiohttp
import numpy as np
import pytest

from tests.e2e.conftest import eventually, serving
from tests.e2e.test_javascript import open_page
from tests.e2e.test_recorded_session import Lesson, decoded
from tests.signaling.school_client import School

pytestmark = pytest.mark.timeout(120)

PASSPHRASE = "a secret of the class"
CAMERA = {"resolution": {"width": 320, "height": 180, "frameRate": 10}}
CODECS = ["vp8", "h264", pytest.param("vp9", marks=pytest.mark.long)]


async def publishing(chromium, server, school, session, name, role, passphrase, codec):
    joined = await school.person(name, role).post(f"/sessions/{session}/join")
    token = joined["credentials"]["token"]
    here = SimpleNamespace(url=server.url, page=server.page, token=lambda _identity: token)
    client = await open_page(chromium, here, identity=name, passphrase=passphrase)
    options = {"videoCodec": codec, "simulcast": False, "backupCodec": False}
    await client.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [CAMERA, options],
    )
    await client.do("() => room.localParticipant.setMicrophoneEnabled(true)")
    return client


@pytest.mark.parametrize("codec", CODECS)
async def test_encrypted_tracks_are_recorded_with_the_key_that_the_tutor_gives(chromium, tmp_path, codec):
    options = ("--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1")
    async with serving(*options) as server, aiohttp.ClientSession() as http:
        school = School(http, server.page)
        session = await school.lesson()
        lesson = Lesson(http, school, session, None)
        await publishing(chromium, server, school, session, "tutor", "tutor", PASSPHRASE, codec)
        await publishing(chromium, server, school, session, "eve", "student", "another secret", codec)
        await lesson.start()

        async def refused():
            found = await lesson.tutor.get(f"/recordings/{lesson.recording}")
            return list(found["not_recorded"].values()) == ["encrypted"] * 4

        await eventually(refused, "nothing can be recorded without the key")
        await lesson.tutor.call("PUT", f"/sessions/{session}/recordings/key", {"key": PASSPHRASE})
        assert (await lesson.tutor.get(f"/recordings/{lesson.recording}"))["not_recorded"] == {}
        await asyncio.sleep(5)  # what is recorded
        archive, tracks = await lesson.archive()
    shown = [frame for _, frame in decoded(archive, tracks["tutor/camera"])]
    assert len(shown) > 20
    assert (shown[0].width, shown[0].height) == (320, 180)
    # Chromium's fake camera is green, with a clock and a moving figure; what is decoded wrongly is not.
    middle = np.median(shown[-1].to_ndarray(format="rgb24").reshape(-1, 3), axis=0)
    assert middle[1] > middle[0] + 30, middle
    heard = [frame.to_ndarray() for _, frame in decoded(archive, tracks["tutor/microphone"])]
    loudest = max(float(np.abs(each).max()) for each in heard)
    assert loudest > 0.01 * (1 if heard[0].dtype.kind == "f" else 32768)  # its fake microphone beeps
    # A person with another key: nothing but a marked gap.
    for track_id in ("eve/camera", "eve/microphone"):
        assert track_id not in tracks or tracks[track_id]["parts"] == []
