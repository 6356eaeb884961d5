"""The plan of a load: the options of the locust file, and their values."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields
from pathlib import Path

from bench.load.clients import Pace

HELP = {
    "key": "API key of the server",
    "secret": "secret of the API key",
    "rooms": "rooms, each with one publisher",
    "viewers": "viewers in each room",
    "duration": "seconds of the measuring window, which starts after all viewers have joined",
    "mesh": "everybody sends to everybody: the viewers of a room are its publishers",
    "rate": "packets per second from each publisher",
    "burst": "packets back to back",
    "media": "video (packets of 1200 bytes) or audio (of 160)",
    "voice": "packets per second of a second track of each publisher, of audio; 0: none",
    "joins_per_s": "viewers that start to join per second, over all rooms",
    "newcomers": "further viewers that join during the window, which then lasts until all have joined",
    "stay": "seconds after which a viewer leaves and joins again; 0: at the end",
    "joins": "with --stay, number of joins after which the load ends; 0: when the window ends",
    "media_processes": "processes for the viewers' media",
    "dual": "dual-connection mode, as older SDKs use it: the server makes the offers to viewers",
    "srtp": "SRTP profile: gcm or cm",
    "prefix": "prefix of the rooms' names, for concurrent loads",
    "pid": "process id of a server on this machine, whose CPU, memory and descriptors are then reported; 0: none",
    "out": "folder for report.json and report.png",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The requested load; HELP describes each value."""

    host: str
    "Address of the server, `ws://` or `wss://`; an option of locust itself."
    key: str = "devkey"
    secret: str = "secret"
    rooms: int = 1
    viewers: int = 10
    mesh: bool = False
    duration: float = 10.0
    rate: float = 200.0
    burst: int = 1
    media: str = "video"
    voice: float = 0.0
    joins_per_s: float = 20.0
    newcomers: int = 0
    stay: float = 0.0
    joins: int = 0
    media_processes: int = 1
    dual: bool = False
    srtp: str = "gcm"
    prefix: str = "load"
    pid: int = 0
    out: str = ""

    @property
    def seated(self) -> int:
        """The number of viewers that join before the window."""
        return self.rooms * self.viewers

    @property
    def tracks(self) -> list[Pace]:
        """The tracks of each publisher."""
        voice = [Pace("audio", self.voice, 1)] if self.voice else []
        return [Pace(self.media, self.rate, self.burst), *voice]

    @property
    def publishers(self) -> int:
        """The number of publishers that only send."""
        return 0 if self.mesh else self.rooms

    @property
    def streams(self) -> int:
        """The number of streams that all viewers together receive, when none of them leaves."""
        sources = self.viewers - 1 if self.mesh else 1
        return self.seated * sources * len(self.tracks)

    def room(self, number: int) -> str:
        """Return the room of the viewer or publisher with this number."""
        return f"{self.prefix}-{number % self.rooms}"

    def options(self) -> list[str]:
        """Return the plan as a command line."""
        words = ["--host", self.host]
        for name in HELP:
            value = getattr(self, name)
            if value is True:
                words.append(f"--{name}")
            elif value != getattr(_DEFAULTS, name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        return words


_DEFAULTS = Plan("")


def add_options(parser: ArgumentParser) -> None:
    """Add all options except locust's own."""
    group = parser.add_argument_group("the load")
    for name, text in HELP.items():
        option, default = f"--{name.replace('_', '-')}", getattr(_DEFAULTS, name)
        if default is False:
            group.add_argument(option, action="store_true", help=text)
        else:
            group.add_argument(
                option, type=type(default), default=default, help=f"{text} (default: %(default)s)"
            )


def read_options(options: Namespace) -> Plan:
    """Return the plan of a command line. ValueError with a readable reason if it is invalid."""
    plan = Plan(options.host or "ws://127.0.0.1:7880", **{name: getattr(options, name) for name in HELP})
    for field in fields(plan):
        value = getattr(plan, field.name)
        if isinstance(value, (int, float)) and value < 0:
            raise ValueError(f"--{field.name.replace('_', '-')} must not be negative")
    if min(plan.rooms, plan.rate, plan.burst, plan.joins_per_s, plan.media_processes) <= 0:
        raise ValueError("--rooms, --rate, --burst, --joins-per-s and --media-processes must be above 0")
    if plan.media not in {"video", "audio"} or plan.srtp not in {"gcm", "cm"}:
        raise ValueError("--media must be video or audio, --srtp must be gcm or cm")
    if plan.mesh and plan.viewers < 2:
        raise ValueError("--mesh needs at least two --viewers")
    if plan.mesh and plan.dual:
        raise ValueError("--mesh needs single-connection mode, so it excludes --dual")
    if plan.joins and not plan.stay:
        raise ValueError("--joins needs --stay: without it, viewers do not leave and join again")
    if plan.out:
        Path(plan.out).mkdir(parents=True, exist_ok=True)
    return plan
