import time
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from signaling.access.issuers import IssuerSettings
from signaling.access.oidc import OidcClient, OidcError, challenge
from tests.signaling.oidc_provider import CLIENT, SECRET, running

CALLBACK = "http://127.0.0.1:1/callback"


@pytest.fixture
async def provider():
    async with running() as provider:
        yield provider


@pytest.fixture
def client(provider):
    return OidcClient(IssuerSettings(provider.issuer, "devkey"), CLIENT, SECRET, time.monotonic)


async def visit(url):
    """What the provider tells the browser to bring back."""
    async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False) as response:
        location = urlsplit(response.headers["Location"])
    return {name: values[0] for name, values in parse_qs(location.query).items()}


async def sign_in(client, **changes):
    url, pending = await client.begin(CALLBACK)
    return await client.finish({**await visit(url), **changes}, pending, CALLBACK, time.time())


def test_the_challenge_is_that_of_rfc_7636_appendix_b():
    assert (
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


async def test_a_person_signs_in(client):
    claims = await sign_in(client)
    assert (claims["sub"], claims["name"], claims["role"]) == ("p-7", "Emmy", "tutor")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonce": "of another sign-in"}, "bad_id_token"),
        ({"nonce": None}, "bad_id_token"),
        ({"aud": "another client"}, "bad_id_token"),
        ({"aud": [CLIENT, "another"]}, "bad_id_token"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "bad_id_token"),
        ({"iss": "https://evil.example"}, "bad_id_token"),
        ({"exp": 1.0}, "bad_id_token"),
        ({"exp": None}, "bad_id_token"),
    ],
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(provider, client, changes, code):
    provider.changes = changes
    with pytest.raises(OidcError) as refusal:
        await sign_in(client)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "x"}, "bad_state"),
        ({"iss": "https://evil.example"}, "bad_state"),
        ({"code": "x"}, "provider_failed"),
    ],
)
async def test_a_callback_that_belongs_to_another_sign_in_is_refused(client, changes, code):
    with pytest.raises(OidcError) as refusal:
        await sign_in(client, **changes)
    assert refusal.value.code == code


async def test_a_code_of_another_sign_in_does_not_fit_the_verifier(client):
    """Code injection (RFC 9700, section 4.5): PKCE binds the code to the browser that began."""
    stolen = await visit((await client.begin(CALLBACK))[0])
    with pytest.raises(OidcError):
        await sign_in(client, code=stolen["code"])


async def test_several_audiences_need_this_client_as_the_authorized_party(provider, client):
    provider.changes = {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert (await sign_in(client))["sub"] == "p-7"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "ftp://x"},
        {"jwks_uri": None},
        {"authorization_endpoint": 5},
    ],
)
async def test_a_discovery_document_that_cannot_be_right_is_refused(provider, client, changes):
    provider.discovery_changes = changes
    with pytest.raises(OidcError) as refusal:
        await client.begin(CALLBACK)
    assert refusal.value.code == "provider_failed"


async def test_a_provider_that_is_not_there(client, provider):
    provider.token_status = 500
    with pytest.raises(OidcError, match="status 500"):
        await sign_in(client)
    away = OidcClient(IssuerSettings("http://127.0.0.1:9", "devkey"), CLIENT, "", time.monotonic)
    with pytest.raises(OidcError, match="does not answer"):
        await away.begin(CALLBACK)
