import asyncio

import pytest
from argon2 import PasswordHasher

from signaling.access import passwords as module
from signaling.access.passwords import MAX_CHARS, PasswordError, Passwords
from signaling.errors import TooOftenError


@pytest.fixture
def passwords():
    return Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


async def test_a_hash_is_argon2id_with_its_parameters():
    assert (await Passwords().hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_flood_waits_one_by_one_and_is_bounded(passwords, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    running, most = 0, 0
    verify = passwords._verify

    def slow(*given):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return verify(*given)
        finally:
            running -= 1

    monkeypatch.setattr(passwords, "_verify", slow)
    results = await asyncio.gather(*(passwords.verify(None, "x") for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in results] == [bool, bool, bool, TooOftenError, TooOftenError]
    assert most == 1
    assert await passwords.verify(None, "x") is False


async def test_only_the_right_password_is_right(passwords):
    stored = await passwords.hash("Übung macht den Meister")
    assert await passwords.verify(stored, "Übung macht den Meister")
    for wrong in ("", "Übung", "x" * MAX_CHARS, "Übung macht den Meister" + "x" * MAX_CHARS):
        assert not await passwords.verify(stored, wrong)
    assert not await passwords.verify("broken", "Übung macht den Meister")


async def test_nobody_has_no_password_and_costs_as_much(passwords, monkeypatch):
    checked = []
    verify = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *given: checked.append(given) or verify(*given))
    assert not await passwords.verify(None, "nobody has this password")
    assert len(checked) == 1, "a hash was computed"


@pytest.mark.parametrize("password", ["short", "x" * 20, "ababababababab", "x1y2" * 50])
async def test_poor_passwords_are_refused(passwords, password):
    with pytest.raises(PasswordError):
        await passwords.hash(password)
