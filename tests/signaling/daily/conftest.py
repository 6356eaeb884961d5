"""Daily's REST API of a whole server on the fake engine."""

import json

import pytest


class Daily:
    """Calls as an application makes them."""

    def __init__(self, world):
        self.world = world
        self.server = world.server

    @property
    def origin(self):
        return self.world.url

    async def call(self, method, path, body=None, *, key="secret", data=None, prefix="/v1"):
        """Return status and body."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        data = json.dumps(body).encode() if data is None and body is not None else data
        url = f"{self.world.url}{prefix}{path}"
        async with self.world.http.request(method, url, data=data, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(self, path):
        status, answer = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path, body=None):
        status, answer = await self.call("POST", path, body)
        assert status == 200, answer
        return answer

    async def delete(self, path, body=None):
        status, answer = await self.call("DELETE", path, body)
        assert status == 200, answer
        return answer

    async def refused(self, method, path, body=None, **options):
        """Return status, code and text of a refusal."""
        status, answer = await self.call(method, path, body, **options)
        assert set(answer) == {"error", "info"}
        return status, answer["error"], answer["info"]


@pytest.fixture
def daily(world):
    return Daily(world)
