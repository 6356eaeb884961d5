"""Everything about recordings that runs from the server's start to its end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recording.speech.captions import CaptionReport
from sfu.values import RecordingId
from signaling.errors import StoreError
from signaling.ids import RoomName
from signaling.recordings.changes import Announcer
from signaling.recordings.deletion import Deletion
from signaling.recordings.erasure import Erasure
from signaling.recordings.files import FilesError, RecordingFiles
from signaling.recordings.keys import RecordingKeys
from signaling.recordings.notes.chat_client import ChatClient, ChatSettings
from signaling.recordings.notes.note_files import NoteFiles
from signaling.recordings.notes.note_taking import NoteTaking
from signaling.recordings.offloading import Offloading
from signaling.recordings.outputs.films import Films
from signaling.recordings.outputs.maker import OutputMaker
from signaling.recordings.recordings import Recordings
from signaling.recordings.retention import IsOrphan, Retention
from signaling.recordings.speech.caption_child import CaptionChild, CaptionSettings, make_job
from signaling.recordings.speech.captions import Captions
from signaling.recordings.speech.transcribing import SpeechSettings, Transcribing
from signaling.recordings.storage.archive import Archive
from signaling.rooms.services import Services
from signaling.store import Store

if TYPE_CHECKING:
    from signaling.recordings.storage.bucket import Bucket


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """The operator's choices."""

    folder: Path | None
    "Where the recorders write; None: nothing is recorded."
    days: int
    "Days after their end for which recordings are stored; 0: for ever."
    speech: SpeechSettings
    bucket: "Bucket | None" = None
    "Where media of finished recordings are moved to; None: they stay in the folder."
    encrypted: bool = True
    "New recordings are encrypted, each with its own key."
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    live_folder: Path | None = None
    "Where the captioning process listens: the folder with which the recorders are started."
    chat: ChatSettings | None = None
    "The model that writes notes; None: nothing leaves the machine."


class RecordingHost:
    """The recordings of all rooms, and what is done with their files."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the server that recordings use
        self,
        services: Services,
        store: Store,
        new_id: Callable[[str], str],
        settings: RecordingSettings,
        announcer: Announcer,
        is_orphan: IsOrphan,
    ) -> None:
        """Listen to rooms; without a folder, `films`, `files`, `transcribing` and `notes` are None."""
        folder = settings.folder
        self.folder = folder
        self.keys = keys = RecordingKeys(store, encrypts=settings.encrypted)
        self.recordings = Recordings(
            services, store, new_id, "" if folder is None else str(folder), announcer, keys
        )
        self.captions = Captions(services, self.recordings, new_id, _caption_maker(settings))
        "Live captions."
        bucket = settings.bucket
        self.archive = None if folder is None or bucket is None else Archive(folder, bucket, keys.get)
        self.films = None if folder is None else Films(folder, self.archive, keys.get)
        self.files = None if folder is None else RecordingFiles(folder, keys.get)
        self.transcribing: Transcribing | None = None
        self.notes: NoteTaking | None = None
        self._outputs: OutputMaker | None = None
        self._retention: Retention | None = None
        self._erasure: Erasure | None = None
        self._offloading: Offloading | None = None
        if folder is None or self.films is None or self.files is None:
            return
        self.transcribing = Transcribing(
            self.recordings, store, folder, settings.speech, time.time, self.archive, keys.get
        )
        self._outputs = OutputMaker(self.recordings, store, self.films, self.files)
        transcripts = self.transcribing.transcripts
        client = None if settings.chat is None else ChatClient(settings.chat)
        note_files = NoteFiles(folder, keys.get)
        self.notes = NoteTaking(self.recordings, store, note_files, self.transcribing, client, time.time)
        self._erasure = Erasure(self.recordings, store, self.files, self.films, transcripts, self.notes)
        deletion = Deletion(self.recordings.changes, keys, self.files, self.films)
        self._retention = Retention(store, deletion, settings.days, is_orphan, time.time)

        if self.archive is not None:
            self._offloading = Offloading(self.recordings, store, self.archive, self._is_needed)

    async def start(self) -> None:
        """Continue what an earlier server left. StoreError."""
        await self.keys.load()
        await self.recordings.load()
        if self._outputs is not None:
            await self._outputs.load()
        if self.transcribing is not None:
            self.transcribing.start()
        if self.notes is not None:
            self.notes.start()
        if self._retention is not None:
            self._retention.start()
        if self._offloading is not None:
            self._offloading.start()

    async def stop(self) -> None:
        """End what works on files; the next server continues it."""
        await self.captions.close()
        parts = (
            self._offloading,
            self._retention,
            self.notes,
            self.transcribing,
            self._outputs,
            self.films,
        )
        for part in parts:
            if part is not None:
                await part.close()
        await self.recordings.finish()

    async def _is_needed(self, recording_id: RecordingId) -> bool:
        """Whether a film or a transcript of a recording is going to be made. StoreError."""
        assert self.films is not None
        assert self.transcribing is not None
        return self.films.is_needed(recording_id) or await self.transcribing.is_needed(recording_id)

    async def erase(self, tenant: str, rooms: Sequence[RoomName], person: str) -> None:
        """Erase a person from the recordings of rooms. StoreError."""
        if self._erasure is None:
            return
        try:
            await self._erasure.erase(tenant, rooms, person)
        except FilesError as error:
            raise StoreError(str(error)) from error


def _caption_maker(
    settings: RecordingSettings,
) -> Callable[[Callable[[CaptionReport], None], Callable[[], None]], CaptionChild] | None:
    """Return what makes the captioning process; None where nothing is captioned."""
    model, folder = settings.speech.model, settings.live_folder
    if not settings.captions.on or model is None or folder is None:
        return None
    job = make_job(folder, model, settings.speech.language, settings.captions)
    return partial(CaptionChild, job)
