"""Downloads: signed links that expire, ranges, the archive, and what deletion leaves."""

import io
import zipfile

import pytest

from recording.files.folder import Moment
from recording.media.codecs import opus
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from signaling.access import signed
from signaling.recordings import links

MS, S = 1_000_000, 1_000_000_000


def write(folder, recording, key=b""):
    """What a recorder writes of a second of sound."""
    now = Moment(S, 1_800_000_000 * S, "boot")
    recorder = Recorder(RecorderSettings(str(folder), 0), lambda: now, lambda _: None)
    packets = [tap.Packet(1, i, 960 * i, True, "opus", opus.SILENCE, i * 20 * MS) for i in range(50)]
    for message in (
        tap.StartRecording(recording, 0, key),
        tap.OpenTrack(recording, "ada/microphone", "audio", '"><b>', 0),
        tap.OpenStream(1, recording, "ada/microphone", "p", 48_000, 0),
        *packets,
        tap.StopRecording(recording, S),
    ):
        recorder.handle(message)


@pytest.fixture
async def recorded(lesson):
    """A lesson with a recording that has ended, and its id."""
    return await lesson.recorded_by(write)


async def fetch(lesson, url, **headers):
    async with lesson.world.http.get(url, headers=headers) as response:
        return response.status, response.headers, await response.read()


async def link(lesson, **wanted):
    return (await lesson.tutor.post(f"/recordings/{lesson.recording}/links", wanted, 201))["url"]


async def test_a_single_track_is_sent_with_ranges(recorded):
    manifest = await recorded.tutor.get(f"/recordings/{recorded.recording}/manifest")
    (track,) = manifest["tracks"]
    url = await link(recorded, track=track["number"])
    status, headers, whole = await fetch(recorded, url)
    assert (status, len(whole)) == (200, track["parts"][0]["octets"])
    assert headers["Content-Type"].startswith("audio/webm")
    assert headers["Content-Disposition"] == f'attachment; filename="{recorded.recording}-1.webm"'
    status, headers, some = await fetch(recorded, url, Range="bytes=5-24")
    assert (status, some) == (206, whole[5:25])
    assert headers["Content-Range"] == f"bytes 5-24/{len(whole)}"
    assert (await fetch(recorded, url, Range=f"bytes={len(whole)}-"))[0] == 416


async def test_the_archive_has_everything(recorded):
    status, headers, data = await fetch(recorded, await link(recorded))
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["0001-audio-0001.webm", "manifest.json"]


async def test_a_bound_link_is_for_the_person_who_made_it(recorded):
    url = await link(recorded, bound=True)
    assert (await fetch(recorded, url))[0] == 401
    for caller, status in ((recorded.person("ada"), 403), (recorded.tutor, 200)):
        assert (await fetch(recorded, url, Authorization=f"Bearer {caller.token}"))[0] == status


async def test_each_download_is_in_the_audit_log_once(recorded):
    url = await link(recorded, track=1)
    for ranged in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=10-"}):
        await fetch(recorded, url, **ranged)
    entries = (await recorded.school.application.get("/audit?action=recording.downloaded"))["data"]
    assert [(each["actor"], each["subject"], each["details"]) for each in entries] == [
        ("tutor", recorded.recording, {"track": 1, "film": False})
    ] * 2


async def test_a_link_expires(recorded, monkeypatch):
    url = await link(recorded, expires_s=60)
    assert (await fetch(recorded, url))[0] == 200
    verify = signed.verify
    monkeypatch.setattr(links.signed, "verify", lambda *args: {**verify(*args), "exp": 1})
    assert (await fetch(recorded, url))[0] == 403


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"use": "recording download"},
        {"recording": "another"},
        {"iss": "stranger"},
    ],
)
async def test_a_link_that_is_not_for_this_recording_opens_nothing(recorded, claims):
    right = {"iss": "devkey", "use": "recording download", "recording": recorded.recording, "track": 1}
    made = {**right, "part": 0, "exp": 2**33, **claims}
    if not claims:
        del made["use"]
    elif "use" in claims:
        made["recording"] = "rec_other"
    url = f"{recorded.world.url}/api/v1/recordings/{recorded.recording}/download?token="
    assert (await fetch(recorded, url + signed.sign(made, "secret")))[0] == 403
    forged = signed.sign({**right, "part": 0, "exp": 2**33}, "another secret of at least 32 characters")
    for token in ("", "x", "a.b.c", forged):
        assert (await fetch(recorded, url + token))[0] == 403


async def test_a_link_is_no_token_of_the_api(recorded):
    token = (await link(recorded)).partition("token=")[2]
    caller = recorded.school.bearer(token)
    assert (await caller.attempt("GET", f"/recordings/{recorded.recording}"))[0] == 401


async def test_what_is_not_there_is_refused(recorded):
    assert (await fetch(recorded, await link(recorded, track=9)))[0] == 404
    assert (await fetch(recorded, await link(recorded, track=1, part=9)))[0] == 404


async def test_nothing_is_sent_of_a_recording_that_goes_on(lesson):
    await lesson.join("ada")
    made = await lesson.record()
    assert await lesson.tutor.attempt("POST", f"/recordings/{made['id']}/links", {}) == (
        409,
        "still_recording",
    )


async def test_deletion_leaves_a_tombstone_and_no_octet(recorded, tmp_path):
    url, track = await link(recorded), await link(recorded, track=1)
    gone = await recorded.tutor.call("DELETE", f"/recordings/{recorded.recording}")
    assert gone["status"] == "deleted"
    assert list((tmp_path / "recordings").iterdir()) == []
    assert (await fetch(recorded, url))[0] == (await fetch(recorded, track))[0] == 404
    (listed,) = (await recorded.tutor.get(f"/sessions/{recorded.session}/recordings"))["data"]
    assert (listed["id"], listed["status"], listed["octets"]) == (recorded.recording, "deleted", 0)
    assert (await recorded.tutor.attempt("GET", f"/recordings/{recorded.recording}/manifest"))[0] == 409


async def test_a_recording_whose_files_are_gone_is_told(recorded, tmp_path):
    url = await link(recorded)
    (tmp_path / "recordings" / recorded.recording / "recording.json").write_text("{")
    assert (await fetch(recorded, url))[0] == 404
    assert await recorded.tutor.attempt("GET", f"/recordings/{recorded.recording}/manifest") == (
        409,
        "no_files",
    )
