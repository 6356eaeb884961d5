"""The addresses at which an engine can be reached, and the candidates that announce them."""

import ipaddress
from collections.abc import Iterable

import ifaddr

from sfu.settings import MediaSettings


def candidates(settings: MediaSettings, port: int) -> tuple[str, ...]:
    """Return host candidate lines (RFC 8839 section 5.1), best first."""
    hosts = announced_hosts(settings.external_ips)
    if settings.announce_loopback:
        hosts.append("127.0.0.1")
    lines = []
    for i, host in enumerate(hosts):
        # RFC 8445 section 5.1.2: type preference 126 (host), then our order
        priority = 126 << 24 | (65535 - i) << 8 | 255
        lines.append(f"candidate:{i + 1} 1 udp {priority} {host} {port} typ host")
    return tuple(lines)


def announced_hosts(external_ips: Iterable[str]) -> list[str]:
    """Return the addresses to announce: those of the machine, or those that `external_ips` names (`MediaSettings`)."""
    named: list[str] = []
    for entry in external_ips:
        try:
            named.append(str(ipaddress.ip_address(entry)))
        except ValueError:
            named += local_addresses(entry)
    return list(dict.fromkeys(named)) if external_ips else local_addresses()


def local_addresses(interface: str = "") -> list[str]:
    """Return the addresses of the machine or of one interface, without loopback and link-local ones; IPv4 first."""
    found = {
        (entry.is_IPv6, entry.ip if isinstance(entry.ip, str) else entry.ip[0])
        for adapter in ifaddr.get_adapters()
        if interface in {"", adapter.name}
        for entry in adapter.ips
    }
    return [
        host
        for _, host in sorted(found)
        if not host.startswith(("127.", "fe80:", "169.254.")) and host != "::1"
    ]
