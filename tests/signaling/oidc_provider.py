"""A small OpenID provider on loopback: discovery, keys, authorization with PKCE, a token endpoint that checks all."""

import base64
import hashlib
import json
import secrets
import time
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import jwt
from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "lectern", "s3cret:with/signs"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """Everybody who comes is signed in as `person`."""

    def __init__(self):
        self.key = KEY
        self.person = {"sub": "p-7", "name": "Emmy", "role": "tutor"}
        self.issuer = ""
        self.changes = {}
        "Claims of ID tokens that are to be different."
        self.discovery_changes = {}
        self.codes = {}
        self.token_status = 200

    def app(self):
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/keys", self.keys)
        app.router.add_get("/authorize", self.authorize)
        app.router.add_post("/token", self.token)
        return app

    async def discovery(self, _request):
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return web.json_response(document | self.discovery_changes)

    async def keys(self, _request):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return web.json_response({"keys": [public | {"kid": "k1", "use": "sig"}]})

    async def authorize(self, request):
        query = request.query
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe()
        self.codes[code] = dict(query)
        back = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        raise web.HTTPFound(f"{query['redirect_uri']}?{back}")

    async def token(self, request):
        form = await request.post()
        asked = self.codes.pop(form["code"], None)
        given = BasicAuth.decode(request.headers["Authorization"])
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            asked is None
            or (given.login, given.password) != (CLIENT, "s3cret%3Awith%2Fsigns")
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": time.time() + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.changes,
        }
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "k1"})
        return web.json_response({"id_token": token, "access_token": "x"}, status=self.token_status)


@asynccontextmanager
async def running():
    """The provider, at its `issuer`."""
    provider = Provider()
    runner = web.AppRunner(provider.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()
