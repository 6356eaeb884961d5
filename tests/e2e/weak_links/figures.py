"""From what was recorded of a leg to the figures of the table."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tests.e2e.weak_links import slides
from tests.e2e.weak_links.lesson import Record
from tests.e2e.weak_links.reading import LEGIBLE, grey, legibility, psnr_db, ssim

# A slide that came up earlier than this into a leg also shows how the change of the link was taken.
_EARLY_S = 4.0
# A sample of 100 ms most of which was made up belongs to a gap.
_MOSTLY = 0.5


@dataclass
class Figures:
    """What became of one leg."""

    name: str
    concealed: float = 0.0
    "Share of the audio's samples that was made up, silence left out."
    longest_gap_s: float = 0.0
    "Longest run of samples of 100 ms most of which was made up."
    delay_s: float = 0.0
    "Mean time that audio spent in the jitter buffer."
    legible_s: list[tuple[bool, float | None]] = field(default_factory=list)
    "Of each slide: whether it came up in the leg's first seconds, and when it was legible; None: not before the next."
    quality: list[tuple[float, float]] = field(default_factory=list)
    "(PSNR in dB, SSIM) of the last picture of each slide."
    screen_frames: int = 0
    camera_fps: float = 0.0
    camera_longest_s: float = 0.0
    "Longest time without a new picture of the camera."
    received_bps: float = 0.0
    queue_p95_s: float = 0.0
    dropped: int = 0
    sound_back_s: float | None = None
    screen_back_s: float | None = None
    camera_back_s: float | None = None
    layers: dict[str, str] = field(default_factory=dict)
    "What the tutor sent of each video layer: kbit/s, frames, keyframes."
    notices: dict[str, list[str]] = field(default_factory=dict)
    idle: float = 0.0
    screen: str = ""
    "Of the screen at the student: keyframes, requests for one, packets asked for again, packets sent again."

    def __str__(self) -> str:
        legible = " ".join(f"({_s(at)})" if early else _s(at) for early, at in self.legible_s)
        times = (("sound", self.sound_back_s), ("screen", self.screen_back_s), ("camera", self.camera_back_s))
        parts = (
            f"{self.name:14} made up {100 * self.concealed:5.2f} %, gap {1000 * self.longest_gap_s:4.0f} ms",
            f"buffered {1000 * self.delay_s:.0f} ms",
            f"legible {legible}",
            f"screen {self.screen_frames} ({self.screen})",
            f"camera {self.camera_fps:.1f} fps, longest {self.camera_longest_s:.1f} s",
            f"{self.received_bps / 1000:.0f} kbit/s",
            f"queue p95 {1000 * self.queue_p95_s:.0f} ms, {self.dropped} dropped",
            "back: " + " ".join(f"{what} {_s(at)}" for what, at in times if at is not None),
            "dB/SSIM " + " ".join(f"{db:.0f}/{s:.3f}" for db, s in self.quality),
            f"sent {self.layers}",
            f"told {self.notices}",
            f"idle {100 * self.idle:.0f} %",
        )
        return " | ".join(parts)


def _s(at: float | None) -> str:
    return "-" if at is None else f"{at:.1f}"


def figures(record: Record, originals: dict[int, np.ndarray]) -> Figures:
    """Read and count."""
    made = Figures(record.leg.name, idle=record.idle, notices=record.notices)
    rows = [row for row in record.samples if row["audio"] is not None]
    live = record.began_at + record.leg.dead_s
    after = [row for row in rows if row["at"] >= live]
    _audio(made, after)
    _videos(made, record, live)
    _link(made, record, live)
    for shown in record.shown:
        if shown.at < live or shown.at + record.leg.slide_s > record.ended_at + 0.5:
            continue
        pictures = [
            p
            for p in record.pictures
            if shown.at < p["at"] <= min(shown.at + record.leg.slide_s, record.ended_at)
        ]
        made.legible_s.append((shown.at - live < _EARLY_S, _legible_at(shown, pictures, originals)))
        if pictures:
            seen = grey(pictures[-1]["jpeg"])
            made.quality.append((psnr_db(seen, originals[shown.number]), ssim(seen, originals[shown.number])))
    _sent(made, record)
    return made


def _audio(made: Figures, rows: list[dict]) -> None:
    if len(rows) < 2:
        return
    first, last = rows[0]["audio"], rows[-1]["audio"]
    samples = max(last["samples"] - first["samples"], 1)
    heard = (last["concealed"] - last["silent"]) - (first["concealed"] - first["silent"])
    made.concealed = heard / samples
    made.delay_s = (last["delay"] - first["delay"]) / max(last["emitted"] - first["emitted"], 1)
    gap = 0
    for before, after in pairwise(rows):
        a, b = before["audio"], after["audio"]
        total = b["samples"] - a["samples"]
        missing = (b["concealed"] - b["silent"]) - (a["concealed"] - a["silent"])
        gap = gap + missing if total and missing > _MOSTLY * total else 0
        made.longest_gap_s = max(made.longest_gap_s, max(gap, missing) / 48_000)


def _videos(made: Figures, record: Record, live: float) -> None:
    for source in ("screen", "camera"):
        rows = [row for row in record.samples if row[source] is not None and row["at"] >= live]
        if len(rows) < 2:
            continue
        frames = rows[-1][source]["frames"] - rows[0][source]["frames"]
        changes = [live] + [b["at"] for a, b in pairwise(rows) if b[source]["frames"] > a[source]["frames"]]
        back = changes[1] - live if len(changes) > 1 else None
        if source == "camera":
            made.camera_fps = frames / (rows[-1]["at"] - rows[0]["at"])
            made.camera_longest_s = max(
                b - a for a, b in zip(changes, [*changes[1:], record.ended_at], strict=True)
            )
        else:
            made.screen_frames = frames
            grown = {
                what: rows[-1][source][what] - rows[0][source][what]
                for what in ("keys", "plis", "nacks", "again")
            }
            made.screen = ", ".join(f"{value} {what}" for what, value in grown.items())
        if record.leg.dead_s or record.leg.moves:
            setattr(made, f"{source}_back_s", back)
    if record.leg.dead_s or record.leg.moves:
        rows = [row for row in record.samples if row["audio"] is not None and row["at"] >= live]
        back = next(
            (b["at"] for a, b in pairwise(rows) if b["audio"]["packets"] > a["audio"]["packets"]),
            None,
        )
        made.sound_back_s = None if back is None else back - live


def _link(made: Figures, record: Record, live: float) -> None:
    rows = [row for row in record.link if row[0] >= live]
    made.queue_p95_s = float(np.percentile([row[1] for row in rows], 95))
    made.dropped = rows[-1][2] - rows[0][2]
    made.received_bps = 8 * (rows[-1][3] - rows[0][3]) / (rows[-1][0] - rows[0][0])


def _legible_at(shown, pictures: list[dict], originals: dict[int, np.ndarray]) -> float | None:
    """When the first legible picture of a slide came."""
    words = slides.Slide(shown.number).words
    before: np.ndarray | None = None
    for picture in pictures:
        seen = grey(picture["jpeg"])
        if before is not None and np.abs(seen - before).mean() < 0.15:
            continue  # nothing that could be read has changed
        before = seen
        if legibility(picture["jpeg"], originals[shown.number], words) >= LEGIBLE:
            return picture["at"] - shown.at
    return None


def _sent(made: Figures, record: Record) -> None:
    before = {row["ssrc"]: row for row in record.sent[0]}
    span_s = record.ended_at - record.began_at
    for row in sorted(record.sent[1], key=lambda row: (row["width"], row["rid"])):
        was = before.get(row["ssrc"], {"bytes": 0, "frames": 0, "keys": 0, "qp": 0})
        sent = row["bytes"] - was["bytes"]
        if row["kind"] != "video" or not sent:
            continue
        frames = row["frames"] - was["frames"]
        made.layers[f"{row['width']}{row['rid']}"] = (
            f"{8 * sent / span_s / 1000:.0f}k {frames}f {row['keys'] - was['keys']}k "
            f"qp{(row['qp'] - was['qp']) / max(frames, 1):.0f}"
        )
