"""What the chain says happened to the vaults: every successful bot_trade and every balance, at finalized.

Used by run; judged by verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX
from xorj.chain.transactions import ChainInstruction, ChainTransaction, Commitment
from xorj.primitives.ids import Address, Mint, Signature, Wallet
from xorj.vault import borsh
from xorj.vault.accounts import PROGRAM_ID
from xorj.vault.instructions import decode


@dataclass(frozen=True, slots=True)
class VaultTrade:
    """One successful, finalized bot_trade."""

    signature: Signature
    vault: Address


@dataclass(frozen=True, slots=True)
class Sweep:
    """All trades of the vaults, and their balances by vault and mint, raw; mints with nothing left are not there."""

    trades: tuple[VaultTrade, ...] = ()
    balances: dict[tuple[Address, Mint], int] = field(default_factory=dict)


async def sweep(node: SolanaNode, vaults: Sequence[Address]) -> Sweep:
    """Reads the whole history of each vault. Raises Unavailable."""
    trades: list[VaultTrade] = []
    balances: dict[tuple[Address, Mint], int] = {}
    for vault in vaults:
        signatures = await _landed(node, vault)
        for transaction in await node.transactions(signatures, commitment=Commitment.FINALIZED):
            trades += _trades(transaction, vault) if transaction is not None else []
        _, held = await node.token_balances(Wallet(vault), commitment=Commitment.FINALIZED)
        balances |= {(vault, mint): raw for mint, raw in held.items() if raw}
    return Sweep(tuple(trades), balances)


async def _landed(node: SolanaNode, address: Address) -> list[Signature]:
    found: list[Signature] = []
    before: Signature | None = None
    while True:
        page = await node.signatures(address, before=before, commitment=Commitment.FINALIZED)
        found += [one.signature for one in page if one.error is None]
        if len(page) < SIGNATURES_PER_PAGE_MAX:
            return found
        before = page[-1].signature


def _trades(transaction: ChainTransaction, vault: Address) -> list[VaultTrade]:
    inner = [one for group in transaction.inner_instructions for one in group.instructions]
    count = sum(_is_bot_trade(one, vault) for one in (*transaction.instructions, *inner))
    return [VaultTrade(transaction.signature, vault)] * count


def _is_bot_trade(instruction: ChainInstruction, vault: Address) -> bool:
    if instruction.program != str(PROGRAM_ID):
        return False
    try:
        read = decode(instruction.data, [Pubkey.from_string(key) for key in instruction.accounts])
    except borsh.Malformed:
        # the program's own event, which it tells itself
        return False
    return read.name == "bot_trade" and str(read.accounts["vault"]) == vault
