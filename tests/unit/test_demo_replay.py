"""Recorded trades on the local chain: read strictly, seeded as they were, filled as they were filled."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from xorj.demo.recording import COLUMNS, RecordedSwap, Recording, first_reserves, read_recording, stand_in, usual_balances
from xorj.demo.replay import PRICED_OUT_RAW_LEAST, Player, execute_recorded_past, move_before, replay_genesis
from xorj.demo.replay_check import percentile_95
from xorj.demo.stage import Stage
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.pools import PoolBook
from xorj.market import local_amm
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, USDC
from xorj.vault.accounts import token_account_address

RECORDED_DAY = Path(__file__).parents[3] / "shared" / "data" / "orca-whirlpool-swaps-2022-04-06.csv.gz"
USDC_MINT, SOL_MINT = Pubkey.from_string(USDC), Pubkey.from_string(SOL)
HOUR = 3_600


def swap(second: int, wallet: str, given: Pubkey, got: Pubkey, amount_in: int, amount_out: int, held: int = 10**12) -> RecordedSwap:
    return RecordedSwap(1_649_203_212 + second, wallet, "pool", given, got, amount_in, amount_out, held)


DAY = [
    swap(0, "ana", USDC_MINT, SOL_MINT, 130_000_000, 1_000_000_000),
    swap(60, "ben", SOL_MINT, USDC_MINT, 2_000_000_000, 259_000_000),
    swap(13 * HOUR, "ana", SOL_MINT, USDC_MINT, 900_000_000, 118_000_000),
]


def written(folder: Path, rows: Sequence[RecordedSwap], columns: Sequence[str] = COLUMNS) -> Path:
    file = folder / "swaps.csv"
    lines = [",".join(str(getattr(row, column)) for column in columns) for row in rows]
    file.write_text("\n".join([",".join(columns), *lines]) + "\n")
    return file


def test_a_recording_is_read_plain_and_compressed(tmp_path: Path) -> None:
    plain = written(tmp_path, DAY)
    compressed = tmp_path / "swaps.csv.gz"
    compressed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_recording(plain).rows == read_recording(compressed).rows == tuple(DAY)


def test_the_first_twelve_hours_are_history(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, DAY))
    assert recording.history == tuple(DAY[:2])
    assert recording.live == tuple(DAY[2:])


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ([], COLUMNS, "at least one row"),
        (DAY, COLUMNS[1:], "block_time"),
        (DAY[::-1], COLUMNS, "order of their block times"),
        ([swap(0, "ana", USDC_MINT, SOL_MINT, 0, 5)], COLUMNS, "line 2"),
        ([swap(0, "ana", USDC_MINT, USDC_MINT, 5, 5)], COLUMNS, "line 2"),
    ],
)
def test_what_cannot_be_played_is_named(tmp_path: Path, rows: list[RecordedSwap], columns: Sequence[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_recording(written(tmp_path, rows, columns))


@pytest.mark.parametrize("content", [b"\x1f\x8bnot really gzip", b"\xff\xfe\x00", None])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "swaps.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput):
        read_recording(file)


def test_a_wallet_holds_four_of_its_median_trades() -> None:
    assert usual_balances(DAY) == {
        ("ana", USDC_MINT): 4 * 130_000_000,
        ("ana", SOL_MINT): 4 * 1_000_000_000,
        ("ben", SOL_MINT): 4 * 2_000_000_000,
        ("ben", USDC_MINT): 4 * 259_000_000,
    }


def test_a_wallet_that_always_buys_is_topped_up_and_its_hoard_led_away() -> None:
    rows = [swap(second, "ana", USDC_MINT, SOL_MINT, 130_000_000, 1_000_000_000) for second in range(60)]
    bank = Bank.open(None, replay_genesis(Recording(tuple(rows), "")))
    bank.advance()
    player, book = Player(bank, usual_balances(rows)), PoolBook(bank)
    for row in rows:
        assert player.play(row)
        bank.advance()
    usdc, sol = (book.amount(token_account_address(stand_in("ana").address, mint)) for mint in (USDC_MINT, SOL_MINT))
    assert 0 <= usdc <= 5 * 130_000_000
    assert 0 < sol <= 16 * 1_000_000_000


def test_swaps_that_are_alike_in_one_block_are_all_played() -> None:
    rows = [swap(0, "ana", USDC_MINT, SOL_MINT, 130, 1_000)] * 5
    bank = Bank.open(None, replay_genesis(Recording((DAY[0], *rows), "")))
    bank.advance()
    player = Player(bank, usual_balances(rows))
    assert all(player.play(row) for row in rows)


def test_one_reserve_is_the_recorded_vault_and_the_other_follows_from_the_first_price() -> None:
    (reserves,) = first_reserves(DAY).values()
    assert reserves == {USDC_MINT: 10**12, SOL_MINT: 10**12 * 1_000_000_000 // 130_000_000}


amounts = st.integers(min_value=10**6, max_value=10**13)


@given(reserve_in=amounts, reserve_out=amounts, share=st.integers(1, 300), worse=st.integers(700, 1_300))
def test_after_the_move_the_recorded_input_gives_the_recorded_output(reserve_in: int, reserve_out: int, share: int, worse: int) -> None:
    amount_in = max(1, reserve_in * share // 1_000)
    recorded = reserve_out * amount_in // (reserve_in + amount_in) * worse // 1_000
    if recorded < PRICED_OUT_RAW_LEAST:
        return
    row = swap(0, "ana", USDC_MINT, SOL_MINT, amount_in, recorded)
    move = move_before(row, reserve_in, reserve_out)
    if move is not None and move.mint == USDC_MINT:
        reserve_in, reserve_out = reserve_in + move.amount, reserve_out - local_amm.amount_out(reserve_in, reserve_out, move.amount)
    elif move is not None:
        reserve_in, reserve_out = reserve_in - local_amm.amount_out(reserve_out, reserve_in, move.amount), reserve_out + move.amount
    error_bps = abs(local_amm.amount_out(reserve_in, reserve_out, amount_in) - recorded) * 10_000 / recorded
    assert error_bps <= 5


def test_the_whole_day_is_played_on_a_chain(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, DAY))
    bank = Bank.open(None, replay_genesis(recording))
    execute_recorded_past(bank, recording)
    assert bank.unix_seconds == DAY[1].block_time
    bank.advance(1, DAY[2].block_time)
    got = Player(bank, usual_balances(DAY)).play(DAY[2])
    assert got == pytest.approx(DAY[2].amount_out, rel=5e-4)
    held = PoolBook(bank).amount(token_account_address(stand_in("ana").address, USDC_MINT))
    assert held == 4 * 130_000_000 - 130_000_000 + got


def test_a_swap_that_gave_nothing_is_not_played() -> None:
    bank = Bank.open(None, Stage().genesis(1_649_203_212))
    assert not Player(bank, {}).play(swap(0, "ana", USDC_MINT, SOL_MINT, 5, 0))


def test_the_percentile_is_what_ninety_five_of_a_hundred_do_not_exceed() -> None:
    assert percentile_95([]) == 0
    assert percentile_95(range(100)) == 95
    assert percentile_95([1.0]) == 1.0


def test_the_recorded_day_of_orca_is_filled_within_five_basis_points() -> None:
    if not RECORDED_DAY.exists():
        pytest.skip(f"the recorded day is not there: {RECORDED_DAY}")
    recording = read_recording(RECORDED_DAY)
    bank = Bank.open(None, replay_genesis(recording))
    bank.advance(1, recording.rows[0].block_time)
    player = Player(bank, usual_balances(recording.rows))
    played = [(player.play(row), row.amount_out) for row in recording.rows[:1_000]]
    errors = [abs(got - recorded) * 10_000 / recorded for got, recorded in played if got]
    assert len(errors) > 990
    assert percentile_95(errors) <= 5
