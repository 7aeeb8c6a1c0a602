"""What a demo run says at its end: one JSON object, or a table for people. Pure; made by run, printed by the command."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xorj.demo.books import Books
from xorj.demo.kill_bot import Kill
from xorj.demo.verdict import Verdict

REVERTED, DEAD = ("reverted",), ("abandoned", "cancelled")


@dataclass(frozen=True, slots=True)
class Replayed:
    """How true a replay was: the fills' error at the 95th percentile, and how long after a leader his copy landed, in recorded time."""

    fill_error_bps_p95: float
    copy_delay_s_p50: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found. `faults` name, in words, whatever is not as it must be."""

    mode: str
    seed: int
    model: str
    chain_genesis: str
    books: Books
    verdict: Verdict
    first_copy_s: float | None
    total_s: float
    memory_mib: float
    kills: Sequence[Kill] = ()
    replayed: Replayed | None = None
    faults: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.all_faults

    @property
    def all_faults(self) -> tuple[str, ...]:
        return (*self.faults, *self.verdict.faults)

    def as_json(self) -> dict[str, Any]:
        """The object that `./xorj demo --json` prints."""
        books, verdict = self.books, self.verdict
        return {
            "ok": self.ok,
            "mode": self.mode,
            "seed": self.seed,
            "model": self.model,
            "chain_genesis": self.chain_genesis,
            "leaders_ranked": books.leaders_ranked,
            "villains_in_top_10": verdict.villains_in_top_10,
            "followers": books.followers,
            "leader_trades_seen": books.leader_trades_seen,
            "decisions": {outcome: books.decisions[outcome] for outcome in ("copied", "resized", "skipped", "refused")},
            "intents": sum(books.intents.values()),
            "settled": books.intents["settled"],
            "reverted": sum(books.intents[state] for state in REVERTED),
            "dead": sum(books.intents[state] for state in DEAD),
            "unsettled": books.unsettled,
            "vault_trades_on_chain": verdict.vault_trades_on_chain,
            "duplicate_effects": verdict.duplicate_effects,
            "effects_without_intent": verdict.effects_without_intent,
            "ledger_matches_chain": verdict.ledger_matches_chain,
            "first_copy_seconds": None if self.first_copy_s is None else round(self.first_copy_s, 1),
            "total_seconds": round(self.total_s, 1),
            "memory_mib": round(self.memory_mib, 1),
            "kills": [{"state": kill.state.words} for kill in self.kills],
            "replay": None if self.replayed is None else _replay_json(self.replayed),
        }


def _replay_json(replayed: Replayed) -> dict[str, Any]:
    delay = replayed.copy_delay_s_p50
    return {
        "fill_error_bps_p95": round(replayed.fill_error_bps_p95, 3),
        "copy_delay_s_p50": None if delay is None else round(delay, 1),
    }
