"""The result of a load: its figures by name, and plots of them."""

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.load.media import Report
from bench.load.plan import Plan


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values are; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of load and server at one time."""

    at: float
    "Seconds since the start."
    joins: int
    "Number of viewers' joins so far."
    cpu_s: float = 0.0
    "CPU seconds of the server's processes so far."
    rss_bytes: int = 0
    "0: the server's process is unknown."
    descriptors: int = 0


@dataclass(slots=True)
class Result:
    """The result of a plan."""

    joined: int = 0
    "Number of viewers' joins that succeeded."
    failed: list[str] = field(default_factory=list)
    "The reason of each join that failed."
    join_s: list[float] = field(default_factory=list)
    "From the first byte to a connected transport, per join."
    first_media_s: list[float] = field(default_factory=list)
    "From the first byte to the first media packet, per join."
    dropped: int = 0
    "Number of visits that the server ended."
    outages_s: list[float] = field(default_factory=list)
    "For each dropped viewer that returned: from the last packet before to the first packet after."
    window_s: float = 0.0
    sent: int = 0
    "Packets sent by all publishers in the window."
    ramp_s: float = 0.0
    "From the first viewer's first byte to the last viewer's connection."
    window: list[Sample] = field(default_factory=list)
    "The samples at both ends of the window."
    samples: list[Sample] = field(default_factory=list)
    media: dict[str, Report] = field(default_factory=dict)
    "Packets received in the window, by room."
    missing: int = 0
    "Number of streams of which a viewer received nothing."

    @property
    def total(self) -> Report:
        """All packets received in the window."""
        report = Report()
        for part in self.media.values():
            report.add(part)
        return report

    @property
    def cpu_s(self) -> float:
        """The server's CPU seconds in the window."""
        known = [sample.cpu_s for sample in self.window if sample.rss_bytes]
        return known[-1] - known[0] if known else math.nan

    @property
    def loss(self) -> float:
        """The share of packets that were never received."""
        total = self.total
        expected = total.received + total.lost
        return total.lost / expected if expected else math.nan

    @property
    def us_per_packet(self) -> float:
        """The server's CPU time per packet received by viewers, in microseconds."""
        received = self.total.received
        return self.cpu_s / received * 1e6 if received else math.nan

    @property
    def is_good(self) -> bool:
        """Whether all viewers joined, stayed and received all streams, and every checked packet came as it was sent."""
        return not (self.failed or self.dropped or self.missing or self.total.wrong)

    def summary(self) -> dict[str, Any]:
        """Return the figures by name; unknown ones are None."""
        total, last = self.total, self.samples[-1] if self.samples else Sample(0, 0)
        figures = {
            "joined": self.joined,
            "failed": len(self.failed),
            "dropped": self.dropped,
            "joins_per_s": self.joined / self.ramp_s if self.ramp_s else math.nan,
            "join_ms_p50": percentile(self.join_s, 0.5) * 1e3,
            "join_ms_p99": percentile(self.join_s, 0.99) * 1e3,
            "first_media_ms_p50": percentile(self.first_media_s, 0.5) * 1e3,
            "first_media_ms_p99": percentile(self.first_media_s, 0.99) * 1e3,
            "streams": total.streams,
            "missing_streams": self.missing,
            "packets": total.received,
            "packets_per_s": total.received / self.window_s if self.window_s else math.nan,
            "loss": self.loss,
            "duplicates": total.duplicates,
            "sampled": total.sampled,
            "wrong": total.wrong,
            "latency_ms_p50": percentile(total.latencies_s, 0.5) * 1e3,
            "latency_ms_p99": percentile(total.latencies_s, 0.99) * 1e3,
            "longest_silence_ms": total.longest_silence_s * 1e3,
            "longest_outage_ms": max(self.outages_s, default=math.nan) * 1e3,
            "server_cpu": self.cpu_s / self.window_s if self.window_s else math.nan,
            "us_per_packet": self.us_per_packet,
            "server_rss_mb": last.rss_bytes / 1e6 if last.rss_bytes else math.nan,
            "server_descriptors": last.descriptors or math.nan,
        }
        return {name: _plain(value) for name, value in figures.items()}


def _plain(value: float) -> float | None:
    if math.isnan(value):
        return None
    return value if isinstance(value, int) else float(f"{value:.4g}")


def picture(result: Result, path: Path) -> None:
    """Plot the figures into a PNG file."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to import, and only this function needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(2, 2, figsize=(12, 8))
    joins, latency, time_line, server = axes.flat
    for label, values in (("connected", result.join_s), ("first packet", result.first_media_s)):
        _distribution(joins, label, values)
    joins.set_title(f"{result.joined} joins, {len(result.failed)} failed")
    _distribution(latency, "packets", result.total.latencies_s)
    latency.set_title(f"latency of packets; loss {100 * result.loss:.3f} %")
    at = [sample.at for sample in result.samples]
    time_line.plot(at, [sample.joins for sample in result.samples])
    time_line.set_title("joins so far")
    pairs = list(zip(result.samples, result.samples[1:], strict=False))
    server.plot(at[1:], [(b.cpu_s - a.cpu_s) / (b.at - a.at) for a, b in pairs], label="CPU, cores")
    server.plot(at, [sample.rss_bytes / 1e9 for sample in result.samples], label="memory, GB")
    server.set_title("server")
    server.legend()
    for axis in (time_line, server):
        axis.set_xlabel("s")
        axis.set_ylim(bottom=0)
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _distribution(axis: Any, label: str, values: Sequence[float]) -> None:
    """Plot the cumulative distribution of values."""
    axis.set_xlabel("ms")
    axis.set_ylim(0, 1)
    if values:
        ordered = sorted(value * 1e3 for value in values)
        shares = [i / len(ordered) for i in range(1, len(ordered) + 1)]
        shown = f"{label}: p50 {percentile(ordered, 0.5):.2f}, p99 {percentile(ordered, 0.99):.2f} ms"
        axis.plot(ordered, shares, label=shown)
        axis.legend(loc="lower right")


def write(plan: Plan, result: Result) -> None:
    """Print the figures; if the plan has an output folder, also write them there as JSON and plots."""
    summary = result.summary()
    for name, value in summary.items():
        print(f"{name:20} {value}")
    for reason in sorted(set(result.failed)):
        print(f"failed: {reason} ({result.failed.count(reason)} times)", file=sys.stderr)
    if not plan.out:
        return
    folder = Path(plan.out)
    known = {name: value for name, value in asdict(plan).items() if name != "secret"}
    report = msgspec.json.encode({"plan": known, "figures": summary, "result": result})
    (folder / "report.json").write_bytes(msgspec.json.format(report) + b"\n")
    picture(result, folder / "report.png")


def read(folder: Path) -> Result:
    """Return the result that `write` stored."""

    class _Report(msgspec.Struct):
        result: Result

    return msgspec.json.decode((folder / "report.json").read_bytes(), type=_Report).result
