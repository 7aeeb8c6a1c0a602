"""Whether the demo proved the main job: books against chain. Pure; the last step of run, and what its tests are about."""

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass

from xorj.demo.books import TOP, Books
from xorj.demo.chain_sweep import Sweep
from xorj.primitives.ids import Wallet
from xorj.trust.ranking import Model

SETTLED_LEAST = 5
EXITS_LEAST = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counted facts, and in words each one that is not as it must be."""

    vault_trades_on_chain: int
    duplicate_effects: int
    effects_without_intent: int
    ledger_matches_chain: bool
    villains_in_top_10: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def judge(books: Books, chain: Sweep, villains: Set[Wallet]) -> Verdict:
    """Every trade on the chain must belong to exactly one settled intent, and every balance to the ledger."""
    effects = Counter(books.attempts[trade.signature] for trade in chain.trades if trade.signature in books.attempts)
    duplicates = sum(count - 1 for count in effects.values())
    strangers = sum(trade.signature not in books.attempts for trade in chain.trades)
    ledger = {place: raw for place, raw in books.ledger.items() if raw}
    differing = sorted(place for place in ledger.keys() | chain.balances.keys() if ledger.get(place) != chain.balances.get(place))
    villains_on_top = sum(wallet in villains for wallet in books.top)
    missing, unexpected = books.settled - effects.keys(), effects.keys() - books.settled
    must = {
        "no leader was ranked": books.leaders_ranked > 0,
        f"{villains_on_top} villains are among the first {TOP}": books.model != Model.TRUST or villains_on_top == 0,
        "nobody follows": books.followers > 0,
        f"fewer than {SETTLED_LEAST} copies settled": len(books.settled) >= SETTLED_LEAST,
        f"fewer than {EXITS_LEAST} of the settled copies are exits": books.settled_exits >= EXITS_LEAST,
        f"{books.unsettled} intents are not settled": books.unsettled == 0,
        f"{len(chain.trades)} trades on the chain, {len(books.settled)} settled intents": len(chain.trades) == len(books.settled),
        f"{duplicates} effects happened twice": duplicates == 0,
        f"{strangers} effects have no intent": strangers == 0,
        f"settled, but not on the chain: {', '.join(sorted(missing))}": not missing,
        f"on the chain, but not settled: {', '.join(sorted(unexpected))}": not unexpected,
        f"ledger and chain differ: {', '.join(f'{mint} of {vault}' for vault, mint in differing)}": not differing,
    }
    return Verdict(
        vault_trades_on_chain=len(chain.trades),
        duplicate_effects=duplicates,
        effects_without_intent=strangers,
        ledger_matches_chain=not differing,
        villains_in_top_10=villains_on_top,
        faults=tuple(fault for fault, holds in must.items() if not holds),
    )
