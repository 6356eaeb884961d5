"""Size limits of each part of a client's message, checked on the bytes before a message is built.

`BOUNDS` names every text and every list that a client can send; a test compares it with the protocol's descriptors,
so that a field of a new protocol version fails the test until it gets a limit.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from signaling.errors import LimitError, WireError
from signaling.rooms.data_tracks import MAX_NAME_LENGTH, MAX_TRACKS
from signaling.rooms.rooms import MAX_ATTRIBUTES_BYTES, MAX_METADATA_BYTES, MAX_NAME_CHARS

# Fields in one message, those of the messages inside it included. Building and handling one costs up to 5 us.
MAX_FIELDS = 5_000

# LiveKit's messages nest five deep.
_MAX_DEPTH = 16

# UTF-8 takes at most four bytes for a character.
_NAME_BYTES = 4 * MAX_NAME_CHARS


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound of one field."""

    size: int = 0
    "Most bytes of the text, or of each text in a list; 0 for numbers and messages."
    count: int = 1
    "Most entries of a list."
    origin: str = ""
    "Where the numbers come from."


_ID = Bound(_NAME_BYTES, origin="LiveKit's limit on identities and names; its own ids have 20 characters")
_NAME = Bound(_NAME_BYTES, origin="LiveKit's limit on names")
# A section of an offer takes 1 to 3 KB, and an engine takes a few hundred sections.
_SDP = Bound(512 * 1024, origin="an offer of 300 sections")
_TRACKS = Bound(_NAME_BYTES, 2_000, "four tracks of each of 500 participants")
_LAYERS = Bound(count=8, origin="libwebrtc sends three")
_CODECS = Bound(count=8, origin="LiveKit's clients announce two, the first choice and the backup")
_FEATURES = Bound(count=16, origin="twice the features that the protocol has")
_FEW = Bound(count=100, origin="five times the tracks that may wait for their media")
_TEXT = Bound(1024, origin="a browser's name and version have some dozens of characters")
_TYPE = Bound(64, origin="RFC 4855: a media type is a word")
_RID = Bound(16, origin="libwebrtc: kRidMaxLength")

BOUNDS: dict[str, Bound] = {
    "SessionDescription.type": _TYPE,
    "SessionDescription.sdp": _SDP,
    "SessionDescription.mid_to_track_id": Bound(count=1_000, origin="sections of an offer"),
    "MidToTrackIdEntry.key": _ID,
    "MidToTrackIdEntry.value": _ID,
    "TrickleRequest.candidateInit": Bound(
        4096, origin="a candidate with its user fragment has 200 characters"
    ),
    "AddTrackRequest.cid": _ID,
    "AddTrackRequest.name": _NAME,
    "AddTrackRequest.layers": _LAYERS,
    "AddTrackRequest.simulcast_codecs": _CODECS,
    "AddTrackRequest.sid": _ID,
    "AddTrackRequest.stream": _NAME,
    "AddTrackRequest.audio_features": _FEATURES,
    "AddTrackRequest.packet_trailer_features": _FEATURES,
    "VideoLayer.rid": _RID,
    "SimulcastCodec.codec": _TYPE,
    "SimulcastCodec.cid": _ID,
    "SimulcastCodec.layers": _LAYERS,
    "MuteTrackRequest.sid": _ID,
    "UpdateSubscription.track_sids": _TRACKS,
    "UpdateSubscription.participant_tracks": Bound(count=1_000, origin="people in a room"),
    "ParticipantTracks.participant_sid": _ID,
    "ParticipantTracks.track_sids": _TRACKS,
    "UpdateTrackSettings.track_sids": _TRACKS,
    "RegionSettings.regions": _FEW,
    "RegionInfo.region": _NAME,
    "RegionInfo.url": _TEXT,
    "UpdateVideoLayers.track_sid": _ID,
    "UpdateVideoLayers.layers": _LAYERS,
    "SubscriptionPermission.track_permissions": Bound(count=1_000, origin="people in a room"),
    "TrackPermission.participant_sid": _ID,
    "TrackPermission.track_sids": Bound(_NAME_BYTES, 100, "tracks of one publisher"),
    "TrackPermission.participant_identity": _ID,
    "SyncState.publish_tracks": _FEW,
    "SyncState.data_channels": Bound(count=16, origin="two connections with three channels each"),
    "SyncState.track_sids_disabled": _TRACKS,
    "SyncState.datachannel_receive_states": Bound(count=1_000, origin="people in a room"),
    "SyncState.publish_data_tracks": Bound(count=MAX_TRACKS, origin="data tracks of one participant"),
    "TrackPublishedResponse.cid": _ID,
    "TrackInfo.sid": _ID,
    "TrackInfo.name": _NAME,
    "TrackInfo.layers": _LAYERS,
    "TrackInfo.mime_type": _TYPE,
    "TrackInfo.mid": _ID,
    "TrackInfo.codecs": _CODECS,
    "TrackInfo.stream": _NAME,
    "TrackInfo.audio_features": _FEATURES,
    "TrackInfo.packet_trailer_features": _FEATURES,
    "SimulcastCodecInfo.mime_type": _TYPE,
    "SimulcastCodecInfo.mid": _ID,
    "SimulcastCodecInfo.cid": _ID,
    "SimulcastCodecInfo.layers": _LAYERS,
    "SimulcastCodecInfo.sdp_cid": _ID,
    "DataChannelInfo.label": _NAME,
    "DataChannelReceiveState.publisher_sid": _ID,
    "DataTrackInfo.sid": _ID,
    "DataTrackInfo.name": _NAME,
    "DataTrackFrameEncoding.custom": _NAME,
    "DataTrackSchemaId.name": _NAME,
    "DataTrackSchemaEncoding.custom": _NAME,
    "UpdateDataSubscription.updates": Bound(count=MAX_TRACKS, origin="data tracks of one participant"),
    "Update.track_sid": _ID,
    "UpdateParticipantMetadata.metadata": Bound(MAX_METADATA_BYTES, origin="LiveKit"),
    "UpdateParticipantMetadata.name": _NAME,
    "UpdateParticipantMetadata.attributes": Bound(count=1_000, origin="64 bytes each of LiveKit's 64 KiB"),
    "AttributesEntry.key": Bound(MAX_ATTRIBUTES_BYTES, origin="LiveKit, of all together"),
    "AttributesEntry.value": Bound(MAX_ATTRIBUTES_BYTES, origin="LiveKit, of all together"),
    "UpdateLocalAudioTrack.track_sid": _ID,
    "UpdateLocalAudioTrack.features": _FEATURES,
    "UpdateLocalVideoTrack.track_sid": _ID,
    "PublishDataTrackRequest.name": Bound(4 * MAX_NAME_LENGTH, origin="LiveKit"),
    "DataBlobKey.generic": _NAME,
    "DataBlob.contents": Bound(64_000, origin="one data packet; blobs are not kept here"),
    "GetDataBlobRequest.participant_identity": _ID,
    "ClientInfo.version": _TEXT,
    "ClientInfo.os": _TEXT,
    "ClientInfo.os_version": _TEXT,
    "ClientInfo.device_model": _TEXT,
    "ClientInfo.browser": _TEXT,
    "ClientInfo.browser_version": _TEXT,
    "ClientInfo.address": _TEXT,
    "ClientInfo.network": _TEXT,
    "ClientInfo.other_sdks": _TEXT,
    "ClientInfo.capabilities": _FEATURES,
    "JoinRequest.metadata": Bound(MAX_METADATA_BYTES, origin="LiveKit"),
    "JoinRequest.participant_attributes": Bound(count=1_000, origin="64 bytes each of LiveKit's 64 KiB"),
    "ParticipantAttributesEntry.key": Bound(MAX_ATTRIBUTES_BYTES, origin="LiveKit, of all together"),
    "ParticipantAttributesEntry.value": Bound(MAX_ATTRIBUTES_BYTES, origin="LiveKit, of all together"),
    "JoinRequest.add_track_requests": Bound(count=20, origin="LiveKit's limit on tracks without media"),
    "JoinRequest.participant_sid": _ID,
}


@dataclass(frozen=True, slots=True)
class Scan:
    """What the bytes of a message hold."""

    fields: int
    "How many fields, in all depths: what the message costs."
    excess: str = ""
    "The first field beyond its bound, in words; empty when there is none."

    def check(self) -> None:
        """Raise LimitError when a field is beyond its bound."""
        if self.excess:
            raise LimitError(self.excess)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    inner: Any
    is_list: bool
    is_text: bool
    bound: Bound | None

    def too_large(self, size: int) -> str:
        """Say so when a text has more bytes than it may, else nothing."""
        if self.bound is None or size <= self.bound.size:
            return ""
        return f"{self.name} is larger than {self.bound.size} bytes"

    def too_many(self, count: int) -> str:
        """Say so when a list has more entries than it may, else nothing."""
        if self.bound is None or count <= self.bound.count:
            return ""
        return f"{self.name} has more than {self.bound.count} entries"


# Wire types (protobuf's encoding, "message structure"): varint, 64 bits, length-delimited, 32 bits.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SKIPPED = {_FIXED64: 8, _FIXED32: 4}


def scan(descriptor: Any, content: bytes, limit: int = MAX_FIELDS) -> Scan:
    """Walk through a message's bytes. WireError for malformed bytes, and for more than `limit` fields.

    Groups, which none of LiveKit's messages has, are refused.
    """
    fields, excess = 0, ""
    waiting = [(descriptor, 0, len(content), 1)]
    while waiting:
        kind, at, end, depth = waiting.pop()
        layout = _layout(kind)
        counts: dict[str, int] = {}
        while at < end:
            key, at = _varint(content, at, end)
            start, at = _value(content, at, end, key & 7)
            field = layout.get(key >> 3)
            entries = 1
            if field is not None:
                if key & 7 == _LENGTH:
                    if field.inner is not None:
                        waiting.append((field.inner, start, at, depth + 1))
                    elif field.is_text:
                        excess = excess or field.too_large(at - start)
                    else:
                        entries = max(at - start, 1)  # packed numbers: one byte each at least
                if field.is_list:
                    counts[field.name] = counts.get(field.name, 0) + entries
                    excess = excess or field.too_many(counts[field.name])
            fields += entries
            if fields > limit or depth > _MAX_DEPTH:
                raise WireError(f"a {descriptor.name} has more than {limit} fields, or nests too deeply")
    return Scan(fields, excess)


def _value(content: bytes, at: int, end: int, wire_type: int) -> tuple[int, int]:
    """Return where the value of a field begins and ends. WireError."""
    if wire_type == _LENGTH:
        size, start = _varint(content, at, end)
        stop = start + size
    elif wire_type == _VARINT:
        start = at
        _, stop = _varint(content, at, end)
    elif wire_type in _SKIPPED:
        start, stop = at, at + _SKIPPED[wire_type]
    else:
        raise WireError("not a protobuf message")
    if stop > end:
        raise WireError("not a protobuf message")
    return start, stop


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a number of up to ten bytes and where it ends. WireError."""
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise WireError("not a protobuf message")


@cache
def _layout(descriptor: Any) -> dict[int, _Field]:
    return {
        field.number: _Field(
            f"{descriptor.name}.{field.name}",
            field.message_type,
            is_repeated(field),
            field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES},
            BOUNDS.get(f"{descriptor.name}.{field.name}"),
        )
        for field in descriptor.fields
    }


def is_repeated(field: Any) -> bool:
    """Whether a field is a list or a map."""
    return bool(field.is_repeated)
