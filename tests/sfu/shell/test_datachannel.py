"""Data channels between ours and aiortc's association, over a transport that loses nothing; and what bounds them."""

import asyncio

import pytest
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from sfu.sctp.channels import MAX_CHANNELS, PENDING_BYTES, Backlog, Owner
from sfu.shell.datachannel import DataTransport
from sfu.shell.turns import Turns
from sfu.values import Channel


class Pipe:
    """What an association needs of a DTLS transport, wired to the other end."""

    is_client = False

    def __init__(self, role):
        self._role = role
        self.state = "connected"
        self._data_receiver = None
        self.other = None
        self.blocked = False

    def _register_data_receiver(self, receiver):
        self._data_receiver = receiver

    def _unregister_data_receiver(self, receiver):
        self._data_receiver = None

    def send_data(self, data):
        if not self.blocked and self.other._data_receiver is not None:
            # as over a network: the other side acts after this call
            asyncio.get_running_loop().call_soon(
                lambda: asyncio.ensure_future(self.other._data_receiver._handle_data(data))
            )

    async def _send_data(self, data):
        self.send_data(data)


class Pair:
    """Our end, and aiortc's own association as the client."""

    def __init__(self, max_bytes=65_535):
        self.near, self.far = Pipe("server"), Pipe("client")
        self.near.other, self.far.other = self.far, self.near
        self.heard, self.failures, self.refused = asyncio.Queue(), [], []
        self.busy = False
        self.backlog = Backlog()
        owner = Owner(
            send=self.near.send_data,
            message=lambda label, payload: self.heard.put_nowait((label, payload)),
            refused=lambda label, flow: self.refused.append((label, flow)),
            failed=self.failures.append,
            busy=lambda: self.busy,
        )
        self.ours = DataTransport(
            self.near, owner, port=5000, max_bytes=max_bytes, backlog=self.backlog, turns=Turns()
        )
        self.client = RTCSctpTransport(self.far)

    async def start(self, channels=()):
        self.ours.start(channels)
        await self.client.start(RTCSctpCapabilities(65_535), 5000)

    async def open(self, label, **options):
        channel = RTCDataChannel(self.client, RTCDataChannelParameters(label=label, **options))
        opened = asyncio.Event()
        channel.on("open", opened.set)
        channel.heard = asyncio.Queue()
        channel.on("message", channel.heard.put_nowait)
        async with asyncio.timeout(5):
            await opened.wait()
        return channel

    async def stop(self):
        await self.client.stop()
        self.ours.stop()


@pytest.fixture
async def pair():
    made = Pair()
    yield made
    await made.stop()


async def soon(queue):
    async with asyncio.timeout(5):
        return await queue.get()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a plain call changes it
            await asyncio.sleep(0)


async def test_messages_go_both_ways(pair):
    await pair.start()
    channel = await pair.open("_reliable")
    channel.send(b"up")
    assert await soon(pair.heard) == ("_reliable", b"up")
    channel.send("text")
    assert await soon(pair.heard) == ("_reliable", b"text")
    channel.send(b"")
    assert await soon(pair.heard) == ("_reliable", b"")
    assert pair.ours.send("_reliable", b"down")
    assert await soon(channel.heard) == b"down"
    assert pair.ours.send("_reliable", b"")
    assert await soon(channel.heard) == b""


async def test_what_is_sent_before_a_channel_opens_is_kept_within_bounds(pair):
    await pair.start()
    assert pair.ours.send("_reliable", b"early")
    assert pair.ours.send("_lossy", bytes(PENDING_BYTES - 5))
    assert not pair.ours.send("_reliable", b"too much")
    channel = await pair.open("_reliable")
    assert await soon(channel.heard) == b"early"
    assert pair.ours.send("_lossy", b"12345")  # what was delivered made room


async def test_channels_of_this_side_open_on_the_other(pair):
    opened = asyncio.Queue()
    pair.client.on("datachannel", opened.put_nowait)
    await pair.start(channels=[Channel("_reliable"), Channel("_lossy", ordered=False, max_retransmits=0)])
    channels = {channel.label: channel for channel in (await soon(opened), await soon(opened))}
    assert (channels["_reliable"].ordered, channels["_reliable"].maxRetransmits) == (True, None)
    assert (channels["_lossy"].ordered, channels["_lossy"].maxRetransmits) == (False, 0)
    channels["_lossy"].send(b"up")
    assert await soon(pair.heard) == ("_lossy", b"up")


async def test_large_messages_arrive_whole_in_both_directions(pair):
    await pair.start()
    channel = await pair.open("_reliable")
    message = bytes(range(256)) * 255 + bytes(255)
    assert len(message) == 65_535
    for _ in range(20):
        channel.send(message)
        assert pair.ours.send("_reliable", message)
    for _ in range(20):
        assert await soon(pair.heard) == ("_reliable", message)
        assert await soon(channel.heard) == message
    await until(lambda: pair.backlog.bytes == 0)


async def test_a_message_longer_than_the_peer_takes_is_refused():
    pair = Pair(max_bytes=1000)
    await pair.start()
    await pair.open("reliable")
    assert not pair.ours.send("reliable", bytes(1001))
    assert pair.refused == [("reliable", "")]
    assert pair.ours.send("reliable", bytes(1000))
    assert not pair.failures
    await pair.stop()


async def test_a_closed_channel_takes_nothing_and_can_be_opened_again(pair):
    await pair.start()
    channel = await pair.open("reliable")
    closed = asyncio.Event()
    channel.on("close", closed.set)
    channel.close()
    async with asyncio.timeout(5):
        await closed.wait()
    assert "reliable" not in pair.ours.channels._by_label
    again = await pair.open("reliable")
    again.send(b"up")
    assert await soon(pair.heard) == ("reliable", b"up")
    assert pair.ours.send("reliable", b"down")
    assert await soon(again.heard) == b"down"
    assert not pair.failures


async def test_a_peer_that_opens_channels_without_end_is_ended(pair):
    await pair.start()
    for number in range(MAX_CHANNELS):
        await pair.open(str(number))
    assert not pair.failures
    RTCDataChannel(pair.client, RTCDataChannelParameters(label="one too many"))
    await until(lambda: pair.failures)
    assert pair.failures == ["data_overflow"]


async def test_an_association_that_its_peer_ends_leaves_the_connection(pair):
    await pair.start()
    await pair.open("reliable")
    await pair.client.stop()
    await until(lambda: not pair.ours.channels._by_label)
    assert not pair.failures


async def test_messages_wait_while_the_owner_is_busy(pair):
    await pair.start()
    channel = await pair.open("reliable")
    pair.busy = True
    for _ in range(10):
        channel.send(bytes(60_000))
    await until(lambda: len(pair.ours.channels._inbox) >= 4)
    # the window is closed before all is there
    assert pair.ours.channels.association.undelivered < 400_000
    assert pair.heard.empty()
    pair.busy = False
    for _ in range(10):
        assert await soon(pair.heard) == ("reliable", bytes(60_000))


@pytest.mark.parametrize("garbage", [b"", b"\0", bytes(12), b"\xff" * 200])
async def test_garbage_is_dropped(pair, garbage):
    await pair.start()
    channel = await pair.open("reliable")
    await pair.ours._handle_data(garbage)
    channel.send(b"up")
    assert await soon(pair.heard) == ("reliable", b"up")
    assert not pair.failures
