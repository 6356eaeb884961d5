"""Tables for spreadsheets (RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import hdrs

from signaling.http.api import Document

# A cell that begins so is a formula to spreadsheets (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Document:
    """Return rows as a file to be saved."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    # Spreadsheets recognise UTF-8 by the byte order mark.
    body = b"\xef\xbb\xbf" + text.getvalue().encode()
    disposition = f'attachment; filename="{name}.csv"'
    return Document(body, "text/csv; charset=utf-8", {hdrs.CONTENT_DISPOSITION: disposition})


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
