import pytest

from turn_config.credentials import TurnConfigError
from turn_config.firewall import render_firewall
from turn_config.settings import TurnSettings

SECRET = "k" * 32


def rules(**changes):
    settings = TurnSettings(
        **({"secret": SECRET, "media_addresses": ("198.51.100.7", "2001:db8::7")} | changes)
    )
    return [line.strip() for line in render_firewall(settings).splitlines()]


def test_relayed_packets_go_to_the_media_port_or_nowhere():
    lines = rules()
    relayed = lines[lines.index("chain relayed {") + 1 :]
    assert relayed[:3] == [
        "ip daddr { 198.51.100.7 } udp dport 7882 accept",
        "ip6 daddr { 2001:db8::7 } udp dport 7882 accept",
        "counter drop",
    ]


def test_only_what_coturn_sends_from_relay_ports_is_filtered():
    assert 'meta skuid "turnserver" udp sport 49152-65535 jump relayed' in rules()
    assert 'meta skuid "relay" udp sport 50000 jump relayed' in rules(
        process_user="relay", relay_ports=(50000, 50000)
    )


def test_a_range_of_media_ports_is_one_rule():
    assert "ip daddr { 198.51.100.7, 198.51.100.8 } udp dport 7882-7885 accept" in rules(
        media_addresses=("198.51.100.7", "198.51.100.8"), media_ports=(7882, 7885)
    )


def test_a_family_without_media_address_has_no_rule():
    assert not [line for line in rules(media_addresses=("198.51.100.7",)) if line.startswith("ip6")]


def test_behind_a_nat_the_inner_address_counts():
    lines = rules(
        media_addresses=("203.0.113.9",), external_address="203.0.113.9", relay_addresses=("10.0.0.5",)
    )
    assert "ip daddr { 10.0.0.5 } udp dport 7882 accept" in lines


def test_the_secret_is_not_in_it():
    assert SECRET not in "\n".join(rules())


def test_unsafe_settings_are_refused():
    with pytest.raises(TurnConfigError):
        rules(media_addresses=("127.0.0.1",))
