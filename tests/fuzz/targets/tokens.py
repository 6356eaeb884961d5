"""Access and meeting tokens with a right signature over any payload, and tokens that are none."""

import base64
import contextlib
import hashlib
import hmac
import json

from signaling.access import tokens
from signaling.daily import tokens as meeting_tokens
from signaling.daily.rest.domains import Domains
from signaling.errors import TokenError

KEY, SECRET = "devkey", "secret"
HEAD = b'{"alg":"HS256","typ":"JWT"}'
NOW = 1_700_000_000.0


def seeds():
    video = {"room": "r", "roomJoin": True, "canPublishSources": ["camera"], "canUpdateOwnMetadata": True}
    access = {
        "iss": KEY,
        "sub": "ada",
        "name": "Ada",
        "nbf": int(NOW) - 5,
        "exp": int(NOW) + 600,
        "video": video,
        "metadata": "m",
        "attributes": {"a": "b"},
        "kind": "agent",
        "lectern": {"admin": ["participants"], "leaves_at": NOW, "receiving": {"base": True, "by_user": {}}},
        "roomConfig": {"name": "x", "maxParticipants": 3, "agents": [{"agentName": "a"}]},
    }
    meeting = {"d": Domains({KEY: SECRET}), "r": "maths", "o": True, "exp": int(NOW), "p": {"ca": True}}
    meeting["d"] = next(iter(meeting["d"])).id
    times = {"iss": KEY, "sub": "ada", "exp": int(NOW) + 600}
    # short ones, of which more changes leave JSON that is looked at
    short = [{**times, name: access[name]} for name in ("video", "lectern", "attributes", "roomConfig")]
    short += [
        {"d": meeting["d"], name: value} for name, value in (("r", "m"), ("p", {"hp": True}), ("u", "n"))
    ]
    return [json.dumps(payload).encode() for payload in (access, meeting, *short)]


def words():
    """JSON at which readers are often wrong, and names of claims."""
    claims = [
        b"sub",
        b"jti",
        b"video",
        b"lectern",
        b"admin",
        b"receiving",
        b"leaves_at",
        b"roomConfig",
        b"attributes",
    ]
    numbers = [b"0", b"-1", b"1e999", b"NaN", b"9" * 40, b"1.5", b"4294967296", b"9223372036854775808"]
    texts = [
        b'"\\ud800"',
        b"\\ud800",
        b'"\\u0000"',
        b'""',
        b"true",
        b"null",
        b"[]",
        b"{}",
        b"[" * 500,
        b'{"a":' * 300,
    ]
    return claims + numbers + texts


def part(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def sign(payload):
    text = part(HEAD) + b"." + part(payload)
    return (text + b"." + part(hmac.digest(SECRET.encode(), text, hashlib.sha256))).decode()


def make():
    domains = Domains({KEY: SECRET})

    def feed(data):
        for token in (sign(data), data.decode(errors="surrogateescape")):
            with contextlib.suppress(TokenError):
                claims = tokens.verify(token, {KEY: SECRET}, NOW)
                bearer = tokens.Bearer(claims.name, claims.metadata, claims.attributes, claims.permissions)
                tokens.refresh(claims, bearer, tokens.Signer(KEY, SECRET), NOW)
            with contextlib.suppress(meeting_tokens.MeetingTokenError):
                meeting_tokens.verify(token, domains)

    return feed
