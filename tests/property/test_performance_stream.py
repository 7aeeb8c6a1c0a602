"""The stream equals the batch to the bit: on any history, in any cut into pieces, after a snapshot, compiled as interpreted."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_performance_kernel import departures, histories, made_legs

from xorj.performance import columns as c
from xorj.performance.kernel import Figures, figures_of
from xorj.performance.legs import legs_of, marks_of
from xorj.performance.stream import Stream
from xorj.performance.transfer import TransferOut
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps


def as_they_came(legs: c.Legs) -> c.Legs:
    """The legs by time: one swap of each wallet after another, the legs of a swap together and its first leg first."""
    is_first = (legs.flags & (c.FIRST | c.MOVED)) == 0
    order = np.lexsort((is_first, legs.wallet, legs.swap))
    return c.Legs(*(column[order] for column in legs))


def pieces(legs: c.Legs, swaps_a_piece: int) -> Iterator[c.Legs]:
    starts = np.flatnonzero(legs.flags & (c.FIRST | c.MOVED))[::swaps_a_piece]
    for first, last in zip(starts, [*starts[1:], len(legs.wallet)], strict=True):
        yield c.Legs(*(column[first:last] for column in legs))


def assert_equal(stream: Stream, figures: Figures, marks: c.Marks, as_of: int) -> None:
    ends = np.cumsum(figures.statistics[:, c.DAYS]).astype(int)
    for row, wallet in enumerate(figures.wallets.tolist()):
        found = stream.measure(wallet, [position for _, position in sorted(stream.positions(wallet))], marks, as_of)
        days = slice(ends[row] - int(figures.statistics[row, c.DAYS]), ends[row])
        assert np.array_equal(found.totals, figures.totals[row])
        assert np.array_equal(found.statistics, figures.statistics[row], equal_nan=True)
        assert np.array_equal(found.returns, figures.returns[days])
        assert np.array_equal(found.equity_usd, figures.equity_usd[days])


@given(histories(), departures(), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_the_stream_equals_the_batch_to_the_bit(swaps: Sequence[Swap], transfers: Sequence[TransferOut], swaps_a_piece: int) -> None:
    valuation, as_of = value_swaps(swaps), max(one.block_time for one in (*swaps, *transfers))
    table = legs_of(valuation, transfers)
    marks = marks_of(table.tokens, valuation.executions, as_of)
    stream = Stream()
    for piece in pieces(as_they_came(table.legs), swaps_a_piece):
        stream.apply(piece)
    assert_equal(stream, figures_of(table.legs, marks, as_of, with_series=True), marks, as_of)


@pytest.mark.parametrize("compile_loops", [False, True])
def test_a_long_history_streams_to_the_batchs_figures_over_a_snapshot(compile_loops: bool) -> None:
    legs, marks, as_of = made_legs(6_000, seed=11)
    legs = legs._replace(token=legs.token + 7 * (legs.swap // 40), flags=legs.flags)
    order = np.lexsort((legs.swap, legs.token, legs.wallet))
    legs = c.Legs(*(column[order] for column in legs))
    tokens = int(legs.token.max()) + 1
    marks = c.Marks(np.resize(marks.first_day, tokens), np.resize(marks.offset, tokens), marks.prices)
    stream = Stream(compile_loops=compile_loops)
    came = list(pieces(as_they_came(legs), 500))
    for at, piece in enumerate(came):
        if at == len(came) // 2:
            stream = Stream.restored(stream.snapshot(), compile_loops=compile_loops)
        stream.apply(piece)
    assert_equal(stream, figures_of(legs, marks, as_of, with_series=True, compile_legs_min=0), marks, as_of)


@pytest.mark.parametrize("compile_loops", [False, True])
def test_swaps_one_by_one_are_as_swaps_together(compile_loops: bool) -> None:
    legs, marks, as_of = made_legs(3_000, seed=5)
    stream, came = Stream(compile_loops=compile_loops), c.Legs(*(column.tolist() for column in as_they_came(legs)))
    for wallet, token, _, time, quantity, value, fee, flags in zip(*came, strict=True):
        stream.apply_swap(wallet, time, value, fee, flags, [(token, quantity)])
    assert_equal(stream, figures_of(legs, marks, as_of, with_series=True), marks, as_of)


def test_marks_are_read_when_a_wallet_is_asked_for() -> None:
    legs, marks, as_of = made_legs(300, seed=3)
    stream = Stream()
    stream.apply(as_they_came(legs))
    dearer = marks._replace(prices=marks.prices * 2)
    assert_equal(stream, figures_of(legs, dearer, as_of, with_series=True), dearer, as_of)
    assert_equal(stream, figures_of(legs, marks, as_of, with_series=True), marks, as_of)
