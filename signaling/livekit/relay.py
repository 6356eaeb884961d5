"""Data packets between participants: what may pass, under whose name, and to whom.

Policy only: values in, values out. Chat, text and byte streams, RPC and encrypted packets pass untouched.
"""

from livekit.protocol.models import DataPacket

from sfu.values import MAX_MESSAGE_BYTES, Channel
from signaling.rooms.events import Message
from signaling.rooms.model import Participant

RELIABLE_LABEL = "_reliable"
LOSSY_LABEL = "_lossy"

DATA_TRACK_LABEL = "_data_track"
# What the server opens where a client receives on a connection of its own.
CHANNELS = (
    Channel(RELIABLE_LABEL),
    Channel(LOSSY_LABEL, ordered=False, max_retransmits=0),
    Channel(DATA_TRACK_LABEL, ordered=False, max_retransmits=0),
)

_FRAME_HEADER_BYTES = 12

_KINDS = {RELIABLE_LABEL: DataPacket.RELIABLE, LOSSY_LABEL: DataPacket.LOSSY}

# Of an application's packet, as at LiveKit; participants may send as much as their session description says.
MAX_PACKET_BYTES = 64_000

# Active speakers are the server's to tell, and metrics are for those with a grant, in a form of their own.
_NOT_RELAYED = frozenset({"speaker", "metrics"})

# Agents speak for the people whose speech they write down.
_AGENTS_MAY_SPEAK_FOR_OTHERS = frozenset({"chat_message", "stream_header", "transcription"})


def drop_reason(sender: Participant, label: str, size: int, packet: DataPacket, last_sequence: int) -> str:
    """Return why a packet is not relayed; empty when it is.

    `size` is the packet's in bytes, `last_sequence` the highest of the sender's reliable packets before it.
    """
    kind = packet.WhichOneof("value")
    checks = (
        (label not in _KINDS, "unknown_label"),
        (size > MAX_MESSAGE_BYTES, "oversize"),
        (not sender.permissions.can_publish_data, "not_allowed"),
        (kind in _NOT_RELAYED, "not_relayed"),
        (kind == "transcription" and not _is_agent(sender), "not_an_agent"),
        # A client repeats reliable packets after a resume; those that had arrived are dropped.
        (label == RELIABLE_LABEL and 0 < packet.sequence <= last_sequence, "repeated"),
    )
    return next((reason for failed, reason in checks if failed), "")


def readdress(packet: DataPacket, sender: Participant, label: str) -> None:
    """Put the server's knowledge in the place of the sender's claims."""
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
        # Clients from before the outer fields existed read these.
        user = packet.user
        user.participant_sid = packet.participant_sid
        user.participant_identity = packet.participant_identity
        identities = list(packet.destination_identities) or list(user.destination_identities)
        packet.destination_identities[:] = identities
        user.destination_identities[:] = identities


def frame_handle(frame: bytes) -> int:
    """The publisher's number of a data track that a frame's header names; 0 when it is none.

    A header has 12 bytes: version (3 bits, 0), flags (5 bits), a reserved byte, the handle (16 bits), and more.
    """
    if len(frame) < _FRAME_HEADER_BYTES or frame[0] >> 5 or len(frame) > MAX_MESSAGE_BYTES:
        return 0
    return frame[2] << 8 | frame[3]


def with_handle(frame: bytes, handle: int) -> bytes:
    """The frame as one who knows its track under this number gets it."""
    return frame[:2] + handle.to_bytes(2, "big") + frame[4:]


def recipients(packet: DataPacket, sender: Participant) -> list[str]:
    """Return the sids of those who get a readdressed packet: the named ones, else all others in the room."""
    identities = set(packet.destination_identities)
    sids = set(packet.user.destination_sids)
    return [
        person.sid
        for person in sender.room.participants.values()
        if person is not sender
        and (not (identities or sids) or person.identity in identities or person.sid in sids)
    ]


def packet(message: Message) -> DataPacket:
    """Return an application's message as LiveKit's clients get it."""
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


def _is_agent(person: Participant) -> bool:
    return person.kind == "agent" or person.permissions.agent
