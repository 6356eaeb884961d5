"""Calls of every route, made from the OpenAPI description."""

from typing import Any

PREFIX = "/api/v1"


async def operations(school) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation of the API of sessions, by method and path behind the prefix; and the schemas."""
    async with school.http.get(f"{school.url}/openapi.json") as response:
        document = await response.json()
    found = {
        (method.upper(), path.removeprefix(PREFIX)): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation["tags"] == ["Sessions"]
    }
    return found, document["components"]["schemas"]


def body(operation, schemas) -> Any:
    """The smallest body that the schema allows; None where there is none."""
    # The body of an upload is bytes; that it is missing is found after what the caller may do.
    if not takes_json(operation):
        return None
    return _value(operation["requestBody"]["content"]["application/json"]["schema"], schemas)


def _value(schema, schemas) -> Any:
    if "$ref" in schema:
        return _value(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    choices = schema.get("anyOf", schema.get("oneOf", ()))
    if choices:
        return _value(choices[0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: _value(schema["properties"][name], schemas) for name in schema.get("required", ())}
    simple = {
        "array": [_value(schema["items"], schemas) for _ in range(schema.get("minItems", 0))],
        "string": "eA==" if schema.get("contentEncoding") == "base64" else "x",
        "boolean": True,
        "null": None,
    }
    return simple.get(kind, schema.get("minimum", 1))


def takes_json(operation) -> bool:
    return "application/json" in operation.get("requestBody", {"content": {}})["content"]


def query(operation) -> str:
    """The required parameters of the query, with their question mark."""
    names = [each["name"] for each in operation["parameters"] if each["in"] == "query" and each["required"]]
    return "?" + "&".join(f"{name}=x" for name in names) if names else ""


def path(template: str, names: dict[str, str]) -> str:
    """A path with its names filled in."""
    for part in template.split("/"):
        if part.startswith("{"):
            template = template.replace(part, names.get(part[1:-1], "x"))
    return template
