"""What opens the inspector: start tokens, session cookies, the CSRF and bearer tokens, all derived from one secret.

Standard library only: what prints a link (the command line, a failed run) does so without a web framework.
Every check compares in constant time.
"""

from __future__ import annotations

import hmac
import secrets

from chainlab.lab.link import mint
from chainlab.lab.link import sign as _sign

__all__ = ["bearer", "check", "csrf", "is_bearer", "is_csrf", "mint", "new_secret"]


def new_secret() -> str:
    """A secret for one life of the server: 256 bits."""
    return secrets.token_urlsafe(32)


def check(secret: str, purpose: str, token: str) -> str | None:
    """The token's nonce when it was minted for this purpose with this secret, else None."""
    nonce, _, signature = token.partition(".")
    return nonce if _equal(signature, _sign(secret, purpose, nonce)) else None


def bearer(secret: str) -> str:
    """The token that programs send as `Authorization: Bearer`."""
    return _sign(secret, "bearer", "")


def is_bearer(secret: str, token: str) -> bool:
    """Whether this is the bearer token."""
    return _equal(token, bearer(secret))


def csrf(secret: str, session: str) -> str:
    """The token that a page of this session sends with every change."""
    return _sign(secret, "csrf", session)


def is_csrf(secret: str, session: str, token: str) -> bool:
    """Whether this is the session's CSRF token."""
    return _equal(token, csrf(secret, session))


def _equal(got: str, wanted: str) -> bool:
    return hmac.compare_digest(got.encode(errors="replace"), wanted.encode())
