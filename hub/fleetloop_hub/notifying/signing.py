"""Signs webhooks, so that a receiver knows that they come from this hub and were not changed.

Source: Standard Webhooks specification 1.0.0, "Signature scheme" (symmetric), "Webhook metadata".
"""

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES, _MADE_BYTES = 24, 64, 32


def new_secret() -> str:
    """A secret that nobody has had before."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_MADE_BYTES)).decode()


def key_in(secret: str) -> bytes | None:
    """The key that a secret holds, None if it is none: "whsec_" and base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    right = secret.startswith(PREFIX) and _LEAST_BYTES <= len(key) <= _MOST_BYTES
    return key if right else None


def headers(secret: str, id_: str, at_s: int, body: bytes) -> dict[str, str]:
    """What a webhook bears beside its body.

    Args:
        secret: Of the channel.
        id_: The event's id.
        at_s: When it is sent, Unix seconds; each try is signed anew, so that a receiver can refuse
            one that somebody has kept for later.
        body: What is sent.

    >>> told = headers("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     1614265330, b'{"test": 2432232314}')
    >>> told["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{id_}.{at_s}.".encode() + body
    digest = hmac.new(key_in(secret) or b"", signed, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
