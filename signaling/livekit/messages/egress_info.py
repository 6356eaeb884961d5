"""What a recording's row says of an egress, in LiveKit's form."""

import base64
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message
from livekit.protocol import egress

from signaling.recordings.output_state import Output, file_name, output_of
from signaling.recordings.statuses import ACTIVE, FAILED, STOPPING
from signaling.store.records import Recording

EGRESS: Final = "egress"
"Key of a row's details: the Egress service started the recording."

_SECRETS: Final = ("access_key", "secret", "session_token")
"Fields of S3Upload."

_NS: Final = 1_000_000_000

_REQUESTS: Final[dict[str, type[Message]]] = {
    "room_composite": egress.RoomCompositeEgressRequest,
    "participant": egress.ParticipantEgressRequest,
    "track_composite": egress.TrackCompositeEgressRequest,
    "track": egress.TrackEgressRequest,
}


def egress_detail(kind: str, request: Message) -> dict[str, str]:
    """Return the details of a row for an egress; `kind` is the field of `EgressInfo` for the request.

    Secrets are replaced by their names, as LiveKit's server does.
    """
    request = deepcopy(request)
    for output in file_outputs(request):
        for name in _SECRETS:
            if getattr(output.s3, name):
                setattr(output.s3, name, f"{{{name}}}")
    return {"kind": kind, "request": base64.b64encode(request.SerializeToString()).decode()}


def egress_info(row: Recording, folder: Path) -> egress.EgressInfo:
    """Return the state of an egress; `folder` is the folder of the recordings."""
    detail = row.details[EGRESS]
    kind = detail["kind"]
    request: Any = _REQUESTS[kind]()
    request.ParseFromString(base64.b64decode(detail["request"]))
    output = output_of(row)
    status, error = _outcome(row, output)
    info = egress.EgressInfo(
        egress_id=row.id,
        room_id=row.session_sid,
        room_name=row.room,
        status=status,
        started_at=int(row.started_at * _NS),
        ended_at=int((row.ended_at or 0) * _NS),
        updated_at=int((row.ended_at or row.started_at) * _NS),
        error=error,
    )
    getattr(info, kind).CopyFrom(request)
    for number, file in enumerate(output.files):
        path = folder / row.id / file.path
        info.file_results.append(
            egress.FileInfo(
                filename=file_name(row, path.suffix, number),
                location=file.location or str(path),
                size=file.octets,
                started_at=info.started_at,
                ended_at=info.ended_at,
                duration=int(row.details.get("length_s", 0.0) * _NS),
            )
        )
    return info


def file_outputs(request: Any) -> list[Any]:
    """Return the files that a request asks for; a request has a field for one, for several, or for both."""
    has_file = "file" in request.DESCRIPTOR.fields_by_name and request.HasField("file")
    return [*getattr(request, "file_outputs", ()), *([request.file] if has_file else [])]


def _outcome(row: Recording, output: Output) -> tuple[Any, str]:
    """Return the status and the error."""
    if row.status in ACTIVE:
        return (egress.EGRESS_ENDING if row.status == STOPPING else egress.EGRESS_ACTIVE), ""
    if row.status == FAILED:
        return egress.EGRESS_FAILED, str(row.details.get("reason", ""))
    if not output.settled:
        return egress.EGRESS_ENDING, ""
    if output.error:
        return egress.EGRESS_FAILED, output.error
    return egress.EGRESS_COMPLETE, ""


def file_path(request: Any) -> str:
    """Return the requested name of a file, with placeholders; empty if there is none."""
    return next((output.filepath for output in file_outputs(request) if output.filepath), "")
