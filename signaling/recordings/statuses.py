"""The statuses of recordings, as their rows have them."""

from typing import Final

RECORDING: Final = "recording"
PAUSED: Final = "paused"
STOPPING: Final = "stopping"
FINISHED: Final = "finished"
FAILED: Final = "failed"
DELETED: Final = "deleted"
"The files are gone; such a row is never replaced."

ACTIVE: Final = frozenset({RECORDING, PAUSED, STOPPING})
