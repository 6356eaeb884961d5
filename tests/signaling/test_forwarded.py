"""Headers of proxies, and of whoever imitates one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from signaling.forwarded import MAX_HOPS, hops, origin


def headers(*pairs):
    return CIMultiDict(pairs)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], "http://here:7880"),
        ([("X-Forwarded-Proto", "https")], "https://here:7880"),
        ([("X-Forwarded-Proto", "https,http")], "https://here:7880"),
        ([("X-Forwarded-Proto", " HTTPS , http")], "https://here:7880"),
        ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")], "https://here:7880"),
        ([("X-Forwarded-Proto", "http,https")], "http://here:7880"),
        ([("X-Forwarded-Proto", "javascript")], "http://here:7880"),
        ([("X-Forwarded-Proto", "")], "http://here:7880"),
        ([("X-Forwarded-Host", "school.example, inner")], "http://school.example"),
        ([("X-Forwarded-Host", "[2001:db8::1]:8443")], "http://[2001:db8::1]:8443"),
        ([("X-Forwarded-Host", "a.example/b")], "http://here:7880"),
        ([("X-Forwarded-Host", "me@a.example")], "http://here:7880"),
        ([("Forwarded", "for=192.0.2.60;proto=https;host=school.example")], "https://school.example"),
        ([("Forwarded", 'Proto="https" ; HOST="a.example:444", proto=http')], "https://a.example:444"),
        ([("forwarded", "proto=https"), ("forwarded", "proto=http")], "https://here:7880"),
        ([("Forwarded", "proto=https; ;;")], "http://here:7880"),
        ([("Forwarded", "")], "http://here:7880"),
        ([("Forwarded", 'host="a\\".example"')], "http://here:7880"),
        ([("Forwarded", "proto=http"), ("X-Forwarded-Proto", "https")], "https://here:7880"),
    ],
)
def test_the_first_proxy_says_what_people_use(sent, expected):
    assert origin(headers(*sent), "http", "here:7880") == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], []),
        ([("X-Forwarded-For", "1.1.1.1, 198.51.100.7")], ["198.51.100.7", "1.1.1.1"]),
        ([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")], ["2.2.2.2", "1.1.1.1"]),
        (
            [("X-Forwarded-For", "1.1.1.1:4711, [2001:db8::1]:80, 2001:db8::2")],
            ["2001:db8::2", "2001:db8::1", "1.1.1.1"],
        ),
        ([("Forwarded", 'for=1.1.1.1, For="[2001:db8::1]:4711";proto=https')], ["2001:db8::1", "1.1.1.1"]),
        # what a client sent does not spoil what the proxy appended
        ([("Forwarded", 'for="1.1.1.1, for=2.2.2.2')], ["2.2.2.2", ""]),
        (
            [("Forwarded", "x" + ",for=1.1.1.1" * 40), ("Forwarded", "for=2.2.2.2")],
            ["2.2.2.2", *["1.1.1.1"] * 32],
        ),
        ([("Forwarded", "proto=https, for=_hidden, for=unknown")], ["unknown", "_hidden", ""]),
        ([("Forwarded", "for=1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")], ["2.2.2.2"]),
        ([("Forwarded", "for=1.1.1.1, nonsense")], ["", "1.1.1.1"]),
    ],
)
def test_the_nearest_proxy_says_first_whom_it_saw(sent, expected):
    assert list(hops(headers(*sent))) == expected


@given(st.lists(st.text(max_size=60) | st.from_regex(r"(for|proto)=[a-z\"\\;,= ]*")), st.text(max_size=60))
def test_whatever_is_sent_an_origin_comes_out(values, host):
    sent = headers(*(("Forwarded", value) for value in values), ("X-Forwarded-Host", host))
    assert origin(sent, "http", "here").startswith(("http://", "https://"))
    assert len(list(hops(sent))) <= MAX_HOPS * len(values)


def test_a_header_of_any_length_costs_little():
    for value in ('for="' + "\\" * 60_000, "for=" * 15_000, "a=b;" * 15_000, "for=a," * 10_000, " " * 60_000):
        started = time.process_time()
        list(hops(headers(("Forwarded", value))))
        assert time.process_time() - started < 0.05
