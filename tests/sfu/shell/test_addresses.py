"""Which addresses are announced, and how."""

from types import SimpleNamespace

import pytest

from sfu.settings import MediaSettings
from sfu.shell import addresses
from sfu.shell.addresses import candidates


def adapter(name, *addresses):
    entries = [SimpleNamespace(ip=ip, is_IPv6=isinstance(ip, tuple)) for ip in addresses]
    return SimpleNamespace(name=name, ips=entries)


def test_candidates(monkeypatch):
    found = {"": ["192.0.2.1", "198.51.100.2", "2001:db8::1"], "eth1": ["198.51.100.2"], "eth2": []}
    monkeypatch.setattr(addresses, "local_addresses", lambda interface="": found[interface])
    assert [line.split()[4:6] for line in candidates(MediaSettings(announce_loopback=True), 7882)] == [
        ["192.0.2.1", "7882"],
        ["198.51.100.2", "7882"],
        ["2001:db8::1", "7882"],
        ["127.0.0.1", "7882"],
    ]


@pytest.mark.parametrize(
    ("external_ips", "announced"),
    [
        (["203.0.113.9"], ["203.0.113.9"]),
        (["203.0.113.9", "2001:db8::9"], ["203.0.113.9", "2001:db8::9"]),
        (["203.0.113.9", "eth1", "198.51.100.2"], ["203.0.113.9", "198.51.100.2"]),
        (["eth1"], ["198.51.100.2"]),
        (["eth2"], []),
        ([], ["192.0.2.1", "198.51.100.2"]),
    ],
)
def test_what_is_announced_can_be_named_by_address_and_by_interface(monkeypatch, external_ips, announced):
    adapters = [
        adapter("lo", "127.0.0.1"),
        adapter("eth0", "192.0.2.1", ("fe80::1", 0, 0)),
        adapter("eth1", "198.51.100.2", "169.254.7.7", "198.51.100.2"),
        adapter("eth2"),
    ]
    monkeypatch.setattr(addresses.ifaddr, "get_adapters", lambda: adapters)
    lines = candidates(MediaSettings(external_ips=tuple(external_ips)), 1)
    assert [line.split()[4] for line in lines] == announced
    priorities = [int(line.split()[3]) for line in lines]
    assert priorities == sorted(set(priorities), reverse=True)


def test_local_addresses_have_no_loopback():
    assert not any(host.startswith(("127.", "fe80")) or host == "::1" for host in addresses.local_addresses())
