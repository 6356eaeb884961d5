"""Firefox and Chromium in one lesson, on the page."""

import pytest

from tests.e2e.conftest import eventually, person
from tests.e2e.firefox import needs_firefox, running_firefox
from tests.e2e.test_javascript import CAMERA, open_page
from tests.e2e.test_page import frames_grow, remote_video

pytestmark = [pytest.mark.timeout(180), needs_firefox]

FIND = "(id) => [...document.querySelectorAll(`[data-testid=${id}]`)].length"
CLICK = "(id) => document.querySelector(`[data-testid=${id}]`).click()"
# React listens for input events, and keeps its own idea of the value behind the element's.
TYPE = """([id, text]) => {
    const input = document.querySelector(`[data-testid=${id}]`);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, text);
    input.dispatchEvent(new Event('input', { bubbles: true }));
}"""


async def there(page, test_id):
    async def found():
        return await page.evaluate(FIND, test_id)

    await eventually(found, f"{test_id} on Firefox's page")


async def test_firefox_and_chromium_see_each_other(server, chromium):
    async with running_firefox() as firefox:
        fay = await firefox.open(f"{server.page}/join/maths")
        await there(fay, "lobby-join")
        await fay.evaluate(TYPE, ["lobby-name", "Fay"])
        await fay.evaluate(CLICK, "lobby-join")
        await there(fay, "lesson")
        ben = await person(chromium, server, "Ben")
        await frames_grow(fay, "camera")
        await frames_grow(ben, "camera")

        await ben.get_by_test_id("toggle-screen").click()
        await frames_grow(fay, "screen_share")

        await fay.evaluate(CLICK, "toggle-camera")

        async def camera_is_off():
            return await remote_video(ben, "camera") is None

        await eventually(camera_is_off, "Fay's camera is off for Ben")
        await fay.evaluate(CLICK, "toggle-camera")
        await frames_grow(ben, "camera")


async def test_chromium_gets_the_plain_audio_of_firefox_with_redundancy(server, chromium):
    async with running_firefox() as firefox:
        ben = await open_page(chromium, server, identity="ben")
        fay = await firefox.open(f"{server.page}/join/maths")
        await there(fay, "lobby-join")
        await fay.evaluate(TYPE, ["lobby-name", "Fay"])
        await fay.evaluate(CLICK, "lobby-join")
        await there(fay, "lesson")
        found = await eventually(lambda: ben.do("() => [...room.remoteParticipants.keys()]"), "Fay is there")
        await ben.keeps_growing(found[0], "microphone", "packets")
        # what came before already is thrown away, two blocks with each packet
        packets, discarded = [await ben.received(found[0], "microphone", f) for f in ("packets", "discarded")]
        await ben.keeps_growing(found[0], "microphone", "packets", by=100)
        more = await ben.received(found[0], "microphone", "packets") - packets
        assert await ben.received(found[0], "microphone", "discarded") - discarded > 1.5 * more
        await ben.keeps_growing(found[0], "microphone", "energy", 0.000_01)


@pytest.mark.parametrize("codec", ["vp9", pytest.param("av1", marks=pytest.mark.long)])
async def test_firefox_sees_a_camera_of_several_sizes_in_one_stream(server, chromium, codec):
    # it takes no dependency descriptors: of VP9 the payload tells the layers, of AV1 it gets all sizes up to its own
    ada = await open_page(chromium, server, identity="ada")
    options = {"videoCodec": codec, "scalabilityMode": "L3T3_KEY", "backupCodec": False}
    await ada.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [CAMERA, options],
    )
    async with running_firefox() as firefox:
        fay = await firefox.open(f"{server.page}/join/maths")
        await there(fay, "lobby-join")
        await fay.evaluate(TYPE, ["lobby-name", "Fay"])
        await fay.evaluate(CLICK, "lobby-join")
        await there(fay, "lesson")
        await frames_grow(fay, "camera")
