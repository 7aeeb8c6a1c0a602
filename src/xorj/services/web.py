"""The process `web` on 3000: the page, its files, and the same /api as the gateway, mounted."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from xorj.gateway import app as gateway
from xorj.gateway.access import caller, welcome
from xorj.gateway.parts import parts_of
from xorj.gateway.routes.shown import OVERVIEW, read_overview
from xorj.observability import http
from xorj.services.gateway import BODY_BYTES_MAX, checks, opened
from xorj.settings import WEB_PORT, WebSettings
from xorj.web.pages import page_routes


async def serve(settings: WebSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on another chain's database."""
    async with opened(settings, "web") as parts:
        app = http.create_app("web", checks=checks(parts), body_bytes_max=BODY_BYTES_MAX)
        app.include_router(page_routes(_page_overview))
        gateway.install(app, parts)
        await http.serve(app, http.Address(settings.bind_host, WEB_PORT + settings.port_offset))


async def _page_overview(request: Request, response: Response) -> Mapping[str, Any]:
    """What GET /api/overview would answer this visitor, and the session that lets him press stop on a local chain."""
    parts = parts_of(request)
    asking = await caller(request, parts)
    await welcome(request, response)
    shown: dict[str, Any] = OVERVIEW.dump_python(await read_overview(parts, asking), mode="json")
    return shown
