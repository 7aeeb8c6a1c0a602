"""Puts routes, limits, headers and refusals together on an application of observability.http. Used by services.gateway and services.web."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from xorj.gateway import refusals
from xorj.gateway.edge import EdgeHeaders, OwnOrigins
from xorj.gateway.kept_answers import KEPT_SECONDS, KeptAnswers
from xorj.gateway.parts import Parts, Place
from xorj.gateway.routes import auth, bot, shown, system, user, vault

# Sign-in stands at both: the specification's gateway has /auth, its pages /api/auth.
AT_API = (auth.router, bot.router, shown.router, shown.internal, system.router, user.router, vault.router)
AT_ROOT = (auth.router,)


def install(app: FastAPI, parts: Parts, *, kept_seconds: float = KEPT_SECONDS) -> None:
    """Adds everything of the edge to `app`, which may have routes of its own beside it."""
    app.state.parts = parts
    add_routes(app)
    guard(app, parts.place)
    # The innermost: what is kept is counted, logged and given its headers like any other answer.
    app.user_middleware.append(Middleware(KeptAnswers, kept_seconds))


def add_routes(app: FastAPI) -> None:
    refusals.install(app)
    for router in AT_API:
        app.include_router(router, prefix="/api")
    for router in AT_ROOT:
        app.include_router(router, include_in_schema=False)


def guard(app: FastAPI, place: Place) -> None:
    """Headers outside, so that refusals have them too; then the rules of other origins."""
    app.add_middleware(OwnOrigins, place=place)
    app.add_middleware(EdgeHeaders, place=place)
