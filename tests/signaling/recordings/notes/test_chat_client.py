"""The client against a real HTTP server on this machine."""

import pytest
from aiohttp import web

from signaling.recordings.notes.chat_client import (
    MAX_ANSWER_OCTETS,
    ChatClient,
    ChatError,
    ChatSettings,
    check_endpoint,
)
from tests.signaling.recordings.notes.endpoint import endpoint

MESSAGES = [{"role": "user", "content": "1. speaker 1: Hello"}]


async def ask(url, *, key="", timeout_s=5.0):
    client = ChatClient(ChatSettings(url, "tiny", key), timeout_s)
    try:
        return await client.ask(MESSAGES)
    finally:
        await client.close()


async def test_a_question_is_asked_as_the_protocol_says():
    async with endpoint() as found:
        found.reply = lambda _messages: "Hello"
        assert await ask(found.url, key="sesame") == "Hello"
        assert await ask(f"{found.url}/") == "Hello"
        (first, body), (second, _) = found.requests
    assert body == {"model": "tiny", "messages": MESSAGES, "stream": False}
    assert first["Authorization"] == "Bearer sesame"
    assert "Authorization" not in second


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (lambda _: web.json_response({"error": {"message": "secret"}}, status=429), "status 429"),
        (lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "status 302"),
        (lambda _: web.Response(text="<html>"), "no chat completion"),
        (lambda _: web.json_response({"choices": []}), "no chat completion"),
        (lambda _: web.json_response({"choices": [{"message": {"content": None}}]}), "no chat completion"),
        (lambda _: web.Response(body=b'{"\xff'), "no chat completion"),
        (lambda _: "x" * (MAX_ANSWER_OCTETS + 1), "too long"),
    ],
)
async def test_other_answers_are_refused_without_what_is_in_them(reply, words):
    async with endpoint() as found:
        found.reply = reply
        with pytest.raises(ChatError, match=words) as raised:
            await ask(found.url)
    assert "secret" not in str(raised.value)


async def test_an_endpoint_that_does_not_answer_is_given_up():
    async with endpoint() as found:
        found.holds = True
        with pytest.raises(ChatError, match="not answered within"):
            await ask(found.url, timeout_s=0.2)
        found.release.set()
    with pytest.raises(ChatError, match="cannot be reached"):
        await ask(found.url)


async def test_plain_http_is_for_the_own_network():
    # An address for documentation counts as private; this one is public, and nothing is sent to it.
    with pytest.raises(ChatError, match="plain HTTP is refused"):
        await ask("http://1.1.1.1/v1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a",
        "http://",
        "http://u@a",
        "http://u:p@a/v1",
        "http://a/v1?b=c",
        "http://a/#b",
        "http://a:0",
        "http://a:99999",
    ],
)
def test_urls_that_cannot_be_used(url):
    with pytest.raises(ValueError):
        check_endpoint(url)


def test_urls_that_can_be_used_and_a_key_that_is_not_shown():
    check_endpoint("https://llm.school.example/v1")
    check_endpoint("http://[::1]:11434/v1/")
    assert "sesame" not in repr(ChatSettings("http://a", "tiny", "sesame"))
