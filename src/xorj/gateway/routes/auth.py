"""Signing in by a wallet's signature, staying signed in, signing out; at /auth and at /api/auth."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from xorj.gateway.access import COOKIE, SignedIn, is_own_page, remember
from xorj.gateway.bodies import AuthRequest, ChallengeRequest
from xorj.gateway.limiting import write_limit
from xorj.gateway.parts import Parts, PartsOf
from xorj.gateway.refusals import unauthenticated
from xorj.identity import authenticate_wallet
from xorj.identity.session import Unauthenticated
from xorj.primitives.ids import Signature, UserId, Wallet

router = APIRouter(tags=["auth"], dependencies=[write_limit])


class ChallengeResponse(BaseModel):
    """`message` is to be signed exactly as it is. The nonce in it is good for one sign-in until `expires_at`."""

    message: str
    nonce: str
    expires_at: str


class AuthResponse(BaseModel):
    success: bool
    session_token: str
    expires_at: str
    user_id: UserId


class LogoutResponse(BaseModel):
    success: bool


@router.post("/auth/challenge")
async def challenge(body: ChallengeRequest, parts: PartsOf) -> ChallengeResponse:
    """A text for this wallet to sign."""
    made = await parts.doorkeeper.challenge(Wallet(body.wallet_address))
    return ChallengeResponse(message=made.text, nonce=made.nonce, expires_at=made.expires_at.isoformat())


@router.post("/auth/authenticate")
async def authenticate(request: Request, response: Response, body: AuthRequest, parts: PartsOf) -> AuthResponse:
    """A session for a wallet that signed its challenge; a page of this site gets it as its cookie too."""
    done = await parts.doorkeeper.authenticate(Wallet(body.wallet_address), Signature(body.signature), body.message)
    return _response(request, response, parts, done)


@router.post("/auth/refresh")
async def refresh(request: Request, response: Response, session: SignedIn, parts: PartsOf) -> AuthResponse:
    """A new session in place of this one, whose token stops working."""
    done = await parts.doorkeeper.refresh(session)
    if isinstance(done, Unauthenticated):
        raise unauthenticated(done.reason)
    return _response(request, response, parts, done)


@router.post("/auth/logout")
async def logout(session: SignedIn, parts: PartsOf, response: Response) -> LogoutResponse:
    """Ends the session at once."""
    await parts.doorkeeper.leave(session)
    response.delete_cookie(COOKIE, path="/", httponly=True, secure=parts.place.is_encrypted, samesite="strict")
    return LogoutResponse(success=True)


def _response(request: Request, response: Response, parts: Parts, done: authenticate_wallet.SignedIn) -> AuthResponse:
    if is_own_page(request, parts):
        remember(response, parts, done.token)
    expires_at = done.session.expires_at.isoformat()
    return AuthResponse(success=True, session_token=done.token, expires_at=expires_at, user_id=done.session.user_id)
