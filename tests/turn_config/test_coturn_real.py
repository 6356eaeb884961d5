"""Debian's coturn with a rendered configuration: what may pass does, and nothing else."""

import contextlib
import dataclasses
import ipaddress
import itertools
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.turn_config.coturn import free_port, machine_address, needs_coturn, running_coturn
from tests.turn_config.peers import FORBIDDEN
from tests.turn_config.turn_client import TCP, Listener, TurnClient, TurnError
from turn_config.coturn import TurnSettings
from turn_config.credentials import ice_servers

pytestmark = needs_coturn

SECRET = "k7Vb2mQx9TgYw4RzLc8NpHs5DfJa3EuK"
# A second media address in the other family, so that IPv6 peers meet the filter and not the family check. It
# need not exist: permission is all that is asked for.
MEDIA6 = "2001:db8::7"


users = (f"PA_{number}" for number in itertools.count())


def credential(user=None, secret=SECRET, ttl_s=60):
    """Return a credential; of a new user by default, for a dead client's allocations count for minutes."""
    (server,) = ice_servers("turn:relay.example.org", secret, user or next(users), time.time(), ttl_s)
    return server


@pytest.fixture(scope="module")
def relay():
    """A running relay that serves this machine's address; gives (address, port, log)."""
    address = machine_address()
    settings = TurnSettings(
        secret=SECRET,
        media_addresses=(address, MEDIA6),
        listening_addresses=(address,),
        # Local to every machine with IPv6; a client that asks for an IPv6 relay address gets this one.
        relay_addresses=(address, "::1") if has_ipv6_loopback() else (address,),
        listening_port=free_port(address),
    )
    with running_coturn(settings) as log:
        yield address, settings.listening_port, log


def has_ipv6_loopback():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.fixture
def client(relay):
    address, port, _ = relay
    with TurnClient((address, port), credential()) as client:
        yield client


def code_of(call, *arguments, **keywords):
    """Return the STUN error code that a request is answered with, 0 for success."""
    try:
        call(*arguments, **keywords)
    except TurnError as error:
        return error.code
    return 0


def test_packets_pass_to_the_media_address_and_back(relay, client):
    address, _, _ = relay
    relayed = client.allocate()["XOR-RELAYED-ADDRESS"]
    with Listener(address) as media:
        client.create_permission((address, media.port))
        client.send((address, media.port), b"there")
        data, source = media.receive()
        assert (data, source) == (b"there", relayed)
        media.send(b"back", relayed)
        assert client.receive() == ((address, media.port), b"back")

        channel = client.bind_channel((address, media.port))
        client.send_on_channel(channel, b"by channel")
        assert media.receive()[0] == b"by channel"
        media.send(b"back again", relayed)
        assert client.receive_on_channel() == (channel, b"back again")


def test_a_relayed_packet_cannot_reach_a_port_of_127_0_0_1(relay, client):
    address, _, _ = relay
    client.allocate()
    with Listener(address) as media, Listener("127.0.0.1") as local, Listener("0.0.0.0") as every:
        client.create_permission((address, media.port))
        for name in ("127.0.0.1", "0.0.0.0", "127.1.2.3"):
            for port in (local.port, every.port):
                assert code_of(client.create_permission, (name, port)) == 403
                assert code_of(client.bind_channel, (name, port)) == 403
                client.send((name, port), b"without permission")
        # The relay handles one client's packets in order: once this one is here, the others will not come.
        client.send((address, media.port), b"last")
        assert media.receive()[0] == b"last"
        assert local.received() == every.received() == []


@pytest.mark.parametrize("peer", FORBIDDEN)
def test_every_known_way_around_is_refused(client, peer):
    family = ipaddress.ip_address(peer).version
    if family == 6 and not has_ipv6_loopback():
        pytest.skip("the machine has no IPv6, so coturn hands out no IPv6 relay address")
    client.allocate(family=family)
    assert code_of(client.create_permission, (peer, 7882)) == 403
    assert code_of(client.bind_channel, (peer, 7882)) == 403


@pytest.mark.parametrize("family", [4, 6])
def test_an_address_of_the_other_family_is_refused(client, family):
    if family == 6 and not has_ipv6_loopback():
        pytest.skip("the machine has no IPv6, so coturn hands out no IPv6 relay address")
    client.allocate(family=family)
    peer = "127.0.0.1" if family == 6 else "::ffff:127.0.0.1"
    assert code_of(client.create_permission, (peer, 7882)) == 443  # RFC 8656 section 10.2


def test_the_filter_lets_exactly_the_ipv6_media_address_pass(client):
    if not has_ipv6_loopback():
        pytest.skip("the machine has no IPv6, so coturn hands out no IPv6 relay address")
    client.allocate(family=6)
    assert code_of(client.create_permission, (MEDIA6, 7882)) == 0
    assert code_of(client.create_permission, ("2001:db8::8", 7882)) == 403


def test_no_credential_of_another_making_is_taken(relay):
    address, port, _ = relay
    good = credential("PA_honest")
    names = (f"{int(time.time()) + 9999}:PA_honest", good.username + "2", "PA_honest")
    forgeries = [dataclasses.replace(good, username=name) for name in names]
    for forged in (credential(secret="g" * 32), *forgeries):
        with TurnClient((address, port), forged) as client:
            assert code_of(client.allocate) == 401


def test_an_expired_credential_is_refused(relay):
    address, port, _ = relay
    now = time.time()
    for minted_at, code in ((now - 120, 401), (now, 0)):
        (server,) = ice_servers("turn:relay.example.org", SECRET, "PA_late", minted_at, ttl_s=60)
        with TurnClient((address, port), server) as client:
            assert code_of(client.allocate) == code


def test_an_allocation_outlives_its_credential(relay):
    """A short life is therefore no limit on a lesson, only on what a leaked credential is good for."""
    address, port, _ = relay
    with TurnClient((address, port), credential(ttl_s=1)) as client:
        client.allocate()
        assert becomes_refused(address, port, client)
        assert code_of(client.refresh, 600) == 0
        assert code_of(client.create_permission, (address, 7882)) == 0


def becomes_refused(address, port, client):
    """Ask for new allocations with a client's credential until it has expired by coturn's clock: 2 s."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with TurnClient((address, port), client._credential) as another:
            code = code_of(another.allocate)
            if code == 401:
                return True
            assert code in {0, 486}  # the quota may be met on the way
        time.sleep(0.25)  # another program's clock has to move; nothing tells when
    return False


def test_one_user_gets_a_dozen_allocations_whatever_the_expiry_and_others_are_not_hurt(relay):
    address, port, _ = relay
    with contextlib.ExitStack() as clients:
        codes = []
        for number in range(13):
            client = clients.enter_context(
                TurnClient((address, port), credential("PA_greedy", ttl_s=60 + number))
            )
            codes.append(code_of(client.allocate))
        assert codes == [0] * 12 + [486]
        other = clients.enter_context(TurnClient((address, port), credential("PA_modest")))
        assert code_of(other.allocate) == 0


def test_a_lifetime_longer_than_allowed_is_cut(client):
    assert client.allocate(lifetime_s=86_400)["LIFETIME"] == 600


def test_tcp_clients_are_served_but_nothing_is_relayed_over_tcp(relay):
    address, port, _ = relay
    with Listener(address) as media:
        stream = socket.create_connection((address, port), timeout=5)
        with TurnClient((address, port), credential(), stream) as client:
            assert (
                code_of(client.allocate, transport=TCP) == 442
            )  # RFC 6062 section 5.1: unsupported transport
        stream = socket.create_connection((address, port), timeout=5)
        with TurnClient((address, port), credential(), stream) as client:
            client.allocate()
            client.send_on_channel(client.bind_channel((address, media.port)), b"over tcp")
            assert media.receive()[0] == b"over tcp"


def test_coturn_knows_every_option_and_logs_no_secret(relay):
    address, port, log = relay
    with TurnClient((address, port), credential()) as client:
        client.allocate()
        code_of(client.create_permission, ("10.0.0.1", 9))
    text = log.read_text(errors="replace")
    assert "10.0.0.1 denied" in text  # the log is the one of this relay
    assert "Bad configuration format" not in text
    assert "WARNING: cannot find" not in text
    assert SECRET not in text
    assert credential().credential not in text


def self_signed(directory):
    """Write a certificate for this machine; returns its path and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("relay.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "cert.pem", directory / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_tls_clients_are_served(tmp_path):
    address = machine_address()
    cert, key = self_signed(tmp_path)
    port = free_port(address)
    settings = TurnSettings(
        secret=SECRET,
        media_addresses=(address,),
        listening_addresses=(address,),
        listening_port=port,
        tls_listening_port=free_port(address, beside=port),
        cert_path=str(cert),
        key_path=str(key),
    )
    context = ssl.create_default_context(cafile=str(cert))
    with running_coturn(settings), Listener(address) as media:
        plain = socket.create_connection((address, settings.tls_listening_port), timeout=5)
        stream = context.wrap_socket(plain, server_hostname="relay.example.org")
        assert stream.version() in {"TLSv1.2", "TLSv1.3"}
        with TurnClient((address, settings.tls_listening_port), credential(), stream) as client:
            client.allocate()
            client.create_permission((address, media.port))
            client.send((address, media.port), b"over tls")
            assert media.receive()[0] == b"over tls"
