"""A route of any length, with leftovers, costs, rent and SOL in any of its forms, is one swap of what it was made to swap, to the unit."""

from dataclasses import dataclass

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import VENUE, mint, wallet
from tests.fakes.made_transactions import (
    RENT,
    Made,
    account,
    closes,
    creates,
    initializes,
    opens,
    sends_lamports,
    token_account,
    transfers,
)

from xorj.chain.transactions import ChainInstruction, ChainTransaction
from xorj.primitives.ids import Address
from xorj.swaps.decoder import decode
from xorj.swaps.programs import JUPITER_V6
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

JITO = "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh"
UNITS = st.integers(1_000, 10**9)
FORMS = st.sampled_from(["native", "wrapped", "temporary", "seeded"])


@dataclass
class Route:
    """What was drawn: tokens in order with the raw amount that entered and left each hop; the last is what came out."""

    tokens: list[str]
    entered: list[int]
    came: list[int]
    form: str
    tip: int
    is_relayed: bool
    opens_output: bool


@st.composite
def routes(draw: st.DrawFn) -> Route:
    names = draw(st.permutations(["USDC", "BONK", "WIF", "LST"]))[: draw(st.integers(2, 4))]
    tokens = list(names)
    if draw(st.booleans()):
        tokens[draw(st.integers(0, len(tokens) - 1))] = "SOL"
    entered, came = [draw(UNITS)], []
    for _ in tokens[1:]:
        out = draw(UNITS)
        came.append(out)
        entered.append(out * draw(st.integers(60, 100)) // 100)
    tip = draw(st.sampled_from([0, 1_000, 21_000, 5_000_000]))
    return Route(tokens, entered, came, draw(FORMS), tip, draw(st.booleans()), draw(st.booleans()))


def made(route: Route) -> ChainTransaction:
    """Ana's side of it: her accounts before and after, the transfers of each hop, and what was opened, closed and tipped."""
    payer = "relayer" if route.is_relayed else "ana"
    made_up = Made(payer=payer, also_sign=["ana"] if route.is_relayed else [])
    inner: list[ChainInstruction] = []
    change: dict[str, int] = {}
    for at, (paid, bought) in enumerate(zip(route.tokens, route.tokens[1:], strict=False)):
        source, destination = sol_account(route) if paid == "SOL" else token_account("ana", paid), token_account("pool", paid)
        inner.append(transfers(source, destination, route.entered[at], "ana"))
        into = sol_account(route) if bought == "SOL" else token_account("ana", bought)
        inner.append(transfers(token_account("pool", bought), into, route.came[at]))
        change[paid] = change.get(paid, 0) - route.entered[at]
        change[bought] = change.get(bought, 0) + route.came[at]
        for token in (paid, bought):
            made_up.moves("pool", token, "1000", "1000")
    for token, raw in change.items():
        if token != "SOL":
            hold(made_up, route, token, raw)
    hold_sol(made_up, route, change.get("SOL", 0), inner)
    if route.tip:
        made_up.gains_lamports("ana", -route.tip).gains_lamports("tips", route.tip)
        inner.append(sends_lamports("ana", JITO, route.tip))
    return made_up.runs(JUPITER_V6, ChainInstruction(VENUE, (), b"", 2), *inner).done()


def hold(made_up: Made, route: Route, token: str, raw: int) -> None:
    is_new = route.opens_output and token == route.tokens[-1]
    before = None if is_new else 5 * 10**9
    made_up.moves("ana", token, None if before is None else text(before), text((before or 0) + raw))
    if is_new:
        opener = made_up.payer
        made_up.gains_lamports(opener, -RENT).runs(
            account("setup"), opens(opener, "ana", token), creates(opener, token_account("ana", token))
        )


def text(raw: int) -> str:
    return f"{raw // 10**6}.{raw % 10**6:06d}"


def sol_account(route: Route) -> Address:
    return account("ana's temporary") if route.form == "seeded" else token_account("ana", "SOL")


def hold_sol(made_up: Made, route: Route, raw: int, inner: list[ChainInstruction]) -> None:
    """Ana's own SOL: what stays wrapped is a row; what lives only for the transaction is in her lamports."""
    if "SOL" not in route.tokens:
        return
    if route.form == "wrapped":
        made_up.moves("ana", "SOL", sol_text(2 * 10**9), sol_text(2 * 10**9 + raw))
        return
    made_up.gains_lamports("ana", raw).has(sol_account(route))
    start = [opens("ana", "ana", "SOL"), creates("ana", sol_account(route))]
    if route.form == "seeded":
        start = [creates("ana", sol_account(route), RENT + 10**9), initializes(sol_account(route), "ana", "SOL")]
    inner[:0] = start
    inner.append(closes(sol_account(route), "ana"))


def sol_text(raw: int) -> str:
    return f"{raw // 10**9}.{raw % 10**9:09d}"


@given(routes())
@settings(max_examples=400, deadline=None)
def test_a_route_is_one_swap_of_its_ends(route: Route) -> None:
    assert JITO in TIP_ACCOUNTS
    # what is left of a hop is a leftover while more of it went through than stayed
    assume(all(came - entered < entered for came, entered in zip(route.came[:-1], route.entered[1:], strict=False)))
    outcome = decode(made(route), wallet("ana"))
    assert isinstance(outcome, tuple), outcome
    (swap,) = outcome
    assert (swap.input.mint, swap.input.raw) == (mint(route.tokens[0]), route.entered[0])
    assert (swap.output.mint, swap.output.raw) == (mint(route.tokens[-1]), route.came[-1])
    assert (swap.tip_lamports, swap.network_fee_lamports) == (route.tip, 0 if route.is_relayed else 5_000)
