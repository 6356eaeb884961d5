import dataclasses
import inspect

import pytest

from turn_config.settings import TurnConfigError, TurnSettings, allowed_peers, check

SECRET = "k" * 32


def settings(**changes):
    defaults = {"secret": SECRET, "media_addresses": ("192.0.2.7",)}
    return TurnSettings(**(defaults | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"media_addresses": ("10.1.2.3", "fd00::7", "2001:db8::7")},
        {"media_ports": (40000, 40100)},
        {"cert_path": "/etc/lectern/turn.pem", "key_path": "/etc/lectern/turn.key"},
        {"listening_addresses": ("127.0.0.1", "::1")},
        {"tls_listening_port": 443},
        {"relay_addresses": ("10.0.0.5",), "external_address": "203.0.113.9"},
        {"secret": "short", "allow_short_secret": True},
    ],
)
def test_settings_of_real_deployments_pass(changes):
    check(settings(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": ""},
        {"secret": "k" * 31},
        {"secret": "k" * 257},
        {"secret": "k" * 32 + "\nno-auth"},
        {"secret": "k" * 32 + " "},
        {"realm": ""},
        {"realm": "a\nno-auth"},
        {"realm": "a b"},
        {"process_user": "0"},
        {"process_user": 'x" accept'},
        {"cert_path": "/etc/cert.pem"},
        {"key_path": "/etc/key.pem"},
        {"cert_path": "cert.pem", "key_path": "/etc/key.pem"},
        {"cert_path": "/etc/cert.pem\nno-auth", "key_path": "/etc/key.pem"},
        {"media_ports": (0, 0)},
        {"media_ports": (2, 1)},
        {"media_ports": (65535, 65536)},
        {"relay_ports": (50000, 49999)},
        {"listening_port": 0},
        {"listening_port": 50000},
        {"tls_listening_port": 49152},
        {"user_quota": 0},
        {"total_quota": 0},
        {"nonce_lifetime_s": 0},
        {"max_allocation_lifetime_s": 599},
        {"max_allocation_lifetime_s": 3601},
        {"listening_addresses": ("localhost",)},
        {"relay_addresses": ("192.0.2.7\nno-auth",)},
        {"media_addresses": ()},
        {"media_addresses": ("media.example.org",)},
        {"media_addresses": ("192.0.2.0/24",)},
        {"media_addresses": ("0.0.0.0-255.255.255.255",)},
        {"media_addresses": ("fd00::7%eth0",)},
        {"external_address": "203.0.113.9"},
        {"external_address": "203.0.113.9", "relay_addresses": ("10.0.0.5", "10.0.0.6")},
        {"external_address": "203.0.113.9", "relay_addresses": ("fd00::5",)},
        {"external_address": "203.0.113.9", "relay_addresses": ("127.0.0.1",)},
        {"external_address": "0.0.0.0", "relay_addresses": ("10.0.0.5",)},
    ],
)
def test_unsafe_or_unusable_settings_are_refused(changes):
    with pytest.raises(TurnConfigError):
        check(settings(**changes))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:192.0.2.7",
        "64:ff9b::192.0.2.7",
        "::ffff:0:192.0.2.7",
        "fec0::7",
        "64:ff9b:1::192.0.2.7",
        "2002:c000:207::",
        "2001:0:c000:207::1",
        "fe80::1",
        "ff02::1",
    ],
)
def test_an_address_that_no_media_server_has_on_a_network_is_never_allowed(address):
    with pytest.raises(TurnConfigError):
        allowed_peers(settings(media_addresses=("192.0.2.7", address)))


@pytest.mark.parametrize(
    ("changes", "peers"),
    [
        ({"media_addresses": ("192.0.2.7",)}, ("192.0.2.7",)),
        ({"media_addresses": ("192.0.2.7", "192.0.2.7")}, ("192.0.2.7",)),
        ({"media_addresses": ("2001:DB8:0::7", "2001:db8::7")}, ("2001:db8::7",)),
        # The relay behind the same NAT as the media server: coturn asks its filter about the inner address.
        (
            {
                "media_addresses": ("203.0.113.9",),
                "external_address": "203.0.113.9",
                "relay_addresses": ("10.0.0.5",),
            },
            ("10.0.0.5",),
        ),
        # The media server elsewhere: it keeps its own address.
        (
            {
                "media_addresses": ("198.51.100.7",),
                "external_address": "203.0.113.9",
                "relay_addresses": ("10.0.0.5",),
            },
            ("198.51.100.7",),
        ),
    ],
)
def test_allowed_peers(changes, peers):
    assert allowed_peers(settings(**changes)) == peers


def test_the_secret_is_in_no_repr_and_no_refusal():
    secret = "f" * 31 + "\n"
    unusable = settings(secret=secret)
    with pytest.raises(TurnConfigError) as refusal:
        check(unusable)
    assert secret.strip() not in str(refusal.value) + repr(unusable)


def test_every_setting_has_its_sentence():
    source = inspect.getsource(TurnSettings)
    for setting in dataclasses.fields(TurnSettings):
        declaration = source.index(f"    {setting.name}: ")
        assert source[declaration:].splitlines()[1].startswith('    "'), setting.name
