"""What the log looks like, whom its lines are about, and that nothing secret is in it."""

import asyncio
import json
import logging

import pytest

from signaling import logs
from signaling.app import TimerPump
from signaling.livekit.handlers import log as frontend_log
from signaling.logs import JsonLines, TextLines, about, bind, unbound
from tests.signaling.livekit_client import make_token

SECRET = "a secret of some length"


class Log(logging.Handler):
    """Keeps lines as they would be written."""

    def __init__(self, form):
        super().__init__()
        self.setFormatter(form())
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def written(monkeypatch):
    monkeypatch.setattr(logs, "_secrets", set())
    logs.hide([SECRET, "secret"])

    def using(form):
        handler = Log(form)
        logger = logging.getLogger("signaling")
        logger.addHandler(handler)
        logger.setLevel("INFO")
        undo.append(lambda: logger.removeHandler(handler))
        return handler.lines

    undo = []
    yield using
    for each in undo:
        each()


def test_a_line_of_json(written, room):
    lines = written(JsonLines)
    ada = room.join("ada")
    entry = json.loads(lines[-1])
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "info",
        "logger": "signaling.rooms.rooms",
        "message": "joined",
        "room": ada.room.name,
        "room_id": ada.room.sid,
        "participant": "ada",
        "participant_id": ada.sid,
    }


def test_a_line_of_text(written, room):
    lines = written(TextLines)
    ada = room.join("ada")
    assert lines[-1].endswith(
        f' INFO signaling.rooms.rooms: joined (room "{ada.room.name}" {ada.room.sid}, participant "ada" {ada.sid})'
    )
    frontend_log.info("nobody")
    assert lines[-1].endswith(" INFO signaling.livekit.handlers: nobody")


def test_names_that_clients_choose_stay_on_their_line_and_in_their_quotes(written, room):
    lines = written(TextLines)
    room.join('ada" 2026-01-01 ERROR x: \n"\x1b[31m')
    assert "\n" not in lines[-1]
    assert "\x1b" not in lines[-1]
    assert r'participant "ada\" 2026-01-01 ERROR x: \n\"' in lines[-1]


def test_text_of_clients_begins_no_line(written):
    lines = written(TextLines)
    frontend_log.info("refused: %s", "x\n2026-01-01 ERROR y\x1b[2J")
    assert lines[-1].endswith(r"refused: x\x0a2026-01-01 ERROR y\x1b[2J")


@pytest.mark.parametrize("form", [TextLines, JsonLines])
def test_the_engine_names_ids_and_the_log_whose_they_are(written, room, monkeypatch, form):
    monkeypatch.setattr(logs, "_find", logs._find)
    ada, handler = room.join("ada"), Log(form)
    logs.know_people(room.harness.rooms.participant)
    engine = logging.getLogger("sfu.engine.adaptation.allocation")
    engine.addHandler(handler)
    engine.warning("%s gets less", ada.sid)
    engine.warning("%s gets less", "PA_gone")
    engine.removeHandler(handler)
    assert f'"{ada.room.name}"' in handler.lines[0]
    assert '"ada"' in handler.lines[0]
    assert '"room"' not in handler.lines[1]
    assert 'room "' not in handler.lines[1]


def test_a_failure_keeps_one_line_in_json_and_its_traceback(written):
    lines = written(JsonLines)
    try:
        int(SECRET)
    except ValueError:
        frontend_log.exception("failed")
    (line,) = lines
    assert "\n" not in line
    assert "base 10: '[hidden]'" in json.loads(line)["error"]


async def test_a_task_is_about_whom_it_serves_wherever_they_are_now(written, room):
    lines = written(JsonLines)
    ada, ben = room.join("ada"), room.join("ben")

    async def serve(person):
        bind(person)
        await asyncio.sleep(0)
        frontend_log.info("busy")

    room.harness.rooms.move(ada, room.harness.rooms.open_room("elsewhere"))
    await asyncio.gather(serve(ada), serve(ben))
    found = [(entry["room_id"], entry["participant_id"]) for entry in map(json.loads, lines[-2:])]
    assert found == [(ada.room.sid, ada.sid), (ben.room.sid, ben.sid)]
    assert ada.room is not ben.room


async def test_what_is_said_with_a_line_beats_the_task(written, room):
    lines = written(JsonLines)
    ada, ben = room.join("ada"), room.join("ben")
    bind(ada)
    frontend_log.info("x", extra=about(ben))
    assert json.loads(lines[-1])["participant_id"] == ben.sid
    frontend_log.info("x", extra={"participant_id": "PA_gone"})
    assert "room" not in json.loads(lines[-1])
    with unbound():
        frontend_log.info("x")
    assert "participant" not in json.loads(lines[-1])
    frontend_log.info("x")
    assert json.loads(lines[-1])["participant"] == "ada"


async def test_a_timer_is_not_about_whoever_set_another_one(written, room):
    lines = written(JsonLines)
    loop = asyncio.get_running_loop()
    harness = room.harness
    harness.now = loop.time()
    pump = TimerPump(harness.timers, loop)
    bind(room.join("ada"))
    fired = asyncio.Event()

    def fire():
        frontend_log.info("fired")
        fired.set()

    harness.timers.set("somebody", "something", 0.0, fire)
    harness.now += 1.0
    async with asyncio.timeout(5):
        await fired.wait()
    assert "participant" not in json.loads(lines[-1])
    pump.stop()


@pytest.mark.parametrize("form", [TextLines, JsonLines])
@pytest.mark.parametrize(
    "said",
    [
        make_token(),
        make_token()[:60],
        f"Bearer {SECRET}",
        f"postgresql://lectern:{SECRET}@db/lectern",
        "GET /maths?t=0123456789abcdef&x=1",
        "ws://host/rtc?auto_subscribe=1&access_token=0123456789abcdef",
        "Authorization: bearer 0123456789abcdef",
        "b'/page?token=0123456789abcdef'",
    ],
)
def test_secrets_and_tokens_are_hidden_wherever_they_stand(written, form, said):
    lines = written(form)
    frontend_log.info("%s and so on", said)
    assert "[hidden]" in lines[-1]
    assert "and so on" in lines[-1]
    assert not any(secret in lines[-1] for secret in (SECRET, "0123456789abcdef", "eyJ"))


def test_ordinary_words_stay(written):
    lines = written(TextLines)
    frontend_log.info("the secret of development mode; a list=1; eyJ")
    assert "the secret of development mode; a list=1; eyJ" in lines[-1]


def test_setting_up_takes_the_place_of_what_was_there(capsys, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    monkeypatch.setattr(logs, "_secrets", {SECRET})
    logs.set_up("json")
    logging.getLogger("any").info("it holds %s", SECRET)
    logs.set_up("text")
    logging.getLogger("any").info("plain")
    logging.captureWarnings(capture=False)
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["message"] == "it holds [hidden]"
    assert second.endswith("INFO any: plain")


def flooded(flood, count, created=0.0, **fields):
    """What is left of so many lines of one statement."""
    left = []
    for _ in range(count):
        fields = {"args": None, "exc_info": None, "lineno": 1, **fields}
        record = logging.LogRecord(
            "a", logging.INFO, "a.py", msg="line %s", func=None, sinfo=None, **{**fields, "args": ("x",)}
        )
        record.created = created
        if flood.filter(record):
            left.append(record.getMessage())
    return left


def test_of_the_same_line_there_are_only_so_many_and_then_a_count():
    flood = logs.Flood(lines=3, tracebacks=1)
    assert flooded(flood, 10) == ["line x"] * 3
    assert flooded(flood, 2, lineno=2) == ["line x"] * 2
    assert flooded(flood, 5, exc_info=(ValueError, ValueError(), None)) == ["line x"]
    later = logs.FLOOD_WINDOW_S
    assert flooded(flood, 1, created=later - 1) == []
    assert flooded(flood, 2, created=later) == [
        "line x (and 8 more such lines, which were left out)",
        "line x",
    ]
    assert flooded(flood, 1, created=later + later) == ["line x"]
    # a clock that was set back silences nothing
    assert flooded(flood, 1, created=-later) == ["line x"]


def test_the_log_of_the_server_is_kept_from_floods(capsys):
    logs.set_up("text")
    try:
        for number in range(logs.MAX_LINES + 50):
            logging.getLogger("anything").error("line %d", number)
    finally:
        logging.basicConfig(handlers=[], level=logging.WARNING, force=True)
    assert len(capsys.readouterr().err.splitlines()) == logs.MAX_LINES
