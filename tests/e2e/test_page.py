"""People meet on the page, in real browsers."""

import re

import pytest

from tests.e2e.conftest import eventually, person

pytestmark = pytest.mark.timeout(180)

# One entry per video: source, pixels, frames decoded; and the colour of the middle of its picture.
VIDEOS = """() => [...document.querySelectorAll('[data-testid=tile]')].flatMap((tile) => {
    const video = tile.querySelector('video');
    if (!video || !video.videoWidth) return [];
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const drawing = canvas.getContext('2d');
    drawing.drawImage(video, 0, 0);
    const at = drawing.getImageData(canvas.width * 0.12, canvas.height / 2, 1, 1).data;
    return [{
        source: tile.dataset.source, identity: tile.dataset.identity, width: video.videoWidth,
        own: tile.innerText.includes('(you)'),
        // Firefox's playback quality counts nothing of a live stream
        frames: video.mozPaintedFrames ?? video.getVideoPlaybackQuality().totalVideoFrames,
        colour: [...at].slice(0, 3),
    }];
})"""


async def remote_video(page, source):
    return next((v for v in await page.evaluate(VIDEOS) if v["source"] == source and not v["own"]), None)


async def frames_grow(page, source):
    """Wait until ten more frames of the other person's track were decoded."""
    first = await eventually(lambda: remote_video(page, source), f"a {source} picture")

    async def grown():
        video = await remote_video(page, source)
        return video if video and video["frames"] >= first["frames"] + 10 else None

    return await eventually(grown, f"{source} frames after {first}")


async def test_two_people_see_each_other_share_a_screen_mute_and_leave(server, chromium):
    ada = await person(chromium, server, "Ada")
    ben = await person(chromium, server, "Ben")
    for page in (ada, ben):
        video = await frames_grow(page, "camera")
        # Chromium's fake camera is green around its pie
        red, green, blue = video["colour"]
        assert green > 100 > max(red, blue), video

    await ada.get_by_test_id("toggle-screen").click()
    await frames_grow(ben, "screen_share")
    await ada.get_by_test_id("toggle-screen").click()

    await ada.get_by_test_id("toggle-camera").click()

    async def camera_is_off():
        return await remote_video(ben, "camera") is None

    await eventually(camera_is_off, "Ada's camera is off for Ben")

    await ada.get_by_test_id("leave").click()
    tiles = ben.get_by_test_id("tile")

    async def alone():
        return await tiles.count() == 1

    await eventually(alone, "Ben is alone")


async def test_joining_without_a_camera_when_permission_is_denied(server, chromium):
    context = await chromium.new_context(permissions=[])
    page = await context.new_page()
    await page.goto(f"{server.page}/join/maths")
    await page.get_by_test_id("lobby-name").fill("Cleo")
    await page.get_by_test_id("lobby-join").click()
    await page.get_by_test_id("lesson").wait_for()
    assert re.search("Cleo", await page.get_by_test_id("lesson").inner_text())
