"""Server-rendered pages and their static files. services.web mounts these routes above the gateway's app."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

OverviewReader = Callable[[Request, Response], Awaitable[Mapping[str, Any]]]
"""What this visitor may see, as GET /api/overview would answer; may set a cookie on the response."""

DASH = "–"
MINUS = "−"
FRACTION_DIGITS_MAX = 4


def page_routes(read_overview: OverviewReader) -> APIRouter:
    """The dashboard at `/` and its files at `/static`."""
    router = APIRouter()
    template = _environment().get_template("dashboard.html.jinja")

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def dashboard(request: Request, response: Response) -> HTMLResponse:
        overview = await read_overview(request, response)
        page = HTMLResponse(template.render(overview=overview, bootstrap=_bootstrap(overview), version=_assets_version()))
        page.headers.raw.extend(header for header in response.headers.raw if header[0] == b"set-cookie")
        page.headers["cache-control"] = "no-store"
        return page

    router.routes.append(Mount("/static", app=StaticFiles(directory=_static_folder()), name="static"))
    return router


def amount(raw: str | int, decimals: int) -> str:
    """Raw base units as whole tokens, cut off after four fraction digits, thousands grouped."""
    whole, fraction = divmod(int(raw), 10**decimals)
    digits = str(fraction).rjust(decimals, "0")[: min(decimals, FRACTION_DIGITS_MAX)].rstrip("0")
    return f"{whole:,}" + (f".{digits}" if digits else "")


def dollars(value: float | Decimal | None) -> str:
    if value is None:
        return DASH
    return f"{MINUS if value < 0 else ''}${abs(value):,.2f}"


def percent(value: float | None, places: int = 1) -> str:
    """With its sign, so that colour is never the only mark."""
    if value is None:
        return DASH
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(value):.{places}f} %"


def short(address: str) -> str:
    return address if len(address) <= 9 else f"{address[:4]}…{address[-4:]}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("xorj.web"),
        autoescape=select_autoescape(["jinja"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(amount=amount, dollars=dollars, percent=percent, short=short)
    return environment


def _bootstrap(overview: Mapping[str, Any]) -> str:
    """The overview as JSON that cannot end its script element early."""
    return orjson.dumps(overview).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _static_folder() -> Path:
    return Path(str(files("xorj.web"))) / "static"


@cache
def _assets_version() -> str:
    """Changes when a file changes, so that a browser's cache never shows yesterday's page."""
    digest = hashlib.sha256()
    for name in ("app.js", "app.css"):
        digest.update((_static_folder() / name).read_bytes())
    return digest.hexdigest()[:12]
