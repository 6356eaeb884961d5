"""Whiteboards as PDF: one child process at a time writes them (`signaling.teaching.boards.board_pdf`)."""

import asyncio
from typing import Final

import msgspec

from signaling.errors import SignalingError
from signaling.teaching.boards.board_pdf import Board, Exit
from signaling.teaching.children import child

# Wall-clock time of one export; its CPU time has a limit of its own.
TIMEOUT_S: Final = 120.0

# Exports that wait for their turn, of all tenants.
MAX_WAITING: Final = 8


class ExportError(SignalingError):
    """The board cannot be exported."""

    def __init__(self, code: str, text: str) -> None:
        """`code` is stable."""
        super().__init__(text)
        self.code = code


class BoardExporter:
    """Exports one board after the other."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        """`timeout_s` is the longest time of one export."""
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def export(self, board: Board) -> bytes:
        """Return the board as a PDF. ExportError, OSError."""
        if self._waiting >= MAX_WAITING:
            raise ExportError(
                "too_many_conversions", "Other whiteboards are being exported; repeat the call later."
            )
        self._waiting += 1
        try:
            async with self._turn:
                status, content = await child.run(
                    "signaling.teaching.boards.board_pdf",
                    content=msgspec.msgpack.encode(board),
                    timeout_s=self._timeout_s,
                )
        finally:
            self._waiting -= 1
        if status != Exit.DONE or not content:
            raise ExportError("board_too_costly", "The whiteboard takes too much time or memory.")
        return content
