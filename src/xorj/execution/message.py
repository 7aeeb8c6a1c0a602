"""Builds the one message of an attempt (token accounts that are missing, then bot_trade) or of a brake. Pure functions of their inputs.

Messages are of version 1: compute limit and priority fee stand in the message's own configuration, all addresses are inline, and what
is signed can be read without looking anything up.
"""

from dataclasses import dataclass

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV1, TransactionConfig, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from xorj.execution.brake import Wanted
from xorj.execution.intent import Intent
from xorj.execution.rejected import Rejected
from xorj.execution.vault_state import TradeAddresses, VaultState
from xorj.router.quote import RouteQuote
from xorj.vault.accounts import token_account_address
from xorj.vault.instructions import Guard, bot_trade, burn_nonce, create_token_account, pause_vault

COMPUTE_UNITS_MAX = 1_400_000
TRANSACTION_BYTES_MAX = 4_096
SIGNATURE_BYTES = 64
ACCOUNTS_MAX = 64
# Base units of compute that a message may not go below, whatever a simulation says.
COMPUTE_UNITS_MIN = 50_000


@dataclass(frozen=True, slots=True)
class Budget:
    """`priority_fee_lamports` is the whole fee above the base fee, not a price."""

    compute_units: int = COMPUTE_UNITS_MAX
    priority_fee_lamports: int = 0


def trade_message(
    intent: Intent,
    bot: Pubkey,
    state: VaultState,
    quote: RouteQuote,
    *,
    minimum_out_raw: int,
    passing_mints: tuple[Pubkey, ...],
    guard: Guard,
    blockhash: str,
    budget: Budget,
) -> bytes | Rejected:
    """The bytes to be signed, or Rejected when they would not fit a transaction."""
    owner = Pubkey.from_string(intent.owner)
    trade = bot_trade(
        bot,
        owner,
        input_mint=Pubkey.from_string(intent.input_mint),
        output_mint=Pubkey.from_string(intent.output_mint),
        router_program=quote.swap_instruction.program_id,
        amount_in=intent.amount_in_raw,
        minimum_amount_out=minimum_out_raw,
        route_data=bytes(quote.swap_instruction.data),
        route_accounts=list(quote.swap_instruction.accounts),
        guard=guard,
    )
    return _compiled(bot, [*_missing_accounts(intent, bot, state, passing_mints), trade], blockhash, budget)


def brake_message(wanted: Wanted, bot: Pubkey, *, deadline_slot: int, blockhash: str, budget: Budget) -> bytes | Rejected:
    """Nothing but the pause or the burn; `deadline_slot` is the burn's alone."""
    owner, trade = Pubkey.from_string(wanted.owner), wanted.trade
    if trade is None:
        return _compiled(bot, [pause_vault(bot, owner)], blockhash, budget)
    return _compiled(bot, [burn_nonce(bot, owner, Guard(trade.nonce, trade.bot_epoch, deadline_slot))], blockhash, budget)


def with_signature(message: bytes, signature: Signature) -> bytes:
    """The whole transaction's bytes: what is sent, and sent again."""
    return bytes(VersionedTransaction.populate(from_bytes_versioned(message), [signature]))


def unsigned(message: bytes) -> bytes:
    """A transaction with an empty signature, for simulation alone."""
    return with_signature(message, Signature.default())


def compute_units_for(simulated: int, margin_percent: int) -> int:
    """The limit to ask for: what a simulation used and a margin, within what the chain allows."""
    return min(COMPUTE_UNITS_MAX, max(COMPUTE_UNITS_MIN, simulated * (100 + margin_percent) // 100))


def _missing_accounts(intent: Intent, bot: Pubkey, state: VaultState, passing_mints: tuple[Pubkey, ...]) -> list[Instruction]:
    addresses = TradeAddresses.of(intent)
    given, wanted = Pubkey.from_string(intent.input_mint), Pubkey.from_string(intent.output_mint)
    trade = addresses.trade_authority
    needed: list[tuple[Pubkey, Pubkey]] = []
    if state.vault_output_raw is None:
        needed.append((addresses.vault, wanted))
    if state.trade_input_raw is None:
        needed.append((trade, given))
    if state.trade_output_raw is None:
        needed.append((trade, wanted))
    known = {addresses.trade_input, addresses.trade_output}
    needed += [(trade, mint) for mint in passing_mints if token_account_address(trade, mint) not in known]
    return [create_token_account(bot, owner, mint) for owner, mint in needed]


def _compiled(bot: Pubkey, instructions: list[Instruction], blockhash: str, budget: Budget) -> bytes | Rejected:
    # A v1 message knows no absent fee: zero is left out.
    config = TransactionConfig(compute_unit_limit=budget.compute_units, priority_fee=budget.priority_fee_lamports or None)
    message = MessageV1.try_compile(bot, instructions, Hash.from_string(blockhash), config)
    data = to_bytes_versioned(message)
    if len(data) + SIGNATURE_BYTES > TRANSACTION_BYTES_MAX or len(message.account_keys) > ACCOUNTS_MAX:
        return Rejected("transaction_size", f"{len(data)} bytes, {len(message.account_keys)} accounts", is_final=False)
    return data
