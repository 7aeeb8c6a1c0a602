"""A token that left a wallet without a swap. Made from the lake's balance changes; used by pnl and legs."""

from dataclasses import dataclass

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import Wallet
from xorj.swaps.swap import OrderKey


@dataclass(frozen=True, slots=True)
class TransferOut:
    """`amount` went to somebody else at `order`. Lots go along at cost, USDC as far as swaps had brought it; nothing is gained."""

    wallet: Wallet
    order: OrderKey
    block_time: int
    amount: TokenAmount
