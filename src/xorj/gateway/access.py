"""Who asks: the session of a Bearer token or of the page's cookie, what it may do, and whether a browser was sent here by another site."""

import secrets
from typing import Annotated

from fastapi import Depends, Request, Response

from xorj.gateway.parts import Parts, PartsOf, parts_of
from xorj.gateway.refusals import forbidden, unauthenticated
from xorj.identity.permissions import Permission
from xorj.identity.session import SESSION_LIFE, Session, Unauthenticated
from xorj.primitives.ids import UserId
from xorj.reporting.ports import Audience, Everyone, Nobody

COOKIE = "xorj_session"
# Longer than any session: a page that was asleep sends the cookie of its ended session and gets a new one.
COOKIE_SECONDS = 30 * 86_400
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NO_SESSION = Unauthenticated("sign in first: POST /auth/challenge, then /auth/authenticate")


async def caller(request: Request, parts: PartsOf) -> Session | Unauthenticated:
    """The session of this request, looked up once. A cookie counts for a write only from a page of our own."""
    known: Session | Unauthenticated | None = getattr(request.state, "asking", None)
    if known is None:
        known = request.state.asking = await _caller(request, parts)
    return known


async def _caller(request: Request, parts: Parts) -> Session | Unauthenticated:
    token = _bearer(request)
    if token is None and (token := request.cookies.get(COOKIE)) is not None and request.method not in SAFE_METHODS:
        _require_own_page(request, parts)
    return NO_SESSION if token is None else await parts.doorkeeper.session_of(token)


Caller = Annotated[Session | Unauthenticated, Depends(caller)]


async def signed_in(asking: Caller) -> Session:
    """Raises the 401 that says how to sign in."""
    if isinstance(asking, Unauthenticated):
        raise unauthenticated(asking.reason)
    return asking


SignedIn = Annotated[Session, Depends(signed_in)]


class _May:
    def __init__(self, permission: Permission) -> None:
        self._permission = permission

    async def __call__(self, session: SignedIn) -> Session:
        if not session.may(self._permission):
            raise forbidden(f"this session lacks the permission {self._permission}")
        return session


AccountReading = Annotated[Session, Depends(_May(Permission.READ_ACCOUNT))]
account_reading = Depends(_May(Permission.READ_ACCOUNT))
AccountWriting = Annotated[Session, Depends(_May(Permission.WRITE_ACCOUNT))]
VaultBuilding = Annotated[Session, Depends(_May(Permission.BUILD_VAULT))]
BotControlling = Annotated[Session, Depends(_May(Permission.CONTROL_BOT))]
Operating = Annotated[Session, Depends(_May(Permission.OPERATE))]


async def service(request: Request, parts: PartsOf) -> None:
    """Only our own processes, by the token they share."""
    token = _bearer(request) or ""
    if not parts.place.service_token or not secrets.compare_digest(token.encode(), parts.place.service_token.encode()):
        raise unauthenticated("this path is for XORJ's own processes, by their service token")


def audience(parts: Parts, session: Session | Unauthenticated) -> Audience:
    """Whose vaults, trades and decisions may be shown: on a local chain everybody's, otherwise one's own."""
    if parts.place.is_worthless:
        return Everyone()
    if isinstance(session, Unauthenticated) or not session.may(Permission.READ_ACCOUNT):
        return Nobody()
    return UserId(session.user_id)


def is_to_be_welcomed(request: Request, parts: Parts, asking: Session | Unauthenticated) -> bool:
    """Whether the page or its overview has to answer a visitor of a local chain with a session: he has none, or one about to end."""
    if not parts.place.is_worthless or not (request.scope["path"] == "/" or COOKIE in request.cookies):
        return False
    if isinstance(asking, Session) and asking.wallet:
        # Whoever is signed in stays who he is for as long as his session lives.
        return False
    return not isinstance(asking, Session) or asking.expires_at - parts.doorkeeper.clock.now() <= SESSION_LIFE / 2


async def welcome(request: Request, response: Response) -> None:
    """Gives a visitor of a local chain's page a session that may press stop, and a new one when it is about to end."""
    parts = parts_of(request)
    if not is_to_be_welcomed(request, parts, await caller(request, parts)):
        return
    remember(response, parts, (await parts.doorkeeper.visit()).token)


def remember(response: Response, parts: Parts, token: str) -> None:
    """Has the browser send this session's token with every request of our own pages, where no script can read it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=parts.place.is_encrypted,
        samesite="strict",
        path="/",
    )


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_own_page(request: Request, parts: Parts) -> bool:
    """Whether a browser says that a page of ours sent this; programs say nothing."""
    return request.headers.get("origin") in {parts.place.origin, f"{request.url.scheme}://{request.headers.get('host', '')}"}


def _require_own_page(request: Request, parts: Parts) -> None:
    """One that was sent here by another site's page is refused."""
    if not is_own_page(request, parts):
        raise forbidden("a write by cookie must come from a page of this site")
