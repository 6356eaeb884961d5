"""Data channels between aiortc's association and ours, over a transport that loses nothing; and what bounds them."""

import asyncio

import pytest
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from sfu import datachannel
from sfu.datachannel import MAX_CHANNELS, PENDING_BYTES, DataChannels
from sfu.events import Channel


class Pipe:
    """What an association needs of a DTLS transport, wired to the other end."""

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

    async def _send_data(self, data):
        if not self.blocked and self.other._data_receiver is not None:
            # as over a network: the other side acts after this call
            asyncio.get_running_loop().call_soon(
                lambda: asyncio.ensure_future(self.other._data_receiver._handle_data(data))
            )


class Pair:
    """Our end, and aiortc's own association as the client."""

    def __init__(self):
        self.near, self.far = Pipe("server"), Pipe("client")
        self.near.other, self.far.other = self.far, self.near
        self.heard, self.failures = asyncio.Queue(), []
        self.ours = DataChannels(
            self.near, lambda label, payload: self.heard.put_nowait((label, payload)), self.failures.append
        )
        self.client = RTCSctpTransport(self.far)

    async def start(self, max_message_size=65_535, channels=()):
        await self.ours.start(5000, max_message_size, channels)
        await self.client.start(RTCSctpCapabilities(65_535), 5000)

    async def open(self, label, **options):
        channel = RTCDataChannel(self.client, RTCDataChannelParameters(label=label, **options))
        opened = asyncio.Event()
        channel.on("open", opened.set)
        async with asyncio.timeout(5):
            await opened.wait()
        channel.heard = asyncio.Queue()
        channel.on("message", channel.heard.put_nowait)
        return channel

    async def stop(self):
        await self.client.stop()
        await self.ours.stop()


@pytest.fixture
async def pair():
    made = Pair()
    yield made
    await made.stop()


async def soon(queue):
    async with asyncio.timeout(5):
        return await queue.get()


async def failed(pair):
    async with asyncio.timeout(5):
        while not pair.failures:  # noqa: ASYNC110 - a failure is a plain call
            await asyncio.sleep(0)
    return pair.failures[0]


async def test_messages_go_both_ways(pair):
    await pair.start()
    channel = await pair.open("_reliable")
    channel.send(b"up")
    assert await soon(pair.heard) == ("_reliable", b"up")
    channel.send("text")
    assert await soon(pair.heard) == ("_reliable", b"text")
    assert pair.ours.send("_reliable", b"down")
    assert await soon(channel.heard) == b"down"


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


async def test_a_slow_reader_loses_lossy_messages_and_its_place_for_reliable_ones(pair, monkeypatch):
    await pair.start()
    lossy, reliable = await pair.open("lossy", maxRetransmits=0), await pair.open("reliable")
    monkeypatch.setattr(datachannel, "LOSSY_BUFFER_BYTES", 100_000)
    monkeypatch.setattr(datachannel, "RELIABLE_BUFFER_BYTES", 200_000)
    pair.near.blocked = True
    assert sum(pair.ours.send("lossy", bytes(10_000)) for _ in range(100)) == 10
    assert not pair.failures
    assert sum(pair.ours.send("reliable", bytes(10_000)) for _ in range(30)) == 20
    assert pair.failures[0] == "data_overflow"
    assert {lossy.readyState, reliable.readyState} == {"open"}


async def test_a_message_longer_than_the_peer_takes_is_not_sent(pair):
    await pair.start(max_message_size=1000)
    await pair.open("reliable")
    assert not pair.ours.send("reliable", bytes(1001))
    assert pair.ours.send("reliable", bytes(1000))
    assert not pair.failures


async def test_a_closed_channel_takes_nothing(pair):
    await pair.start()
    channel = await pair.open("reliable")
    channel.close()
    async with asyncio.timeout(5):
        while pair.ours.send("reliable", b"x"):  # noqa: ASYNC110 - our end has no event for it
            await asyncio.sleep(0)
    assert not pair.failures


async def test_a_peer_that_opens_channels_without_end_is_ended(pair):
    await pair.start()
    for number in range(MAX_CHANNELS):
        await pair.open(str(number))
    assert not pair.failures
    RTCDataChannel(pair.client, RTCDataChannelParameters(label="one too many"))
    assert await failed(pair) == "data_overflow"


async def test_data_beyond_the_advertised_window_ends_the_peer(pair):
    await pair.start()
    channel = await pair.open("reliable")
    pair.ours._association._advertised_rwnd = -1
    channel.send(b"x")
    assert await failed(pair) == "data_overflow"


async def test_data_on_thousands_of_streams_ends_the_peer(pair):
    await pair.start()
    channel = await pair.open("reliable")
    pair.ours._association._inbound_streams = dict.fromkeys(range(65))
    channel.send(b"x")
    assert await failed(pair) == "data_overflow"


@pytest.mark.parametrize("garbage", [b"", b"\0", bytes(12), b"\xff" * 200])
async def test_garbage_ends_at_most_the_peer(pair, garbage):
    await pair.start()
    await pair.open("reliable")
    await pair.ours._handle_data(garbage)
    assert pair.failures in ([], ["error"])
