"""Data packets between participants: which are relayed, with which sender, and to which recipients.

Policy only: values in, values out. Chat, text and byte streams, RPC and encrypted packets pass untouched.
"""

from livekit.protocol.models import DataPacket

from sfu.values import MAX_MESSAGE_BYTES, Channel
from signaling.ids import ParticipantSid
from signaling.rooms.events import Captioned, Message
from signaling.rooms.model import Participant

RELIABLE_LABEL = "_reliable"
LOSSY_LABEL = "_lossy"

DATA_TRACK_LABEL = "_data_track"
# The channels that the server opens on the downstream peer connection (dual-connection mode).
CHANNELS = (
    Channel(RELIABLE_LABEL),
    Channel(LOSSY_LABEL, ordered=False, max_retransmits=0),
    Channel(DATA_TRACK_LABEL, ordered=False, max_retransmits=0),
)

_FRAME_HEADER_BYTES = 12

_KINDS = {RELIABLE_LABEL: DataPacket.RELIABLE, LOSSY_LABEL: DataPacket.LOSSY}

# Limit for an application's packet, as in LiveKit; a participant's limit is in its session description.
MAX_PACKET_BYTES = 64_000

# Only the server reports active speakers. Metrics need a grant and have a message of their own.
_NOT_RELAYED = frozenset({"speaker", "metrics"})

# Agents send transcriptions on behalf of the participants whose speech they transcribe.
_AGENTS_MAY_SPEAK_FOR_OTHERS = frozenset({"chat_message", "stream_header", "transcription"})


def drop_reason(sender: Participant, label: str, size: int, packet: DataPacket, last_sequence: int) -> str:
    """Return the reason why a packet is not relayed, or an empty string if it is.

    `size` is in bytes; `last_sequence` is the highest sequence number of the sender's earlier reliable packets.
    """
    kind = packet.WhichOneof("value")
    checks = (
        (label not in _KINDS, "unknown_label"),
        (size > MAX_MESSAGE_BYTES, "oversize"),
        (not sender.permissions.can_publish_data, "not_allowed"),
        (kind in _NOT_RELAYED, "not_relayed"),
        (kind == "transcription" and not _is_agent(sender), "not_an_agent"),
        # A client repeats reliable packets after a resume; duplicates are dropped.
        (label == RELIABLE_LABEL and 0 < packet.sequence <= last_sequence, "repeated"),
    )
    return next((reason for failed, reason in checks if failed), "")


def readdress(packet: DataPacket, sender: Participant, label: str) -> None:
    """Replace the sender's identity claims in a packet with the server's values."""
    # Native clients send a wrong value here; the channel decides.
    packet.kind = _KINDS[label]
    hidden = sender.permissions.hidden
    packet.participant_sid = "" if hidden else sender.sid
    speaks_for_other = (
        _is_agent(sender)
        and packet.WhichOneof("value") in _AGENTS_MAY_SPEAK_FOR_OTHERS
        and packet.participant_identity
    )
    if not speaks_for_other:
        packet.participant_identity = "" if hidden else sender.identity
    if packet.WhichOneof("value") == "user":
        # Clients older than the outer fields read these.
        user = packet.user
        user.participant_sid = packet.participant_sid
        user.participant_identity = packet.participant_identity
        identities = list(packet.destination_identities) or list(user.destination_identities)
        packet.destination_identities[:] = identities
        user.destination_identities[:] = identities


def frame_handle(frame: bytes) -> int:
    """Return the publisher's data track handle from a data-track frame; 0 for a malformed frame.

    A header has 12 bytes: version (3 bits, 0), flags (5 bits), a reserved byte, the handle (16 bits), and more.
    """
    if len(frame) < _FRAME_HEADER_BYTES or frame[0] >> 5 or len(frame) > MAX_MESSAGE_BYTES:
        return 0
    return frame[2] << 8 | frame[3]


def with_handle(frame: bytes, handle: int) -> bytes:
    """Return the data-track frame with its handle replaced by the recipient's."""
    return frame[:2] + handle.to_bytes(2, "big") + frame[4:]


def recipients(packet: DataPacket, sender: Participant) -> list[ParticipantSid]:
    """Return the sids of a readdressed packet's recipients: the named ones, else all others in the room."""
    identities = set(packet.destination_identities)
    sids = set(packet.user.destination_sids)
    return [
        person.sid
        for person in sender.room.participants.values()
        if person is not sender
        and (not (identities or sids) or person.identity in identities or person.sid in sids)
    ]


def packet(message: Message) -> DataPacket:
    """Return an application's message as a LiveKit data packet."""
    made = DataPacket(
        kind=DataPacket.RELIABLE if message.reliable else DataPacket.LOSSY,
        destination_identities=message.identities,
    )
    made.user.payload = message.payload
    made.user.nonce = message.nonce
    made.user.destination_sids[:] = message.sids
    made.user.destination_identities[:] = message.identities
    if message.topic is not None:
        made.user.topic = message.topic
    return made


def captions(event: Captioned) -> DataPacket:
    """Return a caption line as LiveKit's SDKs show it (`RoomEvent.TranscriptionReceived`)."""
    made = DataPacket(kind=DataPacket.RELIABLE)
    made.transcription.transcribed_participant_identity = event.speaker.identity
    made.transcription.track_id = event.track_sid
    segment = made.transcription.segments.add()
    segment.id = f"{event.track_sid}-{event.line}"
    segment.text, segment.final = event.text, event.final
    return made


def _is_agent(person: Participant) -> bool:
    return person.kind == "agent" or person.permissions.agent
