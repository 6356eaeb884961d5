"""The OpenAPI 3.1 document, from the declarations that the routes themselves run on."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from signaling.http.api import Api, Document, Fault, Operation, Style

_REFERENCE = "#/components/schemas/{name}"

# Answers that are not JSON.
_NOT_JSON = (Document, web.StreamResponse)

# Refusals of every route, and of every route with a body, besides its own.
_FAULTS = {Fault.TOO_OFTEN: "too many requests"}
_BODY_FAULTS = {
    Fault.MALFORMED: "the body is not JSON, or not of this form",
    Fault.TOO_LARGE: "the body is too large",
    Fault.TOO_SLOW: "the body did not arrive in time",
}


@dataclass(frozen=True, slots=True)
class Description:
    """What one part adds to the document."""

    paths: Mapping[str, Mapping[str, Any]]
    "Path items by path."
    schemas: Mapping[str, Mapping[str, Any]]
    "JSON Schemas by the name that references use."
    tags: Mapping[str, str]
    "What is to be said of each API, by its title."


def document(version: str, *descriptions: Description) -> dict[str, Any]:
    """Put the parts' descriptions together."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lectern", "version": version},
        "tags": [
            {"name": name, "description": text} for each in descriptions for name, text in each.tags.items()
        ],
        "paths": {path: item for each in descriptions for path, item in each.paths.items()},
        "components": {
            "schemas": {name: schema for each in descriptions for name, schema in each.schemas.items()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def describe(apis: Iterable[Api]) -> Description:
    """Describe typed routes; all of a server's at once, so that two structs of one name get different ones."""
    apis = list(apis)
    schemas = _Schemas(
        kind for api in apis for operation in api.operations for kind in _kinds(api.style, operation)
    )
    paths: dict[str, dict[str, Any]] = {}
    for api in apis:
        for operation in api.operations:
            path = paths.setdefault(api.style.prefixes[0] + operation.route.path, {})
            path[operation.route.method.lower()] = _operation(api.style, operation, schemas)
    return Description(paths, schemas.components, {api.style.title: api.style.about for api in apis})


class _Schemas:
    """JSON Schemas of types; structs become components."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        self._kinds = list(kinds)
        schemas, self.components = msgspec.json.schema_components(self._kinds, ref_template=_REFERENCE)
        self._schemas = list(schemas)

    def __getitem__(self, kind: Any) -> dict[str, Any]:
        return self._schemas[self._kinds.index(kind)]

    def resolved(self, kind: Any) -> dict[str, Any]:
        """Return a struct's schema itself."""
        name = self[kind]["$ref"].rpartition("/")[2]
        schema: dict[str, Any] = self.components[name]
        return schema


def _kinds(style: Style, operation: Operation) -> list[Any]:
    kinds = [style.error, operation.answer_type, *operation.path_types.values()]
    others = (operation.query_type, operation.body_type)
    return [kind for kind in kinds if kind not in _NOT_JSON] + [kind for kind in others if kind is not None]


def _operation(style: Style, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    route = operation.route
    summary, _, description = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{style.prefixes[0]}{route.path}".replace("/", "_")
        .replace("{", "")
        .replace("}", ""),
        "summary": summary,
        "tags": [style.title],
        "security": [] if route.open else [{"bearer": []}],
        "parameters": _parameters(operation, schemas),
        "responses": _responses(style, operation, schemas),
    }
    if description:
        described["description"] = description
    if operation.body_type is not None:
        schema = schemas[operation.body_type]
        required = "$ref" not in schema or bool(schemas.resolved(operation.body_type).get("required"))
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    if route.upload:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": schemas[kind]}
        for name, kind in operation.path_types.items()
    ]
    if operation.query_type is not None:
        schema = schemas.resolved(operation.query_type)
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": each}
            for name, each in schema["properties"].items()
        ]
    return parameters


def _responses(style: Style, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    faults = dict(_FAULTS)
    if operation.body_type is not None:
        faults |= _BODY_FAULTS
    if operation.path_types or operation.query_type is not None:
        faults[Fault.INVALID] = "a parameter is not of this form"
    refusals: dict[int, list[str]] = {}
    sources: list[Mapping[int, str]] = [
        {} if operation.route.open else style.access_errors,
        *({fault.status: text} for fault, text in faults.items()),
        operation.route.errors,
    ]
    for source in sources:
        for status, text in source.items():
            refusals.setdefault(status, []).append(text)
    if operation.answer_type in _NOT_JSON:
        # A schema of a string would be wrong for documents that are JSON, such as exports.
        done = {"description": "done", "content": {"*/*": {}}}
    else:
        done = _response("done", schemas[operation.answer_type])
    responses = {str(operation.route.status): done}
    for status, texts in sorted(refusals.items()):
        responses[str(status)] = _response("; ".join(texts), schemas[style.error], style.refusal_type)
    return responses


def _response(
    description: str, schema: dict[str, Any], content_type: str = "application/json"
) -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"schema": schema}}}
