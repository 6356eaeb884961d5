"""Each case is a message that is known to abort the native client, or to keep a browser from connecting."""

import pytest
from livekit.protocol import models, rtc

from signaling.errors import IncompleteMessageError
from signaling.livekit.messages.validate import check
from tests.signaling.fake_media import ANSWER


def participant(**fields):
    return models.ParticipantInfo(
        **{
            "sid": "PA_1",
            "identity": "ada",
            "version": 1,
            "permission": models.ParticipantPermission(),
            **fields,
        }
    )


def room(**fields):
    return models.Room(**{"sid": "RM_1", "name": "lesson", **fields})


def server(**fields):
    return models.ServerInfo(**{"version": "1.13.5", "protocol": 17, **fields})


def join(**fields):
    complete = {
        "room": room(),
        "participant": participant(),
        "server_info": server(),
        "server_version": "1.13.5",
        "ping_interval": 5,
        "ping_timeout": 15,
    }
    return rtc.SignalResponse(join=rtc.JoinResponse(**{**complete, **fields}))


def answer(sdp=ANSWER, kind="answer", **mids):
    return rtc.SignalResponse(answer=rtc.SessionDescription(type=kind, sdp=sdp, mid_to_track_id=mids))


def offer(sdp=ANSWER, kind="offer", number=1):
    return rtc.SignalResponse(offer=rtc.SessionDescription(type=kind, sdp=sdp, id=number))


def update(*infos):
    return rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=infos))


def stream_state(**fields):
    return rtc.SignalResponse(
        stream_state_update=rtc.StreamStateUpdate(stream_states=[rtc.StreamStateInfo(**fields)])
    )


def connection_quality(**fields):
    return rtc.SignalResponse(
        connection_quality=rtc.ConnectionQualityUpdate(updates=[rtc.ConnectionQualityInfo(**fields)])
    )


def speakers(**fields):
    return rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=[models.SpeakerInfo(**fields)]))


def published(**fields):
    return rtc.SignalResponse(track_published=rtc.TrackPublishedResponse(**fields))


GOOD = {
    "join": join(),
    "join with others": join(other_participants=[participant(sid="PA_2", identity="bob")]),
    "answer": answer(),
    "answer with tracks": answer(m3="TR_1"),
    "update": update(participant(tracks=[models.TrackInfo(sid="TR_1")])),
    "track_published": published(cid="cam", track=models.TrackInfo(sid="TR_1")),
    "track_unpublished": rtc.SignalResponse(track_unpublished=rtc.TrackUnpublishedResponse(track_sid="TR_1")),
    "track_subscribed": rtc.SignalResponse(track_subscribed=rtc.TrackSubscribed(track_sid="TR_1")),
    "leave": rtc.SignalResponse(leave=rtc.LeaveRequest()),
    "speakers": speakers(sid="PA_1", level=0.5, active=True),
    "room_update": rtc.SignalResponse(room_update=rtc.RoomUpdate(room=room())),
    "reconnect": rtc.SignalResponse(reconnect=rtc.ReconnectResponse(server_info=server())),
    "refresh_token": rtc.SignalResponse(refresh_token="x"),
    "pong": rtc.SignalResponse(pong=1),
    "pong_resp": rtc.SignalResponse(pong_resp=rtc.Pong(timestamp=1)),
    "request_response": rtc.SignalResponse(request_response=rtc.RequestResponse()),
    "sections": rtc.SignalResponse(media_sections_requirement=rtc.MediaSectionsRequirement()),
    "subscription_response": rtc.SignalResponse(
        subscription_response=rtc.SubscriptionResponse(track_sid="x")
    ),
    "permission": rtc.SignalResponse(
        subscription_permission_update=rtc.SubscriptionPermissionUpdate(
            participant_sid="PA_1", track_sid="TR_1"
        )
    ),
    "stream state": stream_state(participant_sid="PA_1", track_sid="TR_1", state=rtc.StreamState.PAUSED),
}

BAD = {
    "nothing": rtc.SignalResponse(),
    "join without room": join(room=None),
    "join with a nameless room": join(room=room(name="")),
    "join with a room without sid": join(room=room(sid="")),
    "join without participant": join(participant=None),
    "join without identity": join(participant=participant(identity="")),
    "join without permission": join(participant=participant(permission=None)),
    "join with a sid of another kind": join(participant=participant(sid="XX_1")),
    "join without server info": join(server_info=None),
    "join without version in the server info": join(server_info=server(version="")),
    "join without server version": join(server_version=""),
    "join without ping interval": join(ping_interval=0),
    "join without ping timeout": join(ping_timeout=0),
    "join with an incomplete other": join(other_participants=[participant(sid="")]),
    "quality of nobody": connection_quality(quality=models.ConnectionQuality.POOR),
    "stream states of nothing": rtc.SignalResponse(stream_state_update=rtc.StreamStateUpdate()),
    "stream state without track": stream_state(participant_sid="PA_1"),
    "stream state without publisher": stream_state(track_sid="TR_1"),
    "lost quality": connection_quality(participant_sid="PA_1", quality=models.ConnectionQuality.LOST),
    "empty offer": offer(""),
    "offer of another type": offer(kind="answer"),
    "offer without id": offer(number=0),
    "empty answer": answer(""),
    "answer that is no SDP": answer("hello"),
    "answer with a line that is no SDP": answer(ANSWER + "nonsense\r\n"),
    "answer with bare newlines": answer(ANSWER.replace("\r\n", "\n")),
    "answer cut off": answer(ANSWER[:-2]),
    "answer without media": answer(ANSWER.replace("m=application", "b=application")),
    "answer without ufrag": answer(ANSWER.replace("a=ice-ufrag:abcd\r\n", "")),
    "answer with an empty fingerprint": answer(ANSWER.replace("sha-256 AA:BB", "")),
    "an offer as answer": answer(kind="offer"),
    "answer that maps to no track": answer(m3="x"),
    "update about nobody": update(),
    "update without sid": update(participant(sid="")),
    "update without identity": update(participant(identity="")),
    "update with a track without sid": update(participant(tracks=[models.TrackInfo()])),
    "track_published without track": published(cid="cam"),
    "track_published without cid": published(track=models.TrackInfo(sid="TR_1")),
    "track_published with an empty track": published(cid="cam", track=models.TrackInfo()),
    "leave with an unknown action": rtc.SignalResponse(leave=rtc.LeaveRequest(action=9)),
    "request_response with an unknown reason": rtc.SignalResponse(
        request_response=rtc.RequestResponse(reason=99)
    ),
    "room_update with an empty room": rtc.SignalResponse(room_update=rtc.RoomUpdate(room=models.Room())),
    "track_unpublished without track": rtc.SignalResponse(track_unpublished=rtc.TrackUnpublishedResponse()),
    "track_subscribed without track": rtc.SignalResponse(track_subscribed=rtc.TrackSubscribed()),
    "no speakers": rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged()),
    "speaker without sid": speakers(level=0.5),
    "speaker too loud": speakers(sid="PA_1", level=1.5),
    "speaker with a level that is no number": speakers(sid="PA_1", level=float("nan")),
    "room_update without room": rtc.SignalResponse(room_update=rtc.RoomUpdate()),
    "reconnect without server info": rtc.SignalResponse(reconnect=rtc.ReconnectResponse()),
    "empty token": rtc.SignalResponse(refresh_token=""),
    "pong without time": rtc.SignalResponse(pong=0),
    "pong_resp without time": rtc.SignalResponse(pong_resp=rtc.Pong()),
    "subscription_response without track": rtc.SignalResponse(
        subscription_response=rtc.SubscriptionResponse()
    ),
    "permission without publisher": rtc.SignalResponse(
        subscription_permission_update=rtc.SubscriptionPermissionUpdate(track_sid="TR_1")
    ),
    "too many sections": rtc.SignalResponse(
        media_sections_requirement=rtc.MediaSectionsRequirement(num_videos=100_000)
    ),
    # Candidates abort the native client when they are empty or unreadable; none is ever sent.
    "end of candidates": rtc.SignalResponse(trickle=rtc.TrickleRequest(candidateInit='{"candidate":""}')),
    "unreadable candidate": rtc.SignalResponse(trickle=rtc.TrickleRequest(candidateInit="{")),
    "final candidate": rtc.SignalResponse(trickle=rtc.TrickleRequest(final=True)),
    # In single-connection mode the server never offers.
    "offer": rtc.SignalResponse(offer=rtc.SessionDescription(type="offer", sdp=ANSWER)),
    # A quality of LOST for ten seconds makes browsers reconnect; none is measured, so none is sent.
    "quality": rtc.SignalResponse(connection_quality=rtc.ConnectionQualityUpdate()),
}


@pytest.mark.parametrize("name", GOOD)
def test_complete_messages_pass(name):
    check(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_incomplete_messages_are_refused(name):
    with pytest.raises(IncompleteMessageError):
        check(BAD[name])
