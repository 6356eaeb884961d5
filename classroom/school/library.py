"""A tutor's library: exercises, polls and sets of both, kept outside of sessions. Pure, no log.

Using an item copies it into a session, so a later version of the item changes no session.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from classroom import checks, limits
from classroom.errors import Code, LimitReached, Malformed
from classroom.features import exercises, polls
from classroom.ids import ExerciseId, FileId, PollId


class ExerciseItem(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="exercise"):
    """An exercise."""

    title: str
    text: str = ""
    link: str = ""
    file: FileId = FileId("")
    "Id of a file of the same library, or empty."


class PollItem(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="poll"):
    """A poll."""

    question: str
    answers: polls.Kind
    "How it is answered."
    options: tuple[str, ...] = ()
    "For single and multiple choice."
    steps: int = 5
    "For ratings: the highest value."
    anonymous: bool = False


Single = ExerciseItem | PollItem


class SetItem(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set"):
    """Exercises and polls that are used together, in order."""

    title: str
    items: tuple[Single, ...]


Item = ExerciseItem | PollItem | SetItem

KINDS: Final = ("exercise", "poll", "set")


def check(item: Item) -> Item:
    """Return an item that a session accepts. `Refused`."""
    if isinstance(item, SetItem):
        if not item.items:
            raise Malformed(Code.TEXT_EMPTY, "A set contains at least one exercise or poll.")
        if len(item.items) > limits.SET_ITEMS:
            raise LimitReached(
                Code.TOO_MANY, f"A set may contain {limits.SET_ITEMS} exercises and polls at most."
            )
        title = checks.line(item.title, limits.TITLE_LENGTH, "title")
        return SetItem(title, tuple(_check_single(each) for each in item.items))
    return _check_single(item)


def title_of(item: Item) -> str:
    """Return the title that lists show."""
    return item.question[: limits.TITLE_LENGTH] if isinstance(item, PollItem) else item.title


def kind_of(item: Item) -> str:
    """Return one of `KINDS`."""
    return str(item.__struct_config__.tag)


def parts(item: Item) -> tuple[Single, ...]:
    """Return the exercises and polls of an item, in order."""
    return item.items if isinstance(item, SetItem) else (item,)


def check_room(count: int, total: int, size: int) -> None:
    """Refuse one more file of `size` bytes in a library of `count` files and `total` bytes. `LimitReached`."""
    checks.room_for_one(count, limits.LIBRARY_FILES, "files in a library")
    if total + size > limits.LIBRARY_QUOTA:
        raise LimitReached(Code.QUOTA_EXCEEDED, "The files of the library are too large together.")


def file_ids(item: Item) -> list[FileId]:
    """Return the files of an item's exercises, each once, in order."""
    named = (each.file for each in parts(item) if isinstance(each, ExerciseItem))
    return [file for file in dict.fromkeys(named) if file]


def commands(
    item: Item, new_id: Callable[[str], str], copies: Mapping[FileId, FileId]
) -> Iterator[exercises.Add | polls.Create]:
    """Yield the commands that copy an item into a session, each with an id by `new_id(prefix)`.

    `copies` has the session's file for each file of the library.
    """
    for each in parts(item):
        if isinstance(each, ExerciseItem):
            file = copies[each.file] if each.file else FileId("")
            exercise = exercises.Exercise(ExerciseId(new_id("e_")), each.title, each.text, each.link, file)
            yield exercises.Add(exercise=exercise)
        else:
            yield polls.Create(
                poll=PollId(new_id("p_")),
                question=each.question,
                kind=each.answers,
                options=each.options,
                steps=each.steps,
                anonymous=each.anonymous,
            )


def _check_single(item: Single) -> Single:
    if isinstance(item, ExerciseItem):
        made = exercises.check_exercise(
            exercises.Exercise(ExerciseId("e_1"), item.title, item.text, item.link, item.file)
        )
        return ExerciseItem(made.title, made.text, made.link, made.file)
    draft = polls.check_draft(
        polls.Create(
            poll=PollId("p_1"),
            question=item.question,
            kind=item.answers,
            options=item.options,
            steps=item.steps,
            anonymous=item.anonymous,
        )
    )
    return PollItem(draft.question, draft.kind, draft.options, draft.steps, draft.anonymous)
