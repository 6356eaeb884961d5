"""The delays before a child process is restarted: one that dies right after its start is not restarted at once."""

_DELAYS_S = (0.0, 0.5, 2.0, 5.0)
# A process that ran for this long starts afresh, unless its owner says otherwise.
_STABLE_S = 30.0


class RestartDelays:
    """The restart delays of one child process."""

    def __init__(self, stable_s: float = _STABLE_S) -> None:
        """Start without an ended process; a process that ran for longer than `stable_s` starts afresh."""
        self._stable_s = stable_s
        self._failures = 0

    def next_s(self, ran_s: float) -> float:
        """Return the delay in seconds before the next start, given how long the process ran."""
        self._failures = 0 if ran_s > self._stable_s else self._failures + 1
        return _DELAYS_S[min(self._failures, len(_DELAYS_S)) - 1] if self._failures else 0.0
