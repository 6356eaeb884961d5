"""Many events in one message: 1,000 raised hands become one value and not 1,000 messages for each page.

A run of events of one kind is folded into columns: what all of them share stands once, what differs is a list. Nothing
is lost: `unfold` returns the events.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from msgspec import Struct

from classroom.base import Event
from classroom.catalogue import EVENTS
from classroom.ids import PersonId
from classroom.state import Classroom
from classroom.visibility import PUBLIC, is_participant, shown_to


class Run(Struct, frozen=True):
    """Consecutive events of one kind."""

    type: str
    "Their kind."
    count: int
    "How many."
    same: dict[str, Any]
    "Fields that are equal in all of them."
    columns: dict[str, list[Any]]
    "The other fields, each with a value for each event."


class Batch(Struct, frozen=True):
    """Events of a log as one person may see them."""

    after: int
    "Number of the last event before these."
    upto: int
    "Number of the last event that was looked at; catching up goes on from here."
    runs: tuple[Run, ...]
    "In order."


def fold(events: Iterable[Event]) -> tuple[Run, ...]:
    """Return events as runs of columns."""
    return tuple(_run(kind, list(run)) for kind, run in groupby(events, type))


def _run(kind: type[Event], run: Sequence[Event]) -> Run:
    same: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {}
    for name in kind.__struct_fields__:
        values = [getattr(event, name) for event in run]
        if all(value == values[0] for value in values):
            same[name] = values[0]
        else:
            columns[name] = values
    return Run(str(kind.__struct_config__.tag), len(run), same, columns)


def unfold(runs: Iterable[Run]) -> list[Event]:
    """Return the events of runs, also of runs that came as JSON."""
    events: list[Event] = []
    for run in runs:
        kind = EVENTS[run.type]
        for index in range(run.count):
            fields = run.same | {name: values[index] for name, values in run.columns.items()}
            events.append(msgspec.convert(fields, kind))
    return events


_encode: Final = msgspec.json.Encoder().encode


def batches(
    room: Classroom, after: int, events: Sequence[Event], people: Iterable[PersonId]
) -> dict[PersonId, Batch]:
    """Return what each of these people gets of the events that follow number `after`; who sees nothing gets nothing.

    People who see the same get the same object, so that it has to be encoded once. Those to whom only public
    events go, which is nearly everybody nearly always, cost a look-up each.
    """
    upto = after + len(events)
    private = any(type(event) not in PUBLIC for event in events)
    common = None if private else Batch(after, upto, fold(events))
    originals = set(map(id, events))
    made: dict[tuple[int, ...], Batch] = {}
    result: dict[PersonId, Batch] = {}
    for person_id in people:
        if common is not None and is_participant(room, person_id):
            result[person_id] = common
            continue
        shown = [seen for event in events if (seen := shown_to(room, event, person_id)) is not None]
        if not shown:
            continue
        key = tuple(map(id, shown))
        batch = made.get(key) or Batch(after, upto, fold(shown))
        if originals.issuperset(key):  # ids of copies are reused as soon as the copies are gone
            made[key] = batch
        result[person_id] = batch
    return result
