"""Stored transcripts of Daily's transcription: what was said in one meeting, from start to stop.

What was said is encrypted by the master key, each line with the ids of its speaker, so that a person can be erased.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from signaling.errors import StoreError, VaultError
from signaling.ids import RoomName, RoomSid
from signaling.recordings.insights.captions import timestamp
from signaling.store import Store

Status = Literal["t_in_progress", "t_finished", "t_error", "t_deleted"]

_META: Final = "daily transcripts "
"Begins the namespace of a domain's transcripts."
_LINES: Final = "daily transcript lines"
# Four hours of five people who never pause; what is said after that is shown, and not stored.
MAX_LINES: Final = 20_000


class Line(msgspec.Struct, frozen=True, array_like=True):
    """What one person said in a row; times are seconds since the start."""

    start_s: float
    end_s: float
    name: str
    text: str
    people: tuple[str, ...] = ()
    "The ids of the speaker: that of the participant, and the one in the meeting token if it has one."


class Transcript(msgspec.Struct, frozen=True):
    """One transcription of a meeting."""

    id: str
    room: RoomName
    room_id: str
    session_sid: RoomSid
    instance_id: str
    started_at: float
    "Seconds since 1970."
    updated_at: float
    status: Status = "t_in_progress"
    stored: bool = False
    "Whether its lines are stored (`enable_transcription_storage`)."
    duration_s: float = 0.0
    error: str = ""


class Transcripts:
    """The transcripts of all domains."""

    def __init__(self, store: Store) -> None:
        """They are documents of the store."""
        self._store = store

    async def put(self, domain: str, transcript: Transcript) -> None:
        """Store a transcript. StoreError."""
        await self._store.documents.put(_META + domain, transcript.id, msgspec.to_builtins(transcript))

    async def put_lines(self, transcript_id: str, lines: Sequence[Line]) -> None:
        """Store what was said. StoreError."""
        sealed = self._store.vault.seal(msgspec.json.encode(lines).decode(), _purpose(transcript_id))
        await self._store.documents.put(_LINES, transcript_id, sealed)

    async def get(self, domain: str, transcript_id: str) -> Transcript | None:
        """Return a transcript of a domain; None if there is none, or no longer. StoreError."""
        found = await self._store.documents.get(_META + domain, transcript_id)
        transcript = None if found is None else msgspec.convert(found, Transcript)
        return None if transcript is None or transcript.status == "t_deleted" else transcript

    async def all(self, domain: str) -> list[Transcript]:
        """Return the transcripts of a domain, newest first. StoreError."""
        found = (await self._store.documents.all(_META + domain)).values()
        made = [msgspec.convert(each, Transcript) for each in found]
        kept = [each for each in made if each.status != "t_deleted"]
        return sorted(kept, key=lambda each: (each.started_at, each.id), reverse=True)

    async def lines(self, transcript_id: str) -> list[Line]:
        """Return what was said. StoreError, also if the master key has changed."""
        found = await self._store.documents.get(_LINES, transcript_id)
        if found is None:
            return []
        try:
            return msgspec.json.decode(
                self._store.vault.open(found, _purpose(transcript_id)), type=list[Line]
            )
        except VaultError as error:
            raise StoreError(str(error)) from error

    async def delete(self, domain: str, transcript: Transcript, now: float) -> Transcript:
        """Delete what was said; the record of it stays, marked. StoreError."""
        gone = msgspec.structs.replace(transcript, status="t_deleted", updated_at=now)
        await self._store.documents.delete(_LINES, transcript.id)
        await self.put(domain, gone)
        return gone

    async def erase(self, domain: str, person: str) -> int:
        """Delete what a person said in a domain's transcripts; return the number of lines. StoreError."""
        count = 0
        for transcript in await self.all(domain):
            lines = await self.lines(transcript.id)
            kept = without(lines, person)
            if len(kept) < len(lines):
                await self.put_lines(transcript.id, kept)
                count += len(lines) - len(kept)
        return count

    async def expire(self, domain: str, before: float, now: float) -> int:
        """Delete a domain's transcripts that ended before a time; return how many. StoreError."""
        expired = [
            each
            for each in await self.all(domain)
            if each.status != "t_in_progress" and each.started_at + each.duration_s < before
        ]
        for each in expired:
            await self.delete(domain, each, now)
        return len(expired)


def without(lines: Sequence[Line], person: str) -> list[Line]:
    """Return the lines that other people said."""
    return [line for line in lines if person not in line.people]


def web_vtt(lines: Sequence[Line]) -> str:
    """Return lines as WebVTT (W3C), with names as voices."""
    cues = [
        f"{timestamp(line.start_s)} --> {timestamp(max(line.end_s, line.start_s + 0.001))}\n"
        f"<v {_plain(line.name)}>{_plain(line.text)}\n"
        for line in lines
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _purpose(transcript_id: str) -> str:
    return f"the transcript {transcript_id}"


def iso(at: float) -> str:
    """Return a time as Daily writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    """Return a text without what has a meaning in WebVTT."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(plain.split())
