"""What the endpoint says of its addresses; test_server drives the rest of it over a real socket."""

from sfu import endpoint
from sfu.endpoint import candidates
from sfu.settings import MediaSettings


def test_candidates(monkeypatch):
    monkeypatch.setattr(endpoint, "local_addresses", lambda: ["192.0.2.1", "2001:db8::1"])
    assert [line.split()[4:6] for line in candidates(MediaSettings(announce_loopback=True), 7882)] == [
        ["192.0.2.1", "7882"],
        ["2001:db8::1", "7882"],
        ["127.0.0.1", "7882"],
    ]
    assert [line.split()[4] for line in candidates(MediaSettings(external_ip="203.0.113.9"), 1)] == [
        "203.0.113.9"
    ]


def test_local_addresses_have_no_loopback():
    assert not any(host.startswith(("127.", "fe80")) or host == "::1" for host in endpoint.local_addresses())
