"""The whiteboard: pages of opaque CRDT updates (Yjs), each page with a snapshot from time to time.

The engine does not parse updates. It keeps their order, limits their size, and reports by `needs_snapshot` which pages
have so many that the caller should merge them (pycrdt) and save the result. Updates of a CRDT may be merged in any
order, so updates that arrive during the merge are stored after the snapshot. The laser pointer is not an event: its
positions are sent outside of the log and not stored.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, fitting, nobody
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotFound
from classroom.ids import PageId

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Draw(Command, frozen=True, tag="whiteboard.draw"):
    """Apply an update to a page."""

    page: PageId
    update: bytes


class SaveSnapshot(Command, frozen=True, tag="whiteboard.save_snapshot"):
    """Replace the first updates of a page by their merge with the old snapshot."""

    page: PageId
    snapshot: bytes
    count: int
    "Number of updates that the snapshot contains: those present when the caller began."


class AddPage(Command, frozen=True, tag="whiteboard.add_page"):
    """Add an empty page."""

    page: PageId
    title: str = ""


class RemovePage(Command, frozen=True, tag="whiteboard.remove_page"):
    """Remove a page with everything on it."""

    page: PageId


class GoTo(Command, frozen=True, tag="whiteboard.go_to"):
    """Show a page to everybody."""

    page: PageId


class Drawn(Event, frozen=True, tag="whiteboard.drawn"):
    """An update was added to a page."""

    page: PageId
    update: bytes


class SnapshotSaved(Event, frozen=True, tag="whiteboard.snapshot_saved"):
    """The first updates of a page were merged. This changes nothing visible."""

    page: PageId
    snapshot: bytes
    count: int


class PageAdded(Event, frozen=True, tag="whiteboard.page_added"):
    """An empty page was added."""

    page: PageId
    title: str


class PageRemoved(Event, frozen=True, tag="whiteboard.page_removed"):
    """A page was removed."""

    page: PageId


class Turned(Event, frozen=True, tag="whiteboard.turned"):
    """Everybody sees another page."""

    page: PageId


class Page(Struct):
    """One page."""

    id: PageId
    title: str
    snapshot: bytes = b""
    updates: list[bytes] = field(default_factory=list)
    "The updates after the snapshot."
    size: int = 0
    "Bytes of the snapshot and the updates."


class State(Struct):
    """The pages and the one that is shown."""

    pages: dict[PageId, Page] = field(default_factory=dict)
    current: str = ""
    size: int = 0
    "Bytes of all pages together."


def needs_snapshot(state: State) -> list[PageId]:
    """Return the ids of pages whose updates should be merged now, well before their limit."""
    return [
        page.id
        for page in state.pages.values()
        # Counts only updates after the snapshot: a large page would otherwise be merged after each stroke.
        if len(page.updates) >= limits.BOARD_UPDATES_KEPT // 4
        or page.size - len(page.snapshot) >= limits.BOARD_PAGE_SIZE // 4
    ]


def content(room: "Classroom", page_id: PageId) -> tuple[bytes, ...]:
    """Return the snapshot of a page (if there is one) and the updates after it, which together are the page."""
    page = _find(room, page_id)
    return (page.snapshot, *page.updates) if page.snapshot else tuple(page.updates)


def _find(room: "Classroom", page_id: PageId) -> Page:
    page = room.whiteboard.pages.get(page_id)
    if page is None:
        raise NotFound(Code.PAGE_NOT_FOUND, "There is no such page of the whiteboard.")
    return page


def _check_size(room: "Classroom", page: Page, more: int) -> None:
    if page.size + more > limits.BOARD_PAGE_SIZE:
        raise LimitReached(Code.TOO_LARGE, "The page is full; add another one.")
    if room.whiteboard.size + more > limits.BOARD_SIZE:
        raise LimitReached(Code.TOO_LARGE, "The whiteboard is full; remove a page.")


def _draw(room: "Classroom", command: Draw, now: float) -> Events:
    page = _find(room, command.page)
    size = len(command.update)
    if not 1 <= size <= limits.BOARD_UPDATE_SIZE:
        raise LimitReached(Code.TOO_LARGE, f"An update may have 1 to {limits.BOARD_UPDATE_SIZE} bytes.")
    _check_size(room, page, size)
    if len(page.updates) >= limits.BOARD_UPDATES_KEPT:
        raise LimitReached(
            Code.TOO_MANY, "The page has too many changes that are not merged; try again soon."
        )
    return [Drawn(at=now, by=command.by, page=page.id, update=command.update)]


def _save_snapshot(room: "Classroom", command: SaveSnapshot, now: float) -> Events:
    page = _find(room, command.page)
    if not 1 <= command.count <= len(page.updates) or not command.snapshot:
        raise Malformed(Code.BAD_NUMBER, "A snapshot has to contain updates that the page has.")
    _check_size(
        room, page, len(command.snapshot) - len(page.snapshot) - sum(map(len, page.updates[: command.count]))
    )
    return [
        SnapshotSaved(at=now, by=command.by, page=page.id, snapshot=command.snapshot, count=command.count)
    ]


def _add_page(room: "Classroom", command: AddPage, now: float) -> Events:
    pages = room.whiteboard.pages
    page_id = checks.identifier(command.page, "page")
    if page_id in pages:
        raise Conflict(Code.ALREADY_EXISTS, "There is a page with this id already.")
    checks.room_for_one(len(pages), limits.BOARD_PAGES, "pages on the whiteboard")
    title = checks.line(command.title, limits.NAME_LENGTH, "title", empty=True)
    return [PageAdded(at=now, by=command.by, page=page_id, title=title)]


def _remove_page(room: "Classroom", command: RemovePage, now: float) -> Events:
    return [PageRemoved(at=now, by=command.by, page=_find(room, command.page).id)]


def _go_to(room: "Classroom", command: GoTo, now: float) -> Events:
    page = _find(room, command.page)
    if page.id == room.whiteboard.current:
        raise Conflict(Code.NOTHING_TO_CHANGE, "This page is shown already.")
    return [Turned(at=now, by=command.by, page=page.id)]


def _drawn(state: State, event: Drawn) -> None:
    page, size = state.pages[event.page], len(event.update)
    page.updates.append(event.update)
    page.size += size
    state.size += size


def _snapshot_saved(state: State, event: SnapshotSaved) -> None:
    page = state.pages[event.page]
    before = page.size
    page.updates = page.updates[event.count :]
    page.snapshot = event.snapshot
    page.size = len(page.snapshot) + sum(map(len, page.updates))
    state.size += page.size - before


def _page_added(state: State, event: PageAdded) -> None:
    state.pages[event.page] = Page(event.page, event.title)
    if not state.current:
        state.current = event.page


def _page_removed(state: State, event: PageRemoved) -> None:
    state.size -= state.pages.pop(event.page).size
    if state.current == event.page:
        state.current = next(iter(state.pages), "")


def _turned(state: State, event: Turned) -> None:
    state.current = event.page


class Seen(Struct, frozen=True):
    """A page in a view; its content is loaded separately."""

    id: PageId
    title: str


class View(Struct, frozen=True):
    """The pages and the one that is shown."""

    pages: list[Seen]
    more: bool
    current: str


def _view(room: "Classroom", _person: "Person", _now: float) -> View:
    pages = (Seen(page.id, page.title) for page in room.whiteboard.pages.values())
    return View(*fitting(pages, limits.VIEW_BOARD), room.whiteboard.current)


FEATURE: Final = Feature(
    name="whiteboard",
    state=State,
    decide={
        Draw: _draw,
        SaveSnapshot: _save_snapshot,
        AddPage: _add_page,
        RemovePage: _remove_page,
        GoTo: _go_to,
    },
    apply={
        Drawn: _drawn,
        SnapshotSaved: _snapshot_saved,
        PageAdded: _page_added,
        PageRemoved: _page_removed,
        Turned: _turned,
    },
    shown={
        Drawn: everyone,
        SnapshotSaved: nobody,
        PageAdded: everyone,
        PageRemoved: everyone,
        Turned: everyone,
    },
    view=_view,
)
