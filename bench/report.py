"""What came of a load: its figures by name, and a picture of them."""

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.media import Report
from bench.plan import Plan


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values are; NaN without any."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at load and server."""

    at: float
    "Seconds since the beginning."
    joins: int
    "Of viewers, so far."
    cpu_s: float = 0.0
    "Of the server's processes, so far."
    rss_bytes: int = 0
    "0: the server's process is not known."
    descriptors: int = 0


@dataclass(slots=True)
class Result:
    """What came of a plan."""

    joined: int = 0
    "Joins of viewers that succeeded."
    failed: list[str] = field(default_factory=list)
    "Why, for each join that did not."
    join_s: list[float] = field(default_factory=list)
    "From the first byte to a connected transport, for each join."
    first_media_s: list[float] = field(default_factory=list)
    "From the first byte to the first packet of media."
    dropped: int = 0
    "Sessions that the server ended."
    outages_s: list[float] = field(default_factory=list)
    "For each dropped viewer that came back: from the last packet before to the first after."
    window_s: float = 0.0
    sent: int = 0
    "By all publishers in the window."
    ramp_s: float = 0.0
    "From the first viewer's first byte to the last one's connection."
    window: list[Sample] = field(default_factory=list)
    "The looks at its two ends."
    samples: list[Sample] = field(default_factory=list)
    media: dict[str, Report] = field(default_factory=dict)
    "What was received in the window, by room."

    @property
    def total(self) -> Report:
        """What was received in the window."""
        report = Report()
        for part in self.media.values():
            report.add(part)
        return report

    @property
    def cpu_s(self) -> float:
        """Of the server in the window."""
        known = [sample.cpu_s for sample in self.window if sample.rss_bytes]
        return known[-1] - known[0] if known else math.nan

    @property
    def loss(self) -> float:
        """Share of the packets that never came."""
        total = self.total
        expected = total.received + total.lost
        return total.lost / expected if expected else math.nan

    @property
    def us_per_packet(self) -> float:
        """Server CPU per packet that viewers received, in microseconds."""
        received = self.total.received
        return self.cpu_s / received * 1e6 if received else math.nan

    @property
    def is_good(self) -> bool:
        """Everybody got in and stayed, and what came was what was sent."""
        return not (self.failed or self.dropped or self.total.wrong)

    def summary(self) -> dict[str, Any]:
        """The figures by name; what is not known is None."""
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
    """Draw the figures into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - a second of imports that only this needs

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
    """The share of values below each one."""
    axis.set_xlabel("ms")
    axis.set_ylim(0, 1)
    if values:
        ordered = sorted(value * 1e3 for value in values)
        shares = [i / len(ordered) for i in range(1, len(ordered) + 1)]
        shown = f"{label}: p50 {percentile(ordered, 0.5):.2f}, p99 {percentile(ordered, 0.99):.2f} ms"
        axis.plot(ordered, shares, label=shown)
        axis.legend(loc="lower right")


def write(plan: Plan, result: Result) -> None:
    """Print the figures; with a folder to write to, leave them there as JSON, and the picture."""
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
    """What `write` left."""

    class _Report(msgspec.Struct):
        result: Result

    return msgspec.json.decode((folder / "report.json").read_bytes(), type=_Report).result
