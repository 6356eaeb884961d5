"""Second factors: enrolment, sign-in with codes, and their loss."""

import time

import pyotp
import pytest

from tests.signaling.sessions_api.people.test_sign_in_calls import PASSWORD, invited, sign_in

ADDRESS = "ada@school.example"


class Authenticator:
    """The program on a person's phone; each code is of a later step than the one before."""

    def __init__(self, secret):
        self.totp = pyotp.TOTP(secret)

    def code(self, after_s=0):
        return self.totp.at(int(time.time()) + after_s)


@pytest.fixture
async def ada(school):
    await invited(school, ADDRESS, role="tutor")
    return school.bearer((await sign_in(school, ADDRESS))["access_token"])


async def enrol(ada):
    made = await ada.call("PUT", "/me/totp", {"password": PASSWORD})
    phone = Authenticator(made["secret"])
    assert pyotp.parse_uri(made["uri"]).now() == phone.totp.now()
    # The code of the step before leaves two later steps for what follows.
    confirmed = await ada.post("/me/totp/confirm", {"code": phone.code(-30)})
    return phone, confirmed["recovery_codes"]


async def actions(school):
    return [each["action"] for each in (await school.application.get("/audit"))["data"]]


async def test_sign_in_needs_a_code_after_enrolment_and_each_code_once(school, ada):
    assert await ada.get("/me/totp") == {"enabled": False, "recovery_codes_left": 0}
    phone, _ = await enrol(ada)
    assert await ada.get("/me/totp") == {"enabled": True, "recovery_codes_left": 10}
    assert (await sign_in(school, ADDRESS, status=401))["code"] == "second_factor_needed"
    assert (await sign_in(school, ADDRESS, status=401, code="000000"))["code"] == "wrong_code"
    code = phone.code()
    found = await sign_in(school, ADDRESS, code=code)
    assert (await school.bearer(found["access_token"]).get("/me"))["role"] == "tutor"
    assert (await sign_in(school, ADDRESS, status=401, code=code))["code"] == "wrong_code"
    assert (await sign_in(school, ADDRESS, status=401, code=phone.code(-30)))["code"] == "wrong_code"
    assert await actions(school) == [
        "second_factor.refused",
        "second_factor.refused",
        "sign_in.accepted",
        "second_factor.refused",
        "second_factor.enabled",
        "sign_in.accepted",
        "password.set",
        "user.invited",
    ]


async def test_a_wrong_password_is_answered_the_same_with_and_without_a_factor(school, ada):
    before = await sign_in(school, ADDRESS, "wrong password", 401)
    phone, _ = await enrol(ada)
    assert await sign_in(school, ADDRESS, "wrong password", 401) == before
    assert await sign_in(school, ADDRESS, "wrong password", 401, code=phone.code()) == before


async def test_nothing_changes_before_the_first_code(school, ada):
    assert (await ada.call("PUT", "/me/totp", {"password": "x"}, 401))["code"] == "wrong_credentials"
    assert (await ada.post("/me/totp/confirm", {"code": "123456"}, 409))["code"] == "no_enrolment"
    made = await ada.call("PUT", "/me/totp", {"password": PASSWORD})
    assert (await ada.post("/me/totp/confirm", {"code": "12345"}, 401))["code"] == "wrong_code"
    await sign_in(school, ADDRESS)
    again = await ada.call("PUT", "/me/totp", {"password": PASSWORD})
    old = Authenticator(made["secret"]).code()
    assert (await ada.post("/me/totp/confirm", {"code": old}, 401))["code"] == "wrong_code"
    await ada.post("/me/totp/confirm", {"code": Authenticator(again["secret"]).code()})
    refused = await ada.call("PUT", "/me/totp", {"password": PASSWORD}, 409)
    assert refused["code"] == "second_factor_exists"


async def test_a_recovery_code_works_once_and_new_ones_void_the_old(school, ada):
    phone, codes = await enrol(ada)
    await sign_in(school, ADDRESS, code=codes[0].upper())
    assert (await sign_in(school, ADDRESS, status=401, code=codes[0]))["code"] == "wrong_code"
    assert (await ada.get("/me/totp"))["recovery_codes_left"] == 9
    renewed = await ada.post("/me/totp/recovery-codes", {"code": phone.code()})
    assert (await sign_in(school, ADDRESS, status=401, code=codes[1]))["code"] == "wrong_code"
    await sign_in(school, ADDRESS, code=renewed["recovery_codes"][0])


async def test_a_search_for_codes_is_slowed(school, ada):
    await enrol(ada)
    for _ in range(9):  # the enrolment counts
        await ada.post("/me/totp/recovery-codes", {"code": "000000"}, 401)
    assert (await sign_in(school, ADDRESS, status=429, code="000000"))["code"] == "too_fast"


async def test_a_factor_is_disabled_by_its_person_with_a_code(school, ada):
    phone, _ = await enrol(ada)
    assert (await ada.post("/me/totp/disable", {"code": "000000"}, 401))["code"] == "wrong_code"
    await ada.post("/me/totp/disable", {"code": phone.code()})
    assert (await ada.post("/me/totp/disable", {"code": phone.code(30)}, 409))["code"] == "no_second_factor"
    await sign_in(school, ADDRESS)


async def test_neither_a_password_nor_a_used_code_turns_the_factor_off(school, ada):
    """The factor protects people whose password is known or whose browser is open."""
    phone, codes = await enrol(ada)
    code = phone.code()
    await sign_in(school, ADDRESS, code=code)
    for refused, status in ((PASSWORD, 401), (code, 401), ("", 401)):
        assert (await ada.post("/me/totp/disable", {"code": refused}, status))["code"] == "wrong_code"
    assert (await ada.post("/me/totp/disable", {"password": PASSWORD}, 400))["code"] == "invalid"
    assert (await ada.get("/me/totp"))["enabled"]
    # A person who lost the phone has these.
    await ada.post("/me/totp/disable", {"code": codes[0]})
    assert not (await ada.get("/me/totp"))["enabled"]
    assert (await actions(school))[:2] == ["second_factor.disabled", "second_factor.recovery_used"]


async def test_an_administrator_resets_it_which_ends_the_sign_ins(school, ada):
    await enrol(ada)
    person = (await ada.get("/me"))["person"]
    path = f"/users/{person}/totp"
    assert (await ada.call("DELETE", path, status=403))["code"] == "not_allowed"
    await school.application.call("DELETE", path)
    await ada.get("/me", 401)
    await sign_in(school, ADDRESS)
    assert (await school.application.call("DELETE", path, status=404))["code"] == "no_second_factor"


async def test_only_people_with_an_account_have_one(school):
    for caller in (school.application, school.person("sam")):
        assert (await caller.get("/me/totp", 403))["code"] == "not_allowed"
