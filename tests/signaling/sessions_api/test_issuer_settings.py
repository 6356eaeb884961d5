import pytest

from signaling.config import load
from signaling.errors import ConfigError
from signaling.sessions_api.issuer_settings import issuer_settings, oidc_client

ISSUER = {"issuer": "https://id.example", "issuer_jwks_url": "https://id.example/keys"}


def settings(**flags):
    return issuer_settings(load({"dev": True, **flags}, {}), "devkey")


def test_roles_and_tenant_come_from_the_configuration(tmp_path):
    assert settings() is None
    made = settings(**ISSUER, issuer_roles="teacher=tutor, pupil=student", issuer_api_key="school")
    assert (made.key, made.roles) == ("school", {"teacher": "tutor", "pupil": "student"})
    assert settings(**ISSUER).key == "devkey"
    pem = tmp_path / "key.pem"
    pem.write_text("-----BEGIN PUBLIC KEY-----")
    assert settings(issuer="x", issuer_public_key=str(pem)).pem.startswith("-----BEGIN")


def test_a_client_of_the_issuer_finds_its_keys_by_discovery():
    config = load({"dev": True, "issuer": "https://id.example", "oidc_client_id": "lectern"}, {})
    made = issuer_settings(config, "devkey")
    assert not made.has_keys
    assert oidc_client(config, made, lambda: 0.0).key == "devkey"
    assert oidc_client(load({"dev": True, **ISSUER}, {}), made, lambda: 0.0) is None


@pytest.mark.parametrize(
    "flags",
    [
        {"issuer": "x"},
        {"oidc_client_id": "x"},
        {**ISSUER, "issuer_public_key": "x"},
        {**ISSUER, "issuer_roles": "teacher=king"},
        {**ISSUER, "issuer_roles": "teacher"},
        {"issuer": "x", "issuer_public_key": "/nowhere"},
    ],
)
def test_what_cannot_be_used_is_refused(flags):
    with pytest.raises(ConfigError):
        settings(**flags)
