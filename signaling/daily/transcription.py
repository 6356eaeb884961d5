"""Daily's transcription of meetings: started and stopped by calls and pages, made by the server's live captions.

What is said is sent to everybody in the meeting who may hear it. It is stored, as WebVTT, only if the room has
`enable_transcription_storage`. One transcription runs in a meeting at a time, in the language that the operator chose.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from signaling.daily.door import entry
from signaling.daily.notices import TOPIC
from signaling.daily.rooms import DailyRoom
from signaling.daily.transcripts import MAX_LINES, Line, Transcript, Transcripts, without
from signaling.daily.webhooks import Announcement, EventType, transcript_message
from signaling.errors import NotFoundError, StoreError, UnsupportedError
from signaling.ids import Identity, RoomName
from signaling.recordings.speech.captions import Behind, CaptionEvent, Captions, Spoken, may_read
from signaling.rooms.events import Message, ParticipantActive, RoomEvent, RoomFinished
from signaling.rooms.model import Participant, Room
from signaling.rooms.services import Services

log = logging.getLogger(__name__)

_BY: Final = "daily"
MODEL: Final = "whisper"
"Reported as the model, whatever model was asked for."


class AlreadyTranscribedError(UnsupportedError):
    """The meeting is being transcribed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a call or a page asks for."""

    instance_id: str
    language: str = ""
    "Empty: the server's."
    participants: tuple[Identity, ...] = ()
    "Transcribe only these; empty: everybody."
    raw: bool = False
    "Messages have a field `rawResponse`."
    redact: bool = False
    profanity_filter: bool = False


@dataclass(slots=True)
class _Running:
    domain: str
    room: Room
    wanted: Wanted
    started_by: str
    transcript: Transcript
    lines: list[Line] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of `transcription-started`."""
        return {
            "instanceId": self.wanted.instance_id,
            "transcriptId": self.transcript.id,
            "language": self.wanted.language,
            "model": MODEL,
            "includeRawResponse": self.wanted.raw,
            "startedBy": self.started_by,
        }


class DailyTranscription:
    """The meetings that are being transcribed."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that transcription uses
        self,
        services: Services,
        captions: Captions,
        transcripts: Transcripts,
        new_id: Callable[[], str],
        language: str,
        announce: Callable[[Announcement], None],
    ) -> None:
        """`language` is the operator's choice (ISO 639-1), empty if it is detected; `announce` sends webhooks."""
        self._services = services
        self._captions = captions
        self._transcripts = transcripts
        self._new_id = new_id
        self._language = language
        self._announce = announce
        self._running: dict[RoomName, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        captions.observe(self._on_captions)
        services.hub.observe(self._on_event)

    async def start(
        self, domain: str, settings: DailyRoom, room: Room, wanted: Wanted, started_by: str
    ) -> None:
        """Transcribe an open room for a domain. AlreadyTranscribedError, UnsupportedError, StoreError."""
        wanted = self._checked(wanted)
        if room.name in self._running:
            raise AlreadyTranscribedError(f"room {room.name} is already being transcribed")
        now, stored = self._services.wall_clock(), settings.properties.enable_transcription_storage
        transcript = Transcript(
            self._new_id(), room.name, settings.id, room.sid, wanted.instance_id, now, now, stored=stored
        )
        running = self._running[room.name] = _Running(domain, room, wanted, started_by, transcript)
        try:
            await self._transcripts.put(domain, transcript)
            await self._captions.want(room, _BY)
        except StoreError:
            self._running.pop(room.name, None)
            raise
        if not self._captions.is_captioned(room.name):
            await self._end(running, "")  # the meeting has ended meanwhile
            return
        self._tell(room, self._everybody(room), "started", running.facts)
        self._announce(transcript_message("transcript.started", domain, transcript, now))

    def update(self, room_name: RoomName, participants: Collection[Identity], instance_id: str) -> None:
        """Transcribe only these people from now on; none: everybody. NotFoundError."""
        running = self._found(room_name, instance_id)
        changed = tuple(dict.fromkeys(participants))
        running.wanted = Wanted(
            running.wanted.instance_id, running.wanted.language, changed, running.wanted.raw
        )

    async def stop(self, room_name: RoomName, by: str, instance_id: str = "") -> None:
        """End the transcription of a room. NotFoundError, StoreError."""
        await self._end(self._found(room_name, instance_id), by)

    def _found(self, room_name: RoomName, instance_id: str) -> _Running:
        running = self._running.get(room_name)
        if running is None or instance_id not in {"", running.wanted.instance_id}:
            raise NotFoundError(f"room {room_name} is not being transcribed")
        return running

    def _checked(self, wanted: Wanted) -> Wanted:
        """Return what is going to be done. UnsupportedError for what this server cannot do."""
        if not self._captions.is_on:
            raise UnsupportedError("this server does not transcribe")
        if wanted.redact or wanted.profanity_filter:
            raise UnsupportedError("this server leaves no words out (redact, profanity_filter)")
        language = wanted.language.partition("-")[0].lower()
        if self._language and language not in {"", "multi", self._language}:
            raise UnsupportedError(f"this server transcribes in the language {self._language} only")
        return Wanted(
            wanted.instance_id or self._new_id(),
            self._language or language or "multi",
            wanted.participants,
            wanted.raw,
        )

    async def _end(self, running: _Running, by: str, error: str = "") -> None:
        """End a transcription: store what is to be stored, and report it. StoreError."""
        name = running.room.name
        if self._running.get(name) is not running:
            return
        self._captions.drop(name, _BY)  # which ends the lines that are being said
        del self._running[name]
        facts = {"instanceId": running.wanted.instance_id, "updatedBy": by}
        self._tell(running.room, self._everybody(running.room), "stopped", facts)
        now = self._services.wall_clock()
        transcript = msgspec.structs.replace(
            running.transcript,
            status="t_error" if error else "t_finished",
            duration_s=now - running.transcript.started_at,
            updated_at=now,
            error=error,
        )
        if transcript.stored:
            await self._transcripts.put_lines(transcript.id, running.lines)
        await self._transcripts.put(running.domain, transcript)
        event: EventType = "transcript.error" if error else "transcript.ready-to-download"
        if error or transcript.stored:
            self._announce(transcript_message(event, running.domain, transcript, now))

    async def recover(self, domains: Iterable[str]) -> None:
        """Report the transcriptions that an earlier server left as failed. StoreError."""
        now = self._services.wall_clock()
        for domain in domains:
            for each in await self._transcripts.all(domain):
                if each.status == "t_in_progress":
                    failed = msgspec.structs.replace(
                        each, status="t_error", updated_at=now, error="the server was restarted"
                    )
                    await self._transcripts.put(domain, failed)
                    self._announce(transcript_message("transcript.error", domain, failed, now))

    async def erase(self, domain: str, person: str) -> int:
        """Delete what a person said, also in what is being transcribed; return the number of lines. StoreError."""
        count = 0
        for running in self._running.values():
            if running.domain == domain:
                count += len(running.lines)
                running.lines[:] = without(running.lines, person)
                count -= len(running.lines)
        return count + await self._transcripts.erase(domain, person)

    async def finish(self) -> None:
        """Wait until what has ended is stored."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- what happens ----------------------------------------------------------------------------

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, RoomFinished):
            running = self._running.get(event.room.name)
            if running is not None:
                self._later(running, "")
        elif isinstance(event, ParticipantActive):
            running = self._running.get(event.participant.room.name)
            if running is not None and entry.is_by_daily(event.participant):
                self._tell(running.room, [event.participant], "started", running.facts)

    def _on_captions(self, event: CaptionEvent) -> None:
        running = self._running.get(event.room.name)
        if running is None:
            return
        if isinstance(event, Behind):
            if event.behind:
                message = "speech is left out: the server has not enough CPU time"
                facts = {"instanceId": running.wanted.instance_id, "errorMsg": message}
                self._tell(event.room, self._everybody(event.room), "error", facts)
            return
        if event.final and event.text:
            self._say(running, event)

    def _say(self, running: _Running, spoken: Spoken) -> None:
        wanted, speaker = running.wanted, spoken.speaker
        if wanted.participants and speaker.identity not in wanted.participants:
            return
        now = self._services.wall_clock()
        at_s = now - running.transcript.started_at
        if running.transcript.stored and len(running.lines) < MAX_LINES:
            # About as long as the words take to say.
            length_s = min(0.4 * len(spoken.text.split()), at_s)
            name = speaker.name or speaker.identity
            people = tuple(dict.fromkeys((speaker.identity, speaker.user_id)))
            start_s, end_s = round(at_s - length_s, 3), round(at_s, 3)
            running.lines.append(Line(start_s, end_s, name, spoken.text, people))
        facts = {
            "instanceId": wanted.instance_id,
            "participantId": speaker.identity,
            "trackType": "cam-audio",
            "text": spoken.text,
            "timestamp": round(now * 1000),
        }
        if wanted.raw:
            facts["rawResponse"] = {"is_final": True, "transcript": spoken.text}
        readers = [person for person in self._everybody(running.room) if may_read(person, spoken)]
        self._tell(running.room, readers, "message", facts)

    def _later(self, running: _Running, by: str) -> None:
        async def end() -> None:
            try:
                await self._end(running, by)
            except StoreError as error:
                log.error("the transcript %s is not stored: %s", running.transcript.id, error)  # noqa: TRY400 - the cause is in the message

        task = asyncio.get_running_loop().create_task(end())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _everybody(room: Room) -> list[Participant]:
        return [person for person in room.participants.values() if entry.is_by_daily(person)]

    def _tell(self, room: Room, readers: Collection[Participant], event: str, facts: dict[str, Any]) -> None:
        if readers:
            payload = msgspec.json.encode({"kind": "transcription", "event": event, "facts": facts})
            sids = tuple(person.sid for person in readers)
            self._services.moderation.send(room, Message(payload, topic=TOPIC, sids=sids))
