"""What becomes of each kind of message that is due while its client has no WebSocket."""

from collections.abc import Mapping
from enum import Enum


class Absence(Enum):
    """The ways in which a client receives what it missed."""

    OPENING = "the first message of a WebSocket, made anew for each"
    STATE = "state, repeated at the resume by the module that keeps it"
    ANSWER = "an answer or a notice that nothing repeats: kept until the resume"
    MOMENT = "part of an exchange that the client begins again after a resume, or without meaning later"
    UNUSED = "not sent by this server"


ABSENCES: Mapping[str, Absence] = {
    "join": Absence.OPENING,
    "reconnect": Absence.OPENING,
    "leave": Absence.STATE,  # `Lifecycle.refusal`
    "room_moved": Absence.STATE,  # `Lifecycle.resume`
    "update": Absence.STATE,  # `updates.SeenVersions`
    "room_update": Absence.STATE,  # `Broadcast.send_room_to`
    "refresh_token": Absence.STATE,  # `Lifecycle.send_token`
    "mute": Absence.STATE,  # these and all below: `state.State`
    "track_unpublished": Absence.STATE,
    "subscribed_quality_update": Absence.STATE,
    "speakers_changed": Absence.STATE,
    "connection_quality": Absence.STATE,
    "stream_state_update": Absence.STATE,
    "subscription_permission_update": Absence.STATE,
    "data_track_subscriber_handles": Absence.STATE,
    "media_sections_requirement": Absence.STATE,
    "track_published": Absence.ANSWER,
    "track_subscribed": Absence.ANSWER,
    "request_response": Absence.ANSWER,
    "subscription_response": Absence.ANSWER,
    "publish_data_track_response": Absence.ANSWER,
    "unpublish_data_track_response": Absence.ANSWER,
    "answer": Absence.MOMENT,  # the client offers anew after a resume
    "offer": Absence.MOMENT,  # the resume makes one, with an ICE restart
    "pong": Absence.MOMENT,
    "pong_resp": Absence.MOMENT,
    "trickle": Absence.UNUSED,  # descriptions hold all candidates
    "subscribed_audio_codec_update": Absence.UNUSED,
    "store_data_blob_response": Absence.UNUSED,
    "get_data_blob_response": Absence.UNUSED,
}

# Messages stored for one absent client, and their bytes: answers to its requests before the loss, and the first
# subscribers of its tracks. More would be a fault; the oldest is dropped.
MAX_KEPT = 100
MAX_KEPT_BYTES = 256 * 1024
