"""coturn and the packet filter together, in a network namespace with every address of interest.

Each forbidden spelling is an address of the namespace with somebody listening, so a packet that slips through
is seen, and not only a refusal missed.
"""

import contextlib
import ctypes
import itertools
import os
import pwd
import shutil
import subprocess
import time

import pytest

from tests.turn_config.coturn import needs_coturn, running_coturn
from tests.turn_config.peers import FORBIDDEN
from tests.turn_config.turn_client import Listener, TurnClient, TurnError
from turn_config.coturn import TurnSettings
from turn_config.credentials import ice_servers
from turn_config.firewall import render_firewall

COTURN_USER = "turnserver"  # made by Debian's package
CLONE_NEWNET = 0x40000000  # sched.h
SECRET = "k7Vb2mQx9TgYw4RzLc8NpHs5DfJa3EuK"
MEDIA, MEDIA6 = "198.51.100.7", "2001:db8::7"
PUBLIC = "203.0.113.9"
MEDIA_PORT, OTHER_PORT = 7882, 5353
SETTINGS = TurnSettings(
    secret=SECRET,
    media_addresses=(MEDIA, MEDIA6),
    listening_addresses=(MEDIA,),
    relay_addresses=(MEDIA, MEDIA6),
    process_user=COTURN_USER,
)


def has_user(name):
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


pytestmark = [
    needs_coturn,
    pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft: apt-get install nftables"),
    pytest.mark.skipif(not has_user(COTURN_USER), reason="needs the system user of Debian's coturn package"),
]


def change_namespace(call, *arguments):
    if call(*arguments) != 0:
        number = ctypes.get_errno()
        if call.__name__ == "unshare":
            pytest.skip(f"no network namespace to be had here: {os.strerror(number)}")
        raise OSError(number, os.strerror(number))


@pytest.fixture(scope="module")
def namespace():
    """Move this thread, and so every socket and child it makes, to a network namespace; at the end, back."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Names of this thread: the namespace of a process may differ between its threads.
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        change_namespace(libc.unshare, CLONE_NEWNET)
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for address in (MEDIA, MEDIA6, PUBLIC, *listenable()):
                length = "128" if ":" in address else "32"
                command = ["ip", "address", "add", f"{address}/{length}", "dev", "lo"]
                if ":" in address:
                    command.append("nodad")
                subprocess.run(command, check=True)
            yield
        finally:
            change_namespace(libc.setns, home, CLONE_NEWNET)
    finally:
        os.close(home)


def listenable():
    """Return the forbidden addresses that a socket can be bound to after adding them to an interface."""
    unbindable = {
        "0.0.0.0",
        "::",
        "::1",
        "127.0.0.1",
        "127.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "fe80::1",
    }
    return [peer for peer in FORBIDDEN if peer not in unbindable and not peer.startswith("::")]


@pytest.fixture
def coturn(namespace):
    with running_coturn(SETTINGS, user=COTURN_USER):
        yield


def load_firewall(settings):
    subprocess.run(["nft", "-f", "-"], input=render_firewall(settings).encode(), check=True)


@contextlib.contextmanager
def firewall_of(settings):
    load_firewall(settings)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "lectern_turn"], check=True)


@pytest.fixture
def firewall(namespace):
    with firewall_of(SETTINGS):
        yield


users = (f"PA_{number}" for number in itertools.count())


def turn_client(port=SETTINGS.listening_port, server=MEDIA):
    (credential,) = ice_servers("turn:relay.example.org", SECRET, next(users), time.time(), 60)
    return TurnClient((server, port), credential)


def reaches(media_address, port):
    """Say whether a relayed packet arrives at a port of the media server's own address."""
    with turn_client() as client, Listener(media_address, port) as target:
        client.allocate(family=6 if ":" in media_address else 4)
        client.create_permission((media_address, port))
        client.send((media_address, port), b"probe")
        wait_until_handled(client)
        return target.received() == [b"probe"]


def wait_until_handled(client):
    """Wait until coturn has handled all that a client sent: it does so in order, and this request is last.

    Its answer may be an error, for coturn ends an allocation of which the kernel refused to send a packet.
    """
    with contextlib.suppress(TurnError):
        client.refresh(600)


@pytest.mark.parametrize("address", [MEDIA, MEDIA6])
def test_without_the_packet_filter_other_ports_of_the_media_address_are_open(coturn, address):
    """It is why the filter exists; when coturn learns about ports one day, this test says so."""
    assert reaches(address, OTHER_PORT)


@pytest.mark.parametrize("address", [MEDIA, MEDIA6])
def test_with_the_packet_filter_only_the_media_port_is_reached(coturn, firewall, address):
    assert reaches(address, MEDIA_PORT)
    assert not reaches(address, OTHER_PORT)


def test_the_way_back_is_open_and_clients_are_served(coturn, firewall):
    with turn_client() as client, Listener(MEDIA, MEDIA_PORT) as media:
        relayed = client.allocate()["XOR-RELAYED-ADDRESS"]
        client.create_permission((MEDIA, MEDIA_PORT))
        media.send(b"back", relayed)
        assert client.receive() == ((MEDIA, MEDIA_PORT), b"back")


def test_one_participants_relayed_address_is_no_peer_of_another(coturn, firewall):
    with turn_client() as one, turn_client() as other, Listener(MEDIA, MEDIA_PORT) as media:
        one.allocate()
        there = other.allocate()["XOR-RELAYED-ADDRESS"]
        one.create_permission(there)
        other.create_permission((MEDIA, 0))
        one.send(there, b"past the server")
        wait_until_handled(one)
        media.send(b"first to arrive", there)
        assert other.receive()[1] == b"first to arrive"


def test_other_programs_are_not_filtered(firewall):
    with Listener(MEDIA, SETTINGS.relay_ports[0]) as ours, Listener(MEDIA, OTHER_PORT) as target:
        ours.send(b"not coturn's", (MEDIA, OTHER_PORT))
        assert target.receive()[0] == b"not coturn's"


def test_loading_it_again_replaces_it(firewall):
    load_firewall(SETTINGS)
    rules = subprocess.run(
        ["nft", "list", "table", "inet", "lectern_turn"], check=True, capture_output=True
    ).stdout
    assert rules.count(b"jump relayed") == 1
    assert rules.count(b"dport 7882 accept") == 2


def test_nothing_arrives_at_any_forbidden_address(coturn, firewall):
    with contextlib.ExitStack() as stack:
        media = {
            4: stack.enter_context(Listener(MEDIA, MEDIA_PORT)),
            6: stack.enter_context(Listener(MEDIA6, MEDIA_PORT)),
        }
        everywhere = [stack.enter_context(Listener(address, OTHER_PORT)) for address in ("0.0.0.0", "::")]
        at_each = [stack.enter_context(Listener(address, OTHER_PORT + 1)) for address in listenable()]
        at_each += [
            stack.enter_context(Listener(address, OTHER_PORT + 1)) for address in ("127.0.0.1", "::1")
        ]
        for family, address in ((4, MEDIA), (6, MEDIA6)):
            client = stack.enter_context(turn_client())
            client.allocate(family=family)
            client.create_permission((address, MEDIA_PORT))
            for peer in FORBIDDEN:
                for port in (OTHER_PORT, OTHER_PORT + 1):
                    with pytest.raises(TurnError):
                        client.create_permission((peer, port))
                    client.send((peer, port), b"without permission")
            client.send((address, MEDIA_PORT), b"last")
            assert media[family].receive()[0] == b"last"
        assert [listener.received() for listener in everywhere + at_each] == [[]] * len(everywhere + at_each)


def test_a_relay_behind_the_same_nat_reaches_the_media_server_by_its_public_address(namespace):
    inner = "10.0.0.1"
    settings = TurnSettings(
        secret=SECRET,
        media_addresses=(PUBLIC,),
        listening_addresses=(inner,),
        relay_addresses=(inner,),
        external_address=PUBLIC,
        process_user=COTURN_USER,
    )
    with (
        firewall_of(settings),
        running_coturn(settings, user=COTURN_USER),
        turn_client(server=inner) as client,
    ):
        assert client.allocate()["XOR-RELAYED-ADDRESS"][0] == PUBLIC
        client.create_permission((PUBLIC, MEDIA_PORT))
        with Listener(inner, MEDIA_PORT) as media, Listener(inner, OTHER_PORT) as other:
            client.send((PUBLIC, MEDIA_PORT), b"to the media server")
            data, (source, port) = media.receive()
            assert (data, source) == (b"to the media server", inner)
            media.send(b"back", (inner, port))
            assert client.receive() == ((PUBLIC, MEDIA_PORT), b"back")
            client.send((PUBLIC, OTHER_PORT), b"another port")
            wait_until_handled(client)
            assert other.received() == []
