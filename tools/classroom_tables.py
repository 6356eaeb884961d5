"""Rewrites the tables of classroom/README.md from the code: `python tools/classroom_tables.py`."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = ROOT / "classroom" / "README.md"
sys.path.insert(0, str(ROOT))

from classroom import audience  # noqa: E402 - after the path
from classroom.base import Command, Event  # noqa: E402
from classroom.catalogue import FEATURES  # noqa: E402
from classroom.permissions import RULES, Rule  # noqa: E402
from classroom.roles import ANY, BEFORE, EVERYBODY, OPEN, STAFF, TUTORS, UNFINISHED, Phase, Role  # noqa: E402
from classroom.school.bookings import BOOKINGS  # noqa: E402
from classroom.school.courses import COURSES  # noqa: E402
from classroom.school.office_hours import OFFICE_HOURS  # noqa: E402
from classroom.school.presence import PRESENCE  # noqa: E402
from classroom.school.schedule import SCHEDULE  # noqa: E402
from classroom.school.study_groups import STUDY_GROUPS  # noqa: E402

AUDIENCES: Final[dict[Callable[..., Any], str]] = {
    audience.everyone: "all",
    audience.staff: "staff",
    audience.tutors: "tutors",
    audience.staff_and_author: "staff, author",
    audience.staff_and_subject: "staff, the person",
    audience.nobody: "nobody",
}
ROLES: Final[dict[frozenset[Role], str]] = {
    frozenset(): "",
    TUTORS: "tutors",
    STAFF: "staff",
    STAFF | {Role.STUDENT}: "staff, students",
    frozenset({Role.STUDENT}): "students",
    EVERYBODY: "all",
}
PHASES: Final[dict[frozenset[Phase], str]] = {
    OPEN: "open",
    BEFORE: "before",
    UNFINISHED: "before, open",
    OPEN | {Phase.ENDED}: "open, ended",
    UNFINISHED | {Phase.ENDED}: "before, open, ended",
    ANY: "any",
}


def tag(kind: type[Command | Event]) -> str:
    """Return the name of a kind in JSON."""
    return str(kind.__struct_config__.tag)


def sentence(documented: Any) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((documented.__doc__ or "").split("\n\n")[0].split())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(head), ["---"] * len(list(head)), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def events() -> str:
    """Return the table of a session's events: what happened, and who sees it."""
    rows = [
        (f"`{tag(kind)}`", sentence(kind), AUDIENCES.get(shown) or sentence(shown))
        for feature in FEATURES
        for kind, shown in feature.shown.items()
    ]
    return table(("event", "what happened", "who sees it"), rows)


def _who(rule: Rule) -> str:
    names = [ROLES[rule.roles], "the server" if rule.server else "", "anybody" if rule.strangers else ""]
    return ", ".join(name for name in names if name) + ("; grantable" if rule.grantable else "")


def commands() -> str:
    """Return the table of a session's commands: what they request, who may send them, and when."""
    kinds = {tag(kind): kind for feature in FEATURES for kind in feature.decide}
    rows = [
        (
            f"`{name}`",
            sentence(kinds[name]) if name in kinds else "Sent by the media server.",
            _who(rule),
            PHASES.get(rule.phases) or ", ".join(sorted(rule.phases)),
        )
        for name, rule in RULES.items()
    ]
    return table(("command", "what it requests", "allowed for", "when"), rows)


def school() -> str:
    """Return the table of the events of a school's parts."""
    parts = (SCHEDULE, PRESENCE, OFFICE_HOURS, BOOKINGS, STUDY_GROUPS, COURSES)
    rows = [(f"`{tag(kind)}`", sentence(kind)) for part in parts for kind in part.changes]
    return table(("event", "what happened"), rows)


def renewed(text: str) -> str:
    """Return the README with current tables."""
    for name, make in {"events": events, "commands": commands, "school": school}.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        fresh = f"{begin}\n{make()}\n{end}"
        text, count = pattern.subn(lambda _, fresh=fresh: fresh, text)  # type: ignore[misc]
        if count != 1:
            raise SystemExit(f"{README.name} has no place for the table of {name}.")
    return text


if __name__ == "__main__":
    README.write_text(renewed(README.read_text()))
