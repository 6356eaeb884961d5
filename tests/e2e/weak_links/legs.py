"""The states of a link that a lesson goes through, and what is expected of each."""

from dataclasses import dataclass

LEG_S = 25.0
SLIDE_S = 8.0


@dataclass(frozen=True)
class Leg:
    """A state of the network; rate, loss and delay hold in both directions."""

    name: str
    rate_bps: float = 0.0
    "0: without limit."
    loss: float = 0.0
    burst: float = 1.0
    "Packets that are lost in a row, on average."
    delay_s: float = 0.0
    jitter_s: float = 0.0
    queue_s: float = 0.3
    dead_s: float = 0.0
    "The link carries nothing for so long at first; then it is what the other values say."
    moves: bool = False
    "The student's address changes as the leg begins."
    tutor: bool = False
    "Whether it is the tutor's link that is so, not the student's."
    second: bool = False
    "Whether another student sits behind the same link."
    crowd: int = 0
    "So many more listen on good links."
    seconds: float = LEG_S
    slide_s: float = SLIDE_S
    "After so long the tutor turns to the next slide."


LEGS = {
    leg.name: leg
    for leg in (
        Leg("free"),
        Leg("3M", rate_bps=3e6),
        Leg("800k-5%-100ms", rate_bps=800e3, loss=0.05, delay_s=0.05),
        Leg("500k", rate_bps=500e3),
        Leg("300k", rate_bps=300e3),
        Leg("150k", rate_bps=150e3, seconds=50.0, slide_s=16.0),
        Leg("3%", loss=0.03),
        Leg("10%", loss=0.1),
        Leg("5%-bursts", loss=0.05, burst=4),
        Leg("200ms", delay_s=0.2, jitter_s=0.02),
        Leg("bufferbloat", rate_bps=500e3, queue_s=2.0),
        Leg("dead-8s", dead_s=8.0, seconds=33.0),
        Leg("dead-8s-500k", rate_bps=500e3, dead_s=8.0, seconds=33.0),
        Leg("dead-25s", dead_s=25.0, seconds=50.0),
        Leg("new-address", moves=True),
        Leg("two-800k", rate_bps=800e3, second=True),
        Leg("two-2M", rate_bps=2e6, second=True),
        Leg("crowd-free", crowd=30),
        Leg("crowd-300k", rate_bps=300e3, crowd=30),
        Leg("crowd-500k", rate_bps=500e3, crowd=30),
        Leg("tutor-500k", rate_bps=500e3, tutor=True),
        Leg("tutor-1M", rate_bps=1e6, tutor=True),
    )
}
"By name."

# Runs of less than five minutes each, which together are the long form. Who else takes part does so for the whole run.
RUNS = {
    "rates": ("free", "300k", "free", "3M", "500k", "150k", "free"),
    "losses": ("free", "3%", "10%", "5%-bursts", "200ms", "800k-5%-100ms"),
    "outages": ("free", "dead-8s", "500k", "dead-8s-500k", "free", "dead-25s", "new-address"),
    "steps": ("3M", "800k-5%-100ms", "bufferbloat", "500k", "300k", "500k"),
    "two": ("two-2M", "two-800k", "two-2M"),
    "crowd": ("crowd-free", "crowd-500k", "crowd-300k", "crowd-free"),
    "uplink": ("free", "tutor-1M", "tutor-500k", "free"),
}
