"""Speaks OpenID Connect with a provider: the authorization code flow with PKCE, state and nonce.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9700 (current practice). What the
provider says of itself and its keys are fetched anew for each sign-in, so that they are never old.
"""

import logging
from typing import Any, cast

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from flask import Response, session
from joserfc.errors import JoseError
from requests import RequestException

from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.errors import ProviderError
from fleetloop_hub.people.provider import Claims

_LOG = logging.getLogger(__name__)
_NAME = "openid"
_TIMEOUT_S = 10.0
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a private key; "none" and shared secrets prove nothing of the provider."""
_LEEWAY_S = 60
_TROUBLE = (
    AuthlibBaseError,
    JoseError,
    RequestException,
    RuntimeError,  # Authlib's word for what is missing in what the provider says of itself
    *(ValueError, KeyError, TypeError, AttributeError),  # what it says may have any form
)


def begin(provider: OpenIdProvider, back: str) -> Response:
    """Send the browser to the provider.

    Args:
        provider: It.
        back: The address to which it sends the browser afterwards.

    Raises:
        ProviderError: It cannot be reached, or is not who it should be.
    """
    for name in [n for n in session if n.startswith(f"_state_{_NAME}_")]:
        session.pop(name)  # one sign-in at a time: a cookie has little room
    try:
        sent = _client(provider).authorize_redirect(back)
    except _TROUBLE as error:
        raise _failed(provider, error) from error
    return cast("Response", sent)


def claims(provider: OpenIdProvider) -> Claims:
    """What the ID token says that the browser's code stands for, verified, and what UserInfo adds.

    Many providers tell names and groups at the UserInfo endpoint alone (section 5.3).

    Raises:
        ProviderError: The provider has refused, the code is not ours, or the token is not good.
    """
    wanted = {
        "iss": {"essential": True, "values": [provider.issuer]},
        "aud": {"essential": True, "values": [provider.client]},
    }
    try:
        client = _client(provider)
        got = client.authorize_access_token(claims_options=wanted, leeway=_LEEWAY_S)
        if "userinfo" not in got:
            raise ValueError("no ID token")
        return _with_more(client, got)
    except _TROUBLE as error:
        raise _failed(provider, error) from error


def _with_more(client: FlaskOAuth2App, got: dict[str, Any]) -> Claims:
    """The claims of a token, and those of UserInfo beside them.

    Raises:
        ValueError: UserInfo is of somebody else.
    """
    said: Claims = got["userinfo"]
    if not client.server_metadata.get("userinfo_endpoint"):
        return said
    bearer = {name: got[name] for name in ("access_token", "token_type")}  # it was given just now
    more: Claims = client.userinfo(token=bearer)
    if more.get("sub") != said["sub"]:
        raise ValueError("UserInfo is of somebody else")
    return {**more, **said}


def _client(provider: OpenIdProvider) -> FlaskOAuth2App:
    """A client that knows what the provider says of itself.

    Raises:
        ValueError: It is another one.
    """
    options = {"scope": "openid profile email", "code_challenge_method": "S256"}
    client = FlaskOAuth2App(
        FlaskIntegration(_NAME),
        _NAME,
        client_id=provider.client,
        client_secret=provider.secret or None,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs=options | {"default_timeout": _TIMEOUT_S},
    )
    told = client.load_server_metadata()
    if told.get("issuer") != provider.issuer:
        raise ValueError(f"it says that its issuer is {str(told.get('issuer'))[:200]}")
    offered = told.get("id_token_signing_alg_values_supported") or ["RS256"]
    told["id_token_signing_alg_values_supported"] = [a for a in offered if a in _ALGORITHMS]
    client.client_kwargs["token_endpoint_auth_method"] = _proving(provider, told)
    return client


def _proving(provider: OpenIdProvider, told: dict[str, object]) -> str:
    """How the hub proves to the provider who it is."""
    if not provider.secret:
        return "none"
    ways = told.get("token_endpoint_auth_methods_supported")
    if isinstance(ways, list) and "client_secret_basic" not in ways:
        return "client_secret_post"
    return "client_secret_basic"


def _failed(provider: OpenIdProvider, error: Exception) -> ProviderError:
    _LOG.warning("signing in with %s failed: %s: %s", provider.name, type(error).__name__, error)
    return ProviderError(
        f"Signing in with {provider.name} did not work ({str(error)[:200]}): nobody was let in. "
        "Try it once more; the hub's log says more."
    )
