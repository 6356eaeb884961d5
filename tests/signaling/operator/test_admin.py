"""What an operator does beside a running server, by the command line."""

import asyncio
import os
import re
import time

import aiohttp
import pytest
from livekit import api

from signaling import cli
from signaling.access import tokens
from signaling.access.sign_ins import digest
from signaling.config import ServerConfig, load
from signaling.rooms.media import MediaEvents
from signaling.rooms.rooms import JoinSpec
from signaling.store.people.accounts import TokenKind
from signaling.store.storage import opened
from tests.signaling.fake_media import FakeMedia


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path, database_url):
    for name in [name for name in os.environ if name.startswith("LECTERN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LECTERN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LECTERN_DATABASE_URL", database_url)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out or captured.err

    return run


def test_an_empty_list_has_words(run):
    code, said = run("keys", "list")
    assert code == 0
    assert "no keys in the database" in said
    assert "lectern keys add" in said


def test_keys_are_made_listed_and_revoked(run):
    code, made = run("keys", "add", "school", "--note", "the school")
    secret = re.fullmatch(r"school: (\S{32,})\n", made)[1]
    assert code == 0
    assert re.fullmatch(r"API\w{12}: \S{32,}\n", run("keys", "add")[1])
    _, listed = run("keys", "list")
    assert secret not in listed
    assert re.search(r"^school\tmade 20\S+Z\tin force\tthe school$", listed, re.MULTILINE)
    assert run("keys", "revoke", "school") == (0, "school is revoked\n")
    assert "school\tmade" in run("keys", "list")[1]
    assert "revoked 20" in run("keys", "list")[1]


def test_the_first_administrator_gets_a_token_for_a_password(run):
    run("keys", "add", "school")
    code, said = run("users", "add", " Ada@School.example", "--name", "Ada")
    assert code == 0
    token = re.search(r"^ada@school.example is admin, .*: (lst_\S{40,})$", said, re.MULTILINE)[1]

    async def found():
        async with opened(config_of_environment()) as store:
            held = await store.accounts.token(digest(token), TokenKind.PASSWORD, time.time())
            return await store.accounts.of("school").get(held.person)

    account = asyncio.run(found())
    assert (account.name, account.role, account.password_hash) == ("Ada", "admin", None)
    assert run("users", "add", "ada@school.example") == (
        3,
        "lectern: there is a user ada@school.example already\n",
    )
    assert run("users", "add", "ada") == (3, "lectern: ada is no e-mail address\n")


def config_of_environment():
    return load({}, os.environ)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["keys", "revoke", "nobody"], "no API key nobody"),
        (["keys", "add", "taken"], "already"),
        (["keys", "add", "a:b"], "colon"),
        (["keys", "add", "a" * 257], "256"),
        (["keys", "add", "a\nb"], "name"),
        (["keys", "list", "--database-url", "nonsense"], "database URL"),
        (["keys", "list", "--master-key", "short"], "32"),
        (["rooms", "list", "--url", "http://127.0.0.1:1"], "does not answer"),
        (["rooms", "list", "--url", "file:///etc/passwd"], "--url"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run, monkeypatch, arguments, text):
    monkeypatch.setenv("LECTERN_KEYS", "taken: " + "s" * 32)
    code, said = run(*arguments)
    assert code == 3
    assert text in said
    assert said.startswith("lectern: ")
    assert len(said.splitlines()) == 1


def test_another_master_key_is_noticed(run):
    run("keys", "add", "school")
    code, said = run("token", "--room", "r", "--identity", "ada", "--master-key", "m" * 32)
    assert (code, "the secret of API key school cannot be decrypted" in said) == (3, True)


def test_tokens_are_signed_by_a_key_of_the_database(run):
    secret = run("keys", "add", "school")[1].split()[1]
    _, token = run("token", "--room", "r", "--identity", "ada")
    assert tokens.verify(token.strip(), {"school": secret}, time.time()).identity == "ada"


@pytest.fixture
async def server(tmp_path, database_url, request):
    place = {"data_dir": str(tmp_path / "data"), "database_url": database_url}
    config = ServerConfig(
        host="127.0.0.1", http_port=0, keys={}, dev=getattr(request, "param", False), **place
    )
    from signaling.app import Server

    async with opened(config) as store:
        assert await store.api_keys.add("school", "s" * 32, "", 1.0)
        events = MediaEvents()
        media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
        running = Server(config, media, events, store)
        await running.start()
        yield running
        await running.stop()


async def test_rooms_of_the_running_server_are_listed_and_ended(server, run):
    rooms = server.services.rooms
    port = ["--host", "127.0.0.1", "--http-port", str(server.http_port)]
    assert await asyncio.to_thread(run, "rooms", "list", *port) == (
        0,
        "no room is open, and no application has made one\n",
    )
    rooms.join(JoinSpec("algebra", "ada"))
    rooms.open_room("logic")
    url = f"http://127.0.0.1:{server.http_port}"

    def lectern(*arguments):  # in a thread: the server needs the loop
        return asyncio.to_thread(run, *arguments, "--url", url)

    code, listed = await lectern("rooms", "list")
    assert code == 0
    assert re.sub(r"20\S+Z", "then", listed).splitlines() == [
        "algebra\tsince then\t1 participants",
        "logic\tsince then\t0 participants",
    ]
    code, refused = await lectern("rooms", "tables", "algebra")
    assert (code, "only a server in development mode" in refused) == (3, True)
    assert await lectern("rooms", "end", "algebra") == (0, "algebra has ended\n")
    assert rooms.room("algebra") is None
    assert await lectern("rooms", "end", "algebra") == (3, "lectern: requested room does not exist\n")
    code, listed = await asyncio.to_thread(run, "rooms", "list", *port)
    assert listed.startswith("logic\t")


@pytest.mark.parametrize("server", [True], indirect=True)
async def test_the_tables_of_a_room_are_shown_in_development_mode(server, run):
    server.services.rooms.join(JoinSpec("algebra 8b", "ada/1"))
    url = f"http://127.0.0.1:{server.http_port}"
    code, shown = await asyncio.to_thread(run, "rooms", "tables", "algebra 8b", "--url", url)
    assert (code, shown) == (0, "ada/1\n  camera: h, 2 viewers\n")


async def test_a_server_follows_its_keys(server, monkeypatch):
    async def rooms_by(key, secret):
        client = api.LiveKitAPI(f"http://127.0.0.1:{server.http_port}", key, secret)
        try:
            return len((await client.room.list_rooms(api.ListRoomsRequest())).rooms)
        finally:
            await client.aclose()

    assert await rooms_by("school", "s" * 32) == 0
    await server.store.api_keys.revoke("school", 2.0)
    await server.store.api_keys.add("exam", "e" * 32, "", 3.0)
    server.keyring.apply(await server.store.api_keys.in_force())
    assert await rooms_by("exam", "e" * 32) == 0
    with pytest.raises(api.TwirpError) as refused:
        await rooms_by("school", "s" * 32)
    assert refused.value.code == "unauthenticated"


async def test_the_running_server_asks_for_its_keys_by_itself(server, monkeypatch):
    # The fixture's server has begun to wait; one that begins now waits less.
    monkeypatch.setattr("signaling.access.keyring.FOLLOW_S", 0.01)
    following = asyncio.create_task(server.keyring.follow(server.store.api_keys.in_force))
    await server.store.api_keys.revoke("school", 2.0)
    async with asyncio.timeout(5), aiohttp.ClientSession() as http:
        token = tokens.mint({"video": {"roomList": True}}, tokens.Signer("school", "s" * 32), time.time(), 60)
        status = 0
        while status != 401:
            url = f"http://127.0.0.1:{server.http_port}/twirp/livekit.RoomService/ListRooms"
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(url, json={}, headers=headers) as response:
                status = response.status
    following.cancel()
    await asyncio.wait([following])
    assert server.keyring == {}
