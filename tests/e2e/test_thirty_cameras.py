"""A tutor's page with a full class: long tasks with thirty cameras and a screen, memory while people come and go.

Nothing of the page is stubbed: it decodes what it shows. The cameras are one canvas of 160 by 90 pixels at 5 frames a
second, which is about the lowest layer of a camera, so that their thirty encoders fit beside the browser under test.
"""

import asyncio
from functools import partial

import aiohttp
import pytest

from tests.e2e.conftest import eventually
from tests.e2e.heap import held
from tests.e2e.test_javascript import SDK, _serve
from tests.e2e.test_session_page import open_panel, visitor
from tests.signaling.school_client import School

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

STUDENTS = 30
PER_PAGE = 9
# W3C Long Tasks reports what takes the main thread longer than 50 ms. That includes the time that the system gives to
# other processes, so one of the windows counts.
MAX_LONG_TASK_MS = 200
STEADY_S = 20
WINDOWS = 3
# As many as leave and come back in an hour of a lively class: 48.
CYCLES = 16
WARM_UP_CYCLES = 4
# Per cycle; LiveKit's client notes the id of each participant who was ever there (about 200 bytes).
MAX_GROWTH_BYTES = 1000
# The browser's objects that people who have left could leave behind.
CLASSES = frozenset(
    {
        *("RTCPeerConnection", "RTCRtpTransceiver", "RTCRtpReceiver", "RTCRtpSender", "RTCDataChannel"),
        *("MediaStream", "MediaStreamTrack", "HTMLVideoElement", "HTMLAudioElement", "AudioContext"),
        *("ResizeObserver", "IntersectionObserver", "EventListener", "Detached"),
    }
)

# Thirty people in one page.
CROWD = """
import * as LiveKit from "/livekit-client.esm.mjs";
const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
const drawing = canvas.getContext("2d");
let count = 0;
setInterval(() => {
    drawing.fillStyle = `hsl(${(count += 7) % 360} 60% 50%)`;
    drawing.fillRect(0, 0, 160, 90);
}, 200);
const picture = canvas.captureStream(5).getVideoTracks()[0];
const rooms = new Map();
window.enter = async (name, url, token) => {
    const room = new LiveKit.Room();
    await room.connect(url, token, { autoSubscribe: false });
    rooms.set(name, room);
    const source = LiveKit.Track.Source.Camera;
    await room.localParticipant.publishTrack(picture.clone(), { source, simulcast: false });
};
window.share = async (name) => {
    const screen = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const drawing = screen.getContext("2d");
    setInterval(() => {
        drawing.fillStyle = `hsl(${(count += 7) % 360} 60% 50%)`;
        drawing.fillRect(0, 0, 640, 360);
    }, 200);
    const track = screen.captureStream(5).getVideoTracks()[0];
    const source = LiveKit.Track.Source.ScreenShare;
    await rooms.get(name).localParticipant.publishTrack(track, { source, simulcast: false });
};
window.leave = async (name) => {
    await rooms.get(name).disconnect();
    rooms.delete(name);
};
window.mute = (name, off) => {
    const camera = rooms.get(name).localParticipant.getTrackPublication(LiveKit.Track.Source.Camera);
    return off ? camera.mute() : camera.unmute();
};
window.ready = true;
"""

OBSERVE = """
    window.longTasks = [];
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) window.longTasks.push([startTime, duration]);
    }).observe({ type: "longtask", buffered: true });
"""

# No message has been shown for a while, in which the last moves would have been told; messages last four seconds.
QUIET = """() => {
    const now = performance.now();
    if (window.quietSince === undefined || document.querySelector("[data-testid=toast]")) window.quietSince = now;
    return now - window.quietSince > 3000;
}"""

# The videos that receive anything within two seconds.
FLOWING = """async () => {
    const packets = async () => {
        const reports = await Promise.all(window.connections.map((each) => each.getStats()));
        return new Map(reports.flatMap((report) => [...report.values()])
            .filter((each) => each.type === "inbound-rtp" && each.kind === "video")
            .map((each) => [each.id, each.packetsReceived]));
    };
    const before = await packets();
    await new Promise((done) => setTimeout(done, 2000));
    return [...await packets()].filter(([id, count]) => count > (before.get(id) ?? 0)).length;
}"""
NOTE_CONNECTIONS = """
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) { super(...options); window.connections.push(this); }
    };
"""


class Class:
    """A tutor at the page, and students who are all in another page."""

    def __init__(self, school, session, tutor, crowd):
        self.school = school
        self.session = session
        self.tutor = tutor
        self.crowd = crowd
        self.tiles = tutor.get_by_test_id("tile")

    async def enter(self, name):
        joined = await self.school.person(name).post(f"/sessions/{self.session}/join")
        credentials = [name, joined["credentials"]["ws_url"], joined["token"]]
        await self.crowd.evaluate("(given) => enter(...given)", credentials)

    async def leave(self, name):
        await self.crowd.evaluate("(name) => leave(name)", name)

    async def turn_page(self, direction):
        await self.tutor.get_by_test_id(f"pager-{direction}").click()


async def gathered(http, server, chromium, count, init=""):
    """A class of so many students."""
    school = School(http, server.page, tenant="thirty")
    session = await school.lesson()
    joined = await school.application.post(
        f"/sessions/{session}/join", {"person": "tutor", "name": "Tia", "role": "owner"}
    )
    tutor = await visitor(chromium)
    await tutor.add_init_script(NOTE_CONNECTIONS + init)
    await tutor.goto(joined["join_url"])
    await tutor.get_by_test_id("door-join").click()
    await tutor.get_by_test_id("session-room").wait_for()
    crowd = await (await chromium.new_context(bypass_csp=True)).new_page()
    await crowd.route(f"**/{SDK.name}", partial(_serve, SDK))
    await crowd.goto(f"{server.page}/healthz")
    await crowd.add_script_tag(content=CROWD, type="module")
    await crowd.wait_for_function("() => window.ready")
    lesson = Class(school, session, tutor, crowd)
    for number in range(count):
        await lesson.enter(f"s{number}")
    return lesson


async def long_tasks_ms(page):
    """The longest task in a window without other processes' work: at most that of the best window."""
    found = []
    for _ in range(WINDOWS):
        since = await page.evaluate("performance.now()")
        await asyncio.sleep(STEADY_S)  # the time under test
        durations = [duration for start, duration in await page.evaluate("longTasks") if start >= since]
        found.append(max(durations, default=0))
        if found[-1] < MAX_LONG_TASK_MS:
            break
    return found


async def test_thirty_cameras_and_a_screen_leave_the_main_thread_free(server, chromium):
    async with aiohttp.ClientSession() as http:
        lesson = await gathered(http, server, chromium, STUDENTS, OBSERVE)
        tutor = lesson.tutor
        await tutor.get_by_test_id("pager").get_by_text(f"1 to {PER_PAGE} of {STUDENTS + 1}").wait_for()

        async def one_page_flows():
            return await tutor.evaluate(FLOWING) == PER_PAGE

        await eventually(one_page_flows, "the cameras of the page flow, and no others")
        grid = await long_tasks_ms(tutor)
        await lesson.turn_page("next")
        await eventually(one_page_flows, "the cameras of the next page flow, and no others")
        await lesson.crowd.evaluate("(name) => share(name)", "s0")
        await open_panel(tutor, "wall")
        await tutor.get_by_test_id("wall-watch").click()
        await tutor.locator(".stage > [data-source=screen_share] video").wait_for()
        watched = await long_tasks_ms(tutor)
        assert min(grid) < MAX_LONG_TASK_MS
        assert min(watched) < MAX_LONG_TASK_MS


async def test_a_page_holds_no_more_after_people_have_come_and_gone_for_long(server, chromium):
    async with aiohttp.ClientSession() as http:
        lesson = await gathered(http, server, chromium, PER_PAGE + 3)
        devtools = await lesson.tutor.context.new_cdp_session(lesson.tutor)
        found = {}
        for count in range(1, CYCLES + 1):
            await come_and_go(lesson)
            if count in {WARM_UP_CYCLES, CYCLES}:
                await lesson.tutor.evaluate("delete window.quietSince")
                await lesson.tutor.wait_for_function(QUIET, polling=200)
                found[count] = await held(devtools)
        before, after = found[WARM_UP_CYCLES], found[CYCLES]
        grown = (after.script_bytes - before.script_bytes) / (CYCLES - WARM_UP_CYCLES)
        more = after.objects - before.objects
        assert grown < MAX_GROWTH_BYTES, (grown, more.most_common(9))
        assert {name: count for name, count in more.items() if name in CLASSES} == {}


async def come_and_go(lesson):
    """Three students leave and come back, three cameras go off and on, and the tutor turns the page and back."""
    for number in range(3):
        await lesson.leave(f"s{number}")
        await lesson.crowd.evaluate("([name, off]) => mute(name, off)", [f"s{number + 3}", True])
    await lesson.turn_page("next")
    for number in range(3):
        await lesson.enter(f"s{number}")
        await lesson.crowd.evaluate("([name, off]) => mute(name, off)", [f"s{number + 3}", False])
    await lesson.turn_page("previous")
    await lesson.tutor.get_by_test_id("pager").get_by_text(f"1 to {PER_PAGE} of {PER_PAGE + 4}").wait_for()
