"""Firefox: beside Chromium in a room, and the main flow of a teaching session in Firefox alone."""

import pytest

from tests.e2e.conftest import eventually, person
from tests.e2e.firefox import FILL, needs_firefox, running_firefox
from tests.e2e.test_javascript import CAMERA, open_page
from tests.e2e.test_page import HEARD, NOTE_CONNECTIONS, frames_grow, remote_video
from tests.signaling.pdfs import pdf

pytestmark = [pytest.mark.timeout(180), needs_firefox]

# The least energy of a second in which somebody is heard.
HEARD_ENERGY = 1e-6
OPTIONS = "'[data-testid=poll-option]'"


async def join(firefox, server, init=""):
    """Somebody who has joined a room without a session in Firefox."""
    page = await firefox.open(f"{server.page}/join/maths", init)
    await page.fill("lobby-name", "Fay")
    await page.click("lobby-join")
    await page.there("lesson")
    return page


async def test_firefox_and_chromium_see_each_other(server, chromium):
    async with running_firefox() as firefox:
        fay = await join(firefox, server)
        ben = await person(chromium, server, "Ben")
        await frames_grow(fay, "camera")
        await frames_grow(ben, "camera")

        await ben.get_by_test_id("toggle-screen").click()
        await frames_grow(fay, "screen_share")

        await fay.click("toggle-camera")

        async def camera_is_off():
            return await remote_video(ben, "camera") is None

        await eventually(camera_is_off, "Fay's camera is off for Ben")
        await fay.click("toggle-camera")
        await frames_grow(ben, "camera")


async def test_chromium_gets_the_plain_audio_of_firefox_with_redundancy(server, chromium):
    async with running_firefox() as firefox:
        ben = await open_page(chromium, server, identity="ben")
        await join(firefox, server)
        found = await eventually(lambda: ben.do("() => [...room.remoteParticipants.keys()]"), "Fay is there")
        await ben.keeps_growing(found[0], "microphone", "packets")
        # what came before already is thrown away, two blocks with each packet
        packets, discarded = [await ben.received(found[0], "microphone", f) for f in ("packets", "discarded")]
        await ben.keeps_growing(found[0], "microphone", "packets", by=100)
        more = await ben.received(found[0], "microphone", "packets") - packets
        assert await ben.received(found[0], "microphone", "discarded") - discarded > 1.5 * more
        await ben.keeps_growing(found[0], "microphone", "energy", 0.000_01)


async def meet(firefox, server):
    """Tia starts a session, Sam joins by its code and is let in, and both see and hear each other."""
    tia = await firefox.open(f"{server.page}/sessions", NOTE_CONNECTIONS)
    await tia.fill("sign-name", "Tia")
    await tia.click("sign-tutor")
    await tia.click("sign-submit")
    await tia.fill("new-title", "Algebra")
    await tia.click("new-start")
    await tia.click("door-join")
    await tia.there("session-code")
    code = await tia.evaluate("() => document.querySelector('[data-testid=session-code]').dataset.code")
    sam = await firefox.open(f"{server.page}/sessions/code/{code}", NOTE_CONNECTIONS)
    await sam.fill("door-name", "Sam")
    await sam.click("door-join")
    await tia.click("admit")
    await sam.there("session-room")
    for page in (tia, sam):
        await frames_grow(page, "camera")

        async def hears(page=page):
            return await page.evaluate(HEARD) > HEARD_ENERGY

        await eventually(hears, "the other person is heard")
    return tia, sam


async def converse(tia, sam):
    """A hand, chat in both directions, and a poll."""
    await sam.click("toggle-hand")
    await tia.click("lower-hand")
    await sam.there("toggle-hand", state="off")
    for writer, reader, text in ((sam, tia, "What is a/0?"), (tia, sam, "Nothing <b>at all</b>")):
        await writer.click("toggle-chat")
        await writer.fill("chat-input", text)
        await writer.click("chat-send")
        await reader.says("toasts" if writer is sam else "chat-line", text)
    await tia.click("toggle-polls")
    await tia.click("poll-new")
    await tia.fill("poll-question", "1/2 + 1/3?")
    for at, option in enumerate(("5/6", "2/5")):
        await tia.evaluate(f"(text) => ({FILL})(document.querySelectorAll({OPTIONS})[{at}], text)", option)
    await tia.click("poll-ask")
    await sam.click("toggle-polls")
    await sam.click("poll-choice")
    await sam.click("poll-answer")
    await tia.there("poll-results", answers="1")


async def show_slides(tia, sam):
    """Slides become the scene, and a page that Tia turns is turned for Sam."""
    await tia.click("toggle-scenes")
    await tia.set_file("slides-add-input", "Lenses.pdf", "application/pdf", pdf(["Focus", "Rays"]))
    await sam.there("slides-image", page="1")
    await tia.click("slides-next")
    await sam.there("slides-image", page="2")
    shown = "() => document.querySelector('[data-testid=slides-image]').naturalWidth > 0"
    await eventually(lambda: sam.evaluate(shown), "the image of the page is there")


async def test_a_lesson_in_firefox_from_its_start_to_its_end(server):
    async with running_firefox() as firefox:
        tia, sam = await meet(firefox, server)
        await converse(tia, sam)
        await show_slides(tia, sam)
        await sam.click("leave")
        await sam.there("ended")
        await tia.says("toasts", "Sam left")
        await tia.click("session-end")
        await tia.click("end-confirm")
        await tia.there("report")
        await tia.there("attendance", person="Sam")


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
        fay = await join(firefox, server)
        await frames_grow(fay, "camera")
