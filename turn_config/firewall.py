"""The packet filter for the relay: packets that coturn relays for participants reach only the media ports.

coturn's own peer filter compares addresses only, so on the media server's machine a participant could have packets sent
to every UDP port of that address. The kernel knows the port and the sending user.
"""

import ipaddress

from turn_config.settings import TurnSettings, allowed_peers

__all__ = ["render_firewall"]


def render_firewall(settings: TurnSettings) -> str:
    """Return an nftables ruleset, to be loaded with `nft -f` before coturn starts. TurnConfigError as in `render`.

    Loading it again replaces it. It affects no other table, and only those packets of coturn's user that leave from
    relay ports: replies to clients leave from the listening ports.
    """
    peers = allowed_peers(settings)
    relayed = f'meta skuid "{settings.process_user}" udp sport {_ports(settings.relay_ports)}'
    accepts = [
        f"        {family} daddr {{ {', '.join(members)} }} udp dport {_ports(settings.media_ports)} accept"
        for family, members in (("ip", _of_version(peers, 4)), ("ip6", _of_version(peers, 6)))
        if members
    ]
    # Creating the table first makes the delete valid on the first load too; nft applies a file as one transaction.
    return "\n".join(
        (
            "# Packet filter for Lectern's coturn.",
            "table inet lectern_turn",
            "delete table inet lectern_turn",
            "table inet lectern_turn {",
            "    chain output {",
            "        type filter hook output priority filter; policy accept;",
            f"        {relayed} jump relayed",
            "    }",
            "    chain relayed {",
            *accepts,
            "        counter drop",
            "    }",
            "}",
            "",
        )
    )


def _of_version(peers: tuple[str, ...], version: int) -> list[str]:
    return [peer for peer in peers if ipaddress.ip_address(peer).version == version]


def _ports(ports: tuple[int, int]) -> str:
    first, last = ports
    return str(first) if first == last else f"{first}-{last}"
