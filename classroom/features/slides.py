"""Slides: decks of pages, and the page that everybody sees. The caller stores the images and the text of the pages.

Students may turn pages on their own where the settings allow it; their page does so locally, without events.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, fitting
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, NotFound
from classroom.ids import DeckId, FileId

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class AddDeck(Command, frozen=True, tag="slides.add_deck"):
    """Add a deck whose pages the caller has rendered."""

    deck: DeckId
    title: str
    pages: int
    file: FileId
    "The file in `files` that the deck was made from, or the caller's own name for it."


class RemoveDeck(Command, frozen=True, tag="slides.remove_deck"):
    """Remove a deck."""

    deck: DeckId


class GoTo(Command, frozen=True, tag="slides.go_to"):
    """Show a page to everybody."""

    deck: DeckId
    page: int
    "Counted from 1."


class DeckAdded(Event, frozen=True, tag="slides.deck_added"):
    """A deck was added."""

    deck: DeckId
    title: str
    pages: int
    file: FileId


class DeckRemoved(Event, frozen=True, tag="slides.deck_removed"):
    """A deck was removed."""

    deck: DeckId


class Turned(Event, frozen=True, tag="slides.turned"):
    """Everybody sees another page."""

    deck: DeckId
    page: int


class Deck(Struct):
    """One deck."""

    id: DeckId
    title: str
    pages: int
    file: FileId
    page: int = 1
    "The current page; kept while another deck is shown."


class State(Struct):
    """The decks and the one that is shown."""

    decks: dict[DeckId, Deck] = field(default_factory=dict)
    current: str = ""


def _add_deck(room: "Classroom", command: AddDeck, now: float) -> Events:
    decks = room.slides.decks
    deck_id = checks.identifier(command.deck, "deck")
    if deck_id in decks:
        raise Conflict(Code.ALREADY_EXISTS, "There is a deck with this id already.")
    checks.room_for_one(len(decks), limits.DECKS, "decks of slides")
    return [
        DeckAdded(
            at=now,
            by=command.by,
            deck=deck_id,
            title=checks.line(command.title, limits.TITLE_LENGTH, "title"),
            pages=int(checks.number(command.pages, 1, limits.DECK_PAGES, "number of pages")),
            file=checks.identifier(command.file, "file"),
        )
    ]


def _find(room: "Classroom", deck_id: DeckId) -> Deck:
    deck = room.slides.decks.get(deck_id)
    if deck is None:
        raise NotFound(Code.DECK_NOT_FOUND, "There is no such deck of slides.")
    return deck


def _remove_deck(room: "Classroom", command: RemoveDeck, now: float) -> Events:
    return [DeckRemoved(at=now, by=command.by, deck=_find(room, command.deck).id)]


def _go_to(room: "Classroom", command: GoTo, now: float) -> Events:
    deck = _find(room, command.deck)
    if not 1 <= command.page <= deck.pages:
        raise NotFound(Code.PAGE_NOT_FOUND, f"The deck has pages 1 to {deck.pages}.")
    if room.slides.current == deck.id and deck.page == command.page:
        raise Conflict(Code.NOTHING_TO_CHANGE, "This page is shown already.")
    return [Turned(at=now, by=command.by, deck=deck.id, page=command.page)]


def _deck_added(state: State, event: DeckAdded) -> None:
    state.decks[event.deck] = Deck(event.deck, event.title, event.pages, event.file)


def _deck_removed(state: State, event: DeckRemoved) -> None:
    del state.decks[event.deck]
    if state.current == event.deck:
        state.current = ""


def _turned(state: State, event: Turned) -> None:
    state.current = event.deck
    state.decks[event.deck].page = event.page


class View(Struct, frozen=True):
    """The decks, and the one that is shown with its page."""

    decks: list[Deck]
    more: bool
    current: str


def _view(room: "Classroom", _person: "Person", _now: float) -> View:
    # The shown deck is first, so that it is never left out.
    decks = sorted(room.slides.decks.values(), key=lambda deck: deck.id != room.slides.current)
    return View(*fitting(decks, limits.VIEW_DECKS), room.slides.current)


FEATURE: Final = Feature(
    name="slides",
    state=State,
    decide={AddDeck: _add_deck, RemoveDeck: _remove_deck, GoTo: _go_to},
    apply={DeckAdded: _deck_added, DeckRemoved: _deck_removed, Turned: _turned},
    shown={DeckAdded: everyone, DeckRemoved: everyone, Turned: everyone},
    view=_view,
)
