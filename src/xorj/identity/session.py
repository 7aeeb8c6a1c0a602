"""Sessions and their tokens. A token proves nothing alone: its session is looked up on every call, so that ending one acts at once.

Tokens are JWTs signed by Ed25519 with one fixed algorithm, type, issuer and audience; they carry the specification's payload fields.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from xorj.identity.permissions import Permission
from xorj.primitives.ids import UserId, Wallet

SESSION_LIFE = timedelta(minutes=10)
SID_BYTES = 32
ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the type of an access token, RFC 9068
ISSUER = "xorj"
AUDIENCE = "xorj-api"
TOKEN_CHARACTERS_MAX = 4_096
TOKENS_KNOWN_MAX = 1_024
REQUIRED_CLAIMS = ("iss", "aud", "exp", "iat", "sid", "user_id", "wallet_address", "issued_at", "expires_at", "permissions")


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `wallet` is empty for a visitor of a local chain's page."""

    sid_hash: bytes
    user_id: UserId
    wallet: Wallet
    permissions: frozenset[Permission]
    expires_at: datetime

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """Why a request has no session, in words that may be shown."""

    reason: str


def hash_of(sid: str) -> bytes:
    """What the store keeps in place of the session's id, so that reading the store gives no session away."""
    return hashlib.sha256(sid.encode()).digest()


def session(sid: str, user: UserId, wallet: Wallet, permissions: Collection[Permission], now: datetime) -> Session:
    """A session that begins now. `sid` is SID_BYTES of randomness as text."""
    return Session(hash_of(sid), user, wallet, frozenset(permissions), now.replace(microsecond=0) + SESSION_LIFE)


class SessionTokens:
    """Signs and reads tokens with one key. `seed` is the key's 32 bytes; whoever has them can sign in as anyone."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._kid = hashlib.sha256(public).hexdigest()[:16]
        # A signature that was good is good: checked once a token, not once a request. That a session has ended is for its store to say.
        self._verified = lru_cache(maxsize=TOKENS_KNOWN_MAX)(self._verify)

    def issue(self, sid: str, session: Session, now: datetime) -> str:
        issued, expires = int(now.timestamp()), int(session.expires_at.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": expires,
            "sid": sid,
            "user_id": session.user_id,
            "wallet_address": session.wallet,
            "issued_at": issued,
            "expires_at": expires,
            "permissions": sorted(session.permissions),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": TOKEN_TYPE, "kid": self._kid})

    def sid_of(self, token: str, now: datetime) -> str | Unauthenticated:
        """The session id in a token of ours that has not expired."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return Unauthenticated("the session token is too long")
        try:
            read = self._verified(token)
        except (jwt.InvalidTokenError, ValueError):
            return Unauthenticated("the session token is not one of ours")
        if read["header"] != {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._kid}:
            return Unauthenticated("the session token is not one of ours")
        return self._fresh(read["payload"], now)

    def _verify(self, token: str) -> dict[str, Any]:
        """Header and claims of a token with our signature. Raises InvalidTokenError, ValueError."""
        return jwt.decode_complete(
            token,
            self._key.public_key(),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": list(REQUIRED_CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )

    def _fresh(self, claims: dict[str, Any], now: datetime) -> str | Unauthenticated:
        expires, sid = claims["exp"], claims["sid"]
        if not isinstance(expires, int) or not isinstance(sid, str):
            return Unauthenticated("the session token is not one of ours")
        if now >= datetime.fromtimestamp(expires, UTC):
            return Unauthenticated("the session has expired; sign in again")
        return sid
