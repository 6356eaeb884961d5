"""The description of LiveKit's server API; tests/signaling/test_rest.py finds out whether answers fit it."""

from livekit.protocol import models, room

from signaling.livekit.server_api.description import describe
from signaling.livekit.server_api.twirp import STATUSES, Method


def answer(_claims, _request) -> models.Room:
    """Answer."""
    return models.Room()


def described(request=room.CreateRoomRequest):
    return describe({"livekit.Service": {"Call": Method(request, answer, lambda _claims: None)}})


def test_a_method_is_one_post():
    (path,) = described().paths
    assert path == "/twirp/livekit.Service/Call"
    operation = described().paths[path]["post"]
    assert operation["summary"] == "Answer."
    content = operation["requestBody"]["content"]
    assert content == {
        "application/json": {"schema": {"$ref": "#/components/schemas/livekit.CreateRoomRequest"}}
    }
    content = operation["responses"]["200"]["content"]
    assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/livekit.Room"}}}


def test_every_reference_leads_somewhere():
    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    found = described()
    names = {name.rpartition("/")[2] for name in [*references(found.paths), *references(found.schemas)]}
    assert names
    assert names <= set(found.schemas)


def test_fields_have_the_types_of_protojson():
    properties = described(room.UpdateParticipantRequest).schemas["livekit.UpdateParticipantRequest"][
        "properties"
    ]
    assert properties["identity"] == {"type": "string"}
    assert properties["attributes"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert properties["permission"] == {"$ref": "#/components/schemas/livekit.ParticipantPermission"}
    schemas = described().schemas
    assert schemas["livekit.CreateRoomRequest"]["properties"]["empty_timeout"]["maximum"] == 2**32 - 1
    assert schemas["livekit.Room"]["properties"]["creation_time"]["anyOf"][0]["type"] == "string"
    codecs = schemas["livekit.Room"]["properties"]["enabled_codecs"]
    assert codecs == {"type": "array", "items": {"$ref": "#/components/schemas/livekit.Codec"}}
    sending = described(room.SendDataRequest).schemas["livekit.SendDataRequest"]["properties"]
    assert sending["kind"]["anyOf"][0]["enum"] == ["RELIABLE", "LOSSY"]
    assert sending["data"]["contentEncoding"] == "base64"
    encoding = schemas["livekit.RoomCompositeEgressRequest"]["not"]["anyOf"]
    assert {"required": ["preset", "advanced"]} in encoding


def test_refusals_are_described_by_their_codes():
    codes = described().schemas["livekit.TwirpError"]["properties"]["code"]["enum"]
    assert codes == list(STATUSES)
