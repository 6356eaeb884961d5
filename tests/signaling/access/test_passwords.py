import pytest
from argon2 import PasswordHasher

from signaling.access.passwords import MAX_CHARS, PasswordError, Passwords


@pytest.fixture
def passwords():
    return Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


async def test_a_hash_is_argon2id_with_the_parameters_of_the_rfc():
    assert (await Passwords().hash("correct horse")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


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
