"""A complete configuration for coturn (4.5.2 or later; tested with Debian's 4.6.1).

It serves only participants of this server, and relays only to this server. `turn_config.firewall` adds what coturn
cannot express: its peer filter compares addresses, not ports.
"""

from turn_config.settings import TurnConfigError, TurnSettings, allowed_peers

__all__ = ["TurnConfigError", "TurnSettings", "render"]

_HEADER = """\
# coturn for Lectern. This file contains a secret: let only root and coturn read it.
# coturn's peer filter compares addresses, not ports: load `lectern turn-config --firewall` as well."""

# coturn applies its filters in this order: multicast and loopback, allowed, denied (good_peer_addr in its
# ns_turn_server.c). All addresses of both families are denied, so that it does not matter which spellings of an address
# coturn recognises: up to 4.8 it compares ::ffff:127.0.0.1 with no IPv4 range (CVE-2026-27624).
_DENY_ALL = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

_Lines = list[str]


def render(settings: TurnSettings) -> str:
    """Return the text of a turnserver.conf. TurnConfigError for settings that give no safe configuration."""
    peers = allowed_peers(settings)
    sections = (
        ("Where clients connect", _listeners(settings)),
        ("Where relayed packets leave", _relay(settings)),
        ("Who may use it", _credentials(settings)),
        ("No open relay: the media server is the only peer", _peer_filter(peers)),
        ("Nothing that a lesson does not need", _hardening()),
        ("Log to the journal; without `verbose` coturn writes no line per session", ["log-file=stdout"]),
    )
    return "\n\n".join([_HEADER, *("\n".join((f"# {title}", *lines)) for title, lines in sections)]) + "\n"


def _listeners(settings: TurnSettings) -> _Lines:
    lines = [f"listening-ip={address}" for address in settings.listening_addresses]
    lines.append(f"listening-port={settings.listening_port}")
    # Browsers use TURN over UDP, TCP and TLS, never over DTLS.
    lines.append("no-dtls")
    if not settings.cert_path:
        return [*lines, "no-tls"]
    # RFC 8996 deprecates TLS 1.0 and 1.1.
    return [
        *lines,
        f"tls-listening-port={settings.tls_listening_port}",
        f"cert={settings.cert_path}",
        f"pkey={settings.key_path}",
        "no-tlsv1",
        "no-tlsv1_1",
    ]


def _relay(settings: TurnSettings) -> _Lines:
    lines = [f"relay-ip={address}" for address in settings.relay_addresses]
    if settings.external_address:
        lines.append(f"external-ip={settings.external_address}/{settings.relay_addresses[0]}")
    first, last = settings.relay_ports
    return [*lines, f"min-port={first}", f"max-port={last}"]


def _credentials(settings: TurnSettings) -> _Lines:
    return [
        f"realm={settings.realm}",
        "use-auth-secret",
        f"static-auth-secret={settings.secret}",
        f"stale-nonce={settings.nonce_lifetime_s}",
        f"user-quota={settings.user_quota}",
        f"total-quota={settings.total_quota}",
        f"max-allocate-lifetime={settings.max_allocation_lifetime_s}",
    ]


def _peer_filter(peers: tuple[str, ...]) -> _Lines:
    # `allow-loopback-peers` is not set: without it coturn refuses 127/8, ::1 and the unspecified addresses.
    return [
        *(f"allowed-peer-ip={peer}" for peer in peers),
        *(f"denied-peer-ip={network}" for network in _DENY_ALL),
        "no-multicast-peers",
    ]


def _hardening() -> _Lines:
    return [
        "no-tcp-relay",  # RFC 6062 would open TCP connections for clients
        "no-cli",
        "fingerprint",  # RFC 8489 section 7: distinguishes STUN from other traffic on the port
        "no-rfc5780",  # NAT discovery; its responses are larger than its requests
        "no-stun-backward-compatibility",
        "response-origin-only-with-rfc5780",
        "no-software-attribute",
    ]
