"""The page in a real browser: wide and narrow, light and dark, by keyboard alone, and in agreement with what Python rendered.

Needs Chromium on the PATH. The server is the real page and a scripted API, so that each state can be shown.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI, Request, Response
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser.overview_sample import overview
from tests.fakes.gateway_world import place

from xorj.gateway.edge import EdgeHeaders
from xorj.web.pages import page_routes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH: the page was not looked at in a browser")

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


class Site:
    """The page, its API and what was asked of it."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = overview()
        self.emergencies: list[dict[str, str]] = []
        self.app = FastAPI()
        self.app.include_router(page_routes(self._read))
        self.app.add_middleware(EdgeHeaders, place=place())
        self.app.add_api_route("/api/overview", self._overview)
        self.app.add_api_route("/api/bot/emergency", self._emergency, methods=["POST"])
        self.server = uvicorn.Server(uvicorn.Config(self.app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def _read(self, _request: Request, _response: Response) -> dict[str, Any]:
        return self.shown

    async def _overview(self) -> dict[str, Any]:
        return self.shown

    async def _emergency(self, request: Request) -> dict[str, bool]:
        self.emergencies.append(await request.json())
        self.shown = overview(bot={**self.shown["bot"], "state": "stopped", "reason": "drill", "kill_switch_stopped": True})
        return {"success": True}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *root])
        yield started
        started.close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.thread.start()
    while not site.server.started:
        site.thread.join(0.01)
    yield site
    site.server.should_exit = True
    site.thread.join(5)


def opened(browser: Browser, site: Site, *, viewport: dict[str, int] = WIDE, scheme: str = "light", script: bool = True) -> Page:
    context = browser.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=script)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.url)
    return page


def words(page: Page) -> list[str]:
    """What a person reads, without ages, which depend on the moment."""
    text = page.locator("main").inner_text()
    return re.sub(r"\d+ \w+ ago|2026-\S+", "", text).replace("Only what was not copied", "").split()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_view_is_accessible_and_never_scrolls_sideways(browser: Browser, site: Site, viewport: dict[str, int], scheme: str) -> None:
    page = opened(browser, site, viewport=viewport, scheme=scheme)
    expect(page.get_by_role("button", name="Stop…")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_script_shows_what_python_rendered(browser: Browser, site: Site) -> None:
    rendered = words(opened(browser, site, script=False))
    page = opened(browser, site)
    expect(page.get_by_role("button", name="Stop…")).to_be_visible()
    assert words(page) == rendered


def test_the_page_refreshes_itself(browser: Browser, site: Site) -> None:
    page = opened(browser, site)
    expect(page.get_by_text("Bot active")).to_be_visible()
    site.shown = overview(bot={**site.shown["bot"], "state": "paused", "reason": "guardian"})
    expect(page.get_by_text("Bot paused: guardian")).to_be_visible(timeout=10_000)


def test_stopping_needs_no_mouse(browser: Browser, site: Site) -> None:
    page = opened(browser, site)
    expect(page.get_by_role("button", name="Stop…")).to_be_visible()
    page.keyboard.press("Shift+S")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Reason").press_sequentially("drill")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Bot stopped: drill")).to_be_visible()
    assert site.emergencies == [{"action": "stop", "reason": "drill"}]
    expect(page.get_by_role("button", name="Resume…")).to_be_visible()


def test_a_silent_server_leaves_the_last_state_marked_as_not_fresh(browser: Browser, site: Site) -> None:
    page = opened(browser, site)
    expect(page.get_by_text("Bot active")).to_be_visible()
    page.route("**/api/overview", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("Not fresh", timeout=10_000)
    expect(page.get_by_text("share of equity")).to_be_visible()
