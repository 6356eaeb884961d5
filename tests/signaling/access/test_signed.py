import json

import jwt
import pytest

from signaling.access import signed

SECRET = "a secret long enough for the other hashes that tests try " * 2
PAYLOAD = {"iss": "key", "exp": 1, "nbf": 2**40, "aud": ["x"], "sub": 3}


@pytest.mark.parametrize("secret", [SECRET, "short"])
def test_what_is_signed_is_read_whatever_it_says(secret):
    token = signed.sign(PAYLOAD, secret)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert signed.verify(token, secret) == signed.peek(token) == PAYLOAD


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_no_other_algorithm_counts(algorithm):
    token = jwt.encode(PAYLOAD, None if algorithm == "none" else SECRET, algorithm=algorithm)
    with pytest.raises(signed.SignatureError):
        signed.verify(token, SECRET)


@pytest.mark.parametrize("text", ["", "a.b.c", "ä", "a" * 9000, jwt.PyJWS().encode(b"[1]", SECRET)])
def test_what_is_no_token(text):
    for read in (signed.peek, lambda token: signed.verify(token, SECRET)):
        with pytest.raises(signed.SignatureError):
            read(text)


@pytest.mark.parametrize("junk", ["*", "=", "\n", " ", "é", "%", "+", "/"])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_has_one_spelling(junk, part):
    parts = signed.sign(PAYLOAD, SECRET).split(".")
    parts[part] += junk
    token = ".".join(parts)
    for read in (signed.peek, lambda token: signed.verify(token, SECRET)):
        with pytest.raises(signed.SignatureError):
            read(token)


def test_a_changed_token_is_not_believed():
    head, _, signature = signed.sign(PAYLOAD, SECRET).split(".")
    body = jwt.utils.base64url_encode(json.dumps({**PAYLOAD, "sub": 4}).encode()).decode()
    forged = f"{head}.{body}.{signature}"
    assert signed.peek(forged)["sub"] == 4
    for token, secret in ((forged, SECRET), (signed.sign(PAYLOAD, SECRET), SECRET.upper())):
        with pytest.raises(signed.SignatureError):
            signed.verify(token, secret)
