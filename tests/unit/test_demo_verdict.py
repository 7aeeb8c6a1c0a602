"""The demo's judgement: books and chain must tell the same story, one to one, and every departure is named."""

from collections import Counter
from dataclasses import replace

import pytest

from xorj.demo.books import Books
from xorj.demo.chain_sweep import Sweep, VaultTrade
from xorj.demo.verdict import judge

VAULT, MINT, OTHER_MINT = "vault", "mint", "other mint"
INTENTS = [f"intent {number}" for number in range(5)]
SIGNATURES = [f"signature {number}" for number in range(5)]
BOOKS = Books(
    model="v2",
    leaders_ranked=12,
    top=("skilled", "sniper"),
    followers=1,
    leader_trades_seen=9,
    decisions=Counter(copied=5, skipped=4),
    intents=Counter(settled=5),
    settled_exits=1,
    settled=frozenset(INTENTS),
    attempts=dict(zip(SIGNATURES, INTENTS, strict=True)),
    vaults=(VAULT,),
    ledger={(VAULT, MINT): 70, (VAULT, OTHER_MINT): 0},
)
CHAIN = Sweep(tuple(VaultTrade(signature, VAULT) for signature in SIGNATURES), {(VAULT, MINT): 70})


def test_one_settled_intent_for_every_trade_on_the_chain_is_right() -> None:
    verdict = judge(BOOKS, CHAIN, {"somebody else"})
    assert (verdict.ok, verdict.faults) == (True, ())
    assert (verdict.vault_trades_on_chain, verdict.duplicate_effects, verdict.effects_without_intent) == (5, 0, 0)
    assert verdict.ledger_matches_chain
    assert verdict.villains_in_top_10 == 0


@pytest.mark.parametrize(("model", "ok"), [("v1", True), ("v2", False)])
def test_the_trust_score_must_keep_villains_out_and_the_classic_one_cannot(model: str, ok: bool) -> None:
    verdict = judge(replace(BOOKS, model=model), CHAIN, {"sniper"})
    assert (verdict.ok, verdict.villains_in_top_10) == (ok, 1)
    assert verdict.faults == (() if ok else ("1 villains are among the first 10",))


@pytest.mark.parametrize(
    ("books", "chain", "fault"),
    [
        ({"leaders_ranked": 0}, {}, "no leader was ranked"),
        ({"followers": 0}, {}, "nobody follows"),
        ({"settled": frozenset(INTENTS[:4])}, {"trades": CHAIN.trades[:4]}, "fewer than 5 copies settled"),
        ({"settled_exits": 0}, {}, "fewer than 1 of the settled copies are exits"),
        ({"intents": Counter(settled=5, in_flight=1)}, {}, "1 intents are not settled"),
        ({"intents": Counter(settled=5, quarantined=2)}, {}, "2 intents are not settled"),
        ({}, {"trades": (*CHAIN.trades, CHAIN.trades[0])}, "1 effects happened twice"),
        ({}, {"trades": (*CHAIN.trades, VaultTrade("unknown", VAULT))}, "1 effects have no intent"),
        ({}, {"trades": CHAIN.trades[1:]}, "settled, but not on the chain: intent 0"),
        ({"settled": frozenset(INTENTS[1:])}, {}, "on the chain, but not settled: intent 0"),
        ({}, {"balances": {(VAULT, MINT): 71}}, "ledger and chain differ: mint of vault"),
        ({}, {"balances": {}}, "ledger and chain differ: mint of vault"),
        ({}, {"balances": {(VAULT, MINT): 70, (VAULT, OTHER_MINT): 1}}, "ledger and chain differ: other mint of vault"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_departure_is_named(books: dict[str, object], chain: dict[str, object], fault: str) -> None:
    verdict = judge(replace(BOOKS, **books), replace(CHAIN, **chain), set())
    assert not verdict.ok
    assert fault in verdict.faults


def test_a_resent_attempt_of_the_same_intent_that_lands_too_is_a_duplicate() -> None:
    attempts = BOOKS.attempts | {"second attempt": INTENTS[0]}
    verdict = judge(replace(BOOKS, attempts=attempts), replace(CHAIN, trades=(*CHAIN.trades, VaultTrade("second attempt", VAULT))), set())
    assert verdict.duplicate_effects == 1
    assert not verdict.ok
