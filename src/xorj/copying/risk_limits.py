"""What may stop or shrink a copy: every limit a named rule, in a fixed order. Pure; plan_copies calls `allow` with what sizing wants.

Safety comes first, the follower's wishes second, amounts third. The vault program holds its own caps whatever stands here; asking
them first gives the follower a reason instead of a failed transaction. Exits meet only what the chain or a person forbids.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from solders.pubkey import Pubkey

from xorj.copying.decision import Copied, Decision, Numbers, Refused, Resized, Side, Skipped
from xorj.copying.follow import FollowMode
from xorj.copying.situation import Situation, Stopped
from xorj.copying.sizing import Sized
from xorj.copying.vault_state import VaultState
from xorj.market.token_screen import UnfitToken
from xorj.primitives.amounts import BPS_PER_ONE, TokenAmount
from xorj.primitives.ids import Mint
from xorj.vault.open_vault import NoVault

# An entry this long after the leader's is another trade at another price.
ENTRY_AGE_SLOTS_MAX = 75
# Held back from what the loss cap has left, because the sale may fetch less than the price says.
LOSS_MARGIN_BPS = 100


@dataclass(frozen=True, slots=True)
class Passes:
    """The rule has nothing to say."""


@dataclass(frozen=True, slots=True)
class AtMost:
    """The rule admits no more than `amount_raw` of the leg's input."""

    amount_raw: int
    numbers: Numbers = field(default_factory=dict)


Verdict = Passes | AtMost | Skipped | Refused
Check = Callable[[Sized, Situation, VaultState], Verdict]
PASSES = Passes()


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit by its name, which is what the follower reads."""

    name: str
    check: Check


def allow(sized: Sized | Skipped, situation: Situation) -> Decision:
    """Applies the rules of the leg's side in order. The first that forbids decides; of those that shrink, the tightest is named."""
    if isinstance(sized, Skipped):
        return sized
    if isinstance(situation.switch, Stopped):
        return Refused("kill switch", {"reason": situation.switch.reason})
    if isinstance(situation.vault, NoVault):
        return Refused("no vault", {"reason": situation.vault.reason})
    amount_raw, rule, numbers = sized.leg.input.raw, sized.rule, dict(sized.numbers)
    for each in ENTRY_RULES if sized.leg.side is Side.BUY else EXIT_RULES:
        verdict = each.check(sized, situation, situation.vault)
        if isinstance(verdict, Skipped | Refused):
            return replace(verdict, numbers={**numbers, **verdict.numbers})
        if isinstance(verdict, AtMost) and verdict.amount_raw < amount_raw:
            amount_raw, rule = max(0, verdict.amount_raw), each.name
            numbers |= {**verdict.numbers, "at_most_raw": str(amount_raw)}
    return _decided(sized, amount_raw, rule, numbers, situation)


def _decided(sized: Sized, amount_raw: int, rule: str, numbers: Mapping[str, object], situation: Situation) -> Decision:
    least_raw = situation.follow.caps.trade_min_raw if sized.leg.side is Side.BUY else 1
    if amount_raw < least_raw:
        shrunk = amount_raw < sized.leg.input.raw
        facts = {**numbers, "amount_raw": str(amount_raw), "least_raw": str(least_raw)}
        return Refused(rule, facts) if shrunk else Skipped("below the smallest trade", facts)
    leg = replace(sized.leg, input=TokenAmount(sized.leg.input.mint, amount_raw, sized.leg.input.decimals))
    facts = {**numbers, "amount_raw": str(amount_raw)}
    return Copied((leg,), rule, facts) if amount_raw == sized.leg.input.raw else Resized((leg,), rule, facts)


# Safety: what the chain or a person has forbidden. Both sides meet these.


def _program_runs(_sized: Sized, _situation: Situation, vault: VaultState) -> Verdict:
    return Refused("program paused") if vault.config.paused else PASSES


def _vault_is_active(_sized: Sized, _situation: Situation, vault: VaultState) -> Verdict:
    return PASSES if vault.vault.is_active else Refused("vault inactive")


def _bot_is_ours(_sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    granted = vault.vault.bot_authority
    return PASSES if str(granted) == situation.bot else Refused("bot not granted", {"granted": str(granted) if granted else None})


def _vault_is_not_paused(_sized: Sized, _situation: Situation, vault: VaultState) -> Verdict:
    return Refused("vault paused") if vault.policy.paused else PASSES


def _bot_has_time(_sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    now, until = situation.now.unix_seconds, vault.policy.limits(situation.now.unix_seconds).bot_expires_at
    return PASSES if now < until else Refused("bot expired", {"expired_at": until, "now": now})


# Wishes: what this follower wants copied at all. Entries only.


def _is_followed(_sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    ended = situation.follow.valid_to_slot
    return PASSES if ended is None else Skipped("no longer followed", {"ended_slot": ended})


def _copies_entries(_sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    return Skipped("exits only") if situation.follow.mode is FollowMode.EXIT_ONLY else PASSES


def _mint_is_wanted(sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    return PASSES if situation.follow.lists_allow(sized.leg.mint) else Skipped("mint not on the follower's list", {"mint": sized.leg.mint})


def _is_fresh(sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    age = situation.now.slot - sized.asked_slot
    numbers = {"age_slots": age, "age_slots_max": ENTRY_AGE_SLOTS_MAX}
    return PASSES if age <= ENTRY_AGE_SLOTS_MAX else Skipped("stale leader trade", numbers)


# The token and the vault's list.


def _token_is_fit(sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    token = situation.tokens.get(sized.leg.mint) or UnfitToken(sized.leg.mint, "not read")
    return Refused("token screen", {"mint": token.mint, "reason": token.reason}) if isinstance(token, UnfitToken) else PASSES


def _token_has_a_price(sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    return PASSES if sized.leg.mint in situation.prices else Refused("no price", {"mint": sized.leg.mint})


def _vault_admits_mint(sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    admitted = vault.policy.may_buy(Pubkey.from_string(sized.leg.mint), situation.now.unix_seconds)
    return PASSES if admitted else Refused("mint not allowed by the vault", {"mint": sized.leg.mint})


# Amounts.


def _follower_trade_cap(_sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    cap = situation.follow.caps.trade_max_raw
    return PASSES if cap is None else AtMost(cap, {"trade_max_raw": str(cap)})


def _follower_day_cap(_sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    cap = situation.follow.caps.day_max_raw
    if cap is None:
        return PASSES
    spent = situation.portfolio.bought_today_raw.get(situation.follow.leader, 0) + situation.portfolio.opening_raw(situation.follow.leader)
    return AtMost(cap - spent, {"day_max_raw": str(cap), "bought_today_raw": str(spent)})


def _leader_exposure_cap(_sized: Sized, situation: Situation, _vault: VaultState) -> Verdict:
    cap = situation.follow.caps.exposure_max_raw
    if cap is None:
        return PASSES
    exposed = situation.portfolio.holdings.exposure_raw(situation.follow.leader) + situation.portfolio.opening_raw(situation.follow.leader)
    return AtMost(cap - exposed, {"exposure_max_raw": str(cap), "exposure_raw": str(exposed)})


def _vault_trade_cap(_sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    cap = vault.policy.limits(situation.now.unix_seconds).trade_cap(vault.vault.total_deposited)
    return AtMost(cap, {"vault_trade_cap_raw": str(cap)})


def _vault_day_cap(_sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    now = situation.now.unix_seconds
    cap = vault.policy.limits(now).day_cap(vault.vault.total_deposited)
    spent = vault.policy.spent_in_day(now) + situation.portfolio.reserved_raw(vault.base_mint)
    return AtMost(cap - spent, {"vault_day_cap_raw": str(cap), "spent_in_day_raw": str(spent)})


def _vault_can_pay(sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    mint = Mint(sized.leg.input.mint)
    held, reserved = vault.balances_raw.get(mint, 0), situation.portfolio.reserved_raw(mint)
    return AtMost(held - reserved, {"held_raw": str(held), "reserved_raw": str(reserved)})


def _vault_loss_cap(sized: Sized, situation: Situation, vault: VaultState) -> Verdict:
    """A sale below pro-rata cost charges its shortfall to the rolling day; shortfall per unit bounds the units."""
    slot = vault.policy.slot_of(Pubkey.from_string(sized.leg.mint))
    price, base = situation.prices.get(sized.leg.mint), situation.prices.get(vault.base_mint)
    if slot is None or slot.units == 0 or price is None or base is None:
        return PASSES
    amount_raw, now = sized.leg.input.raw, situation.now.unix_seconds
    proceeds = int((price.value(amount_raw) / base.usd).scaleb(base.decimals)) * (BPS_PER_ONE - LOSS_MARGIN_BPS) // BPS_PER_ONE
    shortfall = slot.base_cost * min(amount_raw, slot.units) // slot.units - proceeds
    left = max(0, vault.policy.limits(now).loss_cap(vault.policy.loss_basis(vault.vault.total_deposited)) - vault.policy.lost_in_day(now))
    if shortfall <= left:
        return PASSES
    return AtMost(amount_raw * left // shortfall, {"loss_left_raw": str(left), "shortfall_raw": str(shortfall)})


SAFETY_RULES = (
    Rule("program paused", _program_runs),
    Rule("vault inactive", _vault_is_active),
    Rule("bot not granted", _bot_is_ours),
    Rule("vault paused", _vault_is_not_paused),
    Rule("bot expired", _bot_has_time),
)
ENTRY_RULES = (
    *SAFETY_RULES,
    Rule("no longer followed", _is_followed),
    Rule("exits only", _copies_entries),
    Rule("mint not on the follower's list", _mint_is_wanted),
    Rule("stale leader trade", _is_fresh),
    Rule("token screen", _token_is_fit),
    Rule("no price", _token_has_a_price),
    Rule("mint not allowed by the vault", _vault_admits_mint),
    Rule("follower's cap of a trade", _follower_trade_cap),
    Rule("follower's cap of a day", _follower_day_cap),
    Rule("cap of exposure to one leader", _leader_exposure_cap),
    Rule("vault's cap of a trade", _vault_trade_cap),
    Rule("vault's cap of a day", _vault_day_cap),
    Rule("vault's free balance", _vault_can_pay),
)
EXIT_RULES = (
    *SAFETY_RULES,
    Rule("vault's free balance", _vault_can_pay),
    Rule("vault's loss cap of a day", _vault_loss_cap),
)
