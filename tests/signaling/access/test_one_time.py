import base64
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from signaling.access import one_time

# RFC 6238, appendix B: SHA-1, the last six of the eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


@pytest.mark.parametrize(("at", "code"), VECTORS)
def test_the_vectors_of_the_rfc(at, code):
    assert one_time.matching_step(SECRET, code, at) == at // 30
    assert one_time.matching_step(SECRET, f" {code[:3]} {code[3:]}", at) == at // 30


def test_a_code_is_good_for_the_steps_around_its_own():
    now = 1_800_000_000.0
    code = pyotp.TOTP(SECRET).at(int(now))
    steps = [one_time.matching_step(SECRET, code, now + offset) for offset in (-31, -30, 0, 59, 60)]
    assert steps == [None, now // 30, now // 30, now // 30, None]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "-12345", "\udcff"])
def test_what_is_no_code_is_refused(code):
    assert one_time.matching_step(SECRET, code, 59) is None


def test_the_address_is_what_authenticators_read():
    parts = urlsplit(one_time.address(SECRET, "ada@school.example", "school.example"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [SECRET]
    assert parse_qs(parts.query)["issuer"] == ["school.example"]


def test_secrets_and_recovery_codes_are_random_and_long():
    assert len({one_time.new_secret() for _ in range(100)}) == 100
    assert len(one_time.new_secret()) == 32
    codes = one_time.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(len(code) == 11 for code in codes)
    digest = one_time.recovery_digest(codes[0])
    assert digest == one_time.recovery_digest(f" {codes[0].upper().replace('-', ' ')}")
    assert digest != one_time.recovery_digest(codes[1])
