"""Settings of the media engine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """What an operator decides about the media plane."""

    udp_port: int = 7882
    "The one UDP port for everybody's media and data; 0 takes a free one."
    external_ip: str = ""
    "Address to announce instead of the machine's own (a NAT's outside)."
    announce_loopback: bool = False
    "Also announce 127.0.0.1 (dev mode)."
    portable_io: bool = False
    "Use plain socket calls even where recvmmsg and sendmmsg exist."
    native: bool = True
    "Use the native kernel of the fan-out where it was built."
