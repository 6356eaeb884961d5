"""The issuer of people's tokens, from the configuration."""

from collections.abc import Callable
from pathlib import Path

from signaling.access.issuers import IssuerSettings
from signaling.access.oidc import OidcClient
from signaling.config import ServerConfig
from signaling.errors import ConfigError
from signaling.sessions_api.callers import TenantRole


def issuer_settings(config: ServerConfig, first_key: str) -> IssuerSettings | None:
    """Return what the operator says about the issuer; None without one. ConfigError."""
    if not config.issuer:
        return None
    return IssuerSettings(
        name=config.issuer,
        key=config.issuer_api_key or first_key,
        jwks_url=config.issuer_jwks_url,
        pem=_pem(config.issuer_public_key),
        audience=config.issuer_audience,
        role_claim=config.issuer_role_claim,
        roles=_roles(config.issuer_roles),
    )


def oidc_client(
    config: ServerConfig, issuer: IssuerSettings, clock: Callable[[], float]
) -> OidcClient | None:
    """Return this server as a client of the issuer; None when it is none. `clock` is monotonic."""
    if not config.oidc_client_id:
        return None
    return OidcClient(issuer, config.oidc_client_id, config.oidc_client_secret, clock)


def _pem(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"issuer_public_key: {path} cannot be read") from error


def _roles(text: str) -> dict[str, str] | None:
    if not text:
        return None
    roles = {}
    for entry in text.split(","):
        theirs, found, ours = (part.strip() for part in entry.partition("="))
        if not found or not theirs or ours not in set(TenantRole):
            raise ConfigError(
                f"issuer_roles: {entry.strip()!r} is not of the form name=role; roles are admin, tutor,"
                " assistant and student"
            )
        roles[theirs] = ours
    return roles
