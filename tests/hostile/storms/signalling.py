"""Storms of a student's token on signalling and the server API."""

import asyncio
import contextlib
import time

import aiohttp

from tests.hostile.client import Client, token

ROOM = "storm"
MIB = 1 << 20


def nested(item, around, size):
    """JSON text of about `size` octets: `around` with as many `item`s as fit."""
    return around % ",".join([item] * ((size - len(around)) // (len(item) + 1)))


async def big_bodies(url, seconds):
    """10 MiB of JSON to calls that the token has no right to."""
    bodies = {
        "ListRooms": nested('"a"', '{"names":[%s]}', 10 * MIB - 100),
        "CreateRoom": nested("{}", '{"name":"x","agents":[%s]}', 10 * MIB - 100),
        "SendData": nested('"a"', '{"room":"x","destinationIdentities":[%s]}', 10 * MIB - 100),
    }
    headers = {"Authorization": f"Bearer {token(ROOM)}", "Content-Type": "application/json"}
    yield None
    statuses = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        for method, body in bodies.items():
            try:
                address = f"{url}/twirp/livekit.RoomService/{method}"
                async with http.post(address, data=body.encode(), headers=headers) as answer:
                    statuses[method] = answer.status
            except (aiohttp.ClientError, TimeoutError) as error:
                statuses[method] = type(error).__name__  # refused in the middle of the body
    await asyncio.sleep(seconds / 4)
    yield {"sent": len(bodies), "statuses": statuses, "end": ""}


async def frames(url, seconds, contents):
    """The largest frames that LiveKit takes, one after the other, by new connections when one is closed."""
    client = await Client(url, ROOM).connect(media=False)
    yield None
    sent, ends, deadline = 0, [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        content = contents[sent % len(contents)]
        with contextlib.suppress(ConnectionError, RuntimeError, aiohttp.ClientError):
            await (client.ws.send_str(content) if isinstance(content, str) else client.ws.send_bytes(content))
        sent += 1
        await asyncio.sleep(0.1)
        if client.end:
            ends.append(client.end)
            client = await Client(url, ROOM).connect(media=False)
    yield {"sent": sent, "ends": ends, "end": client.end}


def text_frames(url, seconds):
    size = 2 * MIB - 1000
    return frames(
        url,
        seconds,
        [
            nested("{}", '{"subscription":{"participantTracks":[%s]}}', size),
            nested('"a"', '{"subscription":{"trackSids":[%s]}}', size),
            "[" * size,
            '{"offer":{"sdp":"' + "m" * size + '"}}',
        ],
    )


def binary_frames(url, seconds):
    from livekit.protocol import models, rtc

    empty = [models.ParticipantTracks()] * 500_000
    many = rtc.SignalRequest(subscription=rtc.UpdateSubscription(participant_tracks=empty))
    long = rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp="m=\r\n" * 400_000))
    return frames(
        url, seconds, [many.SerializeToString(), long.SerializeToString(), b"\xff" * (2 * MIB - 1000)]
    )


async def chatter(url, seconds):
    """Small frames as fast as the socket takes them, each of which everybody in the room would be told."""
    from livekit.protocol import rtc

    client = await Client(url, ROOM, canUpdateOwnMetadata=True).connect(media=False)
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        while time.monotonic() < deadline and not client.end:
            for _ in range(20):
                metadata = rtc.UpdateParticipantMetadata(metadata=f"{sent}" * 100, request_id=sent)
                await client.send(update_metadata=metadata)
                sent += 1
            await asyncio.sleep(0.005)
    yield {"sent": sent, "end": client.end}
