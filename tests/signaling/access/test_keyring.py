import asyncio

import pytest

from signaling.access.keyring import Keyring, new_secret
from signaling.access.tokens import mint, verify
from signaling.errors import StoreError, TokenError


def test_keys_of_the_store_come_and_go_and_the_configurations_stay():
    keyring = Keyring({"fixed": "f"})
    keyring.apply({"a": "1", "b": "2", "fixed": "not this"})
    assert dict(keyring) == {"fixed": "f", "a": "1", "b": "2"}
    assert keyring.signer().key == "fixed"
    keyring.apply({"b": "2"})
    assert dict(keyring) == {"fixed": "f", "b": "2"}
    assert "a" not in keyring
    assert len(keyring) == 2


def test_the_oldest_key_signs_and_without_one_nobody_believes_the_signature():
    keyring = Keyring({})
    secret = new_secret()
    keyring.apply({"a": secret, "b": "2"})
    token = mint({"sub": "ada"}, keyring.signer(), 100.0, 60.0)
    assert verify(token, keyring, 100.0).identity == "ada"
    keyring.apply({})
    for each in (token, mint({"sub": "ada"}, keyring.signer(), 100.0, 60.0)):
        with pytest.raises(TokenError):
            verify(each, keyring, 100.0)


def test_successors_of_a_token_end_with_its_key():
    keyring = Keyring({"fixed": new_secret()})
    keyring.apply({"school": new_secret()})
    assert keyring.successor("school").key == "school"
    token = mint({"sub": "ada"}, keyring.successor("school"), 100.0, 60.0)
    assert verify(token, keyring, 100.0).key == "school"
    keyring.apply({})
    for each in (token, mint({"sub": "ada"}, keyring.successor("school"), 100.0, 60.0)):
        with pytest.raises(TokenError):
            verify(each, keyring, 100.0)


def test_secrets_are_not_made_twice():
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) >= 32


async def test_changes_are_followed_and_failures_change_nothing(caplog):
    keyring = Keyring({})
    answers = [{"a": "1"}, StoreError("locked"), ValueError("fault"), {"b": "2"}]
    seen = []

    async def load():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(delay_s):
        seen.append((delay_s, dict(keyring)))
        if not answers:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keyring.follow(load, pause)
    assert seen == [(5.0, keys) for keys in ({}, {"a": "1"}, {"a": "1"}, {"a": "1"}, {"b": "2"})]
    assert "locked" in caplog.text
    assert "fault" in caplog.text
