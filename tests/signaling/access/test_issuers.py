"""Tokens of an OpenID provider: keys, rotation, audience, roles, and what is refused."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signaling.access.issuers import AGAIN_S, FRESH_S, Issuer, IssuerError, IssuerSettings

ISSUER = "https://id.school.example"


class Provider:
    """An issuer with one signing key at a time."""

    def __init__(self):
        self.now = 1000.0
        self.asked = 0
        self.rotate("k1")

    def rotate(self, key_id):
        self.key_id, self.key = key_id, ec.generate_private_key(ec.SECP256R1())

    async def fetch(self, _url):
        self.asked += 1
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {
            "keys": [
                {**public, "kid": self.key_id, "use": "sig"},
                {"kty": "oct", "k": "c2VjcmV0", "kid": "hs"},
                7,
            ]
        }

    def token(self, **claims):
        body = {
            "iss": ISSUER,
            "sub": "sam",
            "aud": "lectern",
            "role": "student",
            "exp": time.time() + 60,
            **claims,
        }
        return jwt.encode(body, self.key, algorithm="ES256", headers={"kid": self.key_id})

    def issuer(self, **settings):
        given = IssuerSettings(ISSUER, "devkey", jwks_url="https://id.school.example/keys", **settings)
        return Issuer(given, lambda: self.now, self.fetch)


async def test_a_token_counts_until_its_key_is_rotated_away():
    provider = Provider()
    issuer = provider.issuer(audience="lectern")
    assert (await issuer.verify(provider.token()))["sub"] == "sam"
    old = provider.token()
    provider.rotate("k2")
    with pytest.raises(IssuerError):  # an unknown key is asked for again, but not at once
        await issuer.verify(provider.token())
    assert provider.asked == 1
    provider.now += AGAIN_S
    assert (await issuer.verify(provider.token()))["role"] == "student"
    with pytest.raises(IssuerError):
        await issuer.verify(old)
    provider.now += FRESH_S
    await issuer.verify(provider.token())
    assert provider.asked == 3


async def test_what_others_signed_or_meant_for_others_is_refused():
    provider = Provider()
    issuer = provider.issuer(audience="lectern")
    stranger = Provider()
    public = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    refused = [
        stranger.token(),
        provider.token(aud="other"),
        provider.token(iss="https://else.example"),
        jwt.encode({"iss": ISSUER, "sub": "sam"}, None, algorithm="none"),
        # The public key as a shared secret (RFC 8725, section 3.1).
        jwt.encode({"iss": ISSUER, "aud": "lectern"}, public.hex(), algorithm="HS256", headers={"kid": "k1"}),
        "garbage",
    ]
    for token in refused:
        with pytest.raises(IssuerError):
            await issuer.verify(token)


async def test_roles_are_found_and_mapped():
    provider = Provider()
    issuer = provider.issuer(role_claim="realm.roles", roles={"teacher": "tutor", "pupil": "student"})
    claims = {"realm": {"roles": ["offline_access", "pupil", "teacher"]}}
    assert (await issuer.verify(provider.token(**claims)))["role"] == "tutor"
    assert (await issuer.verify(provider.token(realm={"roles": ["guest"]})))["role"] == ""
    assert (await issuer.verify(provider.token(realm="x")))["role"] == ""


async def test_a_key_in_a_file_needs_no_address():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    issuer = Issuer(IssuerSettings(ISSUER, "devkey", pem=pem.decode()), lambda: 0.0)
    token = jwt.encode({"iss": ISSUER, "sub": "sam", "role": ["tutor"]}, key, algorithm="RS256")
    assert (await issuer.verify(token))["role"] == "tutor"


async def test_an_issuer_that_does_not_answer_is_no_fault_of_the_server():
    async def broken(_url):
        raise TimeoutError

    issuer = Issuer(IssuerSettings(ISSUER, "devkey", jwks_url="https://id"), lambda: 0.0, broken)
    with pytest.raises(IssuerError):
        await issuer.verify(Provider().token())
