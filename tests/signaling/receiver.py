"""A web server that takes webhooks, and answers as it is told."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Receiver:
    url: str = ""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)
    "Headers and body of each request."
    peers: set[str] = field(default_factory=set)
    "Addresses with port that requests came from."
    answers: list[int] = field(default_factory=list)
    "Statuses of the next answers; afterwards 200."
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, request):
        body = await request.text()
        status = self.answers.pop(0) if self.answers else 200
        self.received.append((dict(request.headers), body))
        self.peers.add(str(request.transport.get_extra_info("peername")))
        self.news.set()
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def has(self, count):
        """Wait for so many requests."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                await self.more()
        return self.received

    async def more(self):
        """Wait for one request after the last call, or after this one."""
        await self.news.wait()
        self.news.clear()


@asynccontextmanager
async def receiving(port=0):
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
