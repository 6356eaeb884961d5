import pytest
from argon2 import PasswordHasher


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr("signaling.access.passwords.PasswordHasher", lambda *_, **__: cheap)
