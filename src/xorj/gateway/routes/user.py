"""What a signed-in user sees and sets of himself."""

from fastapi import APIRouter

from xorj.gateway.access import AccountReading, AccountWriting
from xorj.gateway.bodies import SettingsBody
from xorj.gateway.limiting import read_limit, write_limit
from xorj.gateway.parts import PartsOf
from xorj.gateway.routes.bot import Cursor, PageLimit, measured
from xorj.primitives.amounts import Usd
from xorj.reporting.account import PAGE_ITEMS_DEFAULT, PerformanceMetrics, UserSettings, UserStatus
from xorj.reporting.ports import MovementPage

router = APIRouter(prefix="/user", tags=["user"])


@router.get("/status", dependencies=[read_limit])
async def status(session: AccountReading, parts: PartsOf) -> UserStatus:
    """Wallet, vault, and whether the bot is granted and enabled."""
    return await parts.accounts.status(session.user_id)


@router.get("/settings", dependencies=[read_limit])
async def settings(session: AccountReading, parts: PartsOf) -> UserSettings:
    return await parts.settings.read(session.user_id)


@router.put("/settings", dependencies=[write_limit])
async def save_settings(session: AccountWriting, parts: PartsOf, body: SettingsBody) -> UserSettings:
    """Replaces all of them; they count for new trades only."""
    limit = None if body.max_trade_amount_usd is None else Usd(body.max_trade_amount_usd)
    await parts.settings.save(session.user_id, UserSettings(body.risk_profile, limit, float(body.slippage_tolerance_percent)))
    return await parts.settings.read(session.user_id)


@router.get("/transactions", dependencies=[read_limit])
async def transactions(
    session: AccountReading, parts: PartsOf, limit: PageLimit = PAGE_ITEMS_DEFAULT, cursor: Cursor = None
) -> MovementPage:
    """Every change of the vault's balances with the transaction that made it, newest first."""
    return await parts.accounts.movements(session.user_id, limit=limit, cursor=cursor)


@router.get("/performance", dependencies=[read_limit])
async def performance(session: AccountReading, parts: PartsOf) -> PerformanceMetrics:
    """What copying has done for this user."""
    return await measured(parts, session.user_id, await parts.accounts.vaults(session.user_id))
