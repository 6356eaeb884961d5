"""Daily's calls about transcription: start, update and stop; stored transcripts, and links to them."""

from typing import Annotated, Any, Final

import msgspec

from signaling.access import signed
from signaling.daily.meetings import meeting_id
from signaling.daily.rest.domains import Domains
from signaling.daily.rest.errors import DailyError, invalid, not_found
from signaling.daily.rest.pages import PageQuery
from signaling.daily.rest.people_calls import hosting
from signaling.daily.rest.room_calls import RoomNameParameter
from signaling.daily.rest.style import Caller
from signaling.daily.rooms import DailyRooms
from signaling.daily.transcription import AlreadyTranscribedError, DailyTranscription, Wanted
from signaling.daily.transcripts import Status, Transcript, Transcripts, iso, web_vtt
from signaling.errors import UnsupportedError
from signaling.http.api import Document, Route
from signaling.ids import Identity
from signaling.rooms.services import Services

Id = Annotated[str, msgspec.Meta(max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=64)]
People = Annotated[list[Annotated[Identity, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=1000)]

_LINK_S: Final = 3600
_USE: Final = "daily transcript"
_VTT: Final = "text/vtt; charset=utf-8"


class StartOptions(msgspec.Struct, frozen=True):
    """What to transcribe; options of a model that this server does not have are accepted, and have no effect."""

    language: Text | None = None
    profanity_filter: bool = False
    redact: bool | list[bool | str] = False
    include_raw: bool = msgspec.field(name="includeRawResponse", default=False)
    instance_id: Text = msgspec.field(name="instanceId", default="")
    participants: People = []


class UpdateOptions(msgspec.Struct, frozen=True, rename="camel"):
    """Whom to transcribe from now on."""

    participants: People
    instance_id: Text = ""


class StopOptions(msgspec.Struct, frozen=True, rename="camel"):
    """Which transcription to end."""

    instance_id: Text = ""


class Sent(msgspec.Struct, frozen=True):
    """A command that was carried out; Daily's answer is this text."""

    sent: str = "true"


class TranscriptQuery(
    PageQuery, frozen=True, kw_only=True, rename={"room_id": "roomId", "meeting": "mtgSessionId"}
):
    """Which transcripts."""

    room_id: str | None = None
    meeting: str | None = None


class TranscriptAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transcript."""

    id: str = msgspec.field(name="transcriptId")
    domain_id: str = msgspec.field(name="domainId")
    room_id: str = msgspec.field(name="roomId")
    meeting: str = msgspec.field(name="mtgSessionId")
    status: Status
    available: bool = msgspec.field(name="isVttAvailable")
    duration: int
    "Seconds."
    created_at: str
    updated_at: str
    error: str | None = None


class TranscriptPage(msgspec.Struct, frozen=True):
    """Some of the transcripts, newest first."""

    total_count: int
    data: list[TranscriptAnswer]


class TranscriptLink(msgspec.Struct, frozen=True):
    """A link to a transcript's WebVTT file, which needs no key."""

    id: str = msgspec.field(name="transcriptId")
    link: str


class FileQuery(msgspec.Struct, frozen=True):
    """The token of a link."""

    token: Annotated[str, msgspec.Meta(max_length=4096)]


class TranscriptCalls:
    """The handlers."""

    def __init__(
        self,
        services: Services,
        rooms: DailyRooms,
        domains: Domains,
        transcription: DailyTranscription,
        transcripts: Transcripts,
    ) -> None:
        """`domains` sign and verify links."""
        self._services = services
        self._rooms = rooms
        self._domains = domains
        self._transcription = transcription
        self._transcripts = transcripts

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such transcript"}
        running = {403: "this server cannot do this", 404: "there is no such room, or no call in it"}
        room, one = "/rooms/{name}/transcription", "/transcript/{transcript}"
        return [
            Route("POST", f"{room}/start", self.start, running),
            Route("POST", f"{room}/update", self.update, running),
            Route("POST", f"{room}/stop", self.stop, running),
            Route("GET", "/transcript", self.list_transcripts),
            Route("GET", one, self.get, absent),
            Route("DELETE", one, self.delete, absent),
            Route("GET", f"{one}/access-link", self.access_link, absent),
            Route("GET", f"{one}/file", self.file, {**absent, 403: "the link is not valid"}, open=True),
        ]

    async def start(self, caller: Caller, name: RoomNameParameter, body: StartOptions) -> Sent:
        """Transcribe the call in a room from now on."""
        found = await self._rooms.get(caller.domain, name)
        room = hosting(self._services, name)
        try:
            await self._transcription.start(caller.domain.name, found, room, wanted_of(body), "")
        except AlreadyTranscribedError as error:
            raise invalid(str(error)) from error
        except UnsupportedError as error:
            raise DailyError(403, "forbidden-error", str(error)) from error
        return Sent()

    async def update(self, caller: Caller, name: RoomNameParameter, body: UpdateOptions) -> Sent:
        """Transcribe other people from now on."""
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        self._transcription.update(name, body.participants, body.instance_id)
        return Sent()

    async def stop(self, caller: Caller, name: RoomNameParameter, body: StopOptions) -> Sent:
        """End the transcription of a room."""
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        await self._transcription.stop(name, "", body.instance_id)
        return Sent()

    async def list_transcripts(self, caller: Caller, query: TranscriptQuery) -> TranscriptPage:
        """List transcripts."""
        rows = [
            each
            for each in await self._transcripts.all(caller.domain.name)
            if query.room_id in {None, each.room_id} and query.meeting in {None, meeting_id(each.session_sid)}
        ]
        total, page = len(rows), rows
        if query.cursor is not None:
            places = [i for i, each in enumerate(rows) if each.id == query.cursor]
            if not places:
                raise invalid(f"there is no transcript with the id {query.cursor[:64]}")
            page = rows[: places[0]] if query.backwards else rows[places[0] + 1 :]
        page = page[-query.limit :] if query.backwards else page[: query.limit]
        return TranscriptPage(total, [_answer(caller, each) for each in page])

    async def get(self, caller: Caller, transcript: Id) -> TranscriptAnswer:
        """Return a transcript."""
        return _answer(caller, await self._found(caller, transcript))

    async def delete(self, caller: Caller, transcript: Id) -> TranscriptAnswer:
        """Delete a transcript with what was said; one in progress has to be ended by `stop` first."""
        found = await self._found(caller, transcript)
        if found.status == "t_in_progress":
            raise invalid(f"transcript {found.id} is in progress")
        gone = await self._transcripts.delete(caller.domain.name, found, self._services.wall_clock())
        return _answer(caller, gone)

    async def access_link(self, caller: Caller, transcript: Id) -> TranscriptLink:
        """Return a link to the WebVTT file of a transcript, valid for an hour."""
        found = await self._found(caller, transcript)
        if found.status != "t_finished" or not found.stored:
            raise not_found(f"transcript {found.id} has no file")
        expires = int(self._services.wall_clock()) + _LINK_S
        claims = {"iss": caller.domain.name, "use": _USE, "transcript": found.id, "exp": expires}
        token = signed.sign(claims, caller.domain.secret)
        return TranscriptLink(found.id, f"{caller.origin}/v1/transcript/{found.id}/file?token={token}")

    async def file(self, transcript: Id, query: FileQuery) -> Document:
        """Return the WebVTT file of a transcript; the token of the link takes the place of the key."""
        refused = DailyError(403, "forbidden-error", "the link is not valid, or not any more")
        try:
            domain = self._domains.by_name(str(signed.peek(query.token).get("iss")))
            if domain is None:
                raise refused
            claims: dict[str, Any] = signed.verify(query.token, domain.secret)
        except signed.SignatureError as error:
            raise refused from error
        if (claims.get("use"), claims.get("transcript")) != (_USE, transcript):
            raise refused
        if claims["exp"] < self._services.wall_clock():
            raise refused
        found = await self._transcripts.get(domain.name, transcript)
        if found is None or not found.stored:
            raise not_found(f"{transcript} not found")
        return Document(web_vtt(await self._transcripts.lines(found.id)).encode(), _VTT)

    async def _found(self, caller: Caller, transcript: str) -> Transcript:
        found = await self._transcripts.get(caller.domain.name, transcript)
        if found is None:
            raise not_found(f"{transcript} not found")
        return found


def wanted_of(options: StartOptions) -> Wanted:
    """Return what the options ask for."""
    return Wanted(
        options.instance_id,
        options.language or "",
        tuple(options.participants),
        options.include_raw,
        bool(options.redact),
        options.profanity_filter,
    )


def _answer(caller: Caller, transcript: Transcript) -> TranscriptAnswer:
    return TranscriptAnswer(
        id=transcript.id,
        domain_id=caller.domain.id,
        room_id=transcript.room_id,
        meeting=meeting_id(transcript.session_sid),
        status=transcript.status,
        available=transcript.stored and transcript.status == "t_finished",
        duration=round(transcript.duration_s),
        created_at=iso(transcript.started_at),
        updated_at=iso(transcript.updated_at),
        error=transcript.error or None,
    )
