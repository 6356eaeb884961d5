"""The rendered configuration, read the way coturn reads it."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.turn_config.peers import FORBIDDEN
from turn_config.coturn import TurnConfigError, TurnSettings, render

SECRET = "k" * 32
MEDIA = ("198.51.100.7", "2001:db8::7")
SETTINGS = TurnSettings(secret=SECRET, media_addresses=MEDIA)

NEIGHBOURS = ["198.51.100.6", "198.51.100.8", "2001:db8::6", "2001:db8::8", "2001:db7::7", "2001:db8::1:7"]


def options(text):
    """Split a configuration into (name, value) as coturn does: a line each, `#` starts a comment line."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def embedded_ipv4(address):
    """Return the IPv4 address inside an IPv6 spelling, as coturn does since its pull request 1945."""
    if address.version == 4 or int(address) <= 1:
        return address
    number = int(address)
    if address in ipaddress.ip_network("2002::/16"):
        return ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
    for network in ("::ffff:0:0/96", "::/96", "64:ff9b::/96"):
        if address in ipaddress.ip_network(network):
            return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return address


def as_spelt(address):
    return address


def below_by_number(one, other):
    return one.version < other.version if one.version != other.version else int(one) <= int(other)


def below_by_each_byte(one, other):
    """Compare IPv6 addresses the way coturn did for years: every byte by itself."""
    if one.version != other.version:
        return one.version < other.version
    if one.version == 4:
        return one <= other
    return all(a <= b for a, b in zip(one.packed, other.packed, strict=True))


# Versions of coturn differ in which spellings they reduce and in how they compare; no difference may matter.
DIALECTS = [
    (reduce, below) for reduce in (as_spelt, embedded_ipv4) for below in (below_by_number, below_by_each_byte)
]


def accepts(text, peer, dialect):
    """Say whether coturn with this configuration would install a permission for `peer`.

    The order is that of good_peer_addr in coturn's ns_turn_server.c. Its checks of loopback and unspecified
    addresses are left out: the lists have to be enough without them.
    """
    reduce, below = dialect
    peer = reduce(ipaddress.ip_address(peer))

    def listed(name):
        for value in (value for option, value in options(text) if option == name):
            first, _, last = value.partition("-")
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
            if (int(low) == 0 or below(low, peer)) and below(peer, high):
                return True
        return False

    return listed("allowed-peer-ip") or not listed("denied-peer-ip")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("peer", FORBIDDEN + NEIGHBOURS)
def test_every_known_way_around_is_denied(peer, dialect):
    assert not accepts(render(SETTINGS), peer, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("peer", MEDIA)
def test_the_media_server_is_allowed(peer, dialect):
    assert accepts(render(SETTINGS), peer, dialect)


@given(st.ip_addresses())
@example(ipaddress.ip_address("::ffff:198.51.100.7"))
def test_nothing_else_is_allowed(peer):
    text = render(SETTINGS)
    for dialect in DIALECTS:
        reduced = dialect[0](peer)
        assert accepts(text, str(peer), dialect) == (str(reduced) in MEDIA)


def test_the_reader_of_these_tests_finds_an_open_relay():
    text = "\n".join(
        line for line in render(SETTINGS).splitlines() if not line.startswith("denied-peer-ip=::")
    )
    assert accepts(text, "::ffff:127.0.0.1", (as_spelt, below_by_number))


def test_one_family_of_media_addresses_leaves_the_other_closed():
    text = render(TurnSettings(secret=SECRET, media_addresses=("198.51.100.7",)))
    for dialect in DIALECTS:
        assert not accepts(text, "2001:db8::7", dialect)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use-auth-secret", ""),
        ("static-auth-secret", SECRET),
        ("realm", "lectern"),
        ("user-quota", "12"),
        ("total-quota", "4000"),
        ("stale-nonce", "600"),
        ("max-allocate-lifetime", "600"),
        ("min-port", "49152"),
        ("max-port", "65535"),
        ("listening-port", "3478"),
        ("no-tcp-relay", ""),
        ("no-multicast-peers", ""),
        ("no-cli", ""),
        ("fingerprint", ""),
        ("no-tls", ""),
        ("no-dtls", ""),
        ("log-file", "stdout"),
    ],
)
def test_the_configuration_says(name, value):
    assert options(render(SETTINGS)).count((name, value)) == 1


@pytest.mark.parametrize(
    "name", ["allow-loopback-peers", "no-auth", "lt-cred-mech", "verbose", "server-relay", "cli-password"]
)
def test_the_configuration_never_says(name):
    assert name not in dict(options(render(SETTINGS)))


def test_tls_is_on_with_a_certificate_and_modern():
    settings = TurnSettings(
        secret=SECRET,
        media_addresses=MEDIA,
        tls_listening_port=443,
        cert_path="/etc/lectern/turn.pem",
        key_path="/etc/lectern/turn.key",
    )
    found = options(render(settings))
    assert ("tls-listening-port", "443") in found
    assert ("cert", "/etc/lectern/turn.pem") in found
    assert ("pkey", "/etc/lectern/turn.key") in found
    assert {("no-tlsv1", ""), ("no-tlsv1_1", "")} <= set(found)
    assert ("no-tls", "") not in found


def test_a_relay_behind_a_nat_names_both_of_its_addresses():
    settings = TurnSettings(
        secret=SECRET,
        media_addresses=("203.0.113.9",),
        listening_addresses=("10.0.0.5",),
        relay_addresses=("10.0.0.5",),
        external_address="203.0.113.9",
    )
    found = options(render(settings))
    assert ("external-ip", "203.0.113.9/10.0.0.5") in found
    assert ("relay-ip", "10.0.0.5") in found
    assert ("listening-ip", "10.0.0.5") in found
    assert [value for name, value in found if name == "allowed-peer-ip"] == ["10.0.0.5"]


def test_no_setting_adds_a_line_of_its_own():
    plain = [name for name, _ in options(render(SETTINGS))]
    for field in ("secret", "realm", "cert_path", "external_address"):
        values = {"secret": SECRET, "media_addresses": MEDIA, field: "x" * 32 + "\nno-auth"}
        with pytest.raises(TurnConfigError):
            render(TurnSettings(**values))
    assert "no-auth" not in plain
