"""LiveKit's server API in OpenAPI, from the protobuf messages of its methods.

The JSON form of a message is proto3's (https://protobuf.dev/programming-guides/json/): requests may use lowerCamelCase
or the message's own names, numbers of 64 bits may be texts; answers have the message's own names and texts.
"""

import inspect
import typing
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from signaling.http.openapi import Description
from signaling.livekit.server_api.twirp import MAX_BODY_BYTES, STATUSES, Method

_TITLE = "LiveKit's server API"
_ABOUT = (
    "What LiveKit's server SDKs call. The bearer token is an access token (JWT, HS256, signed with the secret of the"
    " API key that is its `iss`) whose `video` claim has the grants: `roomCreate`, `roomList`, or `roomAdmin` with"
    " `room`."
)
_ERROR = "livekit.TwirpError"

_INT32 = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_UINT32 = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_INT64 = {"anyOf": [{"type": "string", "pattern": "^-?[0-9]{1,18}$"}, _INT32]}
_UINT64 = {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,18}$"}, _UINT32]}
_NUMBER = {"type": "number"}
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_SCALARS: Mapping[int, dict[str, Any]] = {
    FieldDescriptor.TYPE_DOUBLE: _NUMBER,
    FieldDescriptor.TYPE_FLOAT: _NUMBER,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64", "pattern": _BASE64},
}


def describe(services: Mapping[str, Mapping[str, Method]]) -> Description:
    """Describe the methods of these services."""
    schemas: dict[str, dict[str, Any]] = {_ERROR: _error_schema()}
    paths: dict[str, dict[str, Any]] = {}
    for service, methods in services.items():
        for name, method in methods.items():
            # Any: the stubs tell the library's two implementations of a descriptor apart.
            request: Any = method.request.DESCRIPTOR
            answer: Any = typing.get_type_hints(method.handler)["return"].DESCRIPTOR
            _add(request, schemas)
            _add(answer, schemas)
            paths[f"/twirp/{service}/{name}"] = {"post": _operation(name, method, answer)}
    return Description(paths, schemas, {_TITLE: _ABOUT})


def _operation(name: str, method: Method, answer: Descriptor) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": inspect.cleandoc(method.handler.__doc__ or ""),
        "tags": [_TITLE],
        "security": [{"bearer": []}],
        "requestBody": {
            "required": False,
            "description": f"At most {MAX_BODY_BYTES} bytes. Also as application/protobuf.",
            "content": _content(method.request.DESCRIPTOR.full_name),
        },
        "responses": {
            "200": {"description": "done", "content": _content(answer.full_name)},
            "default": {"description": "refused", "content": _content(_ERROR)},
        },
    }


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(name)}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "code": {"type": "string", "enum": list(STATUSES)},
            "msg": {"type": "string"},
            "meta": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["code", "msg"],
    }


def _add(message: Descriptor, schemas: dict[str, dict[str, Any]]) -> None:
    """Add the schema of a message and of the messages in its fields."""
    if message.full_name in schemas:
        return
    schemas[message.full_name] = {}  # before its fields: messages may hold themselves
    properties = {field.name: _field(field, schemas) for field in message.fields}
    schema = {"type": "object", "title": message.name, "properties": properties}
    both = [
        {"required": [one.name, other.name]}
        for choice in message.oneofs
        for one, other in combinations(choice.fields, 2)
    ]
    if both:
        schema["not"] = {"anyOf": both}
    schemas[message.full_name] = schema


def _field(field: FieldDescriptor, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        value = kind.fields_by_name["value"]
        return {"type": "object", "additionalProperties": _value(value, schemas)}
    value_schema = _value(field, schemas)
    return {"type": "array", "items": value_schema} if field.is_repeated else value_schema


def _value(field: FieldDescriptor, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if field.message_type is not None:
        _add(field.message_type, schemas)
        return _reference(field.message_type.full_name)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    return _SCALARS[field.type]


def _enum(kind: EnumDescriptor) -> dict[str, Any]:
    # A value that is newer than the schema is written as its number.
    return {"anyOf": [{"type": "string", "enum": [value.name for value in kind.values]}, _INT32]}
