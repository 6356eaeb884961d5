"""The studio: the scenes, the scene on show, and the rules for forwarding media between people.

A scene names its content: a person's screen or camera, a deck of slides, the whiteboard, a student's work. A screen or
camera meant only for staff is not forwarded to students, whatever their clients request: the media server calls
`may_watch` for each pair of people and each source.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, fitting, staff
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, Malformed, NotFound
from classroom.features.people import LeaveReason, Left, find, find_present
from classroom.ids import PersonId
from classroom.roles import STAFF, Role

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Kind(StrEnum):
    """The kind of content that a scene shows."""

    SCREEN = "screen"
    "The screen of a member of staff."
    CAMERA = "camera"
    SLIDES = "slides"
    WHITEBOARD = "whiteboard"
    STUDENT_WORK = "student_work"
    "The screen of a student, while the scene is shown."


PERSONAL: Final = frozenset({Kind.SCREEN, Kind.CAMERA, Kind.STUDENT_WORK})
"Kinds whose source is a person."


class AddScene(Command, frozen=True, tag="studio.add_scene"):
    """Add a scene."""

    scene: str
    kind: Kind
    source: str = ""
    "Id of a person or a deck, or empty, depending on the kind."
    title: str = ""


class RemoveScene(Command, frozen=True, tag="studio.remove_scene"):
    """Remove a scene that is not shown."""

    scene: str


class Switch(Command, frozen=True, tag="studio.switch"):
    """Show a scene to everybody."""

    scene: str = ""
    "Empty: no scene."


class SceneAdded(Event, frozen=True, tag="studio.scene_added"):
    """A scene was added."""

    scene: str
    kind: Kind
    source: str
    title: str


class SceneRemoved(Event, frozen=True, tag="studio.scene_removed"):
    """A scene was removed."""

    scene: str


class Switched(Event, frozen=True, tag="studio.switched"):
    """Everybody sees this scene. The event carries all of it, because students do not have the list."""

    scene: str
    kind: Kind | None
    source: str
    title: str


class Scene(Struct, frozen=True):
    """One scene."""

    id: str
    kind: Kind
    source: str
    title: str


class State(Struct):
    """The scenes and the one that is shown."""

    scenes: dict[str, Scene] = field(default_factory=dict)
    current: str = ""


def current(room: "Classroom") -> Scene | None:
    """Return the scene that is shown."""
    return room.studio.scenes.get(room.studio.current)


def may_watch(room: "Classroom", viewer_id: PersonId, publisher_id: PersonId, source: str) -> bool:
    """Return whether a person may receive another person's `camera` or `screen`."""
    viewer, publisher = room.people.everyone.get(viewer_id), room.people.everyone.get(publisher_id)
    present = room.people.present
    if viewer is None or publisher is None or viewer_id not in present or publisher_id not in present:
        return False
    if viewer.role in STAFF or publisher.role in STAFF or viewer is publisher:
        return True
    scene, settings = current(room), room.session.settings
    if source == "screen":
        shown = scene is not None and scene.kind is Kind.STUDENT_WORK and scene.source == publisher_id
        return settings.student_screens or shown
    shown = scene is not None and scene.kind is Kind.CAMERA and scene.source == publisher_id
    staged = publisher_id == room.moderation.spotlight or publisher_id in room.moderation.pins
    return settings.student_cameras or shown or staged


def _add_scene(room: "Classroom", command: AddScene, now: float) -> Events:
    scenes = room.studio.scenes
    scene_id = checks.identifier(command.scene, "scene")
    if scene_id in scenes:
        raise Conflict(Code.ALREADY_EXISTS, "There is a scene with this id already.")
    checks.room_for_one(len(scenes), limits.SCENES, "scenes")
    title = checks.line(command.title, limits.NAME_LENGTH, "title", empty=True)
    _check_source(room, command.kind, command.source)
    return [
        SceneAdded(
            at=now,
            by=command.by,
            scene=scene_id,
            kind=command.kind,
            source=command.source,
            title=title,
        )
    ]


def _check_source(room: "Classroom", kind: Kind, source: str) -> None:
    if kind in PERSONAL:
        person = find(room, PersonId(source))
        if (kind is Kind.STUDENT_WORK) != (person.role is Role.STUDENT) and kind is not Kind.CAMERA:
            raise Malformed(
                Code.BAD_CHOICE, "A screen scene needs a member of staff, and a student-work scene a student."
            )
    elif kind is Kind.SLIDES:
        if source not in room.slides.decks:
            raise NotFound(Code.DECK_NOT_FOUND, "There is no such deck of slides.")
    elif source:
        raise Malformed(Code.BAD_CHOICE, "A whiteboard scene has no source.")


def _remove_scene(room: "Classroom", command: RemoveScene, now: float) -> Events:
    if command.scene not in room.studio.scenes:
        raise NotFound(Code.SCENE_NOT_FOUND, "There is no such scene.")
    if command.scene == room.studio.current:
        raise Conflict(Code.SCENE_IN_USE, "The scene is on; switch to another one first.")
    return [SceneRemoved(at=now, by=command.by, scene=command.scene)]


def _switch(room: "Classroom", command: Switch, now: float) -> Events:
    if command.scene == room.studio.current:
        raise Conflict(Code.NOTHING_TO_CHANGE, "This is on already.")
    if not command.scene:
        return [Switched(at=now, by=command.by, scene="", kind=None, source="", title="")]
    scene = room.studio.scenes.get(command.scene)
    if scene is None:
        raise NotFound(Code.SCENE_NOT_FOUND, "There is no such scene.")
    if scene.kind in PERSONAL:
        find_present(room, PersonId(scene.source))
    elif scene.kind is Kind.SLIDES and scene.source not in room.slides.decks:
        raise NotFound(Code.DECK_NOT_FOUND, "The deck of this scene was removed.")
    return [
        Switched(
            at=now, by=command.by, scene=scene.id, kind=scene.kind, source=scene.source, title=scene.title
        )
    ]


def _scene_added(state: State, event: SceneAdded) -> None:
    state.scenes[event.scene] = Scene(event.scene, event.kind, event.source, event.title)


def _scene_removed(state: State, event: SceneRemoved) -> None:
    del state.scenes[event.scene]


def _switched(state: State, event: Switched) -> None:
    state.current = event.scene


def _left(state: State, event: Left) -> None:
    # When a student returns later and shares a screen with the tutor only, an old scene must not show it to everybody.
    scene = state.scenes.get(state.current)
    work = scene is not None and scene.kind is Kind.STUDENT_WORK and scene.source == event.person
    if work and event.reason is not LeaveReason.REPLACED:
        state.current = ""


class View(Struct, frozen=True):
    """The scene that is shown, and for staff the list."""

    current: Scene | None
    scenes: list[Scene]
    more: bool


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    scenes = room.studio.scenes.values() if person.role in STAFF else ()
    return View(current(room), *fitting(scenes, limits.VIEW_SCENES))


FEATURE: Final = Feature(
    name="studio",
    state=State,
    decide={AddScene: _add_scene, RemoveScene: _remove_scene, Switch: _switch},
    apply={SceneAdded: _scene_added, SceneRemoved: _scene_removed, Switched: _switched, Left: _left},
    shown={SceneAdded: staff, SceneRemoved: staff, Switched: everyone},
    view=_view,
)
