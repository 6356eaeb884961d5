"""The document says what the routes do."""

import json

import msgspec

from signaling.http.api import Api, Route
from signaling.http.openapi import describe, document
from tests.signaling.http.test_api import ROUTES, STYLE


def described():
    return json.loads(json.dumps(document("1.2.3", describe([Api(STYLE, ROUTES)]))))


def test_it_has_each_route_once_under_the_first_prefix():
    found = described()
    assert (found["openapi"], found["info"]) == ("3.1.0", {"title": "Lectern", "version": "1.2.3"})
    assert found["tags"] == [{"name": "Rooms", "description": "The bearer token is the key."}]
    operations = [(path, method) for path, methods in found["paths"].items() for method in methods]
    assert operations == [
        ("/v1/rooms", "post"),
        ("/v1/rooms", "get"),
        ("/v1/rooms/{name}", "delete"),
        ("/v1/state", "get"),
        ("/v1/notes", "post"),
    ]


def test_an_operation_with_a_body():
    operation = described()["paths"]["/v1/rooms"]["post"]
    assert operation["summary"] == "Make a room."
    assert operation["operationId"] == "post_v1_rooms"
    assert operation["security"] == [{"bearer": []}]
    body = {"$ref": "#/components/schemas/NewRoom"}
    assert operation["requestBody"] == {"required": True, "content": {"application/json": {"schema": body}}}
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Room"}
    assert sorted(operation["responses"]) == ["200", "400", "401", "408", "409", "413", "429"]
    refusal = operation["responses"]["409"]
    assert refusal["description"] == "the name is taken"
    assert refusal["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    anything = described()["paths"]["/v1/notes"]["post"]["requestBody"]
    assert anything["content"]["application/json"]["schema"] == {"type": "object"}


def test_constraints_defaults_and_strictness_are_those_of_the_types():
    assert described()["components"]["schemas"]["NewRoom"] == {
        "title": "NewRoom",
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 8},
            "seats": {"type": "integer", "minimum": 0, "maximum": 100, "default": 2},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def test_parameters():
    paths = described()["paths"]
    assert paths["/v1/rooms"]["get"]["description"] == "Newest first."
    limit, after = paths["/v1/rooms"]["get"]["parameters"]
    assert limit == {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
    }
    assert after["name"] == "after"
    (name,) = paths["/v1/rooms/{name}"]["delete"]["parameters"]
    assert name == {
        "name": "name",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "maxLength": 8},
    }
    assert "400" in paths["/v1/rooms/{name}"]["delete"]["responses"]


def test_an_open_route_has_no_lock_and_no_refusal_of_keys():
    operation = described()["paths"]["/v1/state"]["get"]
    assert operation["security"] == []
    assert list(operation["responses"]) == ["200", "429"]


def test_a_body_of_defaults_only_may_be_left_out():
    class Change(msgspec.Struct):
        seats: int = 1

    async def change(body):
        """Change."""

    change.__annotations__ = {"body": Change, "return": Change}
    found = describe([Api(STYLE, [Route("POST", "/change", change)])])
    assert found.paths["/v1/change"]["post"]["requestBody"]["required"] is False
