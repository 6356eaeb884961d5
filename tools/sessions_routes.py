"""Write the table of routes of docs/api/sessions.md anew, out of the code: `python tools/sessions_routes.py`."""

import re
import sys
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "docs" / "api" / "sessions.md"
sys.path.insert(0, str(ROOT))

from msgspec import structs  # noqa: E402 - after the path

from signaling.http.api import Operation, Route  # noqa: E402
from signaling.sessions_api.api import all_routes, operator_routes, people_routes  # noqa: E402

_BEGIN: Final = "<!-- routes -->\n"
_END: Final = "<!-- end of routes -->"


def table() -> str:
    """Return a row for each route, by the first part of its path."""
    parts: Any = Mock()
    five = (parts, parts, parts, parts, parts)
    routes = [*all_routes(*five), *people_routes(*five), *operator_routes(parts, parts, parts)]
    lines = []
    for group, rows in _groups(routes).items():
        lines += [f"\n**{group}**\n", "| route | body | does |", "| --- | --- | --- |"]
        lines += [_row(route) for route in rows]
    return "\n".join(lines) + "\n"


def _groups(routes: list[Route]) -> dict[str, list[Route]]:
    groups: dict[str, list[Route]] = {}
    for route in routes:
        parts = route.path.strip("/").split("/")
        inside = parts[0] == "sessions" and len(parts) > 2 and parts[1] == "{session}"
        name = f"/sessions/{{session}}/{parts[2]}" if inside and len(parts) > 3 else f"/{parts[0]}"
        groups.setdefault(name, []).append(route)
    # Paths of a session with a single part stand together, except where that part has routes below it.
    for route in list(groups.get("/sessions", ())):
        below = f"/sessions/{{session}}/{route.path.rpartition('/')[2]}"
        if below in groups and route.path.startswith("/sessions/{session}/"):
            groups["/sessions"].remove(route)
            groups[below].insert(0, route)
    return dict(sorted(groups.items(), key=lambda group: (not group[0].startswith("/sessions"), group[0])))


def _row(route: Route) -> str:
    operation = Operation.of(route)
    body = "" if operation.body_type is None else ", ".join(_fields(operation.body_type))
    summary = (route.handler.__doc__ or "").strip().partition("\n")[0]
    return f"| `{route.method} {route.path}` | {body} | {summary} |"


def _fields(kind: Any) -> list[str]:
    required = {each.name for each in structs.fields(kind) if each.required}
    return [f"`{name}`" if name in required else f"`{name}`?" for name in kind.__struct_fields__]


def renewed(text: str) -> str:
    """Return the document with the table of today's routes."""
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    return pattern.sub(lambda _found: _BEGIN + table() + _END, text)


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
