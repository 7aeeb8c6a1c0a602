"""May this message be signed? Judged by the vault, policy and config as the signer itself reads them from the chain. Pure.

The vault program enforces the same on chain; here it is enforced before a signature exists, so that a taken bot cannot even try.
"""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.primitives.errors import InvalidInput
from xorj.router import jupiter_v6
from xorj.signing.request import Refused, Request
from xorj.vault import accounts, borsh
from xorj.vault.accounts import (
    TOKEN_PROGRAM,
    Config,
    NonceState,
    VaultAccount,
    VaultPolicy,
    config_address,
    event_authority_address,
    policy_address,
    token_account_address,
    trade_authority_address,
    vault_address,
)
from xorj.vault.instructions import BotTrade, Guard, VaultInstruction, decode, decode_bot_trade
from xorj.vault.interface import DEADLINE_SLOTS_MAX, ROUTE_ACCOUNTS_MAX, ROUTE_DATA_BYTES_MAX

# Instructions that only ever take power away.
HARMLESS = ("burn_nonce", "pause_vault")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows beyond what the chain allows. Units stand last."""

    priority_fee_lamports_max: int = 1_000_000
    deadline_slots_max: int = 150
    router: Pubkey = jupiter_v6.PROGRAM


@dataclass(frozen=True, slots=True)
class VaultView:
    """What the signer read of the vault that a message names, all at `slot`; `unix_seconds` is that slot's block time."""

    address: Pubkey
    vault: VaultAccount
    policy: VaultPolicy
    config: Config
    slot: int
    unix_seconds: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is about to be signed, for the log. `nonce` None where the instruction has none."""

    action: str
    vault: Pubkey
    nonce: int | None


@dataclass(frozen=True, slots=True)
class NoView:
    """The accounts are not those of a vault."""

    detail: str


def accounts_to_read(request: Request) -> tuple[Pubkey, Pubkey, Pubkey] | Refused:
    """Vault, policy and config of the message's one vault; policy and config must be the derived ones."""
    read = _decoded(request)
    if isinstance(read, Refused):
        return read
    vault = read.accounts["vault"]
    if read.accounts["policy"] != policy_address(vault):
        return Refused("policy_address", f"{read.accounts['policy']} is not the policy of {vault}")
    if read.accounts.get("config", config_address()) != config_address():
        return Refused("config_address", f"{read.accounts['config']} is not the config")
    return vault, policy_address(vault), config_address()


def view(address: Pubkey, data: tuple[bytes, bytes, bytes], slot: int, unix_seconds: int) -> VaultView | NoView:
    """Decodes the accounts, whose owner the caller has found to be the vault program."""
    try:
        vault, policy, config = accounts.decode_vault(data[0]), accounts.decode_policy(data[1]), accounts.decode_config(data[2])
    except borsh.Malformed as error:
        return NoView(str(error))
    if vault_address(vault.owner) != address or policy.vault != address:
        return NoView(f"{address} is not the vault of {vault.owner}")
    return VaultView(address, vault, policy, config, slot, unix_seconds)


def judge(request: Request, seen: VaultView, rules: Rules) -> Allowed | Refused:
    """Every rule in order; the first that is broken."""
    read = _decoded(request)
    if isinstance(read, Refused):
        return read
    if request.priority_fee_lamports > rules.priority_fee_lamports_max:
        return Refused("priority_fee", f"{request.priority_fee_lamports} lamports, {rules.priority_fee_lamports_max} at most")
    if read.name in HARMLESS:
        return _judge_harmless(request, read, seen)
    if read.name != "bot_trade":
        return Refused("vault_instruction", f"{read.name} is not the bot's to sign")
    trade = decode_bot_trade(request.vault_instruction)
    checks = (
        _authority(trade, request, seen),
        _guard(trade.guard, seen, rules),
        _places(trade, read, rules),
        _amounts(trade),
        _creations(trade, request, seen),
        _route(trade, seen),
        _limits(trade, seen),
    )
    refused = next((check for check in checks if check is not None), None)
    return Allowed("bot_trade", seen.address, trade.guard.nonce) if refused is None else refused


def _decoded(request: Request) -> VaultInstruction | Refused:
    instruction = request.vault_instruction
    try:
        return decode(bytes(instruction.data), [meta.pubkey for meta in instruction.accounts])
    except borsh.Malformed as error:
        return Refused("vault_instruction", str(error))


def _judge_harmless(request: Request, read: VaultInstruction, seen: VaultView) -> Allowed | Refused:
    if read.accounts["authority"] != request.bot or seen.vault.bot_authority != request.bot or read.accounts["vault"] != seen.address:
        return Refused("bot_authority", f"the vault's bot is {seen.vault.bot_authority}")
    if request.creations or read.rest:
        return Refused("creation", "nothing else belongs into this message")
    return Allowed(read.name, seen.address, None)


def _authority(trade: BotTrade, request: Request, seen: VaultView) -> Refused | None:
    limits = seen.policy.limits(seen.unix_seconds)
    facts: list[tuple[bool, str, str]] = [
        (trade.bot_authority == request.bot, "bot_authority", f"{trade.bot_authority} would trade"),
        (trade.vault == seen.address, "vault", f"{trade.vault} is not the vault that was read"),
        (seen.vault.bot_authority == request.bot, "bot_authority", f"the vault's bot is {seen.vault.bot_authority}"),
        (seen.vault.is_active, "vault_inactive", "the vault is deactivated"),
        (not seen.policy.paused, "vault_paused", "the vault is paused"),
        (not seen.config.paused, "program_paused", "the program is paused"),
        (seen.unix_seconds < limits.bot_expires_at, "bot_expired", f"the grant ended at {limits.bot_expires_at}"),
    ]
    return next((Refused(rule, detail) for holds, rule, detail in facts if not holds), None)


def _guard(guard: Guard, seen: VaultView, rules: Rules) -> Refused | None:
    if guard.bot_epoch != seen.policy.bot_epoch:
        return Refused("bot_epoch", f"{guard.bot_epoch}, the vault's grant is {seen.policy.bot_epoch}")
    if (nonce := seen.policy.nonce_state(guard.nonce)) is not NonceState.FREE:
        return Refused("nonce", f"{guard.nonce} is {nonce}")
    ahead = guard.deadline_slot - seen.slot
    if not 0 <= ahead <= min(rules.deadline_slots_max, DEADLINE_SLOTS_MAX):
        return Refused("deadline", f"{ahead} slots ahead, 0 to {rules.deadline_slots_max} are allowed")
    return None


def _places(trade: BotTrade, read: VaultInstruction, rules: Rules) -> Refused | None:
    """Every fixed account is the one that vault and mints derive."""
    authority = trade_authority_address(trade.vault)
    expected: list[tuple[str, Pubkey, Pubkey]] = [
        ("trade_authority", trade.trade_authority, authority),
        ("vault_input", trade.vault_input, token_account_address(trade.vault, trade.input_mint)),
        ("vault_output", trade.vault_output, token_account_address(trade.vault, trade.output_mint)),
        ("trade_input", trade.trade_input, token_account_address(authority, trade.input_mint)),
        ("trade_output", trade.trade_output, token_account_address(authority, trade.output_mint)),
        ("token_program", trade.token_program, TOKEN_PROGRAM),
        ("router_program", trade.router_program, rules.router),
        ("event_authority", read.accounts["event_authority"], event_authority_address()),
        ("program", read.accounts["program"], accounts.PROGRAM_ID),
    ]
    return next((Refused(name, f"{found} is not {wanted}") for name, found, wanted in expected if found != wanted), None)


def _creations(trade: BotTrade, request: Request, seen: VaultView) -> Refused | None:
    """Token accounts of the trade authority for any mint on the way, of the vault for the two mints of the trade."""
    for creation in request.creations:
        is_of_vault = creation.owner == seen.address and creation.mint in (trade.input_mint, trade.output_mint)
        if not is_of_vault and creation.owner != trade.trade_authority:
            return Refused("creation", f"an account of {creation.mint} for {creation.owner} has no part in this trade")
    return None


def _route(trade: BotTrade, seen: VaultView) -> Refused | None:
    """The shape that the vault allows, with the trade's own accounts where the route names them."""
    try:
        head = jupiter_v6.decode_head(trade.route_data)
    except InvalidInput as error:
        return Refused("route_data", str(error))
    if len(trade.route_data) > ROUTE_DATA_BYTES_MAX or len(trade.route_accounts) > ROUTE_ACCOUNTS_MAX:
        return Refused("route_size", f"{len(trade.route_data)} bytes, {len(trade.route_accounts)} accounts")
    if head.in_amount != trade.amount_in or head.platform_fee_bps or head.positive_slippage_bps or not head.steps_count:
        return Refused("route_data", f"takes {head.in_amount}, fees {head.platform_fee_bps}/{head.positive_slippage_bps}")
    keys = trade.route_accounts
    first = 0 if head.shared_id is None else 1
    places = {first: trade.trade_authority, first + 1: trade.trade_input, (2 if head.shared_id is None else 5): trade.trade_output}
    if len(keys) <= max(places) or any(keys[slot] != key for slot, key in places.items()):
        return Refused("route_accounts", "the route does not start and end in the trade accounts")
    forbidden = {trade.bot_authority, seen.vault.owner, trade.vault, trade.policy, trade.config, trade.vault_input, trade.vault_output}
    return Refused("route_accounts", "an account of vault, owner or bot would reach the router") if forbidden & set(keys) else None


def _amounts(trade: BotTrade) -> Refused | None:
    if trade.amount_in <= 0 or trade.minimum_amount_out <= 0:
        return Refused("amount", "amount and floor must be above zero")
    return Refused("mints", "input and output are the same mint") if trade.input_mint == trade.output_mint else None


def _limits(trade: BotTrade, seen: VaultView) -> Refused | None:
    """Mints and budgets as the vault will count them now."""
    base, now = seen.policy.base_mint, seen.unix_seconds
    if base not in (trade.input_mint, trade.output_mint):
        return Refused("base_leg", f"one side of every trade is {base}")
    deposited = seen.vault.total_deposited
    if trade.input_mint == base:
        if not seen.policy.may_buy(trade.output_mint, now):
            return Refused("mint_not_allowed", f"the vault's list has no place for {trade.output_mint}")
        left = seen.policy.spend_left(deposited, now)
        return Refused("spend", f"{trade.amount_in}, {left} left") if trade.amount_in > left else None
    return _sale(trade, seen)


def _sale(trade: BotTrade, seen: VaultView) -> Refused | None:
    """The most a sale at its floor can lose against pro-rata cost must fit the day's loss cap. cost = base_cost * sold / units."""
    slot, now = seen.policy.slot_of(trade.input_mint), seen.unix_seconds
    is_listed_only = seen.policy.limits(now).mint_mode == accounts.ALLOWLIST
    if slot is None:
        return Refused("mint_not_allowed", f"{trade.input_mint} is not on the vault's list") if is_listed_only else None
    sold = min(trade.amount_in, slot.units)
    cost = -(-slot.base_cost * sold // slot.units) if slot.units else 0
    worst = max(0, cost - trade.minimum_amount_out)
    left = seen.policy.limits(now).loss_cap(seen.policy.loss_basis(seen.vault.total_deposited)) - seen.policy.lost_in_day(now)
    return Refused("loss", f"{worst} may be lost, {left} left") if worst > max(0, left) else None
