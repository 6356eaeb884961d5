"""Settings of the media engine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The operator's settings of the media plane."""

    udp_port: int = 7882
    "The one UDP port for everybody's media and data; 0 takes a free one."
    local_only: bool = False
    "Serve only clients on this machine (dev mode): connectivity checks from other addresses get no answer."
    external_ips: tuple[str, ...] = ()
    "What to announce instead of all of the machine's addresses: addresses (a NAT's outside), or names of interfaces."
    announce_loopback: bool = False
    "Also announce 127.0.0.1 (dev mode)."
    log_wakes: bool = False
    "Log each minute why the engine woke (development mode)."
    portable_io: bool = False
    "Use plain socket calls even where recvmmsg and sendmmsg exist."
    native: bool = True
    "Use the native data plane where it was built."
    recordings_folder: str = ""
    "Absolute path of the folder of all recordings; empty: nothing is recorded."
    recordings_reserve_octets: int = 1 << 30
    "Recordings stop while this much of the file system is still free."
    max_packets_per_s: float = 3000
    "RTP packets taken from one peer in a second; a camera in three sizes is 500, a 4K screen 1,000."
    max_bitrate_bps: float = 30e6
    "Bitrate taken from one peer; LiveKit's highest presets for a camera and a screen together are 15 Mbit/s."
