"""Signed links: each permits one use of one recording, without another token, until it expires."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import quote

from sfu.values import RecordingId
from signaling.access import signed
from signaling.http.api import ApiError

DOWNLOAD: Final = "recording download"
REPLAY: Final = "recording replay"


@dataclass(frozen=True, slots=True)
class Target:
    """What a download consists of: without a track or the film, everything in a ZIP archive."""

    track: int = 0
    part: int = 0
    film: bool = False


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a link to a download."""

    tenant: str = ""
    by: str = ""
    "Id of the person; empty for an application."
    bound: bool = False
    "Only this person may use the link."


class Links:
    """Signs and verifies the tokens of links. Each token permits one use of one recording."""

    def __init__(self, keys: Mapping[str, str], wall_clock: Callable[[], float]) -> None:
        """`keys` maps API keys to secrets; it is read for each token."""
        self._keys = keys
        self._wall_clock = wall_clock

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._wall_clock()

    def sign(
        self, key: str, use: str, recording_id: RecordingId, expires_s: int, claims: Mapping[str, Any]
    ) -> tuple[str, int]:
        """Return a token and its expiry in seconds since 1970."""
        expires_at = int(self.now) + expires_s
        # The claim `use` distinguishes the token from a person's token, which names a role instead.
        all_claims = {**claims, "iss": key, "use": use, "recording": recording_id, "exp": expires_at}
        return signed.sign(all_claims, self._keys[key]), expires_at

    def download(
        self, key: str, recording_id: RecordingId, expires_s: int, target: Target, maker: Maker | None = None
    ) -> tuple[str, int]:
        """Return the path of a download (`sessions_api.recordings.download_calls`), and when it expires."""
        claims = asdict(target) | asdict(maker or Maker())
        token, expires_at = self.sign(key, DOWNLOAD, recording_id, expires_s, claims)
        return f"/api/v1/recordings/{quote(recording_id)}/download?token={token}", expires_at

    def verify(self, token: str, use: str, recording_id: RecordingId) -> Mapping[str, Any]:
        """Return the claims of a token for this use of this recording. ApiError."""
        refusal = ApiError(403, "bad_link", "The link is not valid, or not any more.")
        try:
            claims = signed.verify(token, self._keys[signed.peek(token)["iss"]])
        except (signed.SignatureError, KeyError, TypeError) as error:
            raise refusal from error
        if claims.get("use") != use or claims.get("recording") != recording_id:
            raise refusal
        if claims["exp"] < self.now:
            raise refusal
        return claims
