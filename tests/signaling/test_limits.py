"""Buckets on a clock that stands still, and whose bucket a request is."""

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from signaling import limits
from signaling.errors import TooOftenError
from signaling.forwarded import hops
from signaling.limits import Limiter, Limits, Rate, client_address, parse_networks

RATE = Rate(per_s=2, burst=10)


def test_a_burst_then_the_rate():
    limiter = Limiter(RATE)
    assert [limiter.take_tokens("a", 100.0) for _ in range(10)] == [0.0] * 10
    assert limiter.take_tokens("a", 100.0) == 0.5
    # what was refused cost nothing
    assert limiter.take_tokens("a", 100.0) == 0.5
    assert limiter.take_tokens("a", 100.5) == 0.0
    assert limiter.take_tokens("a", 100.5) == 0.5
    assert limiter.take_tokens("b", 100.5) == 0.0


def test_a_bucket_fills_up_to_the_burst_and_no_further():
    limiter = Limiter(RATE)
    limiter.take_tokens("a", 0.0, 10)
    assert [limiter.take_tokens("a", 1000.0) for _ in range(11)] == [0.0] * 10 + [0.5]


def test_a_reservation_is_made_in_any_case_and_says_when_its_time_comes():
    limiter = Limiter(RATE)
    assert [limiter.reserve("a", 0.0, 5) for _ in range(4)] == [0.0, 0.0, 2.5, 5.0]
    assert limiter.reserve("a", 5.0, 5) == 2.5


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=5), st.floats(min_value=0.1, max_value=10), st.sampled_from("ab")
        )
    )
)
def test_never_more_than_the_burst_and_what_came_in_since(steps):
    limiter, now, taken = Limiter(RATE), 0.0, {"a": 0.0, "b": 0.0}
    for pause, cost, key in steps:
        now += pause
        wait_s = limiter.take_tokens(key, now, cost)
        if wait_s == 0:
            taken[key] += cost
        else:
            assert limiter.take_tokens(key, now + wait_s + 1e-9, 0) == 0
        assert taken[key] <= RATE.burst + now * RATE.per_s + 1e-6


def test_memory_is_bounded_and_the_longest_silent_is_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "MAX_BUCKETS", 3)
    limiter = Limiter(Rate(per_s=1, burst=2))
    for key in "abcad":
        limiter.take_tokens(key, 0.0)
    assert list(limiter._full_at) == ["c", "a", "d"]
    assert limiter.take_tokens("a", 0.0) > 0
    assert limiter.take_tokens("b", 0.0, 2) == 0


def headers(forwarded):
    return CIMultiDict([("X-Forwarded-For", each) for each in forwarded])


def request(peer, *forwarded):
    found = make_mocked_request("GET", "/", headers=headers(forwarded))
    return found.clone(remote=peer)


def test_addresses_have_buckets_of_their_own_and_the_machine_itself_has_none():
    kept = Limits(lambda: 0.0)
    rate = Rate(per_s=1, burst=1)
    for peer in ("203.0.113.1", "203.0.113.2", "2001:db8::1"):
        kept.check_address("join", request(peer), rate)
    with pytest.raises(TooOftenError) as refused:
        kept.check_address("join", request("203.0.113.1"), rate)
    assert refused.value.retry_after_s == 1
    # one customer has a whole /64, and an IPv4 address may come in either form
    for peer in ("2001:db8:0:0:8000::2", "::ffff:203.0.113.2"):
        with pytest.raises(TooOftenError):
            kept.check_address("join", request(peer), rate)
    kept.check_address("join", request("2001:db8:0:1::1"), rate)
    kept.check_address("another kind", request("203.0.113.1"), rate)
    for _ in range(3):
        for peer in ("127.0.0.1", "::1", "", None):
            kept.check_address("join", request(peer), rate)


PROXIES = parse_networks("192.0.2.1, 10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.1", [], "203.0.113.1"),
        ("203.0.113.1", ["198.51.100.7"], "203.0.113.1"),
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["1.1.1.1", "198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("192.0.2.1", ["10.1.1.1"], "10.1.1.1"),
        ("192.0.2.1", ["nonsense"], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7, nonsense, 10.1.2.3"], "10.1.2.3"),
        ("192.0.2.1", ["2001:db8::1"], "2001:db8::1"),
        ("/run/socket", ["198.51.100.7"], "None"),
    ],
)
def test_only_trusted_proxies_say_whom_a_request_comes_from(peer, forwarded, expected):
    assert str(client_address(peer, hops(headers(forwarded)), PROXIES)) == expected


@given(st.text(), st.lists(st.text()))
def test_whatever_is_sent_an_address_comes_out_or_none(peer, forwarded):
    everything = parse_networks("0.0.0.0/0, ::/0")
    found = client_address(peer, hops(headers(forwarded)), everything)
    assert found is None or isinstance(found, (ipaddress.IPv4Address, ipaddress.IPv6Address))
