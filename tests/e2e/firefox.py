"""Firefox over W3C WebDriver BiDi: what the tests need of it, without a driver program."""

import asyncio
import base64
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import eventually

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
START_TIMEOUT_S = 60.0

needs_firefox = pytest.mark.skipif(FIREFOX is None, reason="needs Firefox: apt-get install firefox-esr")

PREFERENCES = {
    # a fake camera and microphone, without a question
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    # candidates on loopback and by address: the server is on this machine
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    # nothing outside this machine is contacted
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    """One session with a running Firefox."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data)
            waiting = self._waiting.pop(message.get("id", 0), None)
            if waiting is not None:
                waiting.set_result(message)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run one command of the protocol and return its result."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await self._waiting[number]
        assert answer["type"] == "success", answer
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str, init: str = "") -> "Page":
        """Load an address in a new window that shares no storage with others; `init` runs before its scripts."""
        person = (await self.command("browser.createUserContext"))["userContext"]
        # A window, because the tabs behind the first one of a window are hidden and throttled.
        window = await self.command("browsingContext.create", type="window", userContext=person)
        if init:
            await self.command(
                "script.addPreloadScript",
                functionDeclaration=f"() => {{ {init} }}",
                contexts=[window["context"]],
            )
        await self.command("browsingContext.navigate", context=window["context"], url=url, wait="complete")
        return Page(self, window["context"])

    def close(self) -> None:
        """Listen no more."""
        self._reader.cancel()


# The first element of a selector if it can be seen and used, or null.
FIND = """(selector) => {
    const element = document.querySelector(selector);
    return element?.checkVisibility() && !element.disabled ? element : null;
}"""
# React listens for input events, and keeps its own copy of the value behind the element's.
FILL = """(input, text) => {
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), 'value').set.call(input, text);
    input.dispatchEvent(new Event('input', { bubbles: true }));
}"""
SET_FILE = """(input, [name, type, bytes]) => {
    const given = new DataTransfer();
    given.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name, { type }));
    input.files = given.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
}"""


def by_id(test_id: str, **values: str) -> str:
    """A selector of an element with this `data-testid` and these values of `data-...` attributes."""
    return f'[data-testid="{test_id}"]' + "".join(
        f'[data-{name}="{value}"]' for name, value in values.items()
    )


class Page:
    """A window, with as much of Playwright's interface as the tests use."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self._context = context

    async def evaluate(self, script: str, argument: object = None) -> Any:
        """Call a JavaScript function, and return what it (or its promise) yields; both sides are JSON."""
        answer = await self._firefox.command(
            "script.callFunction",
            functionDeclaration=f"async (text) => JSON.stringify((await ({script})(JSON.parse(text))) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer.get("exceptionDetails", {}).get("text", answer)
        return json.loads(answer["result"]["value"])

    async def there(self, test_id: str, **values: str) -> None:
        """Wait until an element can be seen and used."""
        selector = by_id(test_id, **values)
        await eventually(
            lambda: self.evaluate(f"(selector) => ({FIND})(selector) !== null", selector),
            f"{selector} in Firefox",
        )

    async def gone(self, test_id: str, **values: str) -> None:
        """Wait until there is no such element."""
        selector = by_id(test_id, **values)
        await eventually(
            lambda: self.evaluate("(selector) => document.querySelector(selector) === null", selector),
            f"no {selector} in Firefox",
        )

    async def says(self, test_id: str, text: str) -> None:
        """Wait until one of these elements contains a text."""
        found = "([selector, text]) => [...document.querySelectorAll(selector)].some((e) => e.innerText.includes(text))"
        await eventually(
            lambda: self.evaluate(found, [by_id(test_id), text]), f"{text} in {test_id} in Firefox"
        )

    async def click(self, test_id: str, **values: str) -> None:
        """Click an element when it can be used."""
        await self.there(test_id, **values)
        await self.evaluate(f"(selector) => ({FIND})(selector).click()", by_id(test_id, **values))

    async def fill(self, test_id: str, text: str) -> None:
        """Type a text into an empty field."""
        await self.there(test_id)
        await self.evaluate(
            f"([selector, text]) => ({FILL})(({FIND})(selector), text)", [by_id(test_id), text]
        )

    async def set_file(self, test_id: str, name: str, kind: str, data: bytes) -> None:
        """Choose a file in a field, which may be hidden behind a button."""
        file = [name, kind, base64.b64encode(data).decode()]
        script = f"([selector, file]) => ({SET_FILE})(document.querySelector(selector), file)"
        await self.evaluate(script, [by_id(test_id), file])


def _write_preferences(profile: Path) -> None:
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines))


@asynccontextmanager
async def running_firefox() -> AsyncIterator[Firefox]:
    """Start Firefox without a screen and with a profile of its own, and end it after the block."""
    assert FIREFOX is not None
    with tempfile.TemporaryDirectory(prefix="lectern-firefox-", ignore_cleanup_errors=True) as profile:
        _write_preferences(Path(profile))
        process = await asyncio.create_subprocess_exec(
            FIREFOX,
            "--headless",
            "--no-remote",
            "--remote-debugging-port=0",
            "--profile",
            profile,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        drain: asyncio.Future[bytes] | None = None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                address = None
                while address is None:
                    line = await process.stderr.readline()
                    assert line, "Firefox ended"
                    address = re.search(rb"WebDriver BiDi listening on (ws://\S+)", line)
            drain = asyncio.ensure_future(process.stderr.read())
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(address[1].decode() + "/session", max_msg_size=0) as socket,
            ):
                firefox = Firefox(socket)
                await firefox.command("session.new", capabilities={})
                yield firefox
                firefox.close()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            if drain is not None:
                await drain
