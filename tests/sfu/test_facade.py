"""One behaviour, three engines: in this process, in workers, and the fake that signalling is tested with."""

import asyncio
import inspect
from dataclasses import dataclass

import pytest
import pytest_asyncio

from sfu.facade import MediaEngine
from sfu.settings import MediaSettings
from sfu.shell.server import MediaServer
from sfu.shell.workers import MediaWorkers
from sfu.values import (
    Layer,
    Preferences,
    PublicationBound,
    PublicationEnded,
    PublicationSpec,
    SdpError,
    SectionsNeeded,
    UnknownPeerError,
)
from tests.signaling.fake_media import FakeMedia

pytestmark = pytest.mark.asyncio(loop_scope="module")

FINGERPRINT = ":".join(["AB"] * 32)
CODECS = {"audio": "opus/48000/2", "video": "VP8/90000"}


def commands(engine):
    return [name for name, member in vars(engine).items() if inspect.isfunction(member) and name[0] != "_"]


def called(function):
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", commands(MediaEngine))
@pytest.mark.parametrize("engine", [MediaServer, MediaWorkers])
async def test_every_engine_is_called_alike(engine, name):
    command = getattr(engine, name)
    assert called(command) == called(getattr(MediaEngine, name))
    assert inspect.iscoroutinefunction(command) == inspect.iscoroutinefunction(getattr(MediaEngine, name))


async def test_no_engine_has_commands_that_signalling_does_not_know():
    assert set(commands(MediaServer)) == set(commands(MediaEngine))


@dataclass(frozen=True)
class Section:
    """A media section of an offer: it sends the track `track`, or receives if that is empty."""

    mid: str
    kind: str
    track: str = ""


def sdp(sections):
    """An offer, or an answer to one, as a browser writes it, as short as the engine accepts it."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(section.mid for section in sections),
    ]
    for number, section in enumerate(sections):
        lines += [
            f"m={section.kind} 9 UDP/TLS/RTP/SAVPF 96",
            "c=IN IP4 0.0.0.0",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            f"a=fingerprint:sha-256 {FINGERPRINT}",
            "a=setup:active",
            f"a=mid:{section.mid}",
            "a=sendonly" if section.track else "a=recvonly",
            "a=rtcp-mux",
            f"a=rtpmap:96 {CODECS[section.kind]}",
        ]
        if section.track:
            lines += [f"a=msid:- {section.track}", f"a=ssrc:{1000 + number} cname:c"]
    return "\r\n".join(lines) + "\r\n"


def toy(sections):
    """The same in the words that the fake engine reads."""
    words = [f"{section.track}={section.mid}" for section in sections if section.track]
    free = [section.kind[0] for section in sections if not section.track]
    return " ".join(words + [f"{kind}{free.count(kind)}" for kind in sorted(set(free))])


class Engine:
    """An engine that runs, what it has emitted, and how its offers are written."""

    def __init__(self, name):
        self.events = []
        self._news = asyncio.Event()
        self.offer = toy if name == "fake" else sdp
        if name == "fake":
            self.media = FakeMedia(self._emit, asyncio.get_running_loop().call_soon)
        elif name == "workers":
            self.media = MediaWorkers(MediaSettings(udp_port=0), 2, self._emit)
        else:
            self.media = MediaServer(MediaSettings(udp_port=0), self._emit)

    def _emit(self, event):
        self.events.append(event)
        self._news.set()

    async def event(self, kind, peer_id):
        """The next event of a kind about a peer; it is not seen again."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and event.peer_id == peer_id:
                        self.events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()


@pytest_asyncio.fixture(params=["in-process", "workers", "fake"], scope="module", loop_scope="module")
async def engine(request):
    made = Engine(request.param)
    await made.media.start()
    yield made
    await made.media.stop()


@pytest.fixture
def lesson(engine, request):
    """Peers `ada` and `bob` in a room of this test's own."""
    names = [f"{who} {request.node.name}" for who in ("ada", "bob")]
    for name in names:
        engine.media.open_peer(name, request.node.name)
    yield names
    for name in names:
        engine.media.close_peer(name)


CAMERA = Section("0", "video", "cam")


def camera(sid):
    return PublicationSpec(sid, "video", ("cam",), layers=(Layer("f", 640, 360),))


async def publish(engine, peer, sid):
    """Publish a camera; returns its section's mid as the answer and the event agree on it."""
    engine.media.publish(peer, camera(sid))
    answer = await engine.media.negotiate(peer, engine.offer([CAMERA]))
    bound = await engine.event(PublicationBound, peer)
    assert answer.published == {bound.mid: sid}
    assert (bound.publication_id, bound.codec) == (sid, "vp8")
    return bound.mid


async def test_a_published_track_is_bound_to_the_section_that_sends_it(engine, lesson):
    ada, _ = lesson
    assert await publish(engine, ada, "TR_1") == CAMERA.mid


async def test_a_track_announced_after_its_section_was_offered_is_bound_at_once(engine, lesson):
    ada, _ = lesson
    assert (await engine.media.negotiate(ada, engine.offer([CAMERA]))).published == {}
    engine.media.publish(ada, camera("TR_2"))
    assert (await engine.event(PublicationBound, ada)).publication_id == "TR_2"


async def test_a_section_that_sends_no_longer_ends_its_track(engine, lesson):
    ada, bob = lesson
    await publish(engine, ada, "TR_3")
    answer = await engine.media.negotiate(ada, engine.offer([Section("0", "video")]))
    assert answer.published == {}
    assert (await engine.event(PublicationEnded, ada)).publication_id == "TR_3"
    engine.media.subscribe(bob, "TR_3", "stream")
    assert (await engine.media.negotiate(bob, engine.offer([Section("0", "video")]))).subscribed == {}


async def test_a_subscriber_without_a_free_section_is_asked_for_one_and_then_receives(engine, lesson):
    ada, bob = lesson
    await publish(engine, ada, "TR_4")
    await engine.media.negotiate(bob, engine.offer([Section("0", "audio")]))
    engine.media.subscribe(bob, "TR_4", "stream")
    needed = await engine.event(SectionsNeeded, bob)
    assert (needed.audio, needed.video) == (0, 1)
    answer = await engine.media.negotiate(bob, engine.offer([Section("0", "audio"), Section("1", "video")]))
    assert list(answer.subscribed.values()) == ["TR_4"]
    engine.media.unsubscribe(bob, "TR_4")
    answer = await engine.media.negotiate(bob, engine.offer([Section("0", "audio"), Section("1", "video")]))
    assert answer.subscribed == {}


async def test_an_unpublished_track_is_received_by_nobody(engine, lesson):
    ada, bob = lesson
    await publish(engine, ada, "TR_5")
    engine.media.subscribe(bob, "TR_5", "stream")
    receiving = engine.offer([Section("0", "video")])
    assert list((await engine.media.negotiate(bob, receiving)).subscribed.values()) == ["TR_5"]
    engine.media.unpublish(ada, "TR_5")
    assert (await engine.media.negotiate(bob, receiving)).subscribed == {}


async def test_a_peer_that_moves_is_received_no_longer_where_it_was(engine, lesson):
    ada, bob = lesson
    await publish(engine, ada, "TR_6")
    engine.media.subscribe(bob, "TR_6", "stream")
    receiving = engine.offer([Section("0", "video")])
    assert list((await engine.media.negotiate(bob, receiving)).subscribed.values()) == ["TR_6"]
    engine.media.move_peer(ada, f"another room than {bob}'s")
    assert (await engine.media.negotiate(bob, receiving)).subscribed == {}


async def test_a_description_that_cannot_be_read_is_refused_and_costs_nothing(engine, lesson):
    ada, _ = lesson
    with pytest.raises(SdpError):
        await engine.media.negotiate(ada, "garbage")
    await publish(engine, ada, "TR_7")


async def test_a_receiving_connection_is_offered_when_there_is_something_to_receive(engine, lesson, request):
    ada, _ = lesson
    carol = f"carol {request.node.name}"
    engine.media.open_peer(carol, request.node.name, dual=True)
    await publish(engine, ada, "TR_8")
    assert "m=" in await engine.media.offer(carol)
    with pytest.raises(SdpError):
        await engine.media.answer(carol, "garbage")
    engine.media.close_peer(carol)
    with pytest.raises(UnknownPeerError):
        await engine.media.offer(carol)


async def test_requests_of_a_peer_that_is_gone_are_refused_and_commands_about_it_do_nothing(engine):
    media, gone = engine.media, "nobody"
    for request in (media.negotiate(gone, engine.offer([CAMERA])), media.offer(gone), media.answer(gone, "")):
        with pytest.raises(UnknownPeerError):
            await request
    with pytest.raises(UnknownPeerError):
        await media.explain(gone)
    media.publish(gone, camera("TR_9"))
    media.unpublish(gone, "TR_9")
    media.set_muted("TR_9", True)
    media.subscribe(gone, "TR_9", "stream")
    media.unsubscribe(gone, "TR_9")
    media.set_preferences(gone, "TR_9", Preferences())
    media.move_peer(gone, "elsewhere")
    media.stop_forwarding(gone, "elsewhere")
    assert not media.forward_peer(gone, "elsewhere")
    media.send_data([gone], "_reliable", b"x")
    media.close_peer(gone)
