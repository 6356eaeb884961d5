"""How the pages look, compared with pictures in `views/`: window sizes, light and dark, rooms with few and many people.

A picture is small and without text, because fonts differ between machines; it shows where things are and how bright
they are. `LECTERN_WRITE_VIEWS=1` writes the pictures anew after an intended change; look at the difference before you
commit it. `LECTERN_SCREENSHOTS=FOLDER` writes the screenshots themselves, with their texts, as well.
"""

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.e2e.test_session_page import sign_in

pytestmark = pytest.mark.timeout(240)

VIEWS = Path(__file__).parent / "views"
KINDS = {"room": "", "tutor": "&session=tutor", "student": "&session=student"}
# The other pages: address, and what is there when they are ready.
PAGES = {
    "home": ("/", "sign-submit"),
    # Without permission for camera and microphone, which it has asked for by then.
    "lobby": ("/join/maths", "lobby-error"),
    "door": ("/sessions/code/K7M4PQ", "door-problem"),
    "report": ("/dev/components?report", "report-csv"),
    "slides": ("/dev/components?people=4&session=student&scene=slides", "leave"),
    "admin": ("/sessions/admin", "admin-room"),
    "refusal": ("/no/such/page", "refusal"),
    "password": ("/sessions/password", "password-submit"),
    "components": ("/dev/components", "gallery"),
    "whiteboard": ("/dev/components?people=4&session=tutor&scene=whiteboard", "board"),
    **{
        f"{who}-{panel}": (f"/dev/components?people=4{kind}&panel={panel}", f"{panel}-panel")
        for who, kind, panels in (
            ("room", "", ("people", "chat", "network")),
            (
                "tutor",
                "&session=tutor",
                (
                    "students",
                    "help",
                    "questions",
                    "polls",
                    "exercises",
                    "breakouts",
                    "wall",
                    "scenes",
                    "files",
                    "chat",
                ),
            ),
            (
                "student",
                "&session=student",
                ("help", "questions", "polls", "exercises", "reactions", "files", "chat"),
            ),
        )
        for panel in panels
    },
}
PEOPLE = (0, 1, 4, 12, 30)
# In pixels: a phone in both orientations, a laptop, two large screens.
SIZES = ((360, 740), (740, 360), (1280, 800), (2560, 1440), (3840, 2160))
SCHEMES = ("light", "dark")
SERVER = {
    "at": 1_764_350_000,
    "rooms": [
        {"sid": f"RM_{name}", "name": name, "created_at": 1_764_349_000, "count": 12, "people": []}
        for name in ("maths", "physics", "French")
    ],
    "room_count": 3,
    "person_count": 36,
    "workers": [{"peers": 18, "forwarded": 100, "retransmitted": 0, "dropped": 0}] * 2,
    "event_log_waiting": 0,
    "webhooks_waiting": 0,
    "keys": [],
}
WIDTH = 128
# Levels of 255 that antialiasing and the width of a word change, and the share of pixels that may change more.
SAME_LEVELS = 24
MAX_CHANGED = 0.02

# Constructed style sheets are exempt from the page's content security policy. The colour of icons stays.
WITHOUT_TEXT = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { -webkit-text-fill-color: transparent !important; caret-color: transparent !important;
        text-decoration-color: transparent !important; transition: none !important; animation: none !important }`);
    document.adoptedStyleSheets.push(sheet);
}"""


# Where to put the screenshots themselves, to look at them.
SHOTS = os.environ.get("LECTERN_SCREENSHOTS")


def keep(shot, name):
    """Write a screenshot for the eye."""
    Path(SHOTS, f"{name.replace('/', '_')}.png").write_bytes(shot)


async def pictures(browser, address, ready, prepare=None):
    """Small pictures of a page, by size and scheme; `prepare` brings a new tab to where it may see the page."""
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    if prepare is not None:
        await prepare(page)
    await page.goto(address)
    await page.get_by_test_id(ready).first.wait_for()
    if SHOTS:
        async for shot, width, _, scheme in screenshots(page):
            keep(shot, f"{address.partition('//')[2].partition('/')[2]}-{width}-{scheme}")
    await page.evaluate(WITHOUT_TEXT)
    found = []
    async for shot, width, height, _ in screenshots(page):
        picture = Image.open(io.BytesIO(shot)).convert("L")
        found.append(picture.resize((WIDTH, WIDTH * height // width), Image.Resampling.BOX))
    await context.close()
    return found


async def screenshots(page):
    """The page in all sizes and schemes: the screenshot, width, height, scheme."""
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            # The layout follows a `ResizeObserver`, which runs before the second frame.
            await page.evaluate(
                "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            # PNG takes a second for the largest.
            shape = {} if SHOTS else {"type": "jpeg", "quality": 95}
            yield await page.screenshot(**shape), width, height, scheme


def sheet_of(found):
    """All pictures beside each other."""
    sheet = Image.new("L", (WIDTH * len(found), max(picture.height for picture in found)))
    for index, picture in enumerate(found):
        sheet.paste(picture, (index * WIDTH, 0))
    return sheet


def changed_share(picture, expected):
    """The share of pixels that differ visibly."""
    histogram = ImageChops.difference(picture, expected).histogram()
    return sum(histogram[SAME_LEVELS + 1 :]) / (picture.width * picture.height)


def test_a_missing_panel_is_a_change_and_a_wider_word_is_none():
    picture = Image.new("L", (WIDTH, 80), 240)
    picture.paste(40, (32, 0, WIDTH, 70))
    word, panel = picture.copy(), picture.copy()
    word.paste(120, (4, 4, 20, 7))
    panel.paste(40, (0, 0, 32, 70))
    assert 0 < changed_share(word, picture) < MAX_CHANGED < changed_share(panel, picture)


def compare(name, found):
    """Compare pictures with the stored sheet of this name, or write it."""
    path = VIEWS / f"{name}.png"
    if os.environ.get("LECTERN_WRITE_VIEWS"):
        VIEWS.mkdir(exist_ok=True)
        sheet_of(found).save(path, optimize=True)
    expected = Image.open(path)
    names = [f"{width} px {scheme}" for width, _ in SIZES for scheme in SCHEMES]
    changed = {}
    for index, (view, picture) in enumerate(zip(names, found, strict=True)):
        left = index * WIDTH
        before = expected.crop((left, 0, left + WIDTH, picture.height))
        if (share := changed_share(picture, before)) > MAX_CHANGED:
            changed[view] = f"{share:.1%}"
    assert changed == {}


@pytest.mark.parametrize(
    ("kind", "people"),
    [
        pytest.param(kind, people, marks=() if people == 4 else pytest.mark.long)
        for kind in KINDS
        for people in PEOPLE
    ],
)
async def test_a_view_looks_as_before(server, chromium, kind, people):
    address = f"{server.page}/dev/components?people={people}{KINDS[kind]}"
    compare(f"{kind}-{people}", await pictures(chromium, address, "leave"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("home", "lobby") else pytest.mark.long) for name in PAGES],
)
async def test_a_page_looks_as_before(server, chromium, name):
    path, ready = PAGES[name]

    async def administrator(page):
        """An administrator of a server whose figures are always the same; machines differ in their workers."""
        await sign_in(page, server, "Ann", "admin")
        await page.get_by_test_id("calendar-view").wait_for()
        await page.route("**/api/v1/server", lambda route: route.fulfill(json=SERVER))

    prepare = administrator if name == "admin" else None
    compare(name, await pictures(chromium, f"{server.page}{path}", ready, prepare))
