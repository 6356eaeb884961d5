"""An endpoint that speaks OpenAI's protocol of chat completions, on a real socket."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web


class Endpoint:
    """Answers with what `reply` returns for the messages of a request: a text of the model, or a whole response."""

    def __init__(self):
        self.url = ""
        self.requests = []
        "(headers, body)"
        self.reply = lambda _messages: json.dumps({"notes": [{"line": 1, "text": "Fractions are added."}]})
        self.release = asyncio.Event()
        "Requests wait for it if `holds`."
        self.holds = False

    async def answer(self, request):
        body = await request.json()
        self.requests.append((dict(request.headers), body))
        if self.holds:
            await self.release.wait()
        found = self.reply(body["messages"])
        if isinstance(found, web.StreamResponse):
            return found
        message = {"role": "assistant", "content": found}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"id": "c1", "object": "chat.completion", "choices": [choice]})

    @property
    def sent(self):
        """The texts of all requests."""
        return [body["messages"][-1]["content"] for _headers, body in self.requests]


@asynccontextmanager
async def endpoint():
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = "http://{}:{}/v1".format(*runner.addresses[0])
    try:
        yield found
    finally:
        found.release.set()
        await runner.cleanup()
