"""Real trades played on the local chain: the first twelve hours before the ports open, the rest live at REPLAY_SPEED times their pace.

Before each swap the arbitrage account moves the pool so that the recorded input gives the recorded output. Slots keep the wall's pace,
so that the life of a blockhash is real; only block time runs fast. Called by services/localnet.py.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from xorj.demo.identities import ARBITRAGE, ARBITRAGE_ADDRESS
from xorj.demo.past import Past, past_name
from xorj.demo.recording import RecordedSwap, Recording, StandIn, decimals_of, first_reserves, stand_in, symbol_of, usual_balances
from xorj.demo.stage import Stage, execute, open_vault_program, token_transfer
from xorj.demo.tokens import SOL_MINT, USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis
from xorj.localnet.jupiter.pools import DOLLARS, PoolBook
from xorj.localnet.jupiter.routes import Hop, Route, route_instruction
from xorj.localnet.jupiter.tokens import ListedToken
from xorj.localnet.live import LiveChain
from xorj.market import local_amm
from xorj.primitives.errors import InvalidInput
from xorj.vault.accounts import token_account_address

REPLAY_SPEED = 250
SLOTS_PER_SECOND = 2
STOCK_RAW = 10**17
# below this a recorded output is so few units that its price is mostly rounding: the pool is left where it is
PRICED_OUT_RAW_LEAST = 20_000
# times what is usual: more than that is led away
HOARD = 4
UNITS_LEAST = 200_000
POLL_S = 0.1
_ARBITRAGE = StandIn(ARBITRAGE, ARBITRAGE_ADDRESS)


@dataclass(frozen=True, slots=True)
class Move:
    """What the arbitrage account gives the pool before a swap."""

    mint: Pubkey
    amount: int


def replay_name(recording: Recording) -> str:
    return past_name("replay", recording.digest)


def replay_genesis(recording: Recording) -> Genesis:
    """Pools as they were recorded, and every wallet with what it usually holds. Raises InvalidInput when a pair has no price."""
    stage = Stage()
    for mint in sorted(recording.mints, key=bytes):
        if mint not in (*DOLLARS, SOL_MINT):
            stage.mint(mint, decimals_of(mint), 10 * STOCK_RAW)
        stage.hold(ARBITRAGE_ADDRESS, mint, STOCK_RAW)
    reserves = first_reserves(recording.rows)
    for row in recording.rows:
        if row.pair not in reserves:
            raise InvalidInput(
                "replay", given=f"{symbol_of(row.input_mint)}/{symbol_of(row.output_mint)}", rule="a swap that gave something"
            )
    for (low, high), held in reserves.items():
        stage.pool(low, held[low], high, held[high])
    for wallet in dict.fromkeys(row.wallet for row in recording.rows):
        stage.wallet(stand_in(wallet).address)
    for (wallet, mint), raw in usual_balances(recording.rows).items():
        stage.hold(stand_in(wallet).address, mint, raw)
    return stage.genesis(recording.rows[0].block_time - 1)


def listed(recording: Recording) -> list[ListedToken]:
    """The recording's mints for the token list."""
    mints = sorted(recording.mints | {USDC_MINT}, key=bytes)
    return [ListedToken(mint, symbol_of(mint), f"{symbol_of(mint)} (local, worthless)", decimals_of(mint)) for mint in mints]


class Player:
    """Plays rows on one bank, in its present block. `usual` is what wallets hold by and large: see recording.usual_balances."""

    def __init__(self, bank: Bank, usual: Mapping[tuple[str, Pubkey], int]) -> None:
        self.bank = bank
        self._usual = usual
        self._book = PoolBook(bank)
        self._executed = 0

    def play(self, row: RecordedSwap) -> int:
        """The arbitrage account's move, then the wallet's swap; returns what it gave. One that gave nothing is not played: 0."""
        pool = self._book.pool(row.input_mint, row.output_mint)
        if pool is None or row.amount_out == 0:
            return 0
        move = move_before(row, *self._book.reserves(pool, row.input_mint))
        if move is not None:
            self._arbitrage(pool, move)
        amount_out = local_amm.amount_out(*self._book.reserves(pool, row.input_mint), row.amount_in)
        if amount_out == 0:
            return 0
        who, held = stand_in(row.wallet), self._held(row.wallet, row.input_mint)
        if held < row.amount_in:
            missing = row.amount_in - held + self._usual[row.wallet, row.input_mint]
            self._move(_ARBITRAGE, who, row.input_mint, missing)
        route = Route((Hop(pool, row.input_mint, row.output_mint, row.amount_in, amount_out),), price_impact=Fraction(0))
        destination = token_account_address(who.address, row.output_mint)
        swap = route_instruction(route, authority=who.address, destination=destination, slippage_bps=0)
        self._execute(swap, who)
        self._lead_away(row.wallet, row.output_mint)
        return amount_out

    def _lead_away(self, wallet: str, mint: Pubkey) -> None:
        """What a wallet has far too much of has gone elsewhere in the record as well."""
        held, usual = self._held(wallet, mint), self._usual[wallet, mint]
        if held > HOARD * usual:
            self._move(stand_in(wallet), _ARBITRAGE, mint, held - usual)

    def _held(self, wallet: str, mint: Pubkey) -> int:
        return self._book.amount(token_account_address(stand_in(wallet).address, mint))

    def _move(self, giver: StandIn, taker: StandIn, mint: Pubkey, raw: int) -> None:
        self._execute(token_transfer(giver.address, taker.address, mint, decimals_of(mint), raw), giver)

    def _execute(self, instruction: Instruction, payer: StandIn) -> None:
        """Two that are alike in one block would be one transaction: each has its own limit of compute units."""
        self._executed += 1
        limit = set_compute_unit_limit(UNITS_LEAST + self._executed % UNITS_LEAST)
        execute(self.bank, [limit, instruction], payer.address, [payer.key])

    def _arbitrage(self, pool: local_amm.Pool, move: Move) -> None:
        who = ARBITRAGE_ADDRESS
        got = pool.mint_b if move.mint == pool.mint_a else pool.mint_a
        source, destination = (token_account_address(who, mint) for mint in (move.mint, got))
        swap = local_amm.swap(
            pool, owner=who, source=source, destination=destination, input_mint=move.mint, amount_in=move.amount, amount_out_min=0
        )
        self._execute(swap, _ARBITRAGE)


def move_before(row: RecordedSwap, reserve_in: int, reserve_out: int) -> Move | None:
    """The move after which the recorded input gives the recorded output as nearly as whole units allow; None when none is needed.

    Found by halving: what a swap gives falls with every unit of its input that goes in before, and rises with every unit of its output.
    """
    if row.amount_out < PRICED_OUT_RAW_LEAST:
        return None
    pays = local_amm.amount_out(reserve_in, reserve_out, row.amount_in)
    if pays == row.amount_out:
        return None
    if pays > row.amount_out:
        amount = _least(lambda given: _pays_after_input(row, reserve_in, reserve_out, given) <= row.amount_out, reserve_in)
        return Move(row.input_mint, amount) if amount else None
    amount = _least(lambda given: _pays_after_output(row, reserve_in, reserve_out, given) >= row.amount_out, reserve_out)
    return Move(row.output_mint, amount) if amount else None


def _least(enough: Callable[[int], bool], reserve: int) -> int:
    """The least amount that is enough, at most a thousand times the reserve."""
    low, high = 0, reserve * 1_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _pays_after_input(row: RecordedSwap, reserve_in: int, reserve_out: int, given: int) -> int:
    got = local_amm.amount_out(reserve_in, reserve_out, given)
    return local_amm.amount_out(reserve_in + given, reserve_out - got, row.amount_in)


def _pays_after_output(row: RecordedSwap, reserve_in: int, reserve_out: int, given: int) -> int:
    got = local_amm.amount_out(reserve_out, reserve_in, given)
    return local_amm.amount_out(reserve_in - got, reserve_out + given, row.amount_in)


def execute_recorded_past(bank: Bank, recording: Recording) -> Past:
    """Opens the vault program's config and plays the history at its recorded times."""
    start_slot, start = bank.slot, recording.rows[0].block_time
    bank.advance(1, start)
    open_vault_program(bank)
    player = Player(bank, usual_balances(recording.rows))
    for row in recording.history:
        slot = start_slot + 2 + (row.block_time - start) * SLOTS_PER_SECOND
        if slot > bank.slot:
            bank.advance(slot - bank.slot, row.block_time)
        player.play(row)
    bank.advance(1, recording.history[-1].block_time)
    return Past(end_height=bank.blocks.height)


class FastClock:
    """Block time that runs REPLAY_SPEED times as fast as the wall from where the chain stands; give it to the live chain."""

    def __init__(self) -> None:
        self._began: tuple[int, float] | None = None

    def begin(self, unix_seconds: int) -> None:
        self._began = unix_seconds, time.monotonic()

    def __call__(self) -> int:
        if self._began is None:
            return 0
        start, wall = self._began
        return start + int((time.monotonic() - wall) * REPLAY_SPEED)


async def play_live(chain: LiveChain, recording: Recording) -> None:
    """Plays every row when the chain's block time has reached it, then rests until cancelled."""
    player, rows = Player(chain.bank, usual_balances(recording.rows)), recording.live
    start = chain.bank.unix_seconds
    at = next((number for number, row in enumerate(rows) if row.block_time > start), len(rows))
    while True:
        while at < len(rows) and rows[at].block_time <= chain.bank.unix_seconds:
            player.play(rows[at])
            at += 1
        chain.tell()
        await asyncio.sleep(POLL_S)
