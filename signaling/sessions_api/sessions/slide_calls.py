"""Slides of a PDF: made by the server, shown as images, searched by their text."""

import asyncio
from typing import Annotated, Final

import msgspec
from aiohttp import hdrs

from classroom import engine, limits
from classroom.errors import Code, NotFound
from classroom.features import files, slides
from classroom.features.people import Person
from classroom.ids import DeckId, SessionId
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.http.api import ApiError, Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, Done, known
from signaling.sessions_api.path_ids import DeckPath, FilePath, SessionPath
from signaling.sessions_api.uploads import FILE_HEADERS
from signaling.store.blobs import BlobFolder
from signaling.teaching.files.slide_maker import SlideError, SlideMaker, page_image, page_texts

PageNumber = Annotated[int, msgspec.Meta(ge=1, le=limits.DECK_PAGES)]

_PDF: Final = "application/pdf"
_ABSENT: Final = {404: "there is no such deck or page, or the server did not make its pages"}
_STATUSES: Final = {"too_many_conversions": 429}


class DeckOfFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PDF among the session's files, to make slides of."""

    file: FilePath
    title: Annotated[str, msgspec.Meta(max_length=limits.TITLE_LENGTH)] | None = None
    "The file's name when absent."


class TextQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for."""

    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    "Only pages with this text, capitals or not; empty: all pages."


class PageText(msgspec.Struct, frozen=True):
    """The text of a page."""

    page: int
    "From 1."
    text: str


class DeckText(msgspec.Struct, frozen=True):
    """The text of a deck."""

    deck: str
    pages: list[PageText]


class SlideCalls:
    """The handlers."""

    def __init__(self, desk: Desk, blobs: BlobFolder, maker: SlideMaker) -> None:
        """Pages are folders in `blobs` with the names of the decks."""
        self._desk = desk
        self._blobs = blobs
        self._maker = maker

    def routes(self) -> list[Route]:
        """Return the routes."""
        deck = "/sessions/{session}/slides/{deck}"
        refusals = {
            400: "the file is not a PDF, is encrypted, has too many pages or costs too much",
            403: "the caller may not add slides to this session",
            404: "there is no such session or file",
            409: "the session is over, or has too many decks",
            429: "the server makes other slides",
        }
        return [
            Route(
                "POST",
                "/sessions/{session}/slides/from-file",
                self.make,
                refusals,
                status=201,
                long_lived=True,
            ),
            Route("GET", f"{deck}/pages/{{page}}", self.page, _ABSENT),
            Route("GET", f"{deck}/text", self.text, _ABSENT),
        ]

    async def make(self, caller: Caller, session: SessionPath, body: DeckOfFile) -> Done:
        """Make slides of a PDF. The answer is sent when the pages exist, after up to some minutes."""
        deck = DeckId(caller.new_id("d_"))

        def command(room: Classroom, pages: int) -> slides.AddDeck:
            title = body.title if body.title is not None else room.files.files[body.file].name
            return slides.AddDeck(by=caller.author(room), deck=deck, title=title, pages=pages, file=body.file)

        def check(room: Classroom) -> None:
            if not files.may_read(room, body.file, known(room, caller).id):
                raise NotFound(Code.FILE_NOT_FOUND, "There is no such file.")
            engine.decide(room, command(room, 1), self._desk.now)
            if room.files.files[body.file].kind != _PDF:
                raise ApiError(400, "bad_pdf", "The file is not a PDF.")

        await self._desk.session(caller, session).read(check)
        source = self._blobs.path(caller.tenant, session, body.file)
        try:
            pages = await self._maker.make(source, self._blobs.path(caller.tenant, session, deck))
        except SlideError as error:
            raise ApiError(_STATUSES.get(error.code, 400), error.code, str(error)) from error
        except OSError as error:
            raise StoreError(f"slides cannot be stored: {error.strerror}") from error
        try:
            return await self._desk.carry_out(caller, session, lambda room, _by: command(room, pages), deck)
        except BaseException:
            await asyncio.to_thread(self._blobs.delete, caller.tenant, session, deck)
            raise

    async def page(self, caller: Caller, session: SessionPath, deck: DeckPath, page: PageNumber) -> Document:
        """Return a page of a deck as an image."""
        await self._find(caller, session, deck)
        path = page_image(self._blobs.path(caller.tenant, session, deck), page)
        if not path.is_file():
            raise NotFound(Code.PAGE_NOT_FOUND, "There is no such page.")
        return Document(path, "image/webp", {**FILE_HEADERS, hdrs.CONTENT_DISPOSITION: "inline"})

    async def text(self, caller: Caller, session: SessionPath, deck: DeckPath, query: TextQuery) -> DeckText:
        """Return the text of a deck's pages, or of the pages that contain a given text."""
        await self._find(caller, session, deck)
        try:
            folder = self._blobs.path(caller.tenant, session, deck)
            texts = await asyncio.to_thread(page_texts, folder)
        except OSError as error:
            raise NotFound(Code.PAGE_NOT_FOUND, "The server did not make the pages of this deck.") from error
        wanted = query.q.casefold()
        pages = [
            PageText(page, text)
            for page, text in enumerate(texts, 1)
            if not wanted or wanted in text.casefold()
        ]
        return DeckText(deck, pages)

    async def _find(self, caller: Caller, session: SessionId, deck: str) -> None:
        def look(room: Classroom, _person: Person) -> None:
            if deck not in room.slides.decks:
                raise NotFound(Code.DECK_NOT_FOUND, "There is no such deck of slides.")

        await self._desk.look(caller, session, look)
