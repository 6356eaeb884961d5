import pytest

from signaling.daily import tokens
from signaling.daily.door.admission import Admitted, MustKnock, Refused, admit
from signaling.daily.rest.domains import Domains
from signaling.daily.rooms import DailyRoom
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, Source

NOW = 1_795_000_000.0
DOMAINS = Domains({"school": "secret", "other": "more secret"})


def room(privacy="public", inherited=None, domain="school", **given):
    return DailyRoom("id", "maths", domain, privacy, NOW - 100, given, inherited or {})


def token(domain="school", **given):
    return tokens.verify(tokens.mint(DOMAINS.by_name(domain), given, NOW), DOMAINS)


def decide(room_=None, token_=None, present=0, **fields):
    return admit(room() if room_ is None else room_, token_, now=NOW, present=present, **fields)


@pytest.mark.parametrize(
    ("room_", "token_", "present", "kind"),
    [
        (room(nbf=NOW + 1), None, 0, "nbf-room"),
        (room(exp=NOW), None, 0, "exp-room"),
        (room(nbf=NOW + 1), token(is_owner=True), 0, "nbf-room"),
        (room(), token(nbf=NOW + 1), 0, "nbf-token"),
        (room(), token(exp=NOW), 0, "exp-token"),
        (room("private"), None, 0, "not-allowed"),
        (room("private", enable_knocking=False), None, 0, "not-allowed"),
        (room(), token(room_name="physics"), 0, "not-allowed"),
        (room(), token("other"), 0, "not-allowed"),
        (room(max_participants=2), None, 2, "meeting-full"),
        (room(), None, 200, "meeting-full"),
        (room(inherited={"max_participants": 3}), None, 3, "meeting-full"),
        (room("private"), token(exp=NOW - 5), 0, "exp-token"),
    ],
)
def test_refusals(room_, token_, present, kind):
    refused = decide(room_, token_, present)
    assert isinstance(refused, Refused)
    assert refused.type == kind
    assert refused.message


def test_no_room():
    assert admit(None, token(), now=NOW, present=0).type == "no-room"


@pytest.mark.parametrize(
    ("room_", "token_"),
    [
        (room(), None),
        (room("private"), token()),
        (room("private", enable_knocking=True), token(room_name="maths")),
        (room(nbf=NOW, exp=NOW + 1), token(nbf=NOW, exp=NOW + 1)),
        (room(domain=""), token("other")),
        (room(max_participants=2, inherited={"max_participants": 1}), None),
    ],
)
def test_admissions(room_, token_):
    assert isinstance(decide(room_, token_, present=1), Admitted)


@pytest.mark.parametrize(
    ("room_", "token_"), [(room("private", enable_knocking=True), None), (room(), token(knocking=True))]
)
def test_the_lobby(room_, token_):
    lobby = decide(room_, token_, user_name="Bob", present=500)
    assert isinstance(lobby, MustKnock)
    assert lobby.admitted.name == "Bob"


def test_who_somebody_is():
    guest = decide(user_name="Bob")
    assert (guest.name, guest.user_id, guest.is_owner) == ("Bob", None, False)
    named = decide(token_=token(user_name="Ada", user_id="u-1", is_owner=True), user_name="Bob")
    assert (named.name, named.user_id, named.is_owner) == ("Ada", "u-1", True)
    assert named.permissions.admin == ALL_ADMIN_RIGHTS
    assert guest.permissions.admin == frozenset()


def sends(admitted):
    return {source for source in Source if admitted.permissions.may_publish(source)}


def test_what_somebody_may_send():
    everything, camera = set(Source), {Source.CAMERA}
    screens = {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}
    only_camera = {"canSend": ["video"]}
    assert sends(decide()) == everything
    assert sends(decide(room(owner_only_broadcast=True))) == set()
    assert sends(decide(room(owner_only_broadcast=True), token(is_owner=True))) == everything
    assert sends(decide(room(owner_only_broadcast=True), token(permissions=only_camera))) == camera
    assert sends(decide(room(permissions=only_camera))) == camera
    assert sends(decide(room(inherited={"permissions": only_camera}))) == camera
    assert sends(decide(room(permissions=only_camera), token(is_owner=True))) == everything
    assert sends(decide(room(permissions=only_camera), token(permissions={"canSend": True}))) == everything
    assert sends(decide(room(enable_screenshare=False))) == everything - screens
    assert sends(decide(room(enable_screenshare=False), token(enable_screenshare=True))) == everything
    assert sends(decide(token_=token(enable_screenshare=False))) == everything - screens
    assert decide(token_=token(permissions={"hasPresence": False})).permissions.hidden


@pytest.mark.parametrize(
    ("room_", "token_", "eject_at"),
    [
        (room(exp=NOW + 50), None, None),
        (room(exp=NOW + 50, eject_at_room_exp=True), None, NOW + 50),
        (room(exp=NOW + 50, eject_at_room_exp=True, eject_after_elapsed=20), None, NOW + 20),
        (room(eject_at_room_exp=True), None, None),
        (room(), token(exp=NOW + 9), None),
        (room(), token(exp=NOW + 9, eject_at_token_exp=True), NOW + 9),
        (room(exp=NOW + 5, eject_at_room_exp=True), token(exp=NOW + 9, eject_at_token_exp=True), NOW + 9),
        (room(eject_after_elapsed=5), token(eject_after_elapsed=60), NOW + 60),
        (room(eject_after_elapsed=5), token(exp=NOW + 70, eject_after_elapsed=60), NOW + 60),
        (room(eject_after_elapsed=5), token(exp=NOW + 70), NOW + 5),
        (room(), token(exp=NOW + 7, eject_at_token_exp=True, eject_after_elapsed=60), NOW + 7),
    ],
)
def test_when_the_stay_ends(room_, token_, eject_at):
    assert decide(room_, token_).eject_at == eject_at


def test_settings_of_the_token_come_before_the_rooms_before_the_domains():
    settings = decide(
        room(start_video_off=True, enable_chat=True, inherited={"lang": "de", "start_audio_off": True}),
        token(start_video_off=False, lang="fr"),
    ).settings
    assert (settings.start_video_off, settings.start_audio_off) == (False, True)
    assert (settings.lang, settings.enable_chat) == ("fr", True)
