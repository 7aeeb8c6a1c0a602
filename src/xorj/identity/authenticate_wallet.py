"""Signing in, staying signed in, signing out. The only place that makes nonces and session ids."""

import secrets
from dataclasses import dataclass

from xorj.identity import challenge as challenges
from xorj.identity.challenge import NONCE_BYTES, Challenge, Site
from xorj.identity.permissions import FOLLOWER, OPERATOR, VISITOR, Permission
from xorj.identity.ports import ChallengeStore, SessionStore, UserStore
from xorj.identity.session import SID_BYTES, Session, SessionTokens, Unauthenticated, hash_of, session
from xorj.primitives.clock import WallClock
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Signature, UserId, Wallet

VISITOR_USER = UserId("visitor")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the token that opens it."""

    session: Session
    token: str


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Everything that signing in needs. `operators` are the wallets that may stop and resume everybody's trading."""

    site: Site
    tokens: SessionTokens
    challenges: ChallengeStore
    sessions: SessionStore
    users: UserStore
    clock: WallClock
    operators: frozenset[Wallet] = frozenset()

    async def challenge(self, wallet: Wallet) -> Challenge:
        """A text for the wallet to sign, good for one sign-in within five minutes."""
        made = challenges.challenge(self.site, wallet, secrets.token_bytes(NONCE_BYTES), self.clock.now())
        await self.challenges.add(made)
        return made

    async def authenticate(self, wallet: Wallet, signature: Signature, message: str) -> SignedIn:
        """A session for a wallet that signed its challenge. Raises InvalidInput for anything else."""
        now = self.clock.now()
        answered = challenges.verify(message, signature, wallet, self.site, now)
        if not await self.challenges.use(answered, now):
            raise InvalidInput("message", given=f"nonce {answered.nonce}", rule="a challenge of ours that was not used before")
        user = await self.users.of_wallet(wallet)
        return await self._open(user, wallet, OPERATOR if wallet in self.operators else FOLLOWER)

    async def visit(self) -> SignedIn:
        """A session for a visitor of a local chain's page, who has no wallet. The caller knows that the funds are worthless."""
        return await self._open(VISITOR_USER, Wallet(""), VISITOR)

    async def session_of(self, token: str) -> Session | Unauthenticated:
        """The session that the token opens, looked up now."""
        now = self.clock.now()
        sid = self.tokens.sid_of(token, now)
        if isinstance(sid, Unauthenticated):
            return sid
        return await self.sessions.find(hash_of(sid), now) or Unauthenticated("the session has ended; sign in again")

    async def refresh(self, current: Session) -> SignedIn | Unauthenticated:
        """A new session in place of the current one, which ends: of two callers with one token, one goes on."""
        now = self.clock.now()
        sid = secrets.token_urlsafe(SID_BYTES)
        successor = session(sid, current.user_id, current.wallet, current.permissions, now)
        if not await self.sessions.rotate(current.sid_hash, successor, now):
            return Unauthenticated("the session has ended; sign in again")
        return SignedIn(successor, self.tokens.issue(sid, successor, now))

    async def leave(self, current: Session) -> None:
        await self.sessions.end(current.sid_hash)

    async def _open(self, user: UserId, wallet: Wallet, permissions: frozenset[Permission]) -> SignedIn:
        now = self.clock.now()
        sid = secrets.token_urlsafe(SID_BYTES)
        opened = session(sid, user, wallet, permissions, now)
        await self.sessions.open(opened)
        return SignedIn(opened, self.tokens.issue(sid, opened, now))
