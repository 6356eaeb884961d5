"""What a tutor shows in a teaching session, in real browsers: slides, files, the whiteboard."""

import pytest

from tests.e2e.conftest import eventually
from tests.e2e.test_session_page import come_in, open_panel, state, teach, visitor
from tests.signaling.pdfs import pdf

pytestmark = pytest.mark.timeout(120)


async def page_of(page):
    """The page of the slides whose image is there, and how wide the image is on the screen."""
    image = page.get_by_test_id("slides-image")
    await image.wait_for()
    box = await image.bounding_box()
    loaded = await image.evaluate("(image) => image.complete && image.naturalWidth > 0")
    return int(await image.get_attribute("data-page")) if loaded and box["width"] > 300 else 0


async def sees(page, number):
    async def check():
        return await page_of(page) == number

    await eventually(check, f"page {number} of the slides is on the screen")


async def show_slides(tia, sam):
    """A PDF becomes the scene; the tutor turns for all, the student leafs alone and comes back."""
    await open_panel(tia, "scenes")
    file = {"name": "Lenses.pdf", "mimeType": "application/pdf", "buffer": pdf(["Focus", "Rays", "Image"])}
    await tia.get_by_test_id("slides-add-input").set_input_files(file)
    await sees(sam, 1)
    assert "Focus" in await sam.get_by_test_id("slides").inner_text()
    await tia.get_by_test_id("slides-next").click()
    await sees(sam, 2)
    # A presenter's remote control, and two presses in a row.
    await tia.keyboard.press("PageDown")
    await tia.keyboard.press("PageUp")
    await tia.keyboard.press("PageDown")
    await sees(sam, 3)
    await sam.keyboard.press("ArrowLeft")
    await sees(sam, 2)
    await state(sam, "slides", "data-apart", "true")
    assert await page_of(tia) == 3
    await sam.get_by_test_id("slides-back").click()
    await sees(sam, 3)
    assert await sam.get_by_test_id("toggle-scenes").count() == 0


async def exchange_files(tia, sam):
    """Both add files; each downloads; what is for tutors stays with them; what cannot be taken is said."""
    await open_panel(tia, "files")
    await open_panel(sam, "files")
    await sam.get_by_test_id("file-add-input").set_input_files(
        {"name": "answer.txt", "mimeType": "text/plain", "buffer": b"x = 2"}
    )
    file = tia.locator('[data-testid=file][data-name="answer.txt"]')
    async with tia.expect_download() as download:
        await file.get_by_test_id("file-load").click()
    assert (await (await download.value).path()).read_bytes() == b"x = 2"
    # The PDF of the slides was for tutors alone.
    assert await sam.get_by_test_id("file").count() == 1
    assert await tia.get_by_test_id("file").count() == 2
    refused = {"name": "page.html", "mimeType": "text/html", "buffer": b"<script>"}
    await sam.get_by_test_id("file-add-input").set_input_files(refused)
    await sam.get_by_test_id("upload-problem").get_by_text("page.html").wait_for()
    disguised = {"name": "page.pdf", "mimeType": "application/pdf", "buffer": b"<script>alert(1)</script>"}
    await sam.get_by_test_id("file-add-input").set_input_files(disguised)
    await sam.get_by_test_id("upload-problem").get_by_text("ending of its name").wait_for()
    await file.get_by_test_id("file-remove").click()
    await tia.get_by_test_id("file-remove-confirm").click()
    await sam.get_by_test_id("file").wait_for(state="detached")


async def test_what_a_tutor_shows_and_shares(server, chromium):
    tia, sam = await visitor(chromium), await visitor(chromium, 1100)
    code = await teach(tia, server, "Algebra <b>8b</b>")
    await come_in(tia, sam, server, code)
    for step in (show_slides, exchange_files):
        await step(tia, sam)
