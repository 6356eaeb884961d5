"""A real SMTP server in this process, and what it was given."""

import asyncio
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    """Keeps messages; `answers` are given instead of acceptance, one for each message."""

    def __init__(self):
        self.port = 0
        self.envelopes = []
        self.messages = []
        self.answers = []
        self.recipient_answer = ""
        self._news = asyncio.Event()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        if self.recipient_answer:
            return self.recipient_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.answers:
            self._news.set()
            return self.answers.pop(0)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos, session.ssl is not None))
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        self._news.set()
        return "250 OK"

    async def has(self, count):
        """Wait until there are so many messages."""
        async with asyncio.timeout(10):
            while len(self.messages) < count:
                self._news.clear()
                await self._news.wait()
        return self.messages


@asynccontextmanager
async def mailbox(port=0, user=None, **options):
    """Serve on loopback; `user` is a name and password that have to be given."""
    box = Mailbox()
    if user:

        def check(_server, _session, _envelope, _mechanism, data):
            right = (data.login.decode(), data.password.decode()) == user
            return AuthResult(success=right, handled=False)

        options |= {"authenticator": check, "auth_required": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, enable_SMTPUTF8=False, loop=loop, **options), "127.0.0.1", port
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


def text(message):
    """The words of a message."""
    return message.get_body(("plain",)).get_content()
