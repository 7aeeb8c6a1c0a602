"""Signing in and acting on one's vault in a real browser, with a wallet whose key stays in Python: real web process, real chain.

Needs Chromium on the PATH. The wallet is registered by the Wallet Standard's events, as an extension's would be.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from solders.transaction import VersionedTransaction
from tests.fakes.eventually import eventually
from tests.fakes.trading_chain import OWNER, VAULT, TradingChain

from xorj.primitives.ids import LOCAL_GENESIS, USDC
from xorj.settings import WEB_PORT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH: no wallet was tried in a browser"),
]
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
START_S_MAX, ACTION_MS_MAX = 90.0, 30_000
SECRETS = {"XORJ_SERVICE_TOKEN": "t" * 32, "XORJ_SESSION_KEY": "s" * 40}
# A wallet that asks its owner, who may say no.
WALLET = """
(address) => {
  const account = { address, publicKey: new Uint8Array(32), chains: ["solana:localnet"], features: [] };
  const asked = () => { if (window.ownerSaysNo) throw new Error("The owner said no."); };
  const bytes = async (signing, given) => Uint8Array.from(await signing(Array.from(given)));
  const wallet = {
    version: "1.0.0", name: "Paper Wallet", icon: "data:,", chains: ["solana:localnet"], accounts: [account],
    features: {
      "standard:connect": { version: "1.0.0", connect: async () => ({ accounts: [account] }) },
      "solana:signMessage": { version: "1.0.0", signMessage: async ({ message }) => {
        asked();
        return [{ signedMessage: message, signature: await bytes(window.signsMessage, message) }];
      } },
      "solana:signTransaction": { version: "1.0.0", signTransaction: async ({ transaction }) => {
        asked();
        return [{ signedTransaction: await bytes(window.signsTransaction, transaction) }];
      } },
    },
  };
  const announce = (api) => api.register(wallet);
  window.addEventListener("wallet-standard:app-ready", (event) => announce(event.detail));
  window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: announce }));
}
"""


def signs_transaction(unsigned: list[int]) -> list[int]:
    message = VersionedTransaction.from_bytes(bytes(unsigned)).message
    return list(bytes(VersionedTransaction(message, [OWNER])))


def free_offset() -> int:
    for offset in range(27_000 + os.getpid() % 500 * 11, 50_000, 11):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", WEB_PORT + offset))
            except OSError:
                continue
            return offset
    raise AssertionError("no free ports")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A web process on a chain with the owner's vault, which the database knows as the trade-bot would have written it."""
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO users (id, wallet_address) VALUES ('owner', %s)", (str(OWNER.pubkey()),))
        connection.execute(
            """INSERT INTO vaults (address, genesis_hash, owner, user_id, base_mint, total_deposited_raw, is_active, is_paused, as_of_slot)
               VALUES (%s, %s, %s, 'owner', %s, 500000000, true, false, 1)""",
            (str(VAULT), LOCAL_GENESIS, str(OWNER.pubkey()), USDC),
        )
        connection.execute(
            """INSERT INTO ledger (genesis_hash, vault, mint, delta_raw, cause, signature, slot)
               VALUES (%s, %s, %s, 500000000, 'deposit', 's', 1)""",
            (LOCAL_GENESIS, str(VAULT), USDC),
        )
    offset = free_offset()
    with TradingChain(tmp_path / "chain") as chain, (tmp_path / "web.log").open("wb") as log:
        told = {"XORJ_DATABASE_URL": database_url, "XORJ_DATA_DIR": str(tmp_path / "data"), "XORJ_PORT_OFFSET": str(offset)}
        told["XORJ_RPC_URLS"] = chain.rpc_url
        web = subprocess.Popen([sys.executable, "-m", "xorj", "run", "web"], env=os.environ | SECRETS | told, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{WEB_PORT + offset}"
        try:
            eventually(lambda: web.poll() is None and answers(url), f"{url} answers", within_s=START_S_MAX)
            yield url
        finally:
            web.kill()
            web.wait()


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/livez", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *root])
        page = browser.new_context(viewport=WIDE).new_page()  # type: ignore[arg-type]
        page.expose_function("signsMessage", lambda message: list(bytes(OWNER.sign_message(bytes(message)))))
        page.expose_function("signsTransaction", signs_transaction)
        page.add_init_script(f"({WALLET})({str(OWNER.pubkey())!r})")
        page.set_default_timeout(ACTION_MS_MAX)
        page.goto(site)
        yield page
        browser.close()


def test_an_owner_signs_in_acts_on_his_vault_and_leaves(page: Page, site: str) -> None:
    page.get_by_role("button", name="Sign in…").click()
    page.evaluate("window.ownerSaysNo = true")
    page.get_by_role("button", name="Paper Wallet").click()
    expect(page.get_by_role("alert")).to_have_text("The owner said no.")
    page.evaluate("window.ownerSaysNo = false")
    page.get_by_role("button", name="Paper Wallet").click()
    mine = page.get_by_role("region", name="Your vault")
    expect(mine).to_be_visible()

    mine.get_by_label("Deposit USDC").fill("12.5")
    mine.get_by_role("button", name="Deposit").click()
    expect(mine.get_by_role("status")).to_have_text("Done: deposit 12500000 base units.", timeout=ACTION_MS_MAX)
    mine.get_by_label("Deposit USDC").fill("1.0000001")
    expect(mine.get_by_role("button", name="Deposit")).to_be_disabled()
    mine.get_by_label("Withdraw USDC").fill("9999")
    mine.get_by_role("button", name="Withdraw").click()
    expect(mine.get_by_role("alert")).to_contain_text("cannot be withdrawn")
    mine.get_by_role("button", name="Pause trading").click()
    expect(mine.get_by_role("status")).to_contain_text("Done: pause trading", timeout=ACTION_MS_MAX)

    page.reload()
    expect(mine).to_be_visible()
    for viewport in (WIDE, NARROW):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Sign out").click()
    expect(mine).not_to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in…")).to_be_visible()
