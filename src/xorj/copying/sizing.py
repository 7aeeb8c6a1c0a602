"""How much of a leader's trade a follower makes. Pure; plan_copies calls it, risk_limits may make it smaller, never larger.

entry = floor(value / leader's equity * allocation * vault's equity), in the base mint
exit  = floor(units held for this leader * share of his position that he sold); all units when he sold all
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from xorj.copying.decision import Leg, Numbers, Side, Skipped
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.situation import Situation
from xorj.copying.vault_state import VaultState
from xorj.market.token_screen import ClassicToken
from xorj.prices.price import Price
from xorj.primitives.amounts import BPS_PER_ONE, TokenAmount
from xorj.primitives.ids import Mint, Slot
from xorj.vault.open_vault import NoVault

BASE_DECIMALS = 6
SHARE_DIGITS = 6

CLOSE_LEG, OPEN_LEG = 0, 1


@dataclass(frozen=True, slots=True)
class Sized:
    """A leg as it is asked for by what happened at `asked_slot`, before limits."""

    leg: Leg
    asked_slot: Slot
    rule: str
    numbers: Numbers


def entry(trade: LeaderTrade, mint: Mint, situation: Situation, *, leg: int = CLOSE_LEG) -> Sized | Skipped:
    """The buy of `mint` that this trade asks of the follower."""
    follow, vault = situation.follow, situation.vault
    share = trade.share_of_equity
    if share is None:
        return Skipped("leader's equity unknown", {"equity_usd": _text(trade.equity_usd), "value_usd": _text(trade.value_usd)})
    if isinstance(vault, NoVault):
        return Skipped("no vault", {"reason": vault.reason})
    equity_raw = vault.equity_raw(situation.prices)
    wanted = int(share * follow.allocation_bps * equity_raw / BPS_PER_ONE)
    numbers = {
        "share_of_equity": share_text(share),
        "leader_equity_usd": _text(trade.equity_usd),
        "leader_value_usd": _text(trade.value_usd),
        "allocation_bps": follow.allocation_bps,
        "equity_raw": str(equity_raw),
        "sized_raw": str(wanted),
    }
    if wanted <= 0:
        return Skipped("below the smallest trade", numbers)
    buy = Leg(leg, Side.BUY, TokenAmount(vault.base_mint, wanted, BASE_DECIMALS), mint)
    return Sized(buy, trade.slot, "share of equity", numbers)


def exit_of(trade: LeaderTrade, mint: Mint, situation: Situation) -> Sized | Skipped:
    """The sale of what is held of `mint` for this leader, in the share in which he sold his."""
    position = situation.portfolio.holdings.position(trade.leader, mint)
    vault, token = situation.vault, situation.tokens.get(mint)
    if position.units_raw <= 0:
        return Skipped("nothing held for this leader", {"mint": mint})
    if isinstance(vault, NoVault):
        return Skipped("no vault", {"reason": vault.reason})
    share = trade.share_of_position_sold
    units = int(position.units_raw * share)
    numbers = {"share_of_position": share_text(share), "units_held_raw": str(position.units_raw), "sized_raw": str(units)}
    if units <= 0:
        return Skipped("below one unit", numbers)
    rule = "share of position"
    if units < position.units_raw and _is_dust(position.units_raw - units, situation.prices.get(mint), situation):
        units, rule = position.units_raw, "what would be left is dust"
    decimals = token.decimals if isinstance(token, ClassicToken) else trade.input.decimals
    return Sized(Leg(CLOSE_LEG, Side.SELL, TokenAmount(mint, units, decimals), vault.base_mint), trade.slot, rule, numbers)


def exit_whole(mint: Mint, situation: Situation, rule: str) -> Sized | Skipped:
    """The sale of all that is held of `mint` for the follow's leader, whatever he did last."""
    position = situation.portfolio.holdings.position(situation.follow.leader, mint)
    vault, token = situation.vault, situation.tokens.get(mint)
    if isinstance(vault, NoVault):
        return Skipped("no vault", {"reason": vault.reason})
    if not isinstance(token, ClassicToken):
        return Skipped("token screen", {"mint": mint})
    leg = Leg(CLOSE_LEG, Side.SELL, TokenAmount(mint, position.units_raw, token.decimals), vault.base_mint)
    return Sized(leg, situation.now.slot, rule, {"units_held_raw": str(position.units_raw)})


def _is_dust(left_raw: int, price: Price | None, situation: Situation) -> bool:
    """Less than the follower's smallest trade, at a known price: too little to be sold by the next exit."""
    base = _base_price(situation)
    if price is None or base is None:
        return False
    return int((price.value(left_raw) / base.usd).scaleb(base.decimals)) < situation.follow.caps.trade_min_raw


def _base_price(situation: Situation) -> Price | None:
    vault = situation.vault
    return situation.prices.get(vault.base_mint) if isinstance(vault, VaultState) else None


def share_text(share: Fraction) -> str:
    return str(round(Decimal(share.numerator) / Decimal(share.denominator), SHARE_DIGITS))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
