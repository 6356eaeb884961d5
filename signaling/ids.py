"""The types of the ids of rooms and people. `docs/GLOSSARY.md` says what each word means."""

from typing import NewType

from sfu.values import PeerId, PublicationId
from sfu.values import RoomId as EngineRoomId

# The server chooses these (`signaling.rooms.sids`). The engine knows participants, meetings and tracks by them.
ParticipantSid = PeerId
RoomSid = EngineRoomId
TrackSid = PublicationId
DataTrackSid = NewType("DataTrackSid", str)

# The application chooses these.
RoomName = NewType("RoomName", str)
Identity = NewType("Identity", str)
"Of a participant, unique in the room."
UserId = NewType("UserId", str)
"Of a person, who may be in the room several times, with an identity each."

TenantId = NewType("TenantId", str)
"Of a school: the API key that it belongs to and, where one key serves several schools, its name."
