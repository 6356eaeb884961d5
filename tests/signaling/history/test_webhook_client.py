import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import DeliveryError
from signaling.history.webhook_client import WebhookClient, check_url, is_public
from tests.signaling.receiver import receiving


@pytest.fixture
async def outgoing():
    made = WebhookClient(allow_private=True)
    yield made
    await made.close()


@pytest.fixture
async def guarded():
    made = WebhookClient(allow_private=False)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.1.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "5f00::1",
        "fec0::1",
        "2002:a00:1::",
        "2001:0:a00:1::",
        "localhost",
        "",
    ],
)
def test_what_is_not_the_internets_is_private(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"]
)
def test_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "school.example/hook",
        "ftp://school.example",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "https://school.example:0/",
        "https://school.example:99999/",
        "https://ada:secret@school.example/",
        "https://school.example/" + "x" * 2048,
    ],
)
def test_what_can_never_be_sent_to_is_refused(url):
    with pytest.raises(DeliveryError):
        check_url(url)


@given(st.text())
def test_any_text_is_an_address_or_refused(url):
    for each in (url, f"http://{url}"):
        try:
            check_url(each)
        except DeliveryError:
            continue


async def test_the_status_is_what_counts_and_redirects_are_not_followed(outgoing):
    async with receiving() as receiver:
        receiver.answers = [200, 404, 302]
        statuses = [await outgoing.post(receiver.url, b"body", {"X-A": "b"}) for _ in range(3)]
        assert statuses == [200, 404, 302]
        assert [(headers["X-A"], body) for headers, body in receiver.received] == [("b", "body")] * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1"])
async def test_the_own_machine_is_not_reached_by_any_name(guarded, host):
    async with receiving() as receiver:
        port = receiver.url.split(":")[2]
        with pytest.raises(DeliveryError):
            await guarded.post(f"http://{host}:{port}", b"", {})
        assert receiver.received == []


async def test_a_name_is_judged_by_what_it_resolves_to(guarded, monkeypatch):
    async def resolve(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with receiving() as receiver:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        port = receiver.url.split(":")[2]
        with pytest.raises(DeliveryError, match="its address is not public"):
            await guarded.post(f"http://school.example:{port}/", b"", {})
        assert receiver.received == []


async def test_nobody_there_and_no_answer_are_failures(outgoing, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr("signaling.history.webhook_client.TIMEOUT_S", 0.05)
        hasty = WebhookClient(allow_private=True)
        with pytest.raises(DeliveryError, match="no response"):
            await hasty.post(f"http://127.0.0.1:{port}", b"", {})
        await hasty.close()
    with pytest.raises(DeliveryError, match="ClientConnectorError"):
        await outgoing.post(f"http://127.0.0.1:{port}", b"", {})


async def test_a_connection_is_used_again(outgoing):
    async with receiving() as receiver:
        for _ in range(3):
            await outgoing.post(receiver.url, b"", {})
        assert len(receiver.peers) == 1


async def test_a_body_that_does_not_come_takes_nothing_from_the_answer(monkeypatch):
    async def dawdle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    monkeypatch.setattr("signaling.history.webhook_client.TIMEOUT_S", 0.5)
    hasty = WebhookClient(allow_private=True)
    server = await asyncio.start_server(dawdle, "127.0.0.1", 0)
    assert await hasty.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", b"", {}) == 200
    await hasty.close()
    await left.wait()
    server.close()
    await server.wait_closed()


async def test_an_answer_without_end_is_not_read(outgoing):
    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            try:
                await writer.drain()
            except ConnectionError:
                break
        writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await outgoing.post(f"http://127.0.0.1:{port}", b"", {}) == 200
    server.close()
    await server.wait_closed()


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_what_the_internet_has_is_public(address):
    inside = address.ipv4_mapped
    if inside is None and is_public(str(address)):
        assert int(address) >> 125 == 1  # 2000::/3
        assert address.sixtofour is None
        assert address.teredo is None
    else:
        assert inside is None or is_public(str(address)) == is_public(str(inside))
