"""May this intent be traded in this vault now? The vault would refuse it otherwise; asking first saves the fee and names the rule."""

from solders.pubkey import Pubkey

from xorj.copying.decision import Side
from xorj.execution.bounds import Bounds
from xorj.execution.intent import Intent
from xorj.execution.rejected import PASSED, Passed, Rejected
from xorj.execution.vault_state import VaultState
from xorj.vault.accounts import NonceState


def check_vault(intent: Intent, state: VaultState, bot: Pubkey, unix_seconds: int, bounds: Bounds) -> Passed | Rejected:
    """Authority, stops, expiry, mints, caps and balance, in that order; the first that fails."""
    for check in (_authority(intent, state, bot, unix_seconds), _mints(intent, state, unix_seconds), _caps(intent, state, unix_seconds)):
        if isinstance(check, Rejected):
            return check
    if state.bot_lamports < bounds.float_lamports_min:
        return Rejected("sol_float", f"the bot has {state.bot_lamports} lamports, {bounds.float_lamports_min} is the least", is_final=False)
    return PASSED


def check_nonce(intent: Intent, state: VaultState) -> Passed | Rejected:
    """A reserved nonce must be free, under the grant it was reserved under."""
    if intent.bot_epoch != state.policy.bot_epoch:
        return Rejected("bot_epoch", f"reserved under {intent.bot_epoch}, the vault's grant is {state.policy.bot_epoch}")
    nonce = state.policy.nonce_state(intent.nonce if intent.nonce is not None else -1)
    return PASSED if nonce is NonceState.FREE else Rejected("nonce", f"{intent.nonce} is {nonce}")


def _authority(intent: Intent, state: VaultState, bot: Pubkey, unix_seconds: int) -> Passed | Rejected:
    limits = state.policy.limits(unix_seconds)
    facts: list[tuple[bool, str, str]] = [
        (str(state.vault.owner) == intent.owner, "owner", f"the vault belongs to {state.vault.owner}"),
        (state.vault.is_active, "vault_inactive", "the vault is deactivated"),
        (state.vault.bot_authority == bot, "bot_authority", f"the vault's bot is {state.vault.bot_authority}"),
        (not state.policy.paused, "vault_paused", "the vault is paused"),
        (not state.config.paused, "program_paused", "the program is paused"),
        (unix_seconds < limits.bot_expires_at, "bot_expired", f"the grant ended at {limits.bot_expires_at}"),
    ]
    return next((Rejected(rule, detail) for holds, rule, detail in facts if not holds), PASSED)


def _mints(intent: Intent, state: VaultState, unix_seconds: int) -> Passed | Rejected:
    base = str(state.policy.base_mint)
    given, wanted = (intent.input_mint, intent.output_mint) if intent.side is Side.BUY else (intent.output_mint, intent.input_mint)
    if given != base or wanted == base:
        return Rejected("base_leg", f"one side of every trade is {base}, and a buy spends it")
    if intent.side is Side.BUY and not state.policy.may_buy(Pubkey.from_string(intent.output_mint), unix_seconds):
        return Rejected("mint_not_allowed", f"the vault's list has no place for {intent.output_mint}")
    return PASSED


def _caps(intent: Intent, state: VaultState, unix_seconds: int) -> Passed | Rejected:
    held = state.vault_input_raw or 0
    if held < intent.amount_in_raw:
        return Rejected("balance", f"the vault holds {held} of {intent.amount_in_raw}")
    if intent.side is Side.SELL:
        return PASSED
    cap = state.policy.limits(unix_seconds).trade_cap(state.vault.total_deposited)
    if intent.amount_in_raw > cap:
        return Rejected("spend_per_trade", f"{intent.amount_in_raw} is above the cap of {cap} a trade")
    left = state.policy.spend_left(state.vault.total_deposited, unix_seconds)
    if intent.amount_in_raw > left:
        return Rejected("spend_per_day", f"{intent.amount_in_raw} is above the {left} left of the day")
    return PASSED
