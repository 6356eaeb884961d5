import socket

import numpy as np
import pytest

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.fanout.transports import CONTROL_AT, PATH_BYTES
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
    assert [udp.unpack_path(a) for a in media.addresses] == [client.getsockname()] * 2
    assert media.receive() == 0


def test_a_datagram_that_was_cut_is_told_by_its_length(media, client):
    client.sendto(bytes(5000), ("127.0.0.1", media.port))
    client.sendto(b"after", ("127.0.0.1", media.port))
    assert media.receive() == 2
    assert media.lengths[0] > udp.RECEIVE_STRIDE
    at = udp.RECEIVE_STRIDE
    assert media.buffer[at : at + 5] == b"after"


def test_rows_go_out_and_replies_too(media, client):
    address = udp.pack_path(*client.getsockname(), media.family)
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
    good = np.frombuffer(udp.pack_path(*client.getsockname(), media.family), np.uint8)
    bad = np.frombuffer(udp.pack_path("255.255.255.255", 9, media.family), np.uint8)
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


@pytest.fixture(params=[False, True], ids=["IPv6", "IPv4 alone"])
def family(request, monkeypatch):
    """A machine with IPv6, and one without."""
    if request.param:
        made = socket.socket

        def without_ipv6(family=socket.AF_INET, *args, **fields):
            if family == socket.AF_INET6:
                raise OSError("address family not supported")
            return made(family, *args, **fields)

        monkeypatch.setattr(udp.socket, "socket", without_ipv6)
    return socket.AF_INET if request.param else socket.AF_INET6


# All of 127.0.0.0/8 are addresses of the machine.
ASKED = ["127.0.0.1", "127.0.0.2", "127.7.7.7"]


@pytest.mark.parametrize("portable", [False, True], ids=["batch", "plain"])
@pytest.mark.parametrize("asked", ASKED)
def test_the_address_that_was_asked_answers(family, asked, portable, client):
    arena = Arena()
    media = udp.open_socket(0, arena, portable=portable)
    assert media.family == family
    client.sendto(b"question", (asked, media.port))
    assert media.receive() == 1
    [path] = media.addresses
    assert (udp.unpack_path(path), udp.local_host(path)) == (client.getsockname(), asked)
    assert path == udp.pack_path(*client.getsockname(), family, local=asked)
    assert media.send(b"answer", path)
    arena.rows[:2, 0] = 7
    arena.lengths[:2] = 1
    arena.addresses[:2] = np.frombuffer(path, np.uint8)
    assert media.send_rows(0, 2) == 2
    assert {client.recvfrom(100) for _ in range(3)} == {
        (data, (asked, media.port)) for data in (b"answer", b"\7")
    }
    media.close()


def test_the_address_that_was_asked_answers_over_ipv6(media):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        try:
            client.bind(("::1", 0))
        except OSError:
            pytest.skip("there is no IPv6 on loopback")
        client.settimeout(5)
        client.sendto(b"question", ("::1", media.port))
        assert media.receive() == 1
        [path] = media.addresses
        assert (udp.unpack_path(path), udp.local_host(path)) == (client.getsockname()[:2], "::1")
        assert media.send(b"answer", path)
        assert client.recvfrom(100)[1][:2] == ("::1", media.port)


def test_paths_of_one_client_to_two_addresses_are_two(media, client):
    for host in ASKED[:2] * 2:
        client.sendto(b"question", (host, media.port))
    assert media.receive() == 4
    first, second, *again = media.addresses
    assert first != second
    assert again == [first, second]


def test_the_own_address_is_left_out_where_the_kernel_chooses_it(family, client):
    chosen, other = (udp.pack_path(*client.getsockname(), family, local=local) for local in ASKED[:2])
    assert udp.without_own_address(chosen) == chosen[:CONTROL_AT] + bytes(PATH_BYTES - CONTROL_AT)
    assert udp.without_own_address(other) == other


@pytest.mark.parametrize(
    "path",
    [udp.pack_path("::1", 9, local="::1"), udp.pack_path("255.255.255.255", 9), bytes(PATH_BYTES)],
    ids=["IPv6", "unreachable", "none"],
)
def test_other_paths_keep_the_own_address(path):
    assert udp.without_own_address(path) == path


def test_an_own_address_that_is_gone_sends_nothing(media, client):
    path = udp.pack_path(*client.getsockname(), media.family, local="198.51.100.7")
    assert not media.send(b"answer", path)
    media.arena.lengths[0] = 1
    media.arena.addresses[0] = np.frombuffer(path, np.uint8)
    assert media.send_rows(0, 1) == 0
    media.arena.addresses[0] = 0
    assert media.send_rows(0, 1) == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_addresses_are_packed_and_unpacked(family):
    raw = udp.pack_path("192.0.2.1", 7882, family)
    assert len(raw) == PATH_BYTES
    assert (udp.unpack_path(raw), udp.local_host(raw)) == (("192.0.2.1", 7882), "0.0.0.0")


def test_ipv6_addresses():
    assert udp.unpack_path(udp.pack_path("2001:db8::1", 1)) == ("2001:db8::1", 1)


def test_a_part_of_the_rows(media, client):
    address = udp.pack_path(*client.getsockname(), media.family)
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
