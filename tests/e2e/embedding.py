"""A site that embeds a room by Daily's unchanged browser SDK, and people who open it."""

from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Frame, Page

from tests.e2e.conftest import eventually

PACKAGES = Path(__file__).with_name("daily") / "node_modules"
VERSIONS = ("0.60", "0.67", "0.73", "0.87", "0.92")
NEWEST = VERSIONS[-1]

# Every event that the page in the frame may cause, as the SDK names them.
EVENTS = [
    "loading",
    "loaded",
    "joining-meeting",
    "joined-meeting",
    "left-meeting",
    "participant-joined",
    "participant-updated",
    "participant-left",
    "participant-counts-updated",
    "active-speaker-change",
    "active-speaker-mode-change",
    "app-message",
    "error",
    "camera-error",
    "nonfatal-error",
    "started-camera",
    "access-state-updated",
    "meeting-session-summary-updated",
    "meeting-session-state-updated",
    "network-quality-change",
    "network-connection",
    "local-screen-share-started",
    "local-screen-share-stopped",
    "local-screen-share-canceled",
    "fullscreen",
    "exited-fullscreen",
    "lang-updated",
    "theme-updated",
    "sidebar-view-changed",
    "custom-button-click",
    "show-local-video-changed",
    "send-settings-updated",
    "recording-started",
    "recording-stopped",
    "recording-error",
    "transcription-started",
    "transcription-message",
    "transcription-stopped",
    "transcription-error",
    "live-streaming-error",
    "available-devices-updated",
    "selected-devices-updated",
    "local-audio-level",
    "remote-participants-audio-level",
    "call-instance-destroyed",
]

_PAGE = """<!doctype html><title>A school</title>
<style>body {{ margin: 0 }} #frame {{ width: 100vw; height: 100vh }}</style>
<div id="frame"></div><script src="/{version}/daily.js"></script><script>
const events = [];
function create(properties) {{
    window.call = (window.Daily ?? window.DailyIframe).createFrame(document.getElementById('frame'), properties);
    for (const name of {events}) call.on(name, (event) => events.push({{...event, at: performance.now()}}));
}}
</script>"""


@asynccontextmanager
async def school():
    """The embedding site, on a port and so an origin of its own; gives its address."""

    async def page(request):
        text = _PAGE.format(version=request.match_info["version"], events=EVENTS)
        return web.Response(text=text, content_type="text/html")

    async def script(request):
        return web.FileResponse(PACKAGES / f"daily-js-{request.match_info['version']}" / "dist" / "daily.js")

    app = web.Application()
    app.router.add_get("/{version}/", page)
    app.router.add_get("/{version}/daily.js", script)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Visitor:
    """Somebody at the embedding site."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    @property
    def frame(self) -> Frame:
        """The room's page."""
        return next(frame for frame in self.page.frames if frame != self.page.main_frame)

    async def call(self, expression: str, *arguments: object) -> object:
        """Evaluate in the embedding page; `call` is the SDK's object, `args` the arguments."""
        return await self.page.evaluate(f"(args) => {expression}", list(arguments))

    async def join(self, url: str, **properties: object) -> dict:
        """Create the frame and join."""
        await self.call("create(args[0])", {"url": url, **properties.pop("frame", {})})
        joined = await self.call("call.join(args[0])", properties)
        return joined["local"]

    async def events(self, action: str) -> list[dict]:
        return await self.call("events.filter((event) => event.action === args[0])", action)

    async def event(self, action: str, **fields: object) -> dict:
        """Wait for an event with these fields."""

        async def seen():
            return next(
                (e for e in await self.events(action) if fields.items() <= e.items()),
                None,
            )

        return await eventually(seen, f"the event {action} with {fields}")

    async def sees(self, session_id: str, track: str, state: str) -> dict:
        """Wait until somebody's track is in a state, as the SDK shows it."""

        async def reached():
            people = await self.call("call.participants()")
            person = people.get(session_id)
            return person if person and person["tracks"][track]["state"] == state else None

        return await eventually(reached, f"{track} of {session_id} is {state}")


async def visitor(browser: Browser, site: str, version: str = NEWEST, **options: object) -> Visitor:
    """Open the embedding site in a browser of its own."""
    usual = {"permissions": ["camera", "microphone"], "viewport": {"width": 1000, "height": 640}}
    context = await browser.new_context(**{**usual, **options})
    page = await context.new_page()
    # headless, only the own tab can be shared
    await page.add_init_script(
        "const ask = navigator.mediaDevices?.getDisplayMedia.bind(navigator.mediaDevices);"
        "if (ask) navigator.mediaDevices.getDisplayMedia = (o) => ask({...o, preferCurrentTab: true});"
    )
    await page.goto(f"{site}/{version}/")
    return Visitor(page)
