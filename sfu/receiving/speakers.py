"""Who speaks, and how loud: from the audio level that each packet carries (RFC 6464), without decoding.

The numbers are LiveKit's, so that its clients show what they are used to.
"""

import math
from typing import NamedTuple

from sfu.values import PublicationId, Speaker

UPDATE_INTERVAL_S = 0.4
"The caller runs `update` this often; also the window over which the activity is judged."

_ACTIVE_LEVEL = 35  # -dBov; a packet this loud counts as speech
_ACTIVE_SHARE = 0.4  # of the window
_SMOOTHING = 2 / (2 + 1)  # exponential moving average over two windows
_STALE_S = 2 * UPDATE_INTERVAL_S
_STEPS = 8  # levels are quantised up to eighths
# An Opus packet in WebRTC lasts 20 ms, and 120 ms at most (RFC 6716 section 2.1.4): a longer interval is
# silence that was not sent (DTX) and does not lengthen the packet after it.
_FIRST_PACKET_S = 0.02
_LONGEST_PACKET_S = 0.12


def _linear(level: float) -> float:
    return 10 ** (-level / 20)


_ACTIVE_LINEAR = _linear(_ACTIVE_LEVEL)


class Levels(NamedTuple):
    """The audio levels of the packets of some time."""

    observed_at: float
    "When the last packet came."
    observed_s: float
    "How long they lasted."
    active_s: float
    "How much of that was loud enough for speech."
    loudest: int
    "-dBov, of the loud ones; 127 if there were none."


class _Voice:
    """The audio level of one publication."""

    __slots__ = ("active_s", "expected", "loudest", "observed_at", "observed_s", "reported", "smoothed")

    def __init__(self, now: float) -> None:
        self.expected = False
        self.observed_at = now - _FIRST_PACKET_S
        self.observed_s = 0.0
        self.active_s = 0.0
        self.loudest = 127
        self.smoothed = 0.0
        self.reported = 0.0

    def close_window(self) -> None:
        """Evaluate the window and begin the next; a window without packets changes nothing."""
        if not self.observed_s:
            return
        share = min(self.active_s / UPDATE_INTERVAL_S, 1.0)
        # rounding of sums of packet times must not cost the last hundredth of the share
        if share >= _ACTIVE_SHARE - 1e-6:
            level = _linear(self.loudest - 20 * math.log10(share))
            self.smoothed += (level - self.smoothed) * _SMOOTHING
        else:
            self.smoothed = 0.0
        self.observed_s = self.active_s = 0.0
        self.loudest = 127

    def quantised(self, now: float) -> float:
        """Return the level, 0 to 1 in steps of 1/8; 0 if inactive or without packets for long."""
        if self.smoothed < _ACTIVE_LINEAR or now - self.observed_at > _STALE_S:
            return 0.0
        return min(math.ceil(self.smoothed * _STEPS) / _STEPS, 1.0)


class Speakers:
    """The audio levels of one room's publications."""

    __slots__ = ("_stopped", "_voices", "dominant")

    def __init__(self) -> None:
        """Start without speakers."""
        self.dominant: PublicationId | None = None
        "The publication that speaks, or spoke last: it changes when that one is silent and another speaks."
        self._voices: dict[PublicationId, _Voice] = {}
        self._stopped: list[Speaker] = []

    @property
    def is_idle(self) -> bool:
        """Return whether `update` has nothing to report until another packet is observed."""
        return not self._stopped and not any(
            voice.observed_s or voice.reported or voice.expected for voice in self._voices.values()
        )

    def _voice(self, publication_id: PublicationId, now: float) -> _Voice:
        voice = self._voices.get(publication_id)
        if voice is None:
            voice = self._voices[publication_id] = _Voice(now)
        return voice

    def expect(self, publication_id: PublicationId, now: float) -> None:
        """Record that levels are counted elsewhere, and added before the next `update`."""
        self._voice(publication_id, now).expected = True

    def add(self, publication_id: PublicationId, levels: Levels) -> None:
        """Add the levels of several packets."""
        voice = self._voice(publication_id, levels.observed_at)
        voice.observed_at = levels.observed_at
        voice.observed_s += levels.observed_s
        voice.active_s += levels.active_s
        voice.loudest = min(voice.loudest, levels.loudest)
        voice.expected = False

    def observe(self, publication_id: PublicationId, level: int, now: float) -> None:
        """Record the level of one audio packet: 0 (loudest) to 127 (silence), in -dBov."""
        voice = self._voice(publication_id, now)
        lasted_s = min(now - voice.observed_at, _LONGEST_PACKET_S)
        voice.observed_at = now
        voice.observed_s += lasted_s
        if level <= _ACTIVE_LEVEL:
            voice.active_s += lasted_s
            voice.loudest = min(voice.loudest, level)

    def update(self, now: float) -> tuple[Speaker, ...]:
        """Close the window; return the levels that changed since the last update (0 and inactive: stopped speaking)."""
        changed, self._stopped = self._stopped, []
        for publication_id, voice in self._voices.items():
            voice.close_window()
            level = voice.quantised(now)
            if level != voice.reported:
                voice.reported = level
                changed.append(Speaker(publication_id, level, level > 0))
        reported = {publication_id: voice.reported for publication_id, voice in self._voices.items()}
        loudest = max(reported, key=lambda key: reported[key], default=None)
        if (
            loudest is not None
            and reported[loudest]
            and (self.dominant is None or not reported.get(self.dominant))
        ):
            self.dominant = loudest
        return tuple(changed)

    def remove(self, publication_id: PublicationId) -> None:
        """Forget a publication; if it was reported as speaking, the next update reports that it stopped."""
        voice = self._voices.pop(publication_id, None)
        if voice is not None and voice.reported:
            self._stopped.append(Speaker(publication_id, 0.0, active=False))
