"""A worker in this process, spoken to over its socket."""

import asyncio
import logging
import socket

import msgspec
import pytest

from sfu.settings import MediaSettings
from sfu.shell import messages
from sfu.shell.worker import LogSender, Worker
from sfu.values import ReceiverTraits


class Parent:
    """The other end of the socket."""

    def __init__(self, settings):
        self.worker = Worker(settings)

    async def start(self):
        ours, theirs = socket.socketpair()
        self.task = asyncio.create_task(self.worker.run(theirs))
        self.reader, self.writer = await asyncio.open_connection(sock=ours)

    async def notification(self, *kinds):
        """The next of these kinds, and its content."""
        async with asyncio.timeout(10):
            while body := await messages.read_frame(self.reader):
                kind, raw = messages.read_notification(body)
                if kind in kinds:
                    return kind, msgspec.msgpack.decode(raw)
        return None

    def send_command(self, number, name, *arguments):
        self.writer.write(messages.frame((number, name, arguments)))

    async def end(self):
        self.writer.close()
        async with asyncio.timeout(10):
            await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def parent():
    made = Parent(MediaSettings(udp_port=0))
    await made.start()
    yield made
    await made.end()


async def test_it_says_its_port_and_figures_and_ends_with_its_socket(parent):
    _kind, port = await parent.notification("ready")
    assert port == parent.worker._media.udp_port
    parent.send_command(0, "open_peer", "PA_1", "RM_1", False, (), ReceiverTraits())
    assert await parent.notification("metrics")
    await parent.end()
    assert parent.task.done()
    assert parent.task.exception() is None


async def test_a_taken_port_is_told():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken:
        taken.bind(("::", 0))
        parent = Parent(MediaSettings(udp_port=taken.getsockname()[1]))
        await parent.start()
        kind, (number, text) = await parent.notification("failed", "ready")
        assert kind == "failed"
        assert number
        assert "use" in text
        await parent.end()


async def test_a_request_gets_its_answer_or_its_refusal(parent):
    parent.send_command(7, "negotiate", "PA_gone", "v=0")
    assert await parent.notification("reply", "refusal") == ("refusal", [7, "UnknownPeerError", "PA_gone"])
    parent.send_command(0, "open_peer", "PA_1", "RM_1", False, (), ReceiverTraits())
    parent.send_command(8, "negotiate", "PA_1", "v=0")
    kind, (number, name, _text) = await parent.notification("reply", "refusal")
    assert (kind, number, name) == ("refusal", 8, "SdpError")
    parent.send_command(9, "explain", "PA_1")
    kind, (number, name, content) = await parent.notification("reply", "refusal")
    assert (kind, number, name) == ("reply", 9, "explain")
    assert content["videos"] == []


async def test_a_command_that_fails_costs_itself_alone(parent, monkeypatch, caplog):
    def fail(*_args, **_named):
        raise RuntimeError("a bug")

    monkeypatch.setattr(parent.worker._media, "explain", fail)
    parent.send_command(7, "explain", "PA_1")
    assert await parent.notification("reply", "refusal") == (
        "refusal",
        [7, "EngineError", "the engine failed"],
    )
    assert "a bug" in caplog.text
    parent.send_command(8, "offer", "PA_1", False)
    assert await parent.notification("reply", "refusal") == ("refusal", [8, "UnknownPeerError", "PA_1"])


async def test_what_is_no_order_ends_the_worker(parent):
    await parent.notification("ready")
    parent.writer.write(messages.frame("nonsense"))
    async with asyncio.timeout(10):
        with pytest.raises(messages.MessageError):
            await parent.task
    assert await parent.notification("reply") is None


async def test_what_it_logs_goes_to_its_parent(parent):
    await parent.notification("ready")
    logger = logging.getLogger("sfu.anything")
    sender = LogSender(parent.worker.notify)
    logger.addHandler(sender)
    try:
        int("no number")
    except ValueError:
        logger.exception("it failed")
    logger.removeHandler(sender)
    _kind, (level, name, text) = await parent.notification("log")
    assert (level, name) == (logging.ERROR, "sfu.anything")
    assert text.startswith("it failed\nTraceback")
    assert text.endswith("'no number'")
    # without a form of its own, `logging.basicConfig` gives it one with a second level and name
    assert sender.formatter is not None


async def test_messages_wait_while_their_reader_is_behind(parent):
    await parent.notification("ready")
    worker = parent.worker
    assert not worker._is_behind()
    for _ in range(100):
        worker.notify("sample", bytes(64 * 1024))
    await asyncio.sleep(0)
    assert worker._is_behind()
    assert worker._media._data_busy()
    for _ in range(100):
        await parent.notification("sample")
    assert not worker._is_behind()
