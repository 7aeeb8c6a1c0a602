"""Jupiter's limit orders, DCA and value averages: a keeper trades what the wallet left in escrow, so the wallet signs and gives nothing.

The wallet's input is what its order's escrow lost; its output is its own change of balance, or what the program says it set aside for it.
Asked by the decoder before balances. Layouts: accounts and events of landed transactions; an event is the program's call of itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainInstruction, ChainTransaction
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.balance_change import decimals_of
from xorj.swaps.instruction_tree import InstructionTree, all_instructions, read_tree, u64
from xorj.swaps.programs import (
    EVENT_TAG,
    JUPITER_DCA,
    JUPITER_LIMIT_V1,
    JUPITER_LIMIT_V2,
    JUPITER_VALUE_AVERAGE,
    SWAP_PROGRAMS,
    Role,
    discriminator,
)
from xorj.swaps.reading import DECIMALS_MAX, Reading
from xorj.swaps.swap import NotASwap, NotASwapKind, Outcome, Swap, Undecodable

_OPENINGS = frozenset(map(discriminator, ("initialize_order", "open_dca", "open_dca_v2", "open", "deposit")))
_CANCELLINGS = frozenset(map(discriminator, ("cancel_order", "cancel_dust_order", "cancel_expired_order", "close_dca", "close")))
_LIMIT_FILLS = frozenset(map(discriminator, ("flash_fill_order", "fill_order")))
_DCA_FILLED = EVENT_TAG + bytes.fromhex("8604113fdd2db1ad")
_VALUE_AVERAGE_FILLED = EVENT_TAG + bytes.fromhex("4ee1c79a56dbe0a9")
_DCA_FILLED_BYTES, _VALUE_AVERAGE_FILLED_BYTES = 200, 184
# whose order it is stands among the first accounts, after who pays or the order itself
_OWNER_SLOTS = 3
_ORDER_PROGRAMS = frozenset(address for address, row in SWAP_PROGRAMS.items() if row.role is Role.ORDERS)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a fill took from the wallet's escrow, and what it paid where the program tells; `fee` is the keeper's, of the output.

    `released_lamports` came back to the wallet because the order's own account was closed.
    """

    owner: Address
    input_mint: Mint
    input_raw: int
    output_mint: Mint | None
    output_raw: int | None = None
    fee_raw: int = 0
    released_lamports: int = 0


def outcome(reading: Reading) -> Outcome | None:
    """The wallet's order opened, cancelled or filled, None when this transaction did none of it."""
    kind = _order_kind(reading)
    if kind is not None:
        return NotASwap(kind)
    fills = [fill for fill in _fills(reading.transaction, reading.tree) if fill.owner == reading.key]
    if not fills:
        return None
    swaps: list[Swap] = []
    for number, fill in enumerate(fills):
        swap = _swap(reading, fill, number, alone=len(fills) == 1)
        if isinstance(swap, Undecodable):
            return swap
        swaps.append(swap)
    return tuple(swaps)


def makers(transaction: ChainTransaction) -> Iterator[Wallet]:
    """Whose orders were filled: they need not sign, nor hold a token account that the transaction names."""
    return (Wallet(fill.owner) for fill in _fills(transaction, read_tree(transaction)))


def _order_kind(reading: Reading) -> NotASwapKind | None:
    for _, instruction in reading.instructions:
        if instruction.program not in _ORDER_PROGRAMS or reading.key not in instruction.accounts[:_OWNER_SLOTS]:
            continue
        if instruction.data[:8] in _OPENINGS:
            return NotASwapKind.ORDER_OPEN
        if instruction.data[:8] in _CANCELLINGS:
            return NotASwapKind.ORDER_CANCEL
    return None


def _swap(reading: Reading, fill: Fill, number: int, *, alone: bool) -> Swap | Undecodable:
    output = _output(reading, fill, alone=alone)
    if isinstance(output, Undecodable):
        return output
    mint, raw = output
    decimals = decimals_of(reading.transaction).get(mint, 0)
    told = fill.fee_raw > 0 and decimals <= DECIMALS_MAX
    fees = (TokenAmount(mint, fill.fee_raw, decimals),) if told else ()
    return reading.swap(((fill.input_mint, fill.input_raw), (mint, raw)), number=number, venue_fees=fees)


def _output(reading: Reading, fill: Fill, *, alone: bool) -> tuple[Mint, int] | Undecodable:
    if fill.output_mint is not None and fill.output_raw is not None:
        return _checked(fill, fill.output_mint, fill.output_raw)
    if not alone:
        return Undecodable("several fills of one wallet that do not tell what each paid")
    got = dict(reading.change.by_mint)
    got[SOL] = got.get(SOL, 0) - fill.released_lamports
    gains = {mint: raw for mint, raw in got.items() if raw > 0 and mint != fill.input_mint}
    if fill.output_mint is not None and fill.output_mint in gains:
        return _checked(fill, fill.output_mint, gains[fill.output_mint])
    if len(gains) != 1:
        return Undecodable(f"an order's fill that brought the wallet {len(gains)} tokens")
    ((mint, raw),) = gains.items()
    return _checked(fill, mint, raw)


def _checked(fill: Fill, mint: Mint, raw: int) -> tuple[Mint, int] | Undecodable:
    return Undecodable("an order's fill of nothing, or for its own token") if mint == fill.input_mint or not fill.input_raw else (mint, raw)


def _fills(transaction: ChainTransaction, tree: InstructionTree) -> Iterator[Fill]:
    """Every fill that the transaction holds. An order whose account stands in place of its owner's is asked about by that address."""
    for _, instruction in all_instructions(transaction):
        data, accounts = instruction.data, instruction.accounts
        if instruction.program in (JUPITER_LIMIT_V1, JUPITER_LIMIT_V2) and data[:8] in _LIMIT_FILLS:
            fill = _limit_fill(transaction, tree, instruction.program, accounts)
            if fill is not None:
                yield fill
        elif instruction.program == JUPITER_DCA and data.startswith(_DCA_FILLED) and len(data) >= _DCA_FILLED_BYTES:
            yield from _dca_fills(data)
        elif instruction.program == JUPITER_VALUE_AVERAGE and data.startswith(_VALUE_AVERAGE_FILLED):
            yield from _value_average_fills(instruction)


def _limit_fill(transaction: ChainTransaction, tree: InstructionTree, program: Address, accounts: Sequence[Address]) -> Fill | None:
    """Accounts of v1: order, escrow, maker; of v2: taker, maker, order, and the escrow as fourth, or eighth where the taker pays itself."""
    if len(accounts) < 8:
        return None
    order, escrow, maker = (
        (accounts[0], accounts[1], accounts[2]) if program == JUPITER_LIMIT_V1 else (accounts[2], accounts[3], accounts[1])
    )
    lost = _lost(transaction, escrow)
    if lost is None and program == JUPITER_LIMIT_V2:
        lost = _lost(transaction, accounts[7])
    if lost is None:
        return None
    fee_account = accounts[7 if program == JUPITER_LIMIT_V1 else 6]
    fee = sum(flow.received_raw for flow in tree.flows if flow.destination == fee_account)
    return Fill(maker, *lost, _output_mint(program, accounts), fee_raw=fee, released_lamports=_released(transaction, order))


def _output_mint(program: Address, accounts: Sequence[Address]) -> Mint | None:
    """Known of fills with a flash loan, which are those that keepers make."""
    slot = 11 if program == JUPITER_LIMIT_V1 else 8
    return Mint(accounts[slot]) if len(accounts) > slot else None


def _dca_fills(data: bytes) -> Iterator[Fill]:
    """The event: user, order, input and output mint, input, output after the fee, fee's mint, fee. For the order itself before the fee."""
    user, order, input_mint, output_mint = (_key(data, 16 + 32 * at) for at in range(4))
    input_raw, output_raw, fee_raw = u64(data, 144), u64(data, 152), u64(data, 192)
    fee_of_output = fee_raw if _key(data, 160) == output_mint else 0
    yield Fill(user, Mint(input_mint), input_raw, Mint(output_mint), output_raw, fee_of_output)
    yield Fill(order, Mint(input_mint), input_raw, Mint(output_mint), output_raw + fee_of_output)


def _value_average_fills(instruction: ChainInstruction) -> Iterator[Fill]:
    """The event: order, user, keeper, input and output mint, input. What was paid is the user's own change of balance."""
    data = instruction.data
    if len(data) >= _VALUE_AVERAGE_FILLED_BYTES:
        yield Fill(_key(data, 48), Mint(_key(data, 112)), u64(data, 176), Mint(_key(data, 144)))


def _key(data: bytes, at: int) -> Address:
    return Address(str(Pubkey.from_bytes(data[at : at + 32])))


def _lost(transaction: ChainTransaction, escrow: Address) -> tuple[Mint, int] | None:
    if escrow not in transaction.account_keys:
        return None
    at = transaction.account_keys.index(escrow)
    before, after = (
        next((row for row in rows if row.account_index == at), None)
        for rows in (transaction.pre_token_balances, transaction.post_token_balances)
    )
    if before is None:
        return None
    lost = before.amount_raw - (after.amount_raw if after is not None else 0)
    return (before.mint, lost) if lost > 0 else None


def _released(transaction: ChainTransaction, account: Address) -> int:
    """Lamports of the order's account when it is closed by the end. What its token account held is rent like any other's."""
    if account not in transaction.account_keys:
        return 0
    at = transaction.account_keys.index(account)
    return transaction.pre_balances[at] if transaction.post_balances[at] == 0 else 0
