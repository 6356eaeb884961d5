"""The operator's settings of the relay, checked in one place for every rendered file."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from turn_config.credentials import TurnConfigError

__all__ = ["TurnConfigError", "TurnSettings", "allowed_peers", "check"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """The settings of one coturn for one media server. Addresses are literals; `()` and `""` mean "not set"."""

    secret: str = field(repr=False)
    "The secret shared with the server that mints credentials (`--turn-secret`)."
    media_addresses: tuple[str, ...]
    "The media server's addresses as clients receive them in candidates: the only peers of the relay."
    media_ports: tuple[int, int] = (7882, 7882)
    "First and last UDP port of the media server."
    realm: str = "lectern"
    "Realm of the long-term credentials, usually the relay's domain name."
    listening_addresses: tuple[str, ...] = ()
    "Local addresses that clients connect to; not set: all addresses of the machine."
    listening_port: int = 3478
    "Port for TURN over UDP and TCP (RFC 8656 section 2.1)."
    tls_listening_port: int = 5349
    "Port for TURN over TLS; 443 passes most firewalls. Used with a certificate only."
    cert_path: str = ""
    "Absolute path of the TLS certificate chain (PEM); not set: no TLS."
    key_path: str = ""
    "Absolute path of the certificate's private key (PEM)."
    relay_addresses: tuple[str, ...] = ()
    "Local addresses that relayed packets are sent from; not set: the address that the client connected to."
    external_address: str = ""
    "Address at which a NAT makes the one relay address reachable; not set: no NAT."
    relay_ports: tuple[int, int] = (49152, 65535)
    "First and last UDP port of relayed addresses (RFC 8656 section 7.2 recommends the dynamic range)."
    user_quota: int = 12
    "Maximum TURN allocations of one participant: several URLs times several network interfaces make a dozen."
    total_quota: int = 4000
    "Maximum TURN allocations of all participants together; each uses one relay port."
    nonce_lifetime_s: int = 600
    "Seconds after which a client must prove its credential with a new nonce."
    max_allocation_lifetime_s: int = 600
    "Maximum lifetime of an allocation without a refresh, in seconds (RFC 8656 section 7.2: at least the default, 600)."
    process_user: str = "turnserver"
    "System user that coturn runs as (Debian's package: turnserver); the packet filter matches on it."
    allow_short_secret: bool = False
    "Whether to accept a secret under 32 characters (development)."


# Participants get a username and its HMAC, so they could guess a short secret offline.
_MIN_SECRET_LENGTH = 32
# The alphabet of base64, hex and URL-safe tokens; no character that coturn's line parser interprets.
_SECRET = re.compile(r"[A-Za-z0-9+/=_.~-]{1,256}")
_REALM = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,126}")
_PATH = re.compile(r"/[A-Za-z0-9/_.@+-]{1,4000}")
# Debian's NAME_REGEX for system users.
_SYSTEM_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")

# Addresses that a media server on a network never has, or that are another spelling of an IPv4 address. coturn compares
# addresses as they are spelt, so a second allowed spelling would bypass the filter (CVE-2020-26262, CVE-2026-27624). A
# loopback media address is refused too: coturn would need `allow-loopback-peers`, and every service that trusts
# 127.0.0.1 would then be reachable.
_NEVER_A_PEER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host; as a destination, Linux treats 0.0.0.0 as 127.0.0.1
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata service of clouds
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
        "::/96",  # unspecified, loopback and the IPv4-compatible form
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # local NAT64, RFC 8215
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, RFC 3879
        "ff00::/8",  # multicast
    )
)


def check(settings: TurnSettings) -> None:
    """Raise TurnConfigError for the first setting that would not give a safe configuration."""
    _check_secret(settings)
    _check_words(settings)
    _check_ports(settings)
    _check_numbers(settings)
    for address in (*settings.listening_addresses, *settings.relay_addresses):
        _literal("local address", address)
    if not settings.media_addresses:
        raise TurnConfigError("the relay needs at least one address of the media server")
    for address in settings.media_addresses:
        _peer("media address", address)
    _check_nat(settings)


def allowed_peers(settings: TurnSettings) -> tuple[str, ...]:
    """Return the addresses that the relay may send to, in canonical form and without repetition.

    If a request names coturn's own external address, coturn replaces it by the relay address behind it before
    consulting its filter, so for that pair the inner address is returned. TurnConfigError as in `check`.
    """
    check(settings)
    peers: list[str] = []
    for text in settings.media_addresses:
        address = str(_literal("media address", text))
        if settings.external_address and address == str(
            _literal("external address", settings.external_address)
        ):
            address = str(_literal("relay address", settings.relay_addresses[0]))
        if address not in peers:
            peers.append(address)
    return tuple(peers)


def _check_secret(settings: TurnSettings) -> None:
    if _SECRET.fullmatch(settings.secret) is None:
        raise TurnConfigError("the TURN secret must be 1 to 256 letters, digits and +/=_.~- without spaces")
    if len(settings.secret) < _MIN_SECRET_LENGTH and not settings.allow_short_secret:
        raise TurnConfigError(
            f"the TURN secret has fewer than {_MIN_SECRET_LENGTH} characters and could be guessed"
        )


def _check_words(settings: TurnSettings) -> None:
    _matches("realm", settings.realm, _REALM)
    _matches("system user", settings.process_user, _SYSTEM_USER)
    if bool(settings.cert_path) != bool(settings.key_path):
        raise TurnConfigError("TLS needs both a certificate and its key")
    for path in (settings.cert_path, settings.key_path):
        if path:
            _matches("absolute path", path, _PATH)


def _check_ports(settings: TurnSettings) -> None:
    for name, (first, last) in (("media ports", settings.media_ports), ("relay ports", settings.relay_ports)):
        if not 0 < first <= last < 65536:
            raise TurnConfigError(f"invalid range of {name}: {first}-{last}")
    first, last = settings.relay_ports
    # The packet filter distinguishes relayed packets from replies to clients by their source port.
    for port in (settings.listening_port, settings.tls_listening_port):
        if not 0 < port < 65536 or first <= port <= last:
            raise TurnConfigError(f"invalid listening port, or within the relay ports {first}-{last}: {port}")


def _check_numbers(settings: TurnSettings) -> None:
    # In coturn, 0 means "no limit" for each of these.
    for name, value in (
        ("user quota", settings.user_quota),
        ("total quota", settings.total_quota),
        ("nonce lifetime", settings.nonce_lifetime_s),
    ):
        if value <= 0:
            raise TurnConfigError(f"the {name} must be above 0, not {value}")
    # RFC 8656 section 7.2: a server's maximum is at least the default lifetime of 10 minutes.
    if not 600 <= settings.max_allocation_lifetime_s <= 3600:
        raise TurnConfigError(
            f"the allocation lifetime must be 600 to 3600 s, not {settings.max_allocation_lifetime_s}"
        )


def _check_nat(settings: TurnSettings) -> None:
    if not settings.external_address:
        return
    external = _peer("external address", settings.external_address)
    if len(settings.relay_addresses) != 1:
        raise TurnConfigError("an external address needs exactly one relay address that the NAT maps it to")
    relay = _peer("relay address", settings.relay_addresses[0])
    if relay.version != external.version:
        raise TurnConfigError(
            f"the external address {external} and the relay address {relay} have different address families"
        )


def _peer(name: str, text: str) -> _Address:
    address = _literal(name, text)
    if _within(address, _NEVER_A_PEER):
        raise TurnConfigError(
            f"the {name} {address} is never a valid peer: use an address that the media server has on a network"
        )
    return address


def _within(address: _Address, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _literal(name: str, text: str) -> _Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise TurnConfigError(f"the {name} is not an IP address: {text[:200]!r}") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise TurnConfigError(f"the {name} must not have a scope: {text[:200]!r}")
    return address


def _matches(name: str, text: str, pattern: re.Pattern[str]) -> None:
    if pattern.fullmatch(text) is None:
        raise TurnConfigError(f"invalid {name}: {text[:200]!r}")
