"""The classic score: the specification's table, exactly, and what it says of input that has no score."""

import math

import pytest
from tests.fakes.spec_table import table

from xorj.primitives.errors import InvalidInput
from xorj.trust.classic_score import SCORE_MAX, classic_score

SPECIFIED = table("""
    who           | roi | max drawdown | trades | score
    The Pro       | 90  | 10           | 100    | 37.0
    Safe Bet      | 20  | 2            | 200    | 21.4
    The Gambler   | 300 | 70           | 20     | 17.5
""")

EDGES = table("""
    what                                     | roi  | max drawdown | trades | score
    nothing won, nothing lost                | 0    | 0            | 1      | 16.0
    all lost                                 | -100 | 100          | 10     | 0.0
    no drawdown at all has no Sharpe ratio   | 20   | 0            | 200    | 16.6
    a drawdown as small as can be            | 20   | 0.001        | 200    | 40.6
    more than the best                       | 1e9  | 0.0001       | 1      | 55.0
    more trades lower it                     | 90   | 10           | 5000   | 14.7
""")


@pytest.mark.parametrize("row", SPECIFIED, ids=lambda row: row["who"])
def test_the_specifications_table_is_reproduced(row: dict[str, str]) -> None:
    found = classic_score(roi_percent=float(row["roi"]), max_drawdown_percent=float(row["max drawdown"]), trades=int(row["trades"]))
    assert f"{found.score:.1f}" == row["score"]


def test_the_specifications_traders_rank_pro_safe_bet_gambler() -> None:
    scores = [
        classic_score(roi_percent=float(row["roi"]), max_drawdown_percent=float(row["max drawdown"]), trades=int(row["trades"])).score
        for row in SPECIFIED
    ]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("row", EDGES, ids=lambda row: row["what"])
def test_its_cliffs_are_where_the_formula_has_them(row: dict[str, str]) -> None:
    found = classic_score(roi_percent=float(row["roi"]), max_drawdown_percent=float(row["max drawdown"]), trades=int(row["trades"]))
    assert f"{found.score:.1f}" == row["score"]
    assert 0 <= found.score <= SCORE_MAX


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("trades", {"trades": 0}),
        ("trades", {"trades": -5}),
        ("trades", {"trades": math.nan}),
        ("trades", {"trades": math.inf}),
        ("trades", {"trades": 2.5}),
        ("trades", {"trades": 10**400}),
        ("roi", {"roi_percent": math.nan}),
        ("roi", {"roi_percent": math.inf}),
        ("roi", {"roi_percent": -math.inf}),
        ("max_drawdown", {"max_drawdown_percent": -0.1}),
        ("max_drawdown", {"max_drawdown_percent": 100.1}),
        ("max_drawdown", {"max_drawdown_percent": math.nan}),
        ("max_drawdown", {"max_drawdown_percent": math.inf}),
    ],
)
def test_what_has_no_score_is_refused_by_name(field: str, given: dict[str, float]) -> None:
    fine: dict[str, float] = {"roi_percent": 10, "max_drawdown_percent": 10, "trades": 10}
    with pytest.raises(InvalidInput) as caught:
        classic_score(**(fine | given))  # type: ignore[arg-type]
    assert caught.value.field == field
