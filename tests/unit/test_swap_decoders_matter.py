"""A file stands in swaps/decoders/ only where it changes an outcome: without it, these transactions are read otherwise."""

import pytest
from tests.fakes.made_orders import dca_filled, routed
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made
from tests.spec.test_swap_decoder_rules import SWAP, WHIRLPOOL, hop, usdc_for_bonk

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import Address, Wallet
from xorj.swaps.decoder import DECODERS, Decoder, decode
from xorj.swaps.decoders import jupiter_orders, jupiter_routes, several_swaps
from xorj.swaps.programs import JUPITER_DCA
from xorj.swaps.swap import NotASwap, Outcome, Swap, Undecodable

UNHEARD_OF = Address(wallet("a venue that no table has"))


def filled_order() -> ChainTransaction:
    fill = dca_filled("ana", "order", "5 USDC", "7 BONK", "0.007 BONK")
    return Made(payer="keeper").moves("order", "USDC", "5", "0").moves("ana", "BONK", "0", "7").runs(JUPITER_DCA, fill).done()


def route_with_a_large_leftover() -> ChainTransaction:
    """The second hop took less than the first gave, and the intermediate token never touched an account of the wallet."""
    route, event = routed("ana", [(WHIRLPOOL, "5 USDC", "1 WIF"), (UNHEARD_OF, "0.8 WIF", "7 BONK")])
    made = usdc_for_bonk(Made()).moves("ana", "WIF", "0", "0.2")
    return made.runs(route.program, event, accounts=route.accounts, data=route.data).done()


def two_swaps() -> ChainTransaction:
    made = usdc_for_bonk(Made()).moves("ana", "USDT", "4", "0").moves("ana", "WIF", "0", "3")
    return made.runs(WHIRLPOOL, *hop("ana", "5 USDC", "7 BONK"), data=SWAP).runs(VENUE, *hop("ana", "4 USDT", "3 WIF")).done()


MATTERS: list[tuple[Decoder, ChainTransaction, int, type]] = [
    (jupiter_orders.outcome, filled_order(), 1, NotASwap),
    (jupiter_routes.outcome, route_with_a_large_leftover(), 1, Undecodable),
    (several_swaps.outcome, two_swaps(), 2, Undecodable),
]


def named(one: object) -> str:
    return one.__module__.rsplit(".", 1)[-1] if callable(one) else ""


@pytest.mark.parametrize(("decoder", "transaction", "count", "otherwise"), MATTERS, ids=named)
def test_without_the_decoder_the_outcome_is_another(decoder: Decoder, transaction: ChainTransaction, count: int, otherwise: type) -> None:
    ana: Wallet = wallet("ana")
    with_it: Outcome = decode(transaction, ana)
    assert isinstance(with_it, tuple)
    assert len(with_it) == count
    without = decode(transaction, ana, [one for one in DECODERS if one is not decoder])
    assert isinstance(without, otherwise)


def test_every_decoder_is_among_those_shown_to_matter() -> None:
    assert [decoder for decoder, *_ in MATTERS] == list(DECODERS)


def test_a_route_tells_venues_that_no_table_has() -> None:
    outcome = decode(route_with_a_large_leftover(), wallet("ana"))
    assert isinstance(outcome, tuple)
    (swap,) = outcome
    assert isinstance(swap, Swap)
    assert UNHEARD_OF in swap.programs
