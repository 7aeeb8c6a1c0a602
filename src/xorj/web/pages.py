"""Server-rendered pages and their static files. services.web mounts these routes above the gateway's app."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

OverviewReader = Callable[[Request, Response], Awaitable[Mapping[str, Any]]]
"""What this visitor may see, as GET /api/overview would answer; may set a cookie on the response."""

DASH = "–"
MINUS = "−"
FRACTION_DIGITS_MAX = 4
DIGITS_MAX = 6
# About a kilobyte each.
ROWS_KNOWN_MAX = 8_192
MODELS = {"v1": "classic score (v1)", "v2": "trust score v2"}

_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")
_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,88}")


def page_routes(read_overview: OverviewReader) -> APIRouter:
    """The dashboard at `/` and its files at `/static`."""
    router = APIRouter()
    environment = _environment()
    template, rows = environment.get_template("dashboard.html.jinja"), _Rows(environment)

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def dashboard(request: Request, response: Response) -> HTMLResponse:
        overview = await read_overview(request, response)
        page = HTMLResponse(
            template.render(overview=overview, row=rows.rendered, bootstrap=_bootstrap(overview), version=_assets_version())
        )
        page.headers.raw.extend(header for header in response.headers.raw if header[0] == b"set-cookie")
        page.headers["cache-control"] = "no-store"
        return page

    router.routes.append(Mount("/static", app=_Files(directory=_static_folder()), name="static"))
    return router


class _Rows:
    """Rows of tables as HTML, rendered once for what is in them: most rows of a page stood on the page before, or on another's."""

    def __init__(self, environment: Environment) -> None:
        self._macros: Any = environment.get_template("rows.html.jinja").module
        self._known: OrderedDict[tuple[str, bytes], Markup] = OrderedDict()

    def rendered(self, kind: str, shown: Mapping[str, Any]) -> Markup:
        key = kind, orjson.dumps(shown)
        if (found := self._known.get(key)) is None:
            found = self._known[key] = getattr(self._macros, kind)(shown)
            if len(self._known) > ROWS_KNOWN_MAX:
                self._known.popitem(last=False)
        return found


class _Files(StaticFiles):
    """A file that is asked for by its version may be kept for ever; any other is asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


def amount(raw: str | int, decimals: int) -> str:
    """Raw base units as whole tokens: about six digits, cut off, thousands grouped. What is not zero never looks like it."""
    whole, fraction = divmod(int(raw), 10**decimals)
    digits = str(fraction).rjust(decimals, "0") if decimals else ""
    leading = len(digits) - len(digits.lstrip("0"))
    places = min(FRACTION_DIGITS_MAX, max(0, DIGITS_MAX - len(str(whole)))) if whole else leading + FRACTION_DIGITS_MAX
    shown = digits[:places].rstrip("0")
    return f"{whole:,}" + (f".{shown}" if shown else "")


def facts(numbers: Mapping[str, Any]) -> str:
    """The numbers of a decision in one line; those of a leg stand behind its name."""
    return " · ".join(f"{name}: {facts(value)}" if isinstance(value, Mapping) else fact(name, value) for name, value in numbers.items())


def fact(name: str, value: object) -> str:
    """One number with its name: money, shares, raw counts and addresses by the ending of the name."""
    text = str(value)
    if _NUMBER.fullmatch(text):
        if name.endswith("_usd"):
            return f"{_words(name.removesuffix('_usd'))} {dollars(Decimal(text))}"
        if name.endswith("_bps"):
            return f"{_words(name.removesuffix('_bps'))} {Decimal(text) / 100:.2f} %"
        if name.startswith("share_"):
            return f"{_words(name)} {Decimal(text) * 100:.2f} %"
        if name.endswith("_raw"):
            return f"{_words(name)} {int(Decimal(text)):,}"
    return f"{_words(name)} {short(text) if _ADDRESS.fullmatch(text) else text}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def dollars(value: float | Decimal | None) -> str:
    if value is None:
        return DASH
    return f"{MINUS if value < 0 else ''}${abs(value):,.2f}"


def change(value: float | Decimal) -> str:
    """Gain or loss in money, with its sign."""
    return ("+" if value > 0 else "") + dollars(value)


def percent(value: float | None, places: int = 1) -> str:
    """With its sign, so that colour is never the only mark."""
    if value is None:
        return DASH
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(value):.{places}f} %"


def band(known: Mapping[str, Any]) -> str:
    """The 80 % band of daily utility-Sharpe."""
    low, high = known["band_low"], known["band_high"]
    return DASH if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value):.2f}"


def chance(percent_of: float | None) -> str:
    """Whole percent, never certain: no record makes 0 or 100 of it."""
    if percent_of is None:
        return DASH
    return "> 99 %" if percent_of > 99 else "< 1 %" if percent_of < 1 else f"{percent_of:.0f} %"


def capacity(usd: float | None) -> str:
    """Whole dollars: it is known to no cent."""
    return DASH if usd is None else f"${usd:,.0f}"


def standing(leaders: Sequence[Mapping[str, Any]]) -> str:
    """Which model ranks, and what its scores stand on."""
    if not leaders:
        return "nobody is ranked"
    model, known = leaders[0]["model"], leaders[0]["evidence"]
    prior = f", {known['calibration']}" if known["calibration"] else ""
    return f"{MODELS.get(model, model)}{prior}"


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
    environment.filters.update(
        band=band,
        chance=chance,
        capacity=capacity,
        standing=standing,
        amount=amount,
        change=change,
        dollars=dollars,
        percent=percent,
        short=short,
        facts=facts,
    )
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
