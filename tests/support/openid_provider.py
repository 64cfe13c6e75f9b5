"""A small OpenID provider on this machine: it checks what clients send, and can be made to lie."""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

CLIENT, SECRET = "fleetloop", "a secret of the hub"
_KID = "first"


@dataclass
class Provider:
    """What it says, to be changed by a test.

    Attributes:
        issuer: Where it is.
        claims: What it says of whoever signs in; a claim of None is left out.
        key: What it signs with.
        shown: What it says it signs with.
        algorithm: How.
        says: What it says of itself beside.
        asked: What browsers brought to it.
        gives: Whether it hands out ID tokens.
        more: What UserInfo says, None where there is none.
        garbled: What it gives instead of them.
    """

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "ann-1"})
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": _KID}))
    shown: Any = None
    algorithm: str = "ES256"
    says: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    gives: bool = True
    more: dict[str, Any] | None = None
    garbled: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """Of itself."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "none", "HS256"],
        }
        if self.more is not None:
            told["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return told | self.says

    def code(self, asked: dict[str, str]) -> str:
        """For what a browser has brought."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        self.asked.append(asked)
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        return code

    def tokens(self, form: dict[str, str], secret: str) -> dict[str, Any] | None:
        """For a code; None where anything is not as it was asked for."""
        asked = self._codes.pop(form["code"], None)
        if asked is None or secret != SECRET or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if _plain(digest).decode() != asked["code_challenge"]:
            return None
        given = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60}
        return given | (
            {"id_token": self.garbled or self._signed(asked["nonce"])} if self.gives else {}
        )

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        told = {k: v for k, v in (claims | self.claims).items() if v is not None}
        header = {"alg": self.algorithm, "kid": _KID}
        if self.algorithm in {"none", "HS256"}:  # the library would not lie like that
            parts = [_plain(msgspec.json.encode(part)) for part in (header, told)]
            public = self.shown.as_pem(private=False)
            mac = hmac.digest(public, b".".join(parts), "sha256")
            return b".".join([*parts, _plain(mac) if self.algorithm == "HS256" else b""]).decode()
        return jwt.encode(header, told, self.key, algorithms=[self.algorithm])


def _plain(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers on this machine."""
    provider, app = Provider(), Flask("provider")
    provider.shown = provider.key

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Response:
        return jsonify(provider.metadata())

    @app.get("/keys")
    def keys() -> Response:
        return jsonify({"keys": [provider.shown.as_dict(private=False)]})

    @app.get("/userinfo")
    def userinfo() -> Response:
        assert request.headers["Authorization"] == "Bearer opaque"
        return jsonify(provider.more)

    @app.get("/authorize")
    def authorize() -> ResponseReturnValue:
        asked = request.args.to_dict()
        told = {"code": provider.code(asked), "state": asked["state"]}
        return redirect(f"{asked['redirect_uri']}?{urlencode(told)}")

    @app.post("/token")
    def token() -> ResponseReturnValue:
        assert request.authorization is not None
        given = provider.tokens(request.form.to_dict(), request.authorization.password or "")
        return jsonify(given) if given else (jsonify({"error": "invalid_grant"}), 400)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
