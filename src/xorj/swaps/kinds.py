"""What a transaction was for a wallet when it was no swap of it, and whether its other parts leave a swap readable. Used by the decoder."""

from xorj.primitives.ids import SOL, Address, Mint
from xorj.swaps.programs import (
    EVENT_TAG,
    LENDING_PROGRAMS,
    LIQUIDITY_PROGRAMS,
    ROUTERS,
    SANCTUM_ROUTER,
    STAKE_PROGRAMS,
    SWAP_PROGRAMS,
    Role,
)
from xorj.swaps.reading import Reading
from xorj.swaps.swap import NotASwapKind


def kind_without_swap(reading: Reading) -> NotASwapKind:
    """No known swap program swapped."""
    ran = {instruction.program for _, instruction in reading.instructions}
    changed = reading.sides.mints
    minted, burned = changed & _minted(reading), changed & _burned(reading)
    if ran & STAKE_PROGRAMS.keys():
        return NotASwapKind.STAKE
    if ran & LIQUIDITY_PROGRAMS.keys():
        return NotASwapKind.LIQUIDITY
    if ran & LENDING_PROGRAMS.keys():
        return NotASwapKind.LEND
    if takes_part_in_liquidity(reading) or ((minted or burned) and ran & SWAP_PROGRAMS.keys()):
        return NotASwapKind.LIQUIDITY
    if minted or burned:
        return NotASwapKind.MINT if minted else NotASwapKind.BURN
    return NotASwapKind.TRANSFER if changed else NotASwapKind.OTHER


def unknown_instruction(reading: Reading) -> str | None:
    """The name of a pool or launchpad that was called directly, with the wallet, for something that is neither swap nor liquidity."""
    for index, instruction in reading.instructions:
        row = SWAP_PROGRAMS.get(instruction.program)
        if row is None or row.role not in (Role.POOL, Role.LAUNCHPAD) or not row.swaps or reading.key not in instruction.accounts:
            continue
        known = row.is_swap(instruction.data) or instruction.data.startswith(EVENT_TAG) or row.is_liquidity(instruction.data)
        if not known and index not in _routed(reading):
            return row.name
    return None


def kind_one_sided(reading: Reading) -> NotASwapKind:
    """Something swapped, and the wallet only gave or only got."""
    changed = reading.sides.mints
    if reading.is_circular:
        return NotASwapKind.ARBITRAGE
    if not reading.signs:
        return NotASwapKind.TRANSFER if changed else NotASwapKind.OTHER
    if lends_directly(reading):
        return NotASwapKind.LEND
    if takes_part_in_liquidity(reading) and changed:
        return NotASwapKind.LIQUIDITY
    if is_stake(reading):
        return NotASwapKind.STAKE
    if changed and not reading.sides.got and _places_an_order(reading):
        return NotASwapKind.ORDER_OPEN
    return NotASwapKind.TRANSFER if changed else NotASwapKind.OTHER


def _places_an_order(reading: Reading) -> bool:
    """Whether an order book took the wallet's tokens and gave nothing for them yet."""
    return any(
        instruction.program in SWAP_PROGRAMS
        and SWAP_PROGRAMS[instruction.program].role is Role.BOOK
        and reading.key in instruction.accounts
        and index not in _routed(reading)
        for index, instruction in reading.instructions
    )


def takes_part_in_liquidity(reading: Reading) -> bool:
    """Whether a pool was called, with the wallet among its accounts, for anything but a swap; or a vault that keeps liquidity was.

    A pool of which no instruction is known as a swap counts where no router called it: the wallet only gave or only got.
    """
    for index, instruction in reading.instructions:
        if reading.key not in instruction.accounts:
            continue
        if instruction.program in LIQUIDITY_PROGRAMS:
            return True
        row = SWAP_PROGRAMS.get(instruction.program)
        if row is None or row.role is not Role.POOL or instruction.data.startswith(EVENT_TAG):
            continue
        if not row.swaps and index not in _routed(reading):
            return True
        if row.swaps and not row.is_swap(instruction.data) and (row.is_liquidity(instruction.data) or reading.sides.mints):
            return True
    return False


def has_liquidity_share(reading: Reading) -> bool:
    """Whether what the wallet got was minted for it, or what it gave was burned: a share of a pool, unless a router went that way."""
    sides = reading.sides
    if ROUTERS.intersection(reading.programs):
        return False
    return bool(sides.got.keys() & _minted(reading) or sides.given.keys() & _burned(reading))


def is_stake(reading: Reading) -> bool:
    """Whether SOL was staked or unstaked through a stake pool that no trading router called."""
    ran = {instruction.program for _, instruction in reading.instructions}
    return bool(ran & STAKE_PROGRAMS.keys()) and SOL in reading.sides.mints and set(reading.programs) <= {SANCTUM_ROUTER}


def lends_directly(reading: Reading) -> bool:
    """Whether a lending program ran that no router called on the way of a route."""
    routed = _routed(reading)
    return any(instruction.program in LENDING_PROGRAMS and index not in routed for index, instruction in reading.instructions)


def _routed(reading: Reading) -> set[int]:
    """Top-level instructions under which a router ran."""
    return {index for index, instruction in reading.instructions if instruction.program in ROUTERS}


def mixes_in(reading: Reading) -> str | None:
    """What else the wallet did in the transaction that leaves its balance change no measure of the swap alone, None when nothing."""
    if lends_directly(reading):
        return "lending"
    return "liquidity" if _deposits_or_withdraws(reading) else None


def _deposits_or_withdraws(reading: Reading) -> bool:
    """A pool whose swap instructions are known was called, by no router and with the wallet, for something else that moved its tokens."""
    routed = _routed(reading)
    for index, instruction in reading.instructions:
        row = SWAP_PROGRAMS.get(instruction.program)
        if row is None or row.role is not Role.POOL or not row.swaps or index in routed or reading.key not in instruction.accounts:
            continue
        if not instruction.data.startswith(EVENT_TAG) and not row.is_swap(instruction.data) and _moves_tokens(reading, index):
            return True
    return False


def _moves_tokens(reading: Reading, index: int) -> bool:
    tree = reading.tree
    return any(
        flow.instruction_index == index and (tree.is_of(flow.source, reading.wallet) or tree.is_of(flow.destination, reading.wallet))
        for flow in tree.flows
    )


def _minted(reading: Reading) -> set[Mint]:
    return {mint for account, mint in reading.tree.minted_to.items() if reading.tree.is_of(Address(account), reading.wallet)}


def _burned(reading: Reading) -> set[Mint]:
    return {mint for account, mint in reading.tree.burned_from.items() if reading.tree.is_of(Address(account), reading.wallet)}
