"""Replay through the API: who may watch what, pages of segments, signed access, one audit entry for each viewing."""

import io
import json
import zipfile

import pytest

from recording.files.folder import Moment
from recording.media.codecs import opus
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from signaling.access import signed

MS, S = 1_000_000, 1_000_000_000
STARTED_S = 1_800_000_000
TRACKS = {1: "tutor/microphone", 2: "ada/microphone", 3: "ada/screen_share_audio"}


def write(folder, recording, key=b"", *, stopped=True):
    """What a recorder writes of nine seconds of sound on three tracks, the second with a hole."""
    now = Moment(S, STARTED_S * S, "boot")
    recorder = Recorder(RecorderSettings(str(folder), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording(recording, 0, key))
    for number, track in TRACKS.items():
        recorder.handle(tap.OpenTrack(recording, track, "audio", "label", 0))
        recorder.handle(tap.OpenStream(number, recording, track, "p", 48_000, 0))
        for i in range(450):
            if number != 2 or not 100 < i < 250:
                packet = tap.Packet(number, i, 960 * i, True, "opus", opus.SILENCE, i * 20 * MS)
                recorder.handle(packet)
    if stopped:
        recorder.handle(tap.StopRecording(recording, 9 * S))


@pytest.fixture
async def recorded(lesson):
    """A lesson whose recording is finished; ada and ben are in it."""
    return await lesson.recorded_by(write, ("ada", "ben"))


async def view(lesson, caller):
    return await caller.post(f"/recordings/{lesson.recording}/replay/viewings", status=201)


async def fetch(lesson, viewing, path="", **headers):
    url = f"{lesson.world.url}{viewing['url']}{path}{'&' if '?' in path else '?'}token={viewing['token']}"
    async with lesson.world.http.get(url, headers=headers) as response:
        is_json = "json" in response.content_type
        return response.status, await response.json() if is_json else await response.read()


async def test_a_viewing_has_the_tracks_and_their_segments(recorded):
    shown = await recorded.tutor.get(f"/sessions/{recorded.session}/replay")
    assert [each["id"] for each in shown["recordings"]] == [recorded.recording]
    assert (shown["recordings"][0]["live"], shown["staff_only"]) == (False, False)
    async with recorded.world.http.get(shown["page"]) as page:
        assert (page.status, page.content_type) == (200, "text/html")
    viewing = await view(recorded, recorded.tutor)
    tracks = {each["number"]: f"{each['person']}/{each['source']}" for each in viewing["tracks"]}
    assert tracks == TRACKS
    first = viewing["tracks"][0]
    assert (first["start_s"], round(first["end_s"])) == (0, 9)
    status, page = await fetch(recorded, viewing, "/tracks/1/segments?limit=2")
    assert (status, page["more"], [row[0] for row in page["segments"]]) == (200, True, [0, 1])
    status, rest = await fetch(recorded, viewing, "/tracks/1/segments?index=2")
    assert (rest["more"], rest["segments"][0][0]) == (False, 2)
    status, sought = await fetch(recorded, viewing, "/tracks/1/segments?at_s=5")
    _, part, offset, length, start_s, end_s, keyframe = sought["segments"][0]
    assert start_s <= 5 < end_s
    assert keyframe
    status, octets = await fetch(
        recorded, viewing, f"/tracks/1/parts/{part}", Range=f"bytes={offset}-{offset + length - 1}"
    )
    assert (status, len(octets)) == (206, length)
    assert octets.startswith(bytes.fromhex("1f43b675"))  # a WebM cluster
    status, octets = await fetch(recorded, viewing, "/tracks/1/parts/1", Range="bytes=0-3")
    assert octets == bytes.fromhex("1a45dfa3")  # the EBML header
    status, holed = await fetch(recorded, viewing, "/tracks/2/segments")
    assert [row[2] for row in holed["gaps"]] == ["lost"]
    assert (await fetch(recorded, viewing, "/tracks/9/segments"))[0] == 404
    assert (await fetch(recorded, viewing, "/tracks/1/parts/9"))[0] == 404


async def test_a_damaged_record_is_told_and_costs_what_is_in_it_alone(recorded, caplog):
    path = recorded.folder / "tracks" / "0001" / "0001.webm"
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    viewing = await view(recorded, recorded.tutor)
    _, page = await fetch(recorded, viewing, "/tracks/1/segments")
    asked = [f"bytes={row[2]}-{row[2] + row[3] - 1}" for row in page["segments"]]
    found = [await fetch(recorded, viewing, "/tracks/1/parts/1", Range=each) for each in asked]
    assert found[0][0] == 206
    assert (found[-1][0], found[-1][1]["code"]) == (410, "damaged")
    assert "record 1 of" in caplog.text
    link = await recorded.tutor.post(f"{recorded.path}/links", {}, 201)
    async with recorded.world.http.get(link["url"]) as response:
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert archive.testzip() is None
    (problem,) = json.loads(archive.read("manifest.json"))["problems"]
    assert problem.startswith("0001-audio-0001.webm: record 1 of")
    assert archive.read("0001-audio-0001.webm").endswith(bytes(100))


async def test_each_viewing_is_one_entry_of_the_audit_log(recorded):
    viewing = await view(recorded, recorded.person("ada"))
    for _ in range(3):
        await fetch(recorded, viewing, "/tracks/1/segments")
        await fetch(recorded, viewing, "/tracks/1/parts/1", Range="bytes=0-9")
    await view(recorded, recorded.tutor)
    entries = (await recorded.school.application.get("/audit?action=recording.viewed"))["data"]
    assert [(each["actor"], each["subject"], each["session"]) for each in entries] == [
        ("tutor", recorded.recording, recorded.session),
        ("ada", recorded.recording, recorded.session),
    ]


async def test_students_have_the_tracks_that_they_might_see_live(recorded):
    numbers = {}
    for name, role in (("tutor", "tutor"), ("ada", "student"), ("ben", "student")):
        viewing = await view(recorded, recorded.person(name, role))
        numbers[name] = [each["number"] for each in viewing["tracks"]]
        for track in TRACKS:
            expected = 200 if track in numbers[name] else 403
            assert (await fetch(recorded, viewing, f"/tracks/{track}/segments"))[0] == expected
            assert (await fetch(recorded, viewing, f"/tracks/{track}/parts/1"))[0] == expected
    # ada's screen is for the tutor, and for her
    assert numbers == {"tutor": [1, 2, 3], "ada": [1, 2, 3], "ben": [1, 2]}


async def test_who_was_removed_or_is_no_longer_let_in_loses_what_was_opened(recorded):
    ada, ben = recorded.person("ada"), recorded.person("ben")
    viewing, other = await view(recorded, ada), await view(recorded, ben)
    await recorded.tutor.post(f"/sessions/{recorded.session}/moderation/remove", {"person": "ada"})
    assert (await fetch(recorded, viewing, "/tracks/1/segments"))[0] == 403
    assert (await fetch(recorded, other, "/tracks/1/segments"))[0] == 200
    path = f"/sessions/{recorded.session}/replay"
    assert (await ben.attempt("PUT", f"{path}/access", {"staff_only": True}))[0] == 403
    await recorded.tutor.call("PUT", f"{path}/access", {"staff_only": True})
    assert (await fetch(recorded, other, "/tracks/1/segments"))[0] == 403
    assert (await ben.attempt("GET", path))[0] == 403
    assert (await ben.attempt("POST", f"/recordings/{recorded.recording}/replay/viewings", {}))[0] == 403
    assert (await recorded.tutor.get(path))["staff_only"]
    await recorded.tutor.call("PUT", f"{path}/access", {"staff_only": False})
    assert (await fetch(recorded, other, "/tracks/1/segments"))[0] == 200


async def test_strangers_and_other_tenants_find_nothing(recorded):
    for caller in (recorded.person("eve"), recorded.school.person("tutor", "tutor", tenant="another")):
        assert (await caller.attempt("GET", f"/sessions/{recorded.session}/replay"))[0] == 404
        assert (await caller.attempt("POST", f"/recordings/{recorded.recording}/replay/viewings", {}))[
            0
        ] == 404
    asked = f"/replays?sessions={recorded.session},ses_other"
    assert (await recorded.tutor.get(asked))["data"] == [recorded.session]
    assert (await recorded.school.person("tutor", "tutor", tenant="another").get(asked))["data"] == []


@pytest.mark.parametrize("claims", [{"use": "recording download"}, {"recording": "rec_x"}, {"exp": 1}])
async def test_a_token_of_something_else_opens_nothing(recorded, claims):
    viewing = await view(recorded, recorded.tutor)
    right = signed.verify(viewing["token"], "secret")
    made = {**viewing, "token": signed.sign({**right, **claims}, "secret")}
    for path in ("", "/tracks/1/segments", "/tracks/1/parts/1"):
        assert (await fetch(recorded, made, path))[0] == 403
        assert (await fetch(recorded, {**viewing, "token": "x"}, path))[0] == 403
    caller = recorded.school.bearer(viewing["token"])
    assert (await caller.attempt("GET", f"/recordings/{recorded.recording}"))[0] == 401


async def test_marks_are_those_that_the_caller_may_see(recorded):
    ada, ben = recorded.person("ada"), recorded.person("ben")
    path = f"/sessions/{recorded.session}"
    await ada.post(f"{path}/chat", {"text": "Hello"})
    await ada.post(f"{path}/chat", {"text": "Help", "scope": "staff"})
    await ben.post(f"{path}/questions", {"text": "Why?"})
    seen = {}
    for name, caller in (("ada", ada), ("ben", ben)):
        page = await caller.get(f"{path}/replay/marks?recording={recorded.recording}")
        assert not page["more"]
        seen[name] = [(each["kind"], each.get("text", "")) for each in page["marks"]]
    assert ("join", "Ada") in seen["ben"]
    assert seen["ada"][-3:] == [("chat", "Hello"), ("chat", "Help"), ("question", "Why?")]
    assert seen["ben"][-2:] == [("chat", "Hello"), ("question", "Why?")]
    first = await ada.get(f"{path}/replay/marks?recording={recorded.recording}&limit=2")
    assert (first["upto"], first["more"]) == (2, True)
    rest = await ada.get(f"{path}/replay/marks?recording={recorded.recording}&after=2")
    assert len(first["marks"]) + len(rest["marks"]) == len(seen["ada"])
    assert await ada.attempt("GET", f"{path}/replay/marks?recording=rec_x") == (404, "recording_not_found")


async def test_a_recording_that_is_made_can_be_watched_and_grows(lesson, tmp_path):
    await lesson.join("ada")
    made = await lesson.record()
    lesson.recording = made["id"]
    viewing = await view(lesson, lesson.tutor)
    assert (viewing["recording"]["live"], viewing["tracks"]) == (True, [])
    write(tmp_path / "recordings", made["id"], stopped=False)
    status, progress = await fetch(lesson, viewing)
    assert (status, progress["tracks"][0]["number"]) == (200, 1)
    status, page = await fetch(lesson, viewing, "/tracks/1/segments")
    assert (status, page["more"]) == (200, False)
    assert all(row[5] <= progress["tracks"][0]["end_s"] for row in page["segments"])


async def test_nothing_is_left_to_watch_of_a_deleted_recording(recorded):
    viewing = await view(recorded, recorded.tutor)
    await recorded.tutor.call("DELETE", f"/recordings/{recorded.recording}")
    for path in ("", "/tracks/1/segments", "/tracks/1/parts/1"):
        assert (await fetch(recorded, viewing, path))[0] == 404
    assert (await recorded.tutor.get(f"/sessions/{recorded.session}/replay"))["recordings"] == []
    assert (await recorded.tutor.get(f"/replays?sessions={recorded.session}"))["data"] == []
    viewings = f"/recordings/{recorded.recording}/replay/viewings"
    assert await recorded.tutor.attempt("POST", viewings, {}) == (404, "recording_not_found")
