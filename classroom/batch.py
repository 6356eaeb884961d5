"""Many events in one message: 1,000 raised hands become one value instead of 1,000 messages to each page.

A run of events of one kind is folded into columns: fields equal in all events are stored once, differing fields as
lists. The encoding is lossless: `unfold` returns the events.
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
    "The kind of the events."
    count: int
    "Number of events."
    same: dict[str, Any]
    "Fields that are equal in all events."
    columns: dict[str, list[Any]]
    "The other fields, each with one value for each event."


class Batch(Struct, frozen=True):
    """Events of a log as one person may see them."""

    after: int
    "Number of the last event before these."
    upto: int
    "Number of the last event examined; catching up continues after it."
    runs: tuple[Run, ...]
    "In the order of the log."


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
    """Return the events of runs, including runs decoded from JSON."""
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
    """Return each person's batch of the events after number `after`; people who see none of them have no batch.

    People who see the same events get the same object, so that it is encoded once. People who get only public events,
    usually nearly everybody, cost one look-up each.
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
        if originals.issuperset(key):  # Python reuses ids of copies as soon as the copies are freed.
            made[key] = batch
        result[person_id] = batch
    return result
