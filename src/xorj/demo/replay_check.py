"""How near the played swaps came to the recorded ones, read from the chain itself. Used by run with --replay."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX
from xorj.chain.transactions import ChainTransaction, Commitment
from xorj.demo.recording import RecordedSwap, stand_in
from xorj.primitives.ids import Address, Signature
from xorj.router import jupiter_v6

FILL_ERROR_BPS_MAX = 5.0
_BPS = 10_000
_PERCENTILE = 0.95


async def fill_errors_bps(node: SolanaNode, rows: Sequence[RecordedSwap]) -> list[float]:
    """For every played row, how far its output is from the recorded one. A row that gave nothing was not played. Raises Unavailable."""
    played = await _outputs_by_wallet(node)
    wanted: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.amount_out:
            wanted[str(stand_in(row.wallet).address)].append(row.amount_out)
    pairs = [pair for wallet, outputs in wanted.items() for pair in zip(played.get(wallet, ()), outputs, strict=False)]
    return [abs(got - recorded) * _BPS / recorded for got, recorded in pairs]


def percentile_95(errors: Iterable[float]) -> float:
    """The value that 95 of 100 errors do not exceed; 0 for none."""
    ordered = sorted(errors)
    return ordered[min(len(ordered) - 1, int(len(ordered) * _PERCENTILE))] if ordered else 0.0


async def _outputs_by_wallet(node: SolanaNode) -> dict[str, list[int]]:
    """What each wallet's router swaps gave, in the chain's order."""
    signatures: list[Signature] = []
    before: Signature | None = None
    while True:
        page = await node.signatures(Address(jupiter_v6.PROGRAM_ID), before=before, commitment=Commitment.CONFIRMED)
        signatures += [one.signature for one in page if one.error is None]
        if len(page) < SIGNATURES_PER_PAGE_MAX:
            break
        before = page[-1].signature
    signatures.reverse()
    outputs: dict[str, list[int]] = defaultdict(list)
    for transaction in await node.transactions(signatures, commitment=Commitment.CONFIRMED):
        if transaction is not None and (got := _output(transaction)) is not None:
            outputs[transaction.account_keys[0]].append(got)
    return outputs


def _output(transaction: ChainTransaction) -> int | None:
    inner = [one for group in transaction.inner_instructions for one in group.instructions]
    events = [jupiter_v6.decode_swap_event(one.data) for one in inner if one.program == jupiter_v6.PROGRAM_ID]
    return next((event.output_amount for event in events if event is not None), None)
