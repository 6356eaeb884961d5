import os

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from sfu.session.ice import (
    CHECKS,
    CONSENT_TIMEOUT_S,
    MAX_ADDRESSES,
    NOMINATIONS,
    Check,
    IceAgent,
    StunError,
    scan,
)

HERE = ("192.0.2.7", 40_000)


def check(ufrag="server", pwd="password", **attributes):
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:client"
    request.attributes["PRIORITY"] = 1
    request.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
    request.add_message_integrity(pwd.encode())
    return bytes(request)


def handle(agent, datagram, address=b"a" * 28, now=0.0):
    return agent.handle(datagram, scan(datagram), address, HERE, now)


@pytest.fixture
def agent():
    return IceAgent("server", "password")


def test_a_check_is_answered_signed_and_nominates(agent):
    outcome, reply = handle(agent, check(USE_CANDIDATE=None, ICE_CONTROLLING=1), now=5.0)
    assert outcome is Check.NOMINATED
    answer = stun.parse_message(reply)
    assert answer.check_message_integrity(b"password")
    assert answer.message_class is stun.Class.RESPONSE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == HERE
    assert agent.selected == b"a" * 28
    assert agent.consent_at == 5.0
    assert len(reply) <= len(check(USE_CANDIDATE=None, ICE_CONTROLLING=1)) + 12  # no amplifier


def test_the_latest_nomination_is_followed(agent):
    handle(agent, check(USE_CANDIDATE=None))
    assert handle(agent, check(), b"b" * 28)[0] is Check.ANSWERED
    assert agent.selected == b"a" * 28
    assert handle(agent, check(USE_CANDIDATE=None), b"b" * 28)[0] is Check.NOMINATED
    assert agent.selected == b"b" * 28


def test_a_wrong_password_changes_nothing(agent):
    assert handle(agent, check(pwd="guess", USE_CANDIDATE=None)) == (Check.REFUSED, b"")
    assert agent.selected is None
    assert agent.consent_at is None
    assert not agent.addresses


def test_a_client_that_claims_to_be_controlled_is_told(agent):
    outcome, reply = handle(agent, check(ICE_CONTROLLED=1))
    assert outcome is Check.ANSWERED
    assert stun.parse_message(reply).attributes["ERROR-CODE"][0] == 487
    assert agent.selected is None


def test_a_restart_keeps_the_selected_pair_until_the_new_credentials_are_used(agent):
    handle(agent, check(USE_CANDIDATE=None), now=1.0)
    agent.restart("second", "secret")
    assert set(agent.ufrags) == {"server", "second"}
    outcome, reply = handle(agent, check(USE_CANDIDATE=None), now=2.0)
    assert outcome is Check.ANSWERED
    assert reply
    assert handle(agent, check("second", "secret"), now=3.0)[0] is not Check.REFUSED
    assert agent.ufrags == ("second",)
    assert handle(agent, check(), now=4.0) == (Check.REFUSED, b"")


def test_the_previous_credentials_can_neither_move_media_nor_renew_consent(agent):
    handle(agent, check(USE_CANDIDATE=None), now=1.0)
    handle(agent, check(), b"b" * 28, now=1.0)
    agent.restart("second", "secret")
    assert handle(agent, check(USE_CANDIDATE=None), b"b" * 28, now=2.0)[0] is Check.ANSWERED
    assert handle(agent, check(USE_CANDIDATE=None), b"c" * 28, now=3.0) == (Check.REFUSED, b"")
    assert agent.selected == b"a" * 28
    assert list(agent.addresses) == [b"a" * 28, b"b" * 28]
    assert agent.consent_at == 1.0


@pytest.mark.parametrize("pwd", ["", "password", "first", "second"])
def test_ufrags_that_are_unknown_or_superseded_have_no_key(agent, pwd):
    handle(agent, check(), now=1.0)
    agent.restart("one", "first")
    agent.restart("two", "second")
    assert set(agent.ufrags) == {"server", "two"}  # the pair in use is that of the credentials before both
    for ufrag in ("one", "stranger"):
        assert handle(agent, check(ufrag, pwd, USE_CANDIDATE=None), now=2.0) == (Check.REFUSED, b"")
    handle(agent, check("two", "second"), now=3.0)
    for ufrag in ("server", "one", "stranger"):
        assert handle(agent, check(ufrag, pwd, USE_CANDIDATE=None), now=4.0) == (Check.REFUSED, b"")


def test_media_is_moved_a_few_times_a_second_at_most(agent):
    places = [bytes([i % 8]) * 28 for i in range(100)]
    moved = [handle(agent, check(USE_CANDIDATE=None), place, now=1.0)[0] for place in places[:60]]
    assert moved.count(Check.NOMINATED) == NOMINATIONS.burst
    before = agent.selected
    assert handle(agent, check(USE_CANDIDATE=None), b"z" * 28, now=1.1)[0] is Check.ANSWERED
    assert agent.selected == before
    assert handle(agent, check(USE_CANDIDATE=None), b"z" * 28, now=2.0)[0] is Check.NOMINATED


def test_a_flood_from_elsewhere_does_not_use_up_the_checks_of_the_client(agent):
    handle(agent, check(USE_CANDIDATE=None), now=1.0)
    forged = check(pwd="guess")
    for _ in range(3 * int(CHECKS.burst)):
        assert handle(agent, forged, b"x" * 28, now=1.0)[0] is Check.REFUSED
    assert handle(agent, check(), b"x" * 28, now=1.0)[0] is Check.REFUSED  # authentic, but over the budget
    assert handle(agent, check(), now=1.0)[0] is Check.ANSWERED


def test_consent_lapses_thirty_seconds_after_the_last_check(agent):
    assert not agent.expired(1e9)
    handle(agent, check(), now=100.0)
    assert not agent.expired(100.0 + CONSENT_TIMEOUT_S)
    assert agent.expired(100.1 + CONSENT_TIMEOUT_S)


def test_addresses_are_bounded_and_the_selected_one_stays(agent):
    handle(agent, check(USE_CANDIDATE=None), b"s" * 28)
    for i in range(3 * MAX_ADDRESSES):
        handle(agent, check(), bytes([i]) * 28)
    assert len(agent.addresses) == MAX_ADDRESSES
    assert b"s" * 28 in agent.addresses


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        bytes(20),
        check()[:-1],
        check() + b"\0\0\0\0",
        check().replace(b"\x21\x12\xa4\x42", b"\x21\x12\xa4\x43", 1),
        b"\x01\x01" + check()[2:],
        bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
    ],
)
def test_what_is_no_check_is_refused(datagram):
    with pytest.raises(StunError):
        scan(datagram)


VALID = check(USE_CANDIDATE=None)


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_mutated_check_is_refused_and_never_raises(changes):
    datagram = bytearray(VALID)
    for at, value in changes:
        datagram[at] = value
    agent = IceAgent("server", "password")
    try:
        outcome, _ = handle(agent, bytes(datagram))
    except StunError:
        return
    assert outcome is Check.REFUSED or bytes(datagram) == VALID or agent.selected is not None


@given(st.binary(max_size=200))
def test_garbage_raises_stun_error_only(datagram):
    with pytest.raises(StunError):
        scan(b"\xff" + datagram)


def test_credentials_that_are_not_text(agent):
    request = check()
    with pytest.raises(StunError):
        scan(request.replace(b"server", os.urandom(1) + b"\xff\xfe\xfd\xfc\xfb"))
