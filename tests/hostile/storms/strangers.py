"""Storms of those who are nobody's participant, and of participants whose transport never comes up."""

import asyncio
import contextlib
import dataclasses
import os
import secrets
import socket
import struct
import time
from urllib.parse import urlsplit

from aioice import stun

from bench.load.descriptions import Local, read_remote
from tests.hostile.client import FINGERPRINT, Client

ROOM = "storm"
SLICE_S = 0.002


def check(ufrag, password, *, nominate=True):
    """A connectivity check (RFC 8445 section 7.1) with these credentials."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:{secrets.token_hex(2)}"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password.encode())
    return bytes(request)


def stranger():
    """A socket that no participant has used."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return sock


def drained(sock):
    """Octets and number of the datagrams that wait, STUN and the others apart."""
    answers = media = octets = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            datagram = sock.recv(2048)
            octets += len(datagram)
            if datagram[0] < 4:
                answers += 1
            else:
                media += 1
    return {"answers": answers, "media": media, "octets": octets}


async def media_address(url):
    client = await Client(url, ROOM).connect(media=False)
    return client.remote().addresses[0]


async def datagrams(url, seconds, build, rate):
    """A stranger sends what `build(index)` returns, `rate` a second, and counts what comes back."""
    address = await media_address(url)
    prepared = [build(i) for i in range(500)]
    sock = stranger()
    yield None
    sent, octets, started = 0, 0, time.monotonic()
    while time.monotonic() < started + seconds:
        due = round((time.monotonic() - started) * rate)
        for i in range(sent, due):
            with contextlib.suppress(OSError):
                octets += sock.sendto(prepared[i % len(prepared)], address)
        sent = due
        await asyncio.sleep(SLICE_S)
    await asyncio.sleep(0.2)
    yield {"sent": sent, "octets_sent": octets, **drained(sock), "end": ""}


def stun_flood(url, seconds):
    """Checks for peers that do not exist, and requests without any credentials."""
    bare = struct.pack("!HHI", 1, 0, 0x2112A442)
    return datagrams(
        url,
        seconds,
        lambda i: check(secrets.token_hex(8), "x") if i % 2 else bare + secrets.token_bytes(12),
        8000,
    )


def dtls_flood(url, seconds):
    """ClientHellos and other handshake records from an address that passed no check."""
    head = bytes.fromhex("16feff0000000000000000")
    return datagrams(url, seconds, lambda i: head + struct.pack("!H", 200 + i) + os.urandom(200 + i), 8000)


def noise(url, seconds):
    """What is of no protocol, or looks like SRTP."""
    return datagrams(url, seconds, lambda i: bytes([(128, 129, 192, 70)[i % 4]]) + os.urandom(i + 1), 8000)


async def half_open(url, seconds):
    """Participants who join and stop there: without ICE, or after it and without DTLS."""
    yield None
    joined, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        client = await Client(url, f"half-{joined % 7}").connect(media=False)
        joined += 1
        if joined % 2:
            remote, sock = client.remote(), stranger()
            sock.sendto(check(remote.ufrag, remote.pwd), remote.addresses[0])
            sock.close()
        await asyncio.sleep(0.04)
    yield {"sent": joined, "end": ""}


async def restarted(url):
    """A publisher and a viewer after an ICE restart; returns both, and the answer before it."""
    publisher, viewer = Client(url, ROOM, publish=True), Client(url, ROOM)
    await publisher.connect()
    await viewer.connect()
    publisher.send_video()
    await asyncio.sleep(0.3)
    old = viewer.remote()
    viewer.local = Local(secrets.token_hex(4), secrets.token_hex(12), FINGERPRINT)
    await viewer.renegotiate()
    new = viewer.remote()
    viewer.transport.answer = dataclasses.replace(old, ufrag=new.ufrag, pwd=new.pwd)
    viewer.transport._send_check()
    await asyncio.sleep(0.3)
    assert new.ufrag != old.ufrag
    return publisher, viewer, old


async def superseded_credentials(url, seconds):
    """Checks by the username of before an ICE restart, with no key, with the old one and with a wrong one."""
    publisher, viewer, old = await restarted(url)
    sock = stranger()
    forged = [check(old.ufrag, key) for key in ("", old.pwd, "wrong")]
    yield None
    before, sent, octets, deadline = viewer.received, 0, 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        if sent % 10 == 0:
            octets += sum(sock.sendto(each, old.addresses[0]) for each in forged)
        publisher.send_video(keyframe=sent % 50 == 0)
        sent += 1
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    arrived = viewer.received - before
    yield {"sent": sent, "octets_sent": octets, "arrived": arrived, **drained(sock), "end": viewer.end}


async def departed(url, seconds):
    """Checks with the credentials, old and last, of a peer that has left."""
    _, viewer, old = await restarted(url)
    last = viewer.remote()
    await viewer.close()
    await asyncio.sleep(0.5)
    sock = stranger()
    forged = [check(old.ufrag, ""), check(old.ufrag, old.pwd), check(last.ufrag, last.pwd)]
    yield None
    sent, octets, deadline = 0, 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        octets += sum(sock.sendto(each, old.addresses[0]) for each in forged)
        sent += len(forged)
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    yield {"sent": sent, "octets_sent": octets, **drained(sock), "end": ""}


async def idle_sockets(url, seconds, count=1200):
    """TCP connections that say nothing, as many as a default limit of descriptors holds."""
    parts = urlsplit(url)
    yield None
    writers = []

    async def connect():
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writers.append(writer)

    await asyncio.gather(*(connect() for _ in range(count)), asyncio.sleep(seconds))
    for writer in writers:
        writer.transport.abort()
    yield {"sent": len(writers), "end": ""}


async def slow_requests(url, seconds):
    """Requests whose head, and whose body, comes octet by octet."""
    parts = urlsplit(url)
    heads = [
        b"GET / HTTP/1.1\r\n",
        b"POST /page/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n",
    ]
    writers = []
    for i in range(200):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(heads[i % 2])
        writers.append(writer)
    yield None
    sent, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        for writer in writers:
            writer.write(b"x")
            sent += 1
        await asyncio.sleep(0.2)
    for writer in writers:
        writer.transport.abort()
    yield {"sent": sent, "end": ""}


async def mass_join(url, seconds):
    """A school comes at once: 120 people of twelve classes who want to connect within the storm."""
    clients = [Client(url, f"class-{i % 12}") for i in range(120)]
    yield None

    async def come(client, delay_s):
        await asyncio.sleep(delay_s)
        with contextlib.suppress(Exception):
            await client.connect(media=False)
            read_remote(client.answer.sdp)
            return True
        return False

    joined = await asyncio.gather(*(come(client, seconds * i / 120) for i, client in enumerate(clients)))
    yield {"sent": len(joined), "joined": sum(joined), "end": ""}
