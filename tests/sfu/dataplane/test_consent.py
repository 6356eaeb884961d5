"""Consent checks: the plane answers them as `IceAgent` does, and leaves to the control plane what changes anything."""

import random
import socket
import time

import pytest
from aioice import stun
from plane_world import PlaneWorld

from sfu.drops import DropReason
from sfu.session.ice import CHECKS, Check, IceAgent, StunError, scan
from sfu.shell import udp


@pytest.fixture
def world(module):
    made = PlaneWorld(module)
    made.endpoint._socket = made.media
    yield made
    made.close()


@pytest.fixture
def client(world):
    """A client whose path has been nominated, and the world's `peer` is its peer."""
    world.checked, _ = world.peer("checked")
    made = world._clients["checked"]
    agent = world.checked.ice
    nominate(world, made.path, agent.local_ufrag, agent.local_pwd)
    assert made.socket.recv(2048)
    return made


def nominate(world, path, ufrag, pwd):
    world.endpoint.add(world.endpoint._by_transport[world.checked.link.transport])
    world.plane.process(check(ufrag, pwd, USE_CANDIDATE=None), path, world.now)
    world.endpoint._punted()


def check(ufrag, pwd, fingerprint=True, **attributes):
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:client"
    request.attributes["PRIORITY"] = 1
    request.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
    request.add_message_integrity(pwd.encode())
    data = bytes(request)
    return data if fingerprint else with_length(data[:-8])


def with_length(data):
    return data[:2] + (len(data) - 20).to_bytes(2, "big") + data[4:]


def answer(client):
    try:
        return client.socket.recv(2048)
    except BlockingIOError:
        return None


def ask(world, client, datagram):
    """(The reply, whether the control plane got the datagram) of a datagram on the client's path."""
    world.plane.process(datagram, client.path, world.now)
    records, _ = world.plane.take()
    return answer(client), [record.data for record in records] == [datagram]


def own(world):
    agent = world.checked.ice
    return agent.local_ufrag, agent.local_pwd


@pytest.mark.parametrize(
    "attributes", [{}, {"USE_CANDIDATE": None, "ICE_CONTROLLING": 5}, {"fingerprint": False}]
)
def test_a_check_on_the_path_in_use_is_answered_and_renews_consent(world, client, attributes):
    agent = world.checked.ice
    world.now += 4
    request = check(*own(world), **attributes)
    reply, punted = ask(world, client, request)
    assert not punted
    outcome, expected = agent.handle(request, agent.local_ufrag, client.path, client.socket.getsockname(), 0)
    assert (outcome, expected) == (Check.ANSWERED, reply)
    world.endpoint.read_consent(world.checked)
    assert agent.consent_at == world.now
    assert world.plane.counters()[2]["consent_checks"] == 1


def test_whatever_it_answers_or_refuses_the_control_plane_would_too(world, client):
    """Datagrams like checks: what goes up is the control plane's anyway."""
    chance = random.Random(1)
    ufrag, pwd = own(world)
    agent = IceAgent(ufrag, pwd)
    host = client.socket.getsockname()
    agent.handle(check(ufrag, pwd, USE_CANDIDATE=None), ufrag, client.path, host, 0)
    answered = refused = punted = 0
    for _ in range(3000):
        request = bytearray(
            check(
                chance.choice([ufrag, ufrag, ufrag, ufrag[:-1], ufrag + "x"]),
                chance.choice([pwd, pwd, pwd, "guess"]),
                chance.random() < 0.8,
                **chance.choice([{}, {"USE_CANDIDATE": None}, {"ICE_CONTROLLED": 1}, {"SOFTWARE": "client"}]),
            )
        )
        for _ in range(chance.choice([0, 0, 1, 2])):
            request[chance.randrange(len(request))] = chance.choice(
                [0, 1, 6, 8, 20, 255, chance.randrange(256)]
            )
        request = bytes(request[: chance.choice([len(request)] * 9 + [chance.randrange(1, len(request))])])
        if chance.random() < 0.1:
            request = with_length(request.ljust(20, b"\0") + chance.randbytes(chance.randrange(12)))
        if request[0]:
            continue
        world.now += 1
        reply, went_up = ask(world, client, request)
        try:
            outcome, expected = agent.handle(request, scan(request), client.path, host, world.now)
        except StunError:
            outcome, expected = Check.REFUSED, b""
        if went_up:
            assert reply is None
            punted += 1
        elif reply is None:
            assert outcome is Check.REFUSED
            refused += 1
        else:
            assert (outcome, expected) == (Check.ANSWERED, reply)
            answered += 1
    assert min(answered, refused, punted) > 100


def test_what_may_change_something_goes_up(world, client):
    ufrag, pwd = own(world)
    requests = [
        check(ufrag, pwd, ICE_CONTROLLED=1),
        check("somebody", pwd),
        check(ufrag, pwd, REALM="x"),
        check(ufrag, pwd, SOFTWARE="x" * 500),
    ]
    assert [ask(world, client, each) for each in requests] == [(None, True)] * 4
    elsewhere = udp.pack_path("127.0.0.1", 9, world.media.family, "127.0.0.1")
    world.plane.set_path(elsewhere, world.checked.link.transport)
    world.plane.process(check(ufrag, pwd, USE_CANDIDATE=None), elsewhere, world.now)
    assert len(list(world.plane.take()[0])) == 1
    assert answer(client) is None


def test_a_restart_goes_up_until_the_new_credentials_are_used(world, client):
    ufrag, pwd = own(world)
    world.checked.ice.restart("second", "secret")
    world.endpoint.add(world.endpoint._by_transport[world.checked.link.transport])
    assert ask(world, client, check(ufrag, pwd)) == (None, True)
    assert ask(world, client, check("second", "secret")) == (None, True)
    world.plane.process(check("second", "secret"), client.path, world.now)
    world.endpoint._punted()
    assert answer(client)
    assert ask(world, client, check("second", "secret"))[0]
    assert ask(world, client, check(ufrag, pwd)) == (None, True)


def test_who_loses_the_path_is_not_answered_there(world, client):
    world.endpoint._move(world.checked, client.path)
    world.checked.ice.remove(client.path)
    world.endpoint._move(world.checked, bytes(udp.PATH_BYTES))
    assert ask(world, client, check(*own(world))) == (None, True)


def test_checks_beyond_the_budget_are_dropped_and_earn_no_answer(world, client):
    request = check(*own(world))
    replies = [ask(world, client, request) for _ in range(int(CHECKS.burst) + 10)]
    assert [reply is not None for reply, _ in replies] == [True] * int(CHECKS.burst) + [False] * 10
    assert not any(punted for _, punted in replies)
    world.plane.counters()
    assert world.core.drops[DropReason.STUN] == 10
    world.now += 1
    assert ask(world, client, request)[0]


def test_a_forged_check_does_not_renew_consent(world, client):
    world.now += 4
    assert ask(world, client, check(own(world)[0], "guess")) == (None, False)
    world.endpoint.read_consent(world.checked)
    assert world.checked.ice.consent_at < world.now


def test_a_client_with_ipv6_reads_its_address(world, client):
    if world.media.family != socket.AF_INET6:
        pytest.skip("this machine has no IPv6")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        six.bind(("::1", 0))
        six.settimeout(10)
        path = udp.pack_path(*six.getsockname()[:2], world.media.family, "::1")
        nominate(world, path, *own(world))
        assert six.recv(2048)
        request = check(*own(world))
        world.plane.process(request, path, world.now)
        assert not list(world.plane.take()[0])
        agent = world.checked.ice
        host = six.getsockname()[:2]
        assert agent.handle(request, agent.local_ufrag, path, host, 0)[1] == six.recv(2048)


def test_the_thread_answers_while_the_control_plane_stands_still(world, client):
    """Nobody calls `punted` here: that is the control plane's part."""
    world.plane.start()
    client.socket.settimeout(10)
    client.socket.sendto(check(*own(world)), ("127.0.0.1", world.media.port))
    reply = client.socket.recv(2048)
    client.socket.setblocking(False)
    assert stun.parse_message(reply).attributes["XOR-MAPPED-ADDRESS"] == client.socket.getsockname()
    assert world.plane.consent_at(world.checked.link.transport) == pytest.approx(time.monotonic(), abs=10)
