"""Applications and people who call the API of teaching sessions."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from signaling.access import tokens

KEY, SECRET = "devkey", "secret"


def person_token(
    person: str,
    role: str = "student",
    ttl_s: float = 600,
    key: str = KEY,
    secret: str = SECRET,
    **claims: Any,
) -> str:
    """A token as an application makes it for one of its users."""
    return tokens.mint(
        {"sub": person, "name": person.title(), "role": role, **claims},
        tokens.Signer(key, secret),
        time.time(),
        ttl_s,
    )


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 5.0) -> Any:
    """The first true answer of `check`, about something that another task or process does."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await check()
            if answer:
                return answer
            await asyncio.sleep(0.01)


class Caller:
    """Calls with one bearer token."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self.http = http
        self.url = url
        self.token = token
        self.headers: Any = {}
        self.always: dict[str, str] = {}

    async def call(
        self, method: str, path: str, body: Any = None, status: int | None = None, **headers: str
    ) -> Any:
        """The JSON of an answer; `status` None takes any success."""
        sent = {
            "Authorization": f"Bearer {self.token}",
            **self.always,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        async with self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=sent) as response:
            text = await response.text()
            self.headers = response.headers
            expected = response.status < 300 if status is None else response.status == status
            assert expected, f"{method} {path}: {response.status} {text}"
            return await response.json(content_type=None) if "json" in response.content_type else text

    async def attempt(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code of an answer; the code of a success is empty."""
        sent = {"Authorization": f"Bearer {self.token}"}
        async with self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=sent) as response:
            content = await response.json(content_type=None)
            return response.status, content.get("code", "") if response.status >= 400 else ""

    async def get(self, path: str, status: int | None = None) -> Any:
        return await self.call("GET", path, status=status)

    async def post(self, path: str, body: Any = None, status: int | None = None, **headers: str) -> Any:
        return await self.call("POST", path, {} if body is None else body, status, **headers)


class School:
    """Whoever calls one server."""

    def __init__(self, http: aiohttp.ClientSession, url: str, tenant: str = "") -> None:
        self.http = http
        self.url = url
        self.tenant = {"tenant": tenant} if tenant else {}
        self.application = Caller(http, url, SECRET)
        self.application.always = {"Lectern-Tenant": tenant} if tenant else {}

    def person(self, person: str, role: str = "student", **claims: Any) -> Caller:
        return Caller(self.http, self.url, person_token(person, role, **{**self.tenant, **claims}))

    def bearer(self, token: str) -> Caller:
        return Caller(self.http, self.url, token)

    async def lesson(self, *, live: bool = True, owner: str = "tutor", **body: Any) -> str:
        """A session of `owner`, live with them in it."""
        made = await self.application.post(
            "/sessions", {"title": "Algebra", "owner": {"id": owner, "name": "Ms Noether"}, **body}
        )
        if live:
            tutor = self.person(owner, "tutor")
            await tutor.post(f"/sessions/{made['id']}/join")
            await tutor.post(f"/sessions/{made['id']}/start")
        return made["id"]
