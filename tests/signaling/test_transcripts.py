"""What goes over the wire for each kind of client, compared with recorded transcripts.

A join, a publication, a subscription and the end, on a whole server with its engine; no packet of media is sent. Ids,
times, secrets and addresses are replaced by names, so a transcript changes only with the server.
LECTERN_WRITE_TRANSCRIPTS=1 writes the files anew; their diff is then what a change does to clients.
"""

import asyncio
import json
import os
import re
from pathlib import Path

import aiohttp
import pytest
from google.protobuf import json_format
from livekit.protocol import models, rtc

from bench.load.descriptions import Local, offer, receiving
from sfu.settings import MediaSettings
from sfu.shell.server import MediaServer
from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from tests.signaling.livekit_client import Client, World, make_token, pack

FOLDER = Path(__file__).parent / "transcripts"
LOCAL = Local("ufrag", "p" * 24, ":".join(["AB"] * 32))
GRANTS = {"roomCreate": True, "roomList": True, "roomAdmin": True, "room": "lesson"}

# Values that differ in each run, by the names of their fields.
TIMES = re.compile(r"(_at|time|_ms|timestamp|exp|duration)$", re.IGNORECASE)
SECRETS = {"token", "refresh_token", "pass", "ice_pwd", "node_id"}
# Ids of the server, UUIDs of Daily's API, and what a description contains of one transport.
SID = r"(?:RM|PA|TR|ND|room)_[A-Za-z]*?[2-9A-HJ-NP-Za-km-z]{12}\b"
IDS = re.compile(rf"{SID}|\b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b")
SDP_LINES = [
    (re.compile(r"^(o=- )\d+"), r"\1<session>"),
    (re.compile(r"^(a=ice-(?:ufrag|pwd):).*"), r"\1<secret>"),
    (re.compile(r"^(a=fingerprint:sha-256 ).*"), r"\1<fingerprint>"),
    (re.compile(r"^a=candidate:.*"), "a=candidate:<address>"),
    (re.compile(r"^(a=ssrc(?:-group:FID)?[: ])\d+(?: \d+)?"), r"\1<ssrc>"),
    (re.compile(r"^(a=rtcp:)\d+.*"), r"\1<port>"),
]


class Transcript:
    """Messages of one or several clients, with what differs in each run replaced."""

    def __init__(self):
        self.lines = []
        self._names = {}

    def add(self, who, what):
        self.lines.append([who, self._plain(what)])

    def _plain(self, value, name=""):
        if isinstance(value, dict):
            return {self._plain(key): self._plain(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, name) for item in value]
        if name in SECRETS and value:
            return f"<{name}>"
        if name == "sdp":
            lines = [self._sdp(line) for line in value.splitlines()]
            return [line for at, line in enumerate(lines) if not at or line != lines[at - 1]]
        if TIMES.search(name) and value not in {0, "0", None}:
            return "<time>"
        return self._named(value) if isinstance(value, str) else value

    def _sdp(self, line):
        for pattern, replacement in SDP_LINES:
            line = pattern.sub(replacement, line)
        return self._named(line)

    def _named(self, text):
        return IDS.sub(lambda found: self._names.setdefault(found[0], f"<id {len(self._names) + 1}>"), text)

    def compare(self, name):
        path = FOLDER / f"{name}.json"
        text = json.dumps(self.lines, indent=1, ensure_ascii=False) + "\n"
        if os.environ.get("LECTERN_WRITE_TRANSCRIPTS"):
            path.write_text(text)
        assert json.loads(path.read_text()) == json.loads(text)


class Recorded(Client):
    """A client whose messages are recorded in both directions."""

    def __init__(self, ws, who, transcript):
        super().__init__(ws)
        self.who, self.transcript = who, transcript

    async def send(self, **request):
        self.transcript.add(f"{self.who} sends", fields(rtc.SignalRequest(**request)))
        await super().send(**request)

    async def receive(self):
        response = await super().receive()
        if response.WhichOneof("message") not in {"pong", "pong_resp"}:
            self.transcript.add(f"{self.who} receives", fields(response))
        return response


def fields(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def answer_to(description):
    """Return an answer that receives everything that is offered."""
    kept = [
        line
        for line in description.splitlines()
        if not line.startswith(("a=candidate", "a=end-of", "a=ice-lite", "a=msid:", "a=ssrc", "a=rtcp:"))
    ]
    text = "\r\n".join(kept) + "\r\n"
    for pattern, replacement in (
        (r"a=setup:\w+", "a=setup:active"),
        ("a=sendonly", "a=recvonly"),
        (r"a=ice-ufrag:.*", f"a=ice-ufrag:{LOCAL.ufrag}\r"),
        (r"a=ice-pwd:.*", f"a=ice-pwd:{LOCAL.pwd}\r"),
        (r"a=fingerprint:.*", f"a=fingerprint:sha-256 {LOCAL.fingerprint}\r"),
    ):
        text = re.sub(pattern, replacement, text)
    return text


@pytest.fixture
async def server(tmp_path):
    events = MediaEvents()
    media = MediaServer(MediaSettings(udp_port=0), events.dispatch)
    store = await Store.open(MEMORY_URL)
    config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path))
    server = Server(config, media, events, store)
    await server.start()
    async with aiohttp.ClientSession() as http:
        yield World(server, media, http)
    await server.stop()
    await store.close()


async def connect(server, transcript, identity, token=None, *, dual=False):
    """Join as LiveKit's SDKs do; the first message is the join's answer."""
    headers = {"Authorization": f"Bearer {token or make_token(identity=identity)}"}
    path, params = (
        ("/rtc", {"auto_subscribe": "1", "protocol": "16", "sdk": "js"}) if dual else ("/rtc/v1", {})
    )
    if not dual:
        join = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.JS, protocol=16),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            publisher_offer=rtc.SessionDescription(
                type="offer", sdp=offer(LOCAL, receiving("video", 1)), id=1
            ),
        )
        transcript.add(f"{identity} joins", fields(join))
        ws = await server.http.ws_connect(
            f"{server.url}{path}", params={"join_request": pack(join, compress=False)}, headers=headers
        )
    else:
        transcript.add(f"{identity} joins", params)
        ws = await server.http.ws_connect(f"{server.url}{path}", params=params, headers=headers)
    client = Recorded(ws, identity, transcript)
    await client.receive()
    await (answered(client) if dual else client.until("answer"))
    await client.quiet()
    return client


async def answered(client):
    """Answer the server's next offer."""
    offered = await client.until("offer")
    await client.send(answer=rtc.SessionDescription(type="answer", sdp=answer_to(offered.sdp), id=offered.id))


async def lesson(server, transcript, *, dual):
    ada = await connect(server, transcript, "ada", dual=dual)
    bob = await connect(server, transcript, "bob", dual=dual)
    await ada.quiet()
    layers = [models.VideoLayer(quality=models.HIGH, width=1280, height=720, bitrate=1_500_000)]
    await ada.publish("cam", layers=layers, width=1280, height=720)
    await ada.send(
        offer=rtc.SessionDescription(type="offer", sdp=offer(LOCAL, receiving("video", 1, cid="cam")), id=2)
    )
    await ada.until("answer")
    if dual:
        await answered(bob)
    else:
        await bob.until("media_sections_requirement")
        await bob.send(
            offer=rtc.SessionDescription(type="offer", sdp=offer(LOCAL, receiving("video", 2)), id=2)
        )
        await bob.until("answer")
    await ada.until("track_subscribed")
    await bob.quiet()
    await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
    await bob.until(
        "update", lambda update: update.participants[0].state == models.ParticipantInfo.DISCONNECTED
    )
    await ada.ws.close()
    await bob.quiet()
    await bob.ws.close()


@pytest.mark.parametrize("dual", [False, True], ids=["single", "dual"])
async def test_livekits_clients(server, dual):
    transcript = Transcript()
    async with asyncio.timeout(20):
        await lesson(server, transcript, dual=dual)
    transcript.compare("livekit_dual" if dual else "livekit_single")


class Calls:
    """HTTP calls, recorded with their answers."""

    def __init__(self, server, transcript, headers):
        self._server, self._transcript, self._headers = server, transcript, headers

    async def __call__(self, method, path, body=None, **headers):
        async with self._server.http.request(
            method, f"{self._server.url}{path}", json=body, headers={**self._headers, **headers}
        ) as response:
            answer = await response.json() if response.content_type == "application/json" else None
            self._transcript.add(f"{method} {path}", body)
            self._transcript.add(str(response.status), self._local(answer))
            return answer

    def _local(self, answer):
        """Return the answer without the port of this run."""
        port = f":{self._server.server.http_port}"
        return json.loads(json.dumps(answer).replace(port, ":<port>"))


async def test_a_client_of_daily(server):
    transcript = Transcript()
    rest = Calls(server, transcript, {"Authorization": "Bearer secret"})
    await rest(
        "POST", "/v1/rooms", {"name": "lesson", "privacy": "private", "properties": {"enable_chat": True}}
    )
    await rest("GET", "/v1/rooms/lesson")
    made = await rest("POST", "/v1/meeting-tokens", {"properties": {"room_name": "lesson", "is_owner": True}})
    page = Calls(server, transcript, {"Origin": server.url})
    await page("POST", "/daily/rooms/lesson/look", {"token": made["token"]})
    entered = await page("POST", "/daily/rooms/lesson/enter", {"token": made["token"], "user_name": "Ada"})
    async with asyncio.timeout(20):
        ada = await connect(server, transcript, "ada", entered["token"])
        await rest("GET", "/v1/rooms/lesson/presence")
        await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
        await ada.ws.close()
    await rest("DELETE", "/v1/rooms/lesson")
    transcript.compare("daily")


async def test_livekits_server_api(server):
    transcript = Transcript()
    rest = Calls(server, transcript, {"Authorization": f"Bearer {make_token(video=GRANTS)}"})
    service = "/twirp/livekit.RoomService"
    await rest("POST", f"{service}/CreateRoom", {"name": "lesson", "metadata": "maths"})
    await rest("POST", f"{service}/ListRooms", {})
    await rest("POST", f"{service}/UpdateRoomMetadata", {"room": "lesson", "metadata": "physics"})
    await rest("POST", f"{service}/ListParticipants", {"room": "lesson"})
    await rest("POST", f"{service}/GetParticipant", {"room": "lesson", "identity": "nobody"})
    await rest("POST", f"{service}/DeleteRoom", {"room": "lesson"})
    transcript.compare("livekit_server_api")
