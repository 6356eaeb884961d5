"""A class that signs in at once, with real hashes: other requests go on, and hashes use one core at most."""

import asyncio
import time

from signaling.access import passwords

PEOPLE = 40


async def test_other_requests_go_on_while_a_class_signs_in(school, unlimited, monkeypatch):
    running, most = 0, 0
    verify = passwords.Passwords._verify

    def counted(self, *given):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return verify(self, *given)
        finally:
            running -= 1

    monkeypatch.setattr(passwords.Passwords, "_verify", counted)
    waits = []

    async def sign_in(number):
        body = {"email": f"p{number}@school.example", "password": "wrong password"}
        await school.bearer("").post("/sign-in", body, 401)

    begun_at = time.perf_counter()
    storm = asyncio.gather(*(sign_in(number) for number in range(PEOPLE)))
    while not storm.done():
        asked_at = time.perf_counter()
        await school.application.get("/me")
        waits.append(time.perf_counter() - asked_at)
    await storm
    storm_s = time.perf_counter() - begun_at
    assert most == 1
    # If a call waited for the hashes, it would take as long as the storm; a few are answered between two of them.
    assert len(waits) > PEOPLE
    assert sorted(waits)[len(waits) * 9 // 10] < storm_s / 10
