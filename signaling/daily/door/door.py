"""The requests of a room's page: room information, entering, knocking, and moderating others.

It is not Daily's API but the page's own, under `/daily`; errors have Daily's error types, which daily-js shows.
"""

import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from signaling.access import tokens
from signaling.access.keyring import Keyring
from signaling.access.tokens import Claims
from signaling.daily import grants, notices
from signaling.daily.door import admission, entry
from signaling.daily.door.admission import Admitted, MustKnock, Refused
from signaling.daily.door.waiting_area import Answer, Knock, WaitingArea
from signaling.daily.properties import RoomProperties
from signaling.daily.recordings import DailyRecordings, Kind
from signaling.daily.rest.domains import Domains
from signaling.daily.rooms import DailyRoom, DailyRooms
from signaling.daily.tokens import MeetingToken, MeetingTokenError, verify
from signaling.daily.transcription import AlreadyTranscribedError, DailyTranscription, Wanted
from signaling.errors import AccessError, NotFoundError, RequestError, TokenError, UnsupportedError
from signaling.http.api import Api, ApiError, Fault, Route, Style, bearer
from signaling.ids import Identity, RoomName, UserId
from signaling.limits import KNOCKS, Limits
from signaling.recordings.recordings import AlreadyRecordedError
from signaling.rooms.events import VisitorArrived, VisitorLeft
from signaling.rooms.model import LeaveReason, Participant, Visitor
from signaling.rooms.permissions import AdminRight, Source
from signaling.rooms.services import Services

# Time from admission to the signalling WebSocket; from then on the client receives refreshed tokens.
ENTRY_TTL_S = 300

# A moderation token only identifies its bearer, and is valid only while the bearer is in the meeting.
PASS_TTL_S = 48 * 3600

Name = Annotated[RoomName, msgspec.Meta(min_length=1, max_length=128)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
ParticipantId = Annotated[Identity, msgspec.Meta(min_length=1, max_length=256)]
Text = Annotated[str, msgspec.Meta(max_length=256)]
MeetingTokenText = Annotated[str, msgspec.Meta(max_length=16 * 1024)]


class Refusal(msgspec.Struct):
    """The body of an error response."""

    type: str
    msg: str


class LookRequest(msgspec.Struct):
    """A meeting token, if there is one."""

    token: MeetingTokenText = ""


class EnterRequest(msgspec.Struct):
    """A meeting token and a display name, if there are any."""

    token: MeetingTokenText = ""
    user_name: Text = ""


class Nothing(msgspec.Struct):
    """An empty object."""


class AnswerRequest(msgspec.Struct):
    """Whether to admit the person."""

    grant: bool


class ParticipantChange(msgspec.Struct, rename="camel"):
    """Daily's updateParticipant."""

    set_audio: bool | None = None
    set_video: bool | None = None
    set_screen_share: Literal[False] | None = None
    eject: bool = False
    update_permissions: grants.PermissionsPatch | None = None


class Look(msgspec.Struct):
    """What the page shows before entering, from the room and the token."""

    room: dict[str, Any]
    user_name: str
    is_owner: bool
    must_knock: bool
    enable_prejoin_ui: bool
    enable_people_ui: bool
    enable_chat: bool
    enable_network_ui: bool
    enable_screenshare: bool
    start_video_off: bool
    start_audio_off: bool
    lang: str
    redirect_on_meeting_exit: str


class Entrance(msgspec.Struct, omit_defaults=True):
    """Access to the room, or the state of a knock."""

    state: Literal["entered", "waiting", "denied"]
    id: str = ""
    "The secret for further requests while waiting."
    url: str = ""
    token: str = ""
    pass_: str = msgspec.field(name="pass", default="")
    session_id: str = ""


class RecordingChange(msgspec.Struct, frozen=True):
    """Whether the meeting is recorded, and how."""

    on: bool
    type: Kind = "cloud"
    instance_id: Annotated[str, msgspec.Meta(max_length=64)] = ""


class TranscriptionChange(msgspec.Struct, frozen=True):
    """How the transcription of the meeting changes."""

    action: Literal["start", "update", "stop"]
    instance_id: Annotated[str, msgspec.Meta(max_length=64)] = ""
    language: Annotated[str, msgspec.Meta(max_length=64)] = ""
    participants: Annotated[list[ParticipantId], msgspec.Meta(max_length=1000)] = []
    raw: bool = False
    redact: bool = False
    profanity_filter: bool = False


class WaitingPerson(msgspec.Struct):
    """A person who waits to be admitted."""

    id: str
    name: str


class WaitingPeople(msgspec.Struct):
    """The people who wait to be admitted."""

    waiting: list[WaitingPerson]


class Door:
    """Admission to all rooms."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that the door uses
        self,
        rooms: DailyRooms,
        domains: Domains,
        recordings: DailyRecordings,
        services: Services,
        keyring: Keyring,
        transcription: DailyTranscription,
    ) -> None:
        """`keyring` signs access tokens."""
        self._transcription = transcription
        self._daily_rooms = rooms
        self._domains = domains
        self._recordings = recordings
        self._services = services
        self._keyring = keyring
        self._waiting_area = WaitingArea(services.timers, lambda: str(uuid.uuid4()), self._came, self._gone)
        self._visitors: dict[str, Visitor] = {}
        self._limits: Limits | None = None

    def api(self, limits: Limits | None = None) -> Api:
        """Return the routes."""
        self._limits = limits
        room = "/rooms/{name}"
        shut = {403: "the room's settings admit nobody, or not this person", 404: "there is no such room"}
        no_admin = {403: "the caller may not do this in this meeting"}
        gone = {404: "the person is not there"}
        routes = [
            Route("POST", f"{room}/look", self.look, shut, open=True),
            Route("POST", f"{room}/enter", self.enter, shut, open=True),
            Route("POST", f"{room}/knocks/{{secret}}", self.waited, shut, open=True),
            Route("POST", f"{room}/knocks/{{secret}}/withdraw", self.withdraw, open=True),
            Route("POST", f"{room}/waiting", self.waiting, no_admin),
            Route("POST", f"{room}/waiting/{{knock_id}}", self.answer, no_admin | gone),
            Route("POST", f"{room}/participants/{{session_id}}", self.change, no_admin | gone),
            Route(
                "POST",
                f"{room}/recording",
                self.record,
                no_admin | {409: "the room is recorded already, or not", 501: "this server records nothing"},
            ),
            Route(
                "POST",
                f"{room}/transcription",
                self.transcribe,
                no_admin
                | {409: "the meeting is transcribed already, or not", 501: "this server cannot do this"},
            ),
        ]
        return Api(_style(self._authenticate), routes, limits)

    # --- for people outside the room -------------------------------------------------------------

    async def look(self, name: Name, body: LookRequest) -> Look:
        """Return what the page shows before entering."""
        room, decision = await self._decide(name, body.token)
        admitted = decision.admitted if isinstance(decision, MustKnock) else decision
        settings = admitted.settings
        return Look(
            room=_room_info(room, settings),
            user_name=admitted.name,
            is_owner=admitted.is_owner,
            must_knock=isinstance(decision, MustKnock),
            enable_prejoin_ui=settings.enable_prejoin_ui is not False,
            enable_people_ui=settings.enable_people_ui is not False,
            enable_chat=settings.enable_chat or settings.enable_advanced_chat,
            enable_network_ui=settings.enable_network_ui is True,
            enable_screenshare=settings.enable_screenshare,
            start_video_off=settings.start_video_off,
            start_audio_off=settings.start_audio_off,
            lang=settings.lang,
            redirect_on_meeting_exit=settings.redirect_on_meeting_exit or "",
        )

    async def enter(self, address: str, name: Name, body: EnterRequest) -> Entrance:
        """Admit a person, or let the person wait for admission."""
        room, decision = await self._decide(name, body.token, body.user_name)
        if isinstance(decision, MustKnock):
            if address and self._limits is not None:
                self._limits.check("knock", address, KNOCKS)
            knock = self._waiting_area.knock(
                room.name, decision.admitted, room_id=room.room_config.id, address=address
            )
            return Entrance("waiting", id=knock.secret)
        return self._entrance(room, decision)

    async def waited(self, name: Name, secret: Id) -> Entrance:
        """Return the state of a knock, and access once it is granted."""
        knock = self._waiting_area.ask(name, secret)
        if knock is None:
            raise ApiError(404, "not-allowed", "You are no longer waiting. Knock again.")
        if knock.answer is Answer.NONE:
            return Entrance("waiting", id=secret)
        self._waiting_area.withdraw(name, secret)
        if knock.answer is Answer.DENIED:
            return Entrance("denied")
        return await self._let_in(knock)

    async def withdraw(self, name: Name, secret: Id) -> Nothing:
        """Withdraw a knock."""
        self._waiting_area.withdraw(name, secret)
        return Nothing()

    # --- for people in the room ------------------------------------------------------------------

    async def waiting(self, name: Name) -> WaitingPeople:
        """Return the people who wait to be admitted."""
        return WaitingPeople(
            [WaitingPerson(knock.id, knock.admitted.name) for knock in self._waiting_area.waiting(name)]
        )

    async def answer(self, name: Name, knock_id: Id, body: AnswerRequest) -> Nothing:
        """Admit or deny a person who waits."""
        if not self._waiting_area.answer(name, knock_id, grant=body.grant):
            raise ApiError(404, "not-found", "This person no longer waits, or was answered by somebody else.")
        return Nothing()

    async def change(
        self, caller: Participant, name: Name, session_id: ParticipantId, body: ParticipantChange
    ) -> Nothing:
        """Mute or remove a participant, or change the participant's permissions."""
        admin = caller
        if admin.has_left or admin.room.name != name:
            raise _not_allowed()  # the caller left while the body was being received
        person = admin.room.participants.get(session_id)
        if person is None:
            raise ApiError(404, "not-found", "The participant is no longer in the meeting.")
        if entry.is_owner(person) and not entry.is_owner(admin):
            raise ApiError(403, "not-allowed", "Only an owner can moderate an owner.")
        if body.set_audio or body.set_video:
            raise ApiError(403, "not-allowed", "You cannot turn on another participant's devices.")
        wanted = grants.apply(body.update_permissions, person.permissions)
        if not entry.is_owner(admin) and grants.exceeds(wanted, person.permissions, admin.permissions):
            raise ApiError(403, "not-allowed", "You can only give permissions that you have yourself.")
        for unwanted, sources in (
            (body.set_audio is False, {Source.MICROPHONE}),
            (body.set_video is False, {Source.CAMERA}),
            (body.set_screen_share is False, {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}),
        ):
            if unwanted:
                self._mute(person, sources)
        self._services.rooms.set_permissions(person, wanted)
        if body.eject:
            self._services.rooms.leave(person, LeaveReason.REMOVED, f"by participant {admin.identity}")
        return Nothing()

    async def record(self, caller: Participant, name: Name, body: RecordingChange) -> Nothing:
        """Start or stop the recording of the meeting; owners only."""
        if caller.has_left or caller.room.name != name or not entry.is_owner(caller):
            raise _not_allowed()
        room = await self._daily_rooms.find(name)
        if room is None:
            raise _not_allowed()  # the room was deleted, and the meeting is about to end
        try:
            if body.on:
                await self._recordings.start(room.domain, name, body.type, body.instance_id)
            else:
                self._recordings.stop(name)
        except (AlreadyRecordedError, NotFoundError) as error:
            raise ApiError(409, "recording", str(error)) from error
        except UnsupportedError as error:
            raise ApiError(501, "unsupported", str(error)) from error
        return Nothing()

    async def transcribe(self, caller: Participant, name: Name, body: TranscriptionChange) -> Nothing:
        """Start, change or stop the transcription of the meeting; for owners and those with the right."""
        room = None if caller.has_left or caller.room.name != name else await self._daily_rooms.find(name)
        if room is None:
            raise _not_allowed()
        try:
            if body.action == "stop":
                await self._transcription.stop(name, caller.identity, body.instance_id)
            elif body.action == "update":
                self._transcription.update(name, body.participants, body.instance_id)
            else:
                wanted = Wanted(
                    body.instance_id,
                    body.language,
                    tuple(body.participants),
                    body.raw,
                    body.redact,
                    body.profanity_filter,
                )
                here, by = caller.room, caller.identity
                await self._transcription.start(room.domain, room, here, wanted, by)
        except (AlreadyTranscribedError, NotFoundError) as error:
            raise ApiError(409, "transcription", str(error)) from error
        except UnsupportedError as error:
            raise ApiError(501, "unsupported", str(error)) from error
        return Nothing()

    # --- access ----------------------------------------------------------------------------------

    async def _decide(
        self, name: RoomName, token_text: str, user_name: str = ""
    ) -> tuple[DailyRoom, Admitted | MustKnock]:
        room = await self._daily_rooms.find(name)
        token = self._meeting_token(token_text)
        user_id = UserId("" if token is None else token.properties.user_id or "")
        present = self._services.rooms.taken(name, Identity(""), user_id)
        decision = admission.admit(
            room, token, now=self._services.wall_clock(), present=present, user_name=user_name
        )
        if isinstance(decision, Refused):
            raise _refusal(decision)
        if room is None:
            raise AssertionError("nobody can be admitted to a room that does not exist")
        return room, decision

    def _meeting_token(self, text: str) -> MeetingToken | None:
        if not text:
            return None
        try:
            return verify(text, self._domains)
        except MeetingTokenError as error:
            raise ApiError(403, "not-allowed", f"The meeting token is invalid: {error}") from error

    async def _let_in(self, knock: Knock) -> Entrance:
        room = await self._daily_rooms.find(knock.room_name)
        if room is None or room.room_config.id != knock.room_id:
            raise _refusal(Refused("no-room", "The meeting you're trying to join does not exist."))
        present = self._services.rooms.taken(room.name, Identity(""), knock.admitted.user_id or UserId(""))
        if present >= room.properties.max_participants:
            raise _refusal(Refused("meeting-full", "Meeting is full"))
        return self._entrance(room, knock.admitted)

    def _entrance(self, room: DailyRoom, admitted: Admitted) -> Entrance:
        opened = self._daily_rooms.open(room)
        session_id = Identity(str(uuid.uuid4()))
        claims = entry.claims(room.name, opened.config.id, session_id, admitted)
        self._services.rooms.check_entry(room.name, session_id, claims["attributes"])
        now, keyring = self._services.wall_clock(), self._keyring
        signer = keyring.successor(room.domain) if room.domain else keyring.signer()
        identity_only = {"sub": session_id, "video": {"room": room.name}}
        return Entrance(
            "entered",
            token=tokens.mint(claims, signer, now, ENTRY_TTL_S),
            pass_=tokens.mint(identity_only, signer, now, PASS_TTL_S),
            session_id=session_id,
        )

    # --- moderators ------------------------------------------------------------------------------

    def _authenticate(self, request: web.Request) -> Participant:
        """Return the caller, a participant who may moderate the room, before the body is read. ApiError."""
        try:
            claims = tokens.verify(bearer(request), self._keyring, self._services.wall_clock())
        except TokenError as error:
            raise ApiError(401, "not-allowed", str(error)) from error
        # Whoever may transcribe alone may do nothing else here.
        transcribes = request.path.endswith("/transcription")
        right = AdminRight.TRANSCRIPTION if transcribes else AdminRight.PARTICIPANTS
        return self._admin(claims, RoomName(request.match_info.get("name", "")), right)

    def _admin(self, caller: Claims, name: RoomName, right: AdminRight) -> Participant:
        here = self._services.rooms.room(name)
        person = None if here is None or caller.room != name else here.participants.get(caller.identity)
        if person is None or right not in person.permissions.admin:
            raise _not_allowed()
        return person

    def _mute(self, person: Participant, sources: set[Source]) -> None:
        for track in tuple(person.tracks.values()):
            if track.spec.source in sources and not track.muted:
                self._services.publishing.set_muted(person, track.sid, muted=True, by_server=True)

    def _came(self, knock: Knock) -> None:
        here = self._services.rooms.room(knock.room_name)
        if here is not None and here.participants:
            visitor = entry.visitor(knock.id, knock.admitted, self._services.wall_clock())
            self._visitors[knock.id] = visitor
            self._services.hub.emit(VisitorArrived(here, visitor))
        self._notify_admins(knock.room_name)

    def _gone(self, knock: Knock) -> None:
        here = self._services.rooms.room(knock.room_name)
        visitor = self._visitors.pop(knock.id, None)
        if here is not None and visitor is not None:
            self._services.hub.emit(VisitorLeft(here, visitor))
        self._notify_admins(knock.room_name)

    def _notify_admins(self, room_name: RoomName) -> None:
        here = self._services.rooms.room(room_name)
        people = () if here is None else here.participants.values()
        admins = [person.identity for person in people if AdminRight.PARTICIPANTS in person.permissions.admin]
        if here is not None and admins:
            self._services.moderation.send(here, notices.waiting(admins))


def _not_allowed() -> ApiError:
    return ApiError(403, "not-allowed", "You are not allowed to do this in this meeting.")


def _refusal(refused: Refused) -> ApiError:
    return ApiError(404 if refused.type == "no-room" else 403, refused.type, refused.message)


# The properties that `room()` of daily-js shows; others, such as buckets and hooks, are not for browsers.
_SHOWN = (
    "nbf",
    "exp",
    "max_participants",
    "enable_screenshare",
    "enable_advanced_chat",
    "enable_breakout_rooms",
    "enable_emoji_reactions",
    "enable_chat",
    "enable_cpu_warning_notifications",
    "enable_shared_chat_history",
    "enable_hand_raising",
    "enable_knocking",
    "enable_live_captions_ui",
    "enable_network_ui",
    "enable_noise_cancellation_ui",
    "enable_people_ui",
    "enable_pip_ui",
    "enable_prejoin_ui",
    "enable_video_processing_ui",
    "start_video_off",
    "start_audio_off",
    "owner_only_broadcast",
    "eject_at_room_exp",
    "eject_after_elapsed",
    "lang",
    "geo",
    "sfu_switchover",
)


def _room_info(room: DailyRoom, settings: RoomProperties) -> dict[str, Any]:
    values = {name: getattr(settings, name) for name in _SHOWN}
    return {
        "id": room.id,
        "name": room.name,
        "config": {name: value for name, value in values.items() if value is not None},
        "domainConfig": {"hide_daily_branding": True},
        "tokenConfig": {},
    }


def _style(authenticate: Callable[[web.Request], Participant]) -> Style:
    codes = dict.fromkeys(Fault, "connection-error")
    return Style(
        title="The page of a room",
        prefixes=("/daily",),
        error=Refusal,
        codes=codes,
        authenticate=authenticate,
        access_errors={401: "the moderation token is invalid", 403: "not allowed in this meeting"},
        refuse=_refuse,
    )


def _refuse(error: AccessError | RequestError) -> ApiError:
    return ApiError(403, "not-allowed", str(error))
