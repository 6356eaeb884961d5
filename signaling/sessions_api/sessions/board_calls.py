"""The whiteboard of a session as a PDF."""

from typing import Final

from aiohttp import hdrs

from classroom.errors import Code, NotFound
from classroom.features import files, whiteboard
from classroom.features.people import Person
from classroom.state import Classroom
from signaling.access.sign_ins import digest
from signaling.errors import StoreError
from signaling.http.api import ApiError, Document, Route
from signaling.limits import Limits, Rate
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import SessionPath
from signaling.sessions_api.uploads import FILE_HEADERS
from signaling.store.blobs import BlobFolder
from signaling.teaching.boards.board_pdf import Board
from signaling.teaching.boards.exporter import BoardExporter, ExportError
from signaling.teaching.boards.items import IMAGES

# Of one person: a full board costs up to a minute of CPU time.
_EXPORTS: Final = Rate(per_s=1 / 60, burst=5)

_STATUSES: Final = {"too_many_conversions": 429}


class BoardCalls:
    """The handlers."""

    def __init__(self, desk: Desk, exporter: BoardExporter, blobs: BlobFolder, limits: Limits) -> None:
        """`exporter` writes the PDFs; the files that images show are in `blobs`."""
        self._desk = desk
        self._blobs = blobs
        self._exporter = exporter
        self._limits = limits

    def routes(self) -> list[Route]:
        """Return the routes."""
        refusals = {
            403: "the caller may not see the whiteboard",
            404: "there is no such session, or its whiteboard has no pages",
            409: "the whiteboard takes too much time or memory",
            429: "the server exports other whiteboards, or the caller has exported several",
        }
        return [Route("GET", "/sessions/{session}/whiteboards.pdf", self.pdf, refusals, long_lived=True)]

    async def pdf(self, caller: Caller, session: SessionPath) -> Document:
        """Return all pages of the whiteboard as a PDF, with strokes as paths and texts as text.

        An image is left out if the caller may not load its file.
        """

        def look(room: Classroom, viewer: Person) -> Board:
            return Board(
                [list(whiteboard.content(room, page)) for page in room.whiteboard.pages],
                {
                    file.id: str(self._blobs.path(caller.tenant, session, file.id).absolute())
                    for file in room.files.files.values()
                    if file.kind in IMAGES and files.is_reader(file, viewer)
                },
            )

        board = await self._desk.look(caller, session, look)
        if not board.pages:
            raise NotFound(Code.PAGE_NOT_FOUND, "The whiteboard has no pages.")
        self._limits.check("board export", digest(f"{caller.tenant}\0{caller.person}"), _EXPORTS)
        try:
            content = await self._exporter.export(board)
        except ExportError as error:
            raise ApiError(_STATUSES.get(error.code, 409), error.code, str(error)) from error
        except OSError as error:
            raise StoreError(f"the whiteboard cannot be exported: {error.strerror}") from error
        disposition = 'attachment; filename="whiteboard.pdf"'
        return Document(content, "application/pdf", {**FILE_HEADERS, hdrs.CONTENT_DISPOSITION: disposition})
