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


# Makes the page's connections known to tests.
NOTE_CONNECTIONS = """
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) { super(...options); window.connections.push(this); }
    };
"""

# One entry per layer of the shared screen that has sent something.
SCREEN_LAYERS = """async () => {
    const reports = await Promise.all(window.connections.map((connection) => connection.getStats()));
    const layers = reports.flatMap((report) => [...report.values()])
        .filter((each) => each.type === 'outbound-rtp' && each.kind === 'video' && each.framesEncoded > 0);
    const senders = window.connections.flatMap((connection) => connection.getSenders());
    const screen = senders.find((sender) => sender.track?.contentHint === 'detail');
    const camera = senders.find((sender) => sender.track?.kind === 'video' && sender !== screen);
    return {
        layers: screen === undefined ? [] : layers.filter((each) => each.rid && screenHas(screen, each))
            .map(({rid, frameWidth, frameHeight, framesEncoded}) => ({rid, frameWidth, frameHeight, framesEncoded})),
        screen: screen?.getParameters().encodings.map(({rid, maxBitrate, maxFramerate, active}) =>
            ({rid, maxBitrate, maxFramerate, active})),
        camera: camera?.getParameters().encodings.map((encoding) => encoding.maxBitrate),
        audio: senders.find((sender) => sender.track?.kind === 'audio')?.getParameters().encodings[0].networkPriority,
    };
    function screenHas(sender, layer) {
        const {width} = sender.track.getSettings();
        return Math.abs(layer.frameWidth - width) <= 1;
    }
}"""


async def test_a_screen_keeps_its_size_in_all_layers_and_the_camera_gives_way(server, chromium):
    ada = await person(chromium, server, "Ada", init=NOTE_CONNECTIONS)
    ben = await person(chromium, server, "Ben")
    await frames_grow(ben, "camera")
    before = (await ada.evaluate(SCREEN_LAYERS))["camera"]
    await ada.get_by_test_id("toggle-screen").click()
    picture = await frames_grow(ben, "screen_share")

    async def both_layers():
        sent = await ada.evaluate(SCREEN_LAYERS)
        return sent if {layer["rid"] for layer in sent["layers"]} == {"q", "h", "f"} else None

    sent = await eventually(both_layers, "three layers of full size")
    assert [(each["maxBitrate"], each["maxFramerate"]) for each in sent["screen"]] == [
        (45_000, 3),
        (150_000, 5),
        (1_500_000, 15),
    ]
    assert {layer["frameWidth"] for layer in sent["layers"]} == {picture["width"]}
    assert max(sent["camera"]) == 400_000 < max(before)
    assert sent["audio"] == "high"
    await ada.get_by_test_id("toggle-screen").click()

    async def camera_is_back():
        return (await ada.evaluate(SCREEN_LAYERS))["camera"] == before

    await eventually(camera_is_back, "the camera has its bitrates back")


# The energy of the sound that has arrived within a second.
HEARD = """async () => {
    const energy = async () => {
        const reports = await Promise.all(window.connections.map((connection) => connection.getStats()));
        return reports.flatMap((report) => [...report.values()])
            .filter((each) => each.type === 'inbound-rtp' && each.kind === 'audio')
            .reduce((sum, each) => sum + each.totalAudioEnergy, 0);
    };
    const before = await energy();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return await energy() - before;
}"""


async def test_a_microphone_that_is_turned_off_is_silent_for_others_until_it_is_back(server, chromium):
    ada = await person(chromium, server, "Ada")
    ben = await person(chromium, server, "Ben", init=NOTE_CONNECTIONS)
    tile = ben.locator("[data-testid=tile]", has_text="Ada")

    async def hears(muted):
        async def is_so():
            loud = await ben.evaluate(HEARD) > 1e-6
            return loud is not muted and await tile.get_attribute("data-muted") == str(muted).lower()

        await eventually(is_so, f"Ada is muted for Ben: {muted}")

    # Chromium's fake microphone beeps
    await hears(muted=False)
    button = ada.get_by_test_id("toggle-mic")
    await button.press("Enter")  # by the keyboard
    await hears(muted=True)
    assert await button.get_attribute("data-state") == "off"
    assert await button.get_attribute("aria-label") == "Turn microphone on"
    await button.press("Enter")
    await hears(muted=False)
