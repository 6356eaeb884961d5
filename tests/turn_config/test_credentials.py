import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn_config.credentials import IceServer, TurnConfigError, ice_servers, parse_turn_urls

SECRET = "north-north-north-north-north-north"
URL = "turn:turn.example.org:3478?transport=udp"


def test_a_credential_is_what_another_implementation_of_the_scheme_computes():
    # printf '1700000600:PA_abc' | openssl dgst -sha1 -hmac "$SECRET" -binary | base64
    assert ice_servers(URL, SECRET, "PA_abc", now=1_700_000_000.9, ttl_s=600) == (
        IceServer(urls=(URL,), username="1700000600:PA_abc", credential="sZXUR69ffSVwrntAd0MmnTx9M4I="),
    )


def test_the_password_follows_user_expiry_and_secret():
    def password(secret=SECRET, user="PA_abc", now=1000.0):
        return ice_servers(URL, secret, user, now, ttl_s=600)[0].credential

    passwords = {password(), password(secret="other"), password(user="PA_abd"), password(now=1001.0)}
    assert len(passwords) == 4


def test_every_url_shares_one_credential():
    (server,) = ice_servers(f"{URL}, turns:turn.example.org:443?transport=tcp ,\n", SECRET, "PA_abc", 0.0, 60)
    assert server.urls == (URL, "turns:turn.example.org:443?transport=tcp")


@pytest.mark.parametrize("secret", ["", SECRET])
def test_without_a_relay_there_is_no_entry(secret):
    assert ice_servers("", secret, "PA_abc", 0.0, 60) == ()


def test_the_password_stays_out_of_repr():
    (server,) = ice_servers(URL, SECRET, "PA_abc", 0.0, 60)
    assert server.credential not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "turn:turn.example.org",
        "turn:192.0.2.1:3478",
        "turn:[2001:db8::1]:3478?transport=tcp",
        "turns:turn.example.org:443",
        "turn:localhost:65535",
    ],
)
def test_urls_of_rfc_7065_are_taken(url):
    assert parse_turn_urls(url) == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "turn.example.org:3478",
        "stun:turn.example.org",
        "turn://turn.example.org",
        "turn:",
        "turn:turn.example.org:0",
        "turn:turn.example.org:65536",
        "turn:turn.example.org:port",
        "turn:turn.example.org?transport=sctp",
        "turn:user:password@turn.example.org",
        "turn:2001:db8::1",
        "turn:turn.example.org turn:other.example.org",
        f"{URL},nonsense",
        "turn:turn.example.org\x00",
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(TurnConfigError):
        parse_turn_urls(url)


@pytest.mark.parametrize("user", ["", "a:b", "a b", "é", "a\n", "x" * 129])
def test_a_user_the_relay_could_misread_is_refused(user):
    with pytest.raises(TurnConfigError):
        ice_servers(URL, SECRET, user, 0.0, 60)


@pytest.mark.parametrize("secret", ["", "line\nbreak", "näh"])
def test_an_unusable_secret_is_refused_and_not_repeated(secret):
    with pytest.raises(TurnConfigError) as refusal:
        ice_servers(URL, secret, "PA_abc", 0.0, 60)
    assert not secret or secret not in str(refusal.value)


@pytest.mark.parametrize("ttl_s", [0, -1])
def test_a_credential_without_a_life_is_refused(ttl_s):
    with pytest.raises(TurnConfigError):
        ice_servers(URL, SECRET, "PA_abc", 0.0, ttl_s)


@given(
    user=st.from_regex(r"[A-Za-z0-9_.@-]{1,128}", fullmatch=True),
    now=st.floats(0, 2**40),
    ttl_s=st.integers(1, 86_400),
)
def test_the_relay_can_check_any_credential_by_its_username_alone(user, now, ttl_s):
    (server,) = ice_servers(URL, SECRET, user, now, ttl_s)
    expiry, named = server.username.split(":")
    assert named == user
    assert now - 1 < int(expiry) - ttl_s <= now
    digest = base64.b64decode(server.credential)
    assert hmac.compare_digest(digest, hmac.digest(SECRET.encode(), server.username.encode(), "sha1"))


@given(st.text())
def test_any_text_is_a_list_of_urls_or_refused(text):
    try:
        urls = parse_turn_urls(text)
    except TurnConfigError:
        return
    assert all(url.startswith(("turn:", "turns:")) for url in urls)
