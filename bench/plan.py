"""What load to make: the options of the load's locust file, and the values that they become."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields
from pathlib import Path

HELP = {
    "key": "API key of the server",
    "secret": "secret of that key",
    "rooms": "rooms, each with one publisher",
    "viewers": "viewers in each room",
    "duration": "seconds of the window in which everything is counted, after all have joined",
    "rate": "packets a second from each publisher",
    "burst": "packets back to back",
    "media": "video (packets of 1200 bytes) or audio (of 160)",
    "joins_per_s": "viewers that begin to join each second, over all rooms",
    "newcomers": "viewers more who join within the window, which then lasts as long as their joins",
    "stay": "seconds after which a viewer leaves, to join again; 0: stays to the end",
    "joins": "joins of viewers after which all end, with --stay; 0: when the window has passed",
    "media_processes": "processes that carry the viewers' media",
    "srtp": "profile of SRTP: gcm or cm",
    "prefix": "of the rooms' names, for two loads side by side",
    "pid": "process of the server, if it runs here: its CPU, memory and descriptors are reported; 0: unknown",
    "out": "folder for report.json and report.png",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The load that is asked for; HELP says what each value means."""

    host: str
    "Address of the server, `ws://` or `wss://`; locust's own option."
    key: str = "devkey"
    secret: str = "secret"
    rooms: int = 1
    viewers: int = 10
    duration: float = 10.0
    rate: float = 200.0
    burst: int = 1
    media: str = "video"
    joins_per_s: float = 20.0
    newcomers: int = 0
    stay: float = 0.0
    joins: int = 0
    media_processes: int = 1
    srtp: str = "gcm"
    prefix: str = "load"
    pid: int = 0
    out: str = ""

    @property
    def seated(self) -> int:
        """Viewers who join before the window."""
        return self.rooms * self.viewers

    def room(self, number: int) -> str:
        """The room of the viewer, or the publisher, of that number."""
        return f"{self.prefix}-{number % self.rooms}"

    def options(self) -> list[str]:
        """The plan as a command line."""
        words = ["--host", self.host]
        for name in HELP:
            value = getattr(self, name)
            if value != getattr(_DEFAULTS, name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        return words


_DEFAULTS = Plan("")


def add_options(parser: ArgumentParser) -> None:
    """Add every option but locust's own."""
    group = parser.add_argument_group("the load")
    for name, text in HELP.items():
        default = getattr(_DEFAULTS, name)
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=default,
            help=f"{text} (default: %(default)s)",
        )


def read_options(options: Namespace) -> Plan:
    """Return the plan of a command line. ValueError, in words, when it makes no sense."""
    plan = Plan(options.host or "ws://127.0.0.1:7880", **{name: getattr(options, name) for name in HELP})
    for field in fields(plan):
        value = getattr(plan, field.name)
        if isinstance(value, (int, float)) and value < 0:
            raise ValueError(f"--{field.name.replace('_', '-')} is negative")
    if min(plan.rooms, plan.rate, plan.burst, plan.joins_per_s, plan.media_processes) <= 0:
        raise ValueError(
            "--rooms, --rate, --burst, --joins-per-s and --media-processes have to be more than 0"
        )
    if plan.media not in {"video", "audio"} or plan.srtp not in {"gcm", "cm"}:
        raise ValueError("--media is video or audio, --srtp is gcm or cm")
    if plan.joins and not plan.stay:
        raise ValueError("--joins needs --stay: who does not leave does not join again")
    if plan.out:
        Path(plan.out).mkdir(parents=True, exist_ok=True)
    return plan
