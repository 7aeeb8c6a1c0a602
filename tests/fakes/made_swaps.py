"""Swaps and records made by hand, in few words. Names stand for addresses; the same name is always the same address."""

from dataclasses import replace
from hashlib import sha256

from solders.pubkey import Pubkey
from solders.signature import Signature as RawSignature

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, USDC, USDT, Address, Mint, Signature, Slot, Wallet
from xorj.swaps.movement import Movement, MovementKind
from xorj.swaps.pool_hops import Reserve, SwapFacts
from xorj.swaps.record import Record
from xorj.swaps.swap import NotASwap, NotASwapKind, OrderKey, Outcome, Swap, Undecodable

DAY_S = 86_400
FIRST_DAY_S = 1_700_006_400
VENUE = Address("Loca1Amm11111111111111111111111111111111111")
_KNOWN = {"USDC": (USDC, 6), "USDT": (USDT, 6), "SOL": (SOL, 9)}


def wallet(name: str) -> Wallet:
    return Wallet(str(Pubkey.from_bytes(sha256(name.encode()).digest())))


def mint(name: str) -> Mint:
    return _KNOWN[name][0] if name in _KNOWN else Mint(str(Pubkey.from_bytes(sha256(b"mint " + name.encode()).digest())))


def amount(text: str) -> TokenAmount:
    """`12.5 SOL` as a raw amount; unknown names are tokens of 6 decimals."""
    number, name = text.split()
    decimals = _KNOWN[name][1] if name in _KNOWN else 6
    return TokenAmount(mint(name), round(float(number) * 10**decimals), decimals)


def signature(number: int) -> Signature:
    return Signature(str(RawSignature.from_bytes(number.to_bytes(64, "big"))))


def swap(
    who: str, gives: str, gets: str, *, slot: int, day: float = 0, index: int = 0, instruction: int = 0, fee: int | None = 5_000
) -> Swap:
    """`who` gives and gets at `slot`, `day` days after the first."""
    return Swap(
        wallet=wallet(who),
        signature=signature(slot * 1_000 + index),
        order=OrderKey(Slot(slot), index, instruction),
        block_time=FIRST_DAY_S + round(day * DAY_S),
        input=amount(gives),
        output=amount(gets),
        network_fee_lamports=fee,
        tip_lamports=0,
        programs=(VENUE,),
    )


def record(who: str, outcome: Outcome | None = None, *, slot: int, index: int = 0) -> Record:
    """A record of `outcome`, a transfer when None."""
    if outcome is None:
        outcome = NotASwap(NotASwapKind.TRANSFER)
    return Record(wallet(who), signature(slot * 1_000 + index), Slot(slot), index, FIRST_DAY_S, outcome)


def swapped(who: str, gives: str, gets: str, *, slot: int, index: int = 0) -> Record:
    return record(who, (swap(who, gives, gets, slot=slot, index=index),), slot=slot, index=index)


def told(who: str, *, slot: int, index: int = 0, gives: str = "9 USDC", gets: str = "1 SOL", through: Address | None = None) -> Record:
    """A swap as a node tells it: with the payment for it, what the wallet sent to somebody besides, and the pool's reserves."""
    one = swap(who, gives, gets, slot=slot, index=index)
    moved = (
        Movement(MovementKind.NETWORK_FEE, SOL, -5_000),
        Movement(MovementKind.SWAP, one.input.mint, -one.input.raw),
        Movement(MovementKind.SWAP, one.output.mint, one.output.raw),
        Movement(MovementKind.TRANSFER, mint("BONK"), -70, Address(wallet("somebody"))),
    )
    into, out_of = Reserve(one.input.mint, 2**64 - 1, None), Reserve(one.output.mint, 900, 850)
    pool = None if through is None else Address(wallet("pool"))
    facts = SwapFacts(Address(wallet(who)), 1 if pool else 2, through, pool, *((into, out_of) if pool else (None, None)), fee_in_raw=3)
    return replace(record(who, (one,), slot=slot, index=index), movements=moved, facts=(facts,))


UNREADABLE = Undecodable("2 tokens given and 2 received")
