"""The house rules that no linter knows, each cheap to check."""

import ast
import graphlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("classroom", "recording", "sfu", "signaling", "turn_config")
MAX_LINES = 600

# A longer file stands here with the reason why cutting it would not make it clearer.
LONG_FILES: dict[str, str] = {}

# Modules without a test module of their own name, and where they are tested instead.
TESTED_ELSEWHERE = {
    "classroom/base.py": "the classes that every command, event and feature is made of",
    "classroom/catalogue.py": "the list of features, which test_engine and test_permissions go through",
    "classroom/errors.py": "the tree of refusals; each one is expected where it is raised",
    "classroom/ids.py": "types without behaviour",
    "classroom/limits.py": "numbers; each one is reached where it limits",
    "classroom/roles.py": "plain values without behaviour",
    "classroom/state.py": "the state that every test of the engine looks at",
    "recording/containers/fragments.py": "the values that test_webm and test_mp4 expect",
    "recording/values.py": "plain values without behaviour",
    "recording/compose/process.py": "test_film_calls runs it",
    "recording/compose/sources.py": "test_film decodes with it",
    "signaling/daily/recordings.py": "test_recording_calls starts, stops and composes by it",
    "signaling/livekit/messages/egress_info.py": "test_webhooks of LiveKit and tests/e2e/test_egress.py read it",
    "signaling/recordings/changes.py": "test_recording_calls and test_webhooks store rows and deliveries by it",
    "signaling/recordings/outputs/maker.py": "test_recording_calls of Daily makes outputs, also after a restart",
    "signaling/recordings/offloading.py": "test_sending has recordings moved by it",
    "signaling/recordings/storage/stored.py": "test_archive moves what it lists",
    "signaling/recordings/outputs/uploads.py": "test_egress_upload uploads by it",
    "signaling/recordings/output_state.py": "the values that outputs.maker stores",
    "signaling/recordings/statuses.py": "names that test_recording_calls expects",
    "recording/speech/process.py": "test_transcript_calls runs it",
    "recording/speech/values.py": "the values that test_transcriber expects",
    "recording/speech/captions.py": "the values that test_captioner expects",
    "recording/speech/captions_process.py": "test_caption_calls runs it",
    "recording/speech/model.py": "test_transcriber loads a model, and refuses a folder without one",
    "recording/live/messages.py": "test_relay encodes and decodes them",
    "signaling/recordings/speech/caption_child.py": "test_caption_calls starts and stops it",
    "signaling/recordings/speech/captions.py": "test_session_captions reads captions",
    "signaling/daily/transcription.py": "test_transcript_calls transcribes meetings",
    "signaling/daily/transcripts.py": "test_transcript_calls stores, lists, encrypts, erases and deletes them",
    "signaling/daily/retention.py": "test_transcript_calls lets transcripts expire",
    "signaling/recordings/children.py": "test_film_calls and test_transcript_calls start and end children",
    "signaling/recordings/speech/transcribing.py": "test_transcript_calls has recordings transcribed",
    "signaling/sessions_api/recordings/insight_calls.py": "test_transcript_calls calls them",
    "signaling/recordings/notes/note_taking.py": "test_model_notes has notes written",
    "signaling/recordings/erasure.py": "test_recorded_privacy erases people",
    "signaling/recordings/retention.py": "test_recorded_privacy deletes what has expired",
    "signaling/recordings/host.py": "tests of recordings run it in a whole server",
    "signaling/recordings/deletion.py": "test_recording_calls of both APIs delete recordings",
    "signaling/recordings/links.py": "test_download_calls and test_replay_calls try every wrong token",
    "signaling/recordings/outputs/films.py": "test_film_calls composes, cancels and deletes films",
    "signaling/recordings/storage/address.py": "test_bucket and test_egress_upload read addresses and names",
    "sfu/values.py": "plain values without behaviour",
    "sfu/dataplane/dispatch.py": "test_differential and test_plane process punts by it",
    "sfu/dataplane/library.py": "test_plane and test_kernel load modules",
    "sfu/dataplane/punts.py": "test_plane and test_differential read and process punts",
    "sfu/dataplane/streams.py": "test_differential compares streams, tables and limits with the portable ones",
    "sfu/engine/slow_path.py": "test_differential and test_plane go through it with every punt",
    "sfu/engine/context.py": "what the parts of an engine share; test_core puts them together",
    "sfu/drops.py": "a list of names; test_endpoint and test_router expect each drop where it happens",
    "sfu/settings.py": "plain values without behaviour",
    "sfu/fanout/arena.py": "test_table and test_kernel fill it and send what is in it",
    "sfu/fanout/template.py": "test_table compares rows of each class with packets made one at a time",
    "sfu/wire/packet.py": "test_stream reads packets into it, test_view renumbers them",
    "signaling/http/headers.py": "test_page and test_api expect the headers",
    "signaling/http/page_requests.py": "test_page and test_invitations make the requests",
    "sfu/wire/description.py": "the values that test_sdp and test_negotiation expect",
    "signaling/recordings/recordings.py": "test_recording_calls drives it from the API to the engine's commands",
    "signaling/daily/frontend.py": "the wiring that every test of Daily's calls goes through",
    "signaling/daily/rest/errors.py": "the refusals; each one is expected where it is raised",
    "signaling/errors.py": "the tree of errors; each one is expected where it is raised",
    "signaling/ids.py": "types without behaviour",
    "signaling/livekit/connections/connection.py": "test_lifecycle and test_reactions drive connections as clients do",
    "signaling/livekit/server_api/egress.py": "tests/e2e/test_egress.py drives it by LiveKit's SDK",
    "signaling/livekit/frontend.py": "the wiring that every test of LiveKit's protocol goes through",
    "signaling/sessions_api/api.py": "the wiring that every test of the API goes through",
    "signaling/sessions_api/sessions/attendance_calls.py": "test_media and the stories read attendance and its table",
    "signaling/sessions_api/calendar_calls.py": "test_school loads a feed",
    "signaling/sessions_api/command_routes.py": "test_tenants calls every command by every role",
    "signaling/sessions_api/school/course_calls.py": "test_school",
    "signaling/sessions_api/credentials.py": "test_media and the stories join with them",
    "signaling/sessions_api/desk.py": "test_tenants calls every route that it stands behind",
    "signaling/sessions_api/sessions/detail_calls.py": "test_tenants and the stories call them",
    "signaling/sessions_api/sessions/feature_calls.py": "test_tenants goes through its table",
    "signaling/sessions_api/school/group_calls.py": "test_school",
    "signaling/sessions_api/me_calls.py": "test_callers",
    "signaling/sessions_api/school/office_hour_calls.py": "test_school",
    "signaling/sessions_api/school/presence_calls.py": "test_school",
    "signaling/sessions_api/school/schedule_calls.py": "test_school",
    "signaling/sessions_api/school/school_desk.py": "test_school",
    "signaling/sessions_api/path_ids.py": "types without behaviour; every call has some",
    "signaling/sessions_api/sessions/session_answers.py": "test_session_calls",
    "signaling/sessions_api/style.py": "test_callers reads problems, test_session_calls repeats calls",
    "signaling/store/access.py": "the transactions of every call; test_store and test_events make them fail",
    "signaling/store/migrations/env.py": "test_schema runs it",
    "signaling/store/migrations/versions/0001_first.py": "test_schema runs it",
    "signaling/store/migrations/versions/0002_users_of_stays.py": "test_schema runs it",
    "signaling/store/migrations/versions/0003_rooms_by_age.py": "test_schema runs it",
    "signaling/store/migrations/versions/0004_secrets_of_endpoints.py": "test_schema runs it",
    "signaling/store/migrations/versions/0005_owners_of_sessions.py": "test_schema runs it",
    "signaling/store/classroom/classroom.py": "test_shelf, together with the shelf",
    "signaling/store/classroom/records.py": "plain values without behaviour",
    "signaling/store/classroom/tables.py": "test_schema compares it with the migrations",
    "signaling/store/migrations/versions/0006_classroom.py": "test_schema runs it",
    "signaling/store/migrations/versions/0007_people.py": "test_schema runs it",
    "signaling/store/migrations/versions/0008_mail.py": "test_schema runs it",
    "signaling/store/migrations/versions/0009_names_of_banned_people.py": "test_schema runs it",
    "signaling/store/migrations/versions/0010_libraries.py": "test_schema runs it",
    "signaling/store/migrations/versions/0011_files_of_libraries.py": "test_schema runs it",
    "signaling/store/people/tables.py": "test_schema compares it with the migrations",
    "signaling/teaching/grants.py": "test_media reads the permissions of participants",
    "signaling/teaching/host.py": "the wiring that every test of the API goes through",
    "signaling/teaching/recovery.py": "test_deadlines restarts in the middle of a lesson, test_kill kills a server",
    "signaling/teaching/running.py": "the pauses of the tasks that every server has",
    "signaling/store/records.py": "plain values without behaviour",
    "signaling/store/tables.py": "the tables that every test of the store fills",
    "signaling/rooms/services.py": "the wiring that every test of the front end goes through",
    "signaling/rooms/model.py": "the records that test_rooms, test_publishing and test_subscribing change",
}


def tracked(*patterns):
    """Return the files that git knows or would take; a bare machine has no git, and skips."""
    git = shutil.which("git")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False) if git else None
    if listing is None or listing.returncode:
        pytest.skip("needs git and a clone, to tell sources from what was built")
    return [path for line in listing.stdout.splitlines() if (path := ROOT / line).is_file()]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def code():
    return tracked("*.py", "*.ts", "*.tsx", "*.css")


def test_no_file_is_too_long():
    too_long = {
        relative(path): lines
        for path in code()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES and relative(path) not in LONG_FILES
    }
    assert too_long == {}


def test_exceptions_are_still_needed():
    assert [name for name in LONG_FILES if len((ROOT / name).read_text().splitlines()) <= MAX_LINES] == []
    assert [name for name in TESTED_ELSEWHERE if not (ROOT / name).is_file()] == []
    assert [name for name in TESTED_ELSEWHERE if mirror(name).is_file()] == []


def mirror(name):
    module = Path(name)
    return ROOT / "tests" / module.parent / f"test_{module.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_has_its_tests(package):
    modules = [
        relative(path) for path in sorted((ROOT / package).rglob("*.py")) if path.name != "__init__.py"
    ]
    assert modules
    lonely = [name for name in modules if not mirror(name).is_file() and name not in TESTED_ELSEWHERE]
    assert lonely == []


# Each feature reads the state that all features' parts make up: in annotations these know each other, and only there.
CIRCLES_OF_TYPES = ("classroom.",)


def imports_of(path, modules, *, types):
    """The modules of the project that a file imports, also in functions; those for type checkers alone if `types`."""
    found, left = set(), [ast.parse(path.read_text())]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types:
            continue
        left += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # what is imported from a package may be a module of it
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & modules) or {node.module}
    return found & modules


def test_no_module_imports_itself_through_others():
    trees = (*PACKAGES, "bench", "tools")
    files = {
        relative(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path
        for path in tracked(*(f"{tree}/*.py" for tree in trees))
    }
    assert {"sfu.engine.router", "signaling.app", "bench.short", "tools.setup"} <= files.keys()
    graph = {
        name: imports_of(path, files.keys(), types=not name.startswith(CIRCLES_OF_TYPES)) - {name}
        for name, path in files.items()
    }
    assert graph["sfu.engine.peers.peer"] >= {"sfu.engine.peers.link", "sfu.engine.peers.publication"}
    graphlib.TopologicalSorter(graph).prepare()  # CycleError names the circle


# Put together from parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")


def test_nothing_is_left_to_do():
    files = [*code(), *tracked("Makefile", ".ci/*", "*.toml", "*.md")]
    found = [relative(path) for path in files if UNFINISHED.search(path.read_text())]
    assert found == []


NOQA = re.compile(r"#\s*noqa\b:?(?P<codes>(?:[ ,]*[A-Z]+[0-9]+)*)(?P<reason>.*)")


def test_each_lint_exception_has_a_reason():
    # Behind it, in the comment line above, or at the first exception of that rule in the file.
    bare = []
    for path in tracked("*.py"):
        explained = set()
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            found = NOQA.search(line)
            if found is None or path == Path(__file__):
                continue
            codes = set(re.findall(r"[A-Z]+[0-9]+", found["codes"]))
            if found["reason"].strip(" -#") or lines[number - 1].lstrip().startswith("#"):
                explained |= codes
            if not codes or not codes <= explained:
                bare.append(f"{relative(path)}:{number + 1}")
    assert bare == []


@pytest.mark.parametrize("folder", ["web", "tests/e2e/node", "tests/e2e/daily"])
def test_locks_of_npm_name_no_host(folder):
    # Which registry a machine uses is the machine's own setting; the hashes say what has to arrive.
    lock = ROOT / folder / "package-lock.json"
    assert '"integrity"' in lock.read_text()
    assert '"resolved"' not in lock.read_text()


def test_every_test_that_the_security_page_names_is_there():
    named = re.findall(r"`(tests/[^`:]*)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and f"def {name}(" not in (ROOT / path).read_text())
    ]
    assert [entry for entry in missing if "/..." not in entry] == []


def test_every_file_with_a_limit_that_the_security_page_names_is_there():
    named = re.findall(r"`((?:sfu|signaling|recording)/[^`]*\.py)`", (ROOT / "SECURITY.md").read_text())
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_storms_and_targets_are_where_their_runners_look():
    # A fuzz target has both functions; each storm is started by a test of its folder.
    for path in tracked("tests/fuzz/targets/*.py"):
        if path.name != "__init__.py":
            assert {"seeds", "make"} <= set(re.findall(r"^def (\w+)", path.read_text(), re.MULTILINE)), path
    tests = "".join(path.read_text() for path in tracked("tests/hostile/test_*.py"))
    for path in tracked("tests/hostile/storms/*.py"):
        storms = re.findall(
            r"^(?:async )?def (\w+)\(url, seconds(?:, count=\d+)?\)", path.read_text(), re.MULTILINE
        )
        assert storms
        unused = [name for name in storms if not re.search(rf"[.\"]{name}\"", tests)]
        assert unused == [], path
