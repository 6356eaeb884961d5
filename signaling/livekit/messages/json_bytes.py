"""Byte fields of messages in JSON: the library skips invalid base64 without an error."""

import re
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

# Protobuf's JSON mapping: the standard or the URL-safe alphabet, with or without padding. One character stands for
# nothing, and both alphabets in one text are no encoding at all.
_BASE64 = re.compile(
    r"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?"
)


def check_base64(descriptor: Any, fields: Any) -> None:
    """Raise ValueError for a byte field that is not base64. `fields` is the parsed JSON of such a message."""
    if not isinstance(fields, dict):
        return
    known = _fields(descriptor)
    for name, value in fields.items():
        field = known.get(name)
        if field is not None:
            _check_field(field, value)


@cache
def _fields(descriptor: Any) -> dict[str, Any]:
    """Return the fields of a message by both of their names in JSON.

    The library's own maps raise SystemError for a name that is no valid Unicode, such as a lone surrogate.
    """
    fields = descriptor.fields
    return {field.name: field for field in fields} | {field.camelcase_name: field for field in fields}


def _check_field(field: Any, value: Any) -> None:
    if field.type == FieldDescriptor.TYPE_BYTES:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not _is_base64(text):
                raise ValueError(f"{field.name} is not base64")
    elif field.message_type is not None:
        kind = field.message_type
        if kind.GetOptions().map_entry:
            kind = kind.fields_by_name["value"].message_type
            value = list(value.values()) if isinstance(value, dict) else value
        if kind is not None:
            for each in value if isinstance(value, list) else [value]:
                check_base64(kind, each)


def _is_base64(text: str) -> bool:
    both = ("+" in text or "/" in text) and ("-" in text or "_" in text)
    return not both and _BASE64.fullmatch(text) is not None
