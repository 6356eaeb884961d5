"""A lesson on the built-in page, unchanged on both sides, whose student sits behind a weak link."""

import asyncio
import base64
import stat
import sys
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Page, async_playwright

from bench.load.plan import Plan
from bench.mesh.people import People
from tests.e2e.conftest import CHROMIUM, NETWORK_SECRET, Server, eventually, network_options, serving
from tests.e2e.netsim import Namespace, Way, namespace
from tests.e2e.weak_links import slides
from tests.e2e.weak_links.legs import Leg
from tests.e2e.weak_links.media import write_camera, write_speech
from tests.e2e.weak_links.reading import grey

if TYPE_CHECKING:
    import numpy as np

_WATCH = Path(__file__).with_name("watch.js")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
)
_LINK_SAMPLE_S = 0.05
ROOM = "weak"


@dataclass
class Shown:
    """A slide, and when it came up at the tutor."""

    number: int
    at: float
    "Seconds since the epoch, as all times here."


@dataclass
class Record:
    """What was seen of one leg."""

    leg: Leg
    began_at: float
    ended_at: float = 0.0
    shown: list[Shown] = field(default_factory=list)
    samples: list[dict] = field(default_factory=list)
    "Each 100 ms, as watch.js has them."
    pictures: list[dict] = field(default_factory=list)
    "Of the student's screen video: at, width, jpeg."
    second: "Record | None" = None
    "The same of the other student behind the link."
    link: list[tuple[float, float, int, int]] = field(default_factory=list)
    "(time, queue in s, dropped so far, bytes so far), towards the student."
    sent: tuple[list[dict], list[dict]] = ((), ())
    "What the tutor had sent, by layer, when the leg began and when it ended."
    notices: dict[str, list[str]] = field(default_factory=dict)
    "What the page told tutor and student at the end of the leg."
    idle: float = 0.0
    "Share of the machine's CPU time."


class Lesson:
    """A tutor, a student and the link between them."""

    def __init__(
        self,
        tutor: Page,
        slide_page: Page,
        student: Page,
        network: Namespace,
        far: Namespace,
        second: Page | None = None,
    ) -> None:
        self.tutor, self.slide_page, self.student, self.second = tutor, slide_page, student, second
        self.network, self.tutor_network = network, far
        self.originals: dict[int, np.ndarray] = {}
        "The prose of each slide shown, grey, by its number."
        self._next = 0
        self._changed_at = float("-inf")

    async def show_next(self) -> Shown:
        """Turn the page."""
        slide = slides.Slide(self._next)
        self._next += 1
        await self.slide_page.evaluate("(slide) => show(slide)", slide.arguments())
        self._changed_at = time.time()
        return Shown(slide.number, self._changed_at)

    async def go_through(self, leg: Leg) -> Record:
        """Let a leg begin and take down what comes of it."""
        record = Record(leg, time.time())
        sent = await self.tutor.evaluate("() => weakLinks.sent()")
        cpu = _cpu()
        limited = self.tutor_network if leg.tutor else self.network
        for network in (self.network, self.tutor_network):
            for way in (network.down, network.up):
                _set(way, leg if network is limited else Leg("free"))
        if leg.dead_s:
            limited.down.loss = limited.up.loss = 1.0
        if leg.moves:
            self.network.move()
        watching = asyncio.create_task(self._watch_link(record))
        try:
            while (now := time.time()) < record.began_at + leg.seconds:
                if leg.dead_s and limited.down.loss == 1.0 and now >= record.began_at + leg.dead_s:
                    limited.down.loss, limited.up.loss = leg.loss, leg.loss
                if now >= self._changed_at + leg.slide_s:
                    record.shown.append(await self.show_next())
                await asyncio.sleep(0.2)  # what is waited for happens outside this process
        finally:
            watching.cancel()
        record.ended_at = time.time()
        record.idle = _idle(cpu, _cpu())
        record.sent = sent, await self.tutor.evaluate("() => weakLinks.sent()")
        await self._take(record, self.student)
        if self.second is not None:
            name = f"{leg.name}, second"
            record.second = replace(record, leg=replace(leg, name=name), notices={})
            await self._take(record.second, self.second)
        return record

    async def _take(self, record: Record, student: Page) -> None:
        for name, page in (("tutor", self.tutor), ("student", student)):
            record.notices[name] = await page.evaluate("() => weakLinks.notices()")
        taken = await student.evaluate("() => weakLinks.take()")
        record.samples, record.pictures = taken["samples"], taken["pictures"]
        for picture in record.pictures:
            picture["jpeg"] = base64.b64decode(picture["jpeg"])

    async def _watch_link(self, record: Record) -> None:
        down = self.network.down
        while True:
            record.link.append((time.time(), down.waiting_s(), down.dropped, down.passed_bytes))
            await asyncio.sleep(_LINK_SAMPLE_S)

    async def photograph_originals(self, count: int) -> None:
        """Keep what the slides look like, the last one on the screen being number 0 again."""
        left, top, width, height = slides.PROSE
        clip = {"x": left, "y": top, "width": width, "height": height}
        for number in range(count):
            await self.slide_page.evaluate("(slide) => show(slide)", slides.Slide(number).arguments())
            self.originals[number] = grey(await self.slide_page.screenshot(clip=clip))


def _set(way: Way, leg: Leg) -> None:
    for name in ("rate_bps", "loss", "burst", "delay_s", "jitter_s", "queue_s"):
        setattr(way, name, getattr(leg, name))


def _cpu() -> tuple[float, float]:
    """(idle, total) time of all cores so far, in ticks."""
    ticks = [float(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _idle(before: tuple[float, float], after: tuple[float, float]) -> float:
    return (after[0] - before[0]) / max(after[1] - before[1], 1.0)


def _wrapper(folder: Path, network: Namespace) -> Path:
    """A program that starts Chromium inside a namespace."""
    folder.mkdir()
    wrapper = folder / "chromium"
    wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {network.name} {CHROMIUM} "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return wrapper


@asynccontextmanager
async def browser(playwright, folder: Path, network: Namespace, origin: str, *more: str):
    """Chromium inside a namespace, as a context with a profile of its own: only there other tabs can be captured."""
    context = await playwright.chromium.launch_persistent_context(
        folder / "profile",
        executable_path=str(_wrapper(folder, network)),
        args=[*_FLAGS, f"--unsafely-treat-insecure-origin-as-secure={origin}", *more],
        viewport={"width": slides.WIDTH, "height": slides.HEIGHT},
        permissions=["camera", "microphone"],
    )
    try:
        yield context
    finally:
        await context.close()


async def join(
    context, origin: str, name: str, area: tuple[int, ...] | None = None, devices: bool = True
) -> Page:
    """Go through the lobby into the lesson."""
    page = await context.new_page()
    await page.add_init_script(path=_WATCH)
    await page.goto(f"{origin}/join/{ROOM}")
    await page.get_by_test_id("lobby-name").fill(name)
    if not devices:
        for kind in ("camera", "mic"):
            switch = page.get_by_test_id(f"lobby-{kind}")
            if await switch.count():
                await switch.click()
    await page.get_by_test_id("lobby-join").click()
    await page.get_by_test_id("lesson").wait_for()
    await page.evaluate("(area) => weakLinks.begin(area)", area)
    return page


@asynccontextmanager
async def _crowd(host: str, count: int):
    """So many listeners on good links, in the lesson until the end of the block."""
    people = People(Plan(host, secret=NETWORK_SECRET))
    for number in range(count):
        await people.join(ROOM, f"listener-{number}", ())
    generator = people.hand_over()
    ends = threading.Event()

    def listen() -> None:
        while not ends.is_set():
            generator.run(1.0)

    listening = asyncio.create_task(asyncio.to_thread(listen))
    try:
        yield
        totals = generator.totals()
        sys.stderr.write(f"listeners received {totals.received} packets, {totals.missing} are missing\n")
    finally:
        ends.set()
        await listening
        await people.leave()
        generator.close()


@asynccontextmanager
async def lesson(folder: Path, slide_count: int = 60, second: bool = False, crowd: int = 0):
    """A lesson that has begun: the tutor speaks, is seen, and shares the tab with the slides.

    With `second`, another student sits behind the student's link; `crowd` others listen on good links.
    """
    write_speech(folder / "speech.wav")
    write_camera(folder / "camera.y4m")
    (folder / "slides.html").write_text(slides.PAGE)
    async with AsyncExitStack() as stack:
        network, far = stack.enter_context(namespace()), stack.enter_context(namespace())
        far.answer_from(network.gateway)  # the one address that the server tells everybody
        options = network_options(folder, network.gateway)
        server: Server = await stack.enter_async_context(serving(*options, "--workers", "1"))
        playwright = await stack.enter_async_context(async_playwright())
        origin = f"http://{network.gateway}:{server.http_port}"
        tutor_context = await stack.enter_async_context(
            browser(
                playwright,
                folder / "tutor",
                far,
                origin,
                f"--auto-select-tab-capture-source-by-title={slides.TITLE}",
                f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}",
                f"--use-file-for-fake-audio-capture={folder / 'speech.wav'}",
            )
        )
        slide_page = await tutor_context.new_page()
        await slide_page.goto((folder / "slides.html").as_uri())
        tutor = await join(tutor_context, origin, "Tutor")
        student_context = await stack.enter_async_context(
            browser(playwright, folder / "student", network, origin)
        )
        student = await join(student_context, origin, "Student", slides.PROSE, devices=False)
        other = None
        if second:
            context = await stack.enter_async_context(browser(playwright, folder / "second", network, origin))
            other = await join(context, origin, "Second", slides.PROSE, devices=False)
        if crowd:
            await stack.enter_async_context(_crowd(f"ws://{network.gateway}:{server.http_port}", crowd))
        held = Lesson(tutor, slide_page, student, network, far, other)
        await held.photograph_originals(slide_count)
        await tutor.get_by_test_id("toggle-screen").click()
        await eventually(
            lambda: student.evaluate(
                "() => (document.querySelector('[data-source=screen_share] video')?.videoWidth ?? 0) > 600"
            ),
            "the student sees the screen",
        )
        yield held
