"""The demo market's past: 120 days of leaders' trades, executed at their own block times before the local chain opens its ports.

Called by services/localnet.py. What was executed once is kept in the chain's folder, which is named after seed and code.
"""

import shutil
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

import orjson
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from xorj.demo.identities import CONFIG_ADMIN, GUARDIAN
from xorj.demo.market import Cast, Market
from xorj.demo.opening import SLOTS_PER_SECOND, opening
from xorj.demo.plans import HISTORY, TICKS_PER_STEP, Season
from xorj.demo.prices import STEP_SECONDS
from xorj.demo.tokens import USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis, bundled_programs
from xorj.localnet.keys import UPGRADE_AUTHORITY
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety
from xorj.vault.instructions import initialize_config

VAULT_CAP_RAW = 1_000_000_000
LOOSENING_DELAY_S = 86_400
TICK_SECONDS = STEP_SECONDS // TICKS_PER_STEP
SWAPS_MAX = 12_000
_PREFIX, _MARKER = "market-", "market.json"
_CODE = ("arbitrage.py", "history.py", "identities.py", "leaders.py", "market.py", "opening.py", "plans.py", "prices.py", "tokens.py")


@dataclass(frozen=True, slots=True)
class Past:
    """A history that stands on a chain: `end_height` is the block height at which live trading may begin."""

    end_height: int


def market_code(seed: int) -> str:
    """A name for everything the history follows from: seed, the demo's own code and the programs, 16 hex digits."""
    digest = sha256(str(seed).encode())
    for name in _CODE:
        digest.update(resources.files("xorj.demo").joinpath(name).read_bytes())
    for address, elf in sorted(bundled_programs().items(), key=lambda item: bytes(item[0])):
        digest.update(bytes(address) + elf)
    return digest.hexdigest()[:16]


def market_folder(localnet: Path, seed: int) -> Path:
    """The chain's folder of this market. A history that was broken off half-way is removed, to be executed anew.

    Raises RefusedForSafety where another market has been lived in: the database beside it speaks of that chain's vaults and trades.
    """
    folder = localnet / f"{_PREFIX}{market_code(seed)}"
    others = [marker.parent.name for marker in localnet.glob(f"{_PREFIX}*/{_MARKER}") if marker.parent != folder]
    if others:
        raise RefusedForSafety(
            f"{localnet} holds a chain of another demo market ({others[0]}), of another seed or version; "
            "delete it with ./xorj reset --yes, or use another --data-dir"
        )
    if folder.exists() and not (folder / _MARKER).exists():
        shutil.rmtree(folder)
    return folder


def market_genesis(cast: Cast, now_unix_seconds: int, season: Season = HISTORY) -> Genesis:
    """A genesis whose history ends now."""
    return opening(cast.tokens, cast.leaders, now_unix_seconds - season.last_step * STEP_SECONDS)


def ensure_history(bank: Bank, cast: Cast, folder: Path, season: Season = HISTORY) -> Past:
    """Executes the history on a chain that has none yet; finds its end on one that has."""
    marker = folder / _MARKER
    if marker.exists():
        return Past(end_height=orjson.loads(marker.read_bytes())["end_height"])
    past = execute_history(bank, cast, season)
    bank.commit()
    marker.write_bytes(orjson.dumps({"seed": cast.seed, "end_height": past.end_height}))
    return past


def execute_history(bank: Bank, cast: Cast, season: Season = HISTORY) -> Past:
    """Opens the vault program's config, then fills every order of the season in its own block, pools moved to the walk before."""
    start_slot, start_seconds = bank.slot, bank.unix_seconds
    bank.advance(1, start_seconds)
    _initialize_config(bank)
    market = Market(bank, cast)
    for order in cast.planner.orders(season):
        if order.step >= season.last_step:
            break
        seconds = order.step * STEP_SECONDS + order.tick * TICK_SECONDS
        slot = start_slot + 2 + seconds * SLOTS_PER_SECOND
        if slot > bank.slot:
            bank.advance(slot - bank.slot, start_seconds + seconds)
        if not order.early and order.sequence == 0:
            market.follow(order.step, [order.token])
        market.fill(order)
    end_slot = start_slot + 2 + season.last_step * STEP_SECONDS * SLOTS_PER_SECOND
    bank.advance(max(1, end_slot - bank.slot), start_seconds + season.last_step * STEP_SECONDS)
    market.follow(season.last_step, range(len(cast.tokens)))
    if market.swaps > SWAPS_MAX:
        raise BrokenInvariant("the demo's history has grown too long", swaps=market.swaps)
    return Past(end_height=bank.blocks.height)


def _initialize_config(bank: Bank) -> None:
    instruction = initialize_config(
        CONFIG_ADMIN.pubkey(),
        UPGRADE_AUTHORITY.pubkey(),
        USDC_MINT,
        admin=CONFIG_ADMIN.pubkey(),
        guardian=GUARDIAN.pubkey(),
        vault_cap=VAULT_CAP_RAW,
        loosening_delay_s=LOOSENING_DELAY_S,
    )
    message = MessageV0.try_compile(CONFIG_ADMIN.pubkey(), [instruction], [], bank.latest_blockhash())
    outcome = bank.execute(VersionedTransaction(message, [CONFIG_ADMIN, UPGRADE_AUTHORITY]), verify=False)
    if not outcome.succeeded:
        raise BrokenInvariant("the vault program's config could not be opened", error=outcome.error)
