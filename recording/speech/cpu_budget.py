"""A bound on the CPU time of captions: a token bucket of CPU seconds."""

from typing import Final

# What has not been used is available later for this long: speech comes in bursts.
_BURST_S: Final = 4.0


class CpuBudget:
    """May work begin? One piece of work may exceed what is left; the next one waits until that is paid back."""

    def __init__(self, share: float, now_s: float) -> None:
        """`share` is the long-term limit in CPU seconds per second."""
        self._share = share
        self._left_s = share * _BURST_S
        self._at_s = now_s

    def allows(self, now_s: float) -> bool:
        """Whether work may begin now."""
        passed_s = max(now_s - self._at_s, 0.0)
        self._at_s = max(now_s, self._at_s)
        self._left_s = min(self._left_s + passed_s * self._share, _BURST_S * self._share)
        return self._left_s > 0

    def spend(self, cpu_s: float) -> None:
        """Charge CPU time that was used."""
        self._left_s -= cpu_s
