import socket

import numpy as np
import pytest

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.shell import udp


@pytest.fixture(params=[False, True], ids=["batch", "plain"])
def media(request):
    arena = Arena()
    opened = udp.open_socket(0, arena, portable=request.param)
    opened.arena = arena
    assert isinstance(opened, udp.PlainSocket if request.param else udp.BatchSocket)
    yield opened
    opened.close()


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def datagrams(media, count):
    return [bytes(media.buffer[i * udp.RECEIVE_STRIDE :][: media.lengths[i]]) for i in range(count)]


def test_datagrams_come_in_with_their_addresses(media, client):
    for payload in (b"one", b"two"):
        client.sendto(payload, ("127.0.0.1", media.port))
    assert media.receive() == 2
    assert datagrams(media, 2) == [b"one", b"two"]
    assert [udp.unpack_sockaddr(a) for a in media.addresses] == [client.getsockname()] * 2
    assert media.receive() == 0


def test_a_datagram_that_was_cut_is_told_by_its_length(media, client):
    client.sendto(bytes(5000), ("127.0.0.1", media.port))
    client.sendto(b"after", ("127.0.0.1", media.port))
    assert media.receive() == 2
    assert media.lengths[0] > udp.RECEIVE_STRIDE
    at = udp.RECEIVE_STRIDE
    assert media.buffer[at : at + 5] == b"after"


def test_rows_go_out_and_replies_too(media, client):
    address = udp.pack_sockaddr(*client.getsockname(), media.family)
    for i in range(3):
        row = bytes([i]) * (100 + i)
        media.arena.rows[i, : len(row)] = np.frombuffer(row, np.uint8)
        media.arena.lengths[i] = len(row)
        media.arena.addresses[i] = np.frombuffer(address, np.uint8)
    assert media.send_rows(0, 3) == 3
    assert [client.recv(2000) for _ in range(3)] == [bytes([i]) * (100 + i) for i in range(3)]
    assert media.send(b"reply", address)
    assert client.recv(2000) == b"reply"


def test_one_unreachable_destination_does_not_stop_the_others(media, client):
    good = np.frombuffer(udp.pack_sockaddr(*client.getsockname(), media.family), np.uint8)
    bad = np.frombuffer(udp.pack_sockaddr("255.255.255.255", 9, media.family), np.uint8)
    for i, address in enumerate((bad, good)):
        media.arena.rows[i, :4] = np.frombuffer(b"data", np.uint8)
        media.arena.lengths[i] = 4
        media.arena.addresses[i] = address
    assert media.send_rows(0, 2) == 1
    assert client.recv(100) == b"data"


def test_a_full_batch(media, client):
    for i in range(udp.RECEIVE_BATCH + 3):
        client.sendto(bytes([i]), ("127.0.0.1", media.port))
    assert media.receive() == udp.RECEIVE_BATCH
    assert media.receive() == 3
    assert ARENA_ROWS > udp.RECEIVE_BATCH


def test_without_the_batch_calls_the_plain_socket_serves(monkeypatch):
    def no_calls(*_args):
        raise AttributeError("recvmmsg")

    monkeypatch.setattr(udp.BatchSocket, "__init__", no_calls)
    opened = udp.open_socket(0, Arena())
    assert isinstance(opened, udp.PlainSocket)
    opened.close()


def test_a_taken_port_is_an_error(media):
    with pytest.raises(OSError):
        udp.open_socket(media.port, Arena())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_addresses_are_packed_and_unpacked(family):
    raw = udp.pack_sockaddr("192.0.2.1", 7882, family)
    assert len(raw) == udp.SOCKADDR_SIZE
    assert udp.unpack_sockaddr(raw) == ("192.0.2.1", 7882)


def test_ipv6_addresses():
    assert udp.unpack_sockaddr(udp.pack_sockaddr("2001:db8::1", 1)) == ("2001:db8::1", 1)


def test_a_part_of_the_rows(media, client):
    address = udp.pack_sockaddr(*client.getsockname(), media.family)
    media.arena.rows[:4, 0] = range(4)
    media.arena.lengths[:4] = 1
    media.arena.addresses[:4] = np.frombuffer(address, np.uint8)
    assert media.send_rows(1, 3) == 2
    assert [client.recv(100) for _ in range(2)] == [b"\1", b"\2"]
    assert media.send_rows(2, 2) == 0


def test_whether_runs_are_cut_is_asked_of_the_kernel(media, monkeypatch):
    assert media.cuts_runs
    monkeypatch.setattr(udp, "_UDP_SEGMENT", 9999)  # an option that no kernel has
    assert not media.cuts_runs
