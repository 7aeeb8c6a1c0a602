"""The bench's figures as text and as JSON. Called by the command."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from bench.trust import baselines as b
from bench.trust import gates as g
from bench.trust import worlds as w
from bench.trust.evaluation import PLUS, V2, SeedResult

from xorj.trust.copy_score import Calibration
from xorj.trust.rank_correlation import BAND_EDGES, calibration_error

COLUMNS = ("true", "true_regular", "real", "pear", "bucket", "bucket_utility", "gain", "fall", "adverse", "ruined")
ORDER = (b.V1, b.SHARPE_WALLET, b.SORTINO_WALLET, b.CALMAR_WALLET, b.V1_REPLAY, b.SHARPE, b.SORTINO, b.CALMAR, b.PSR, V2)
ORDER += (PLUS, b.NOW, b.AHEAD)
PERCENT = {"gain", "fall", "adverse", "ruined"}


def text(results: g.Results, calibration: Calibration, about: str) -> str:
    """Everything a reader needs: the default world's table, bands, roles, one line a world, the gates and the KPI."""
    default = results[w.DEFAULT.name]
    parts = [about, _table(default), _bands(default, calibration), _roles(default)]
    if len(results) > 1:
        parts.append(_worlds(results))
    return "\n\n".join([*parts, _gates(results), g.kpi(results)])


def figures(results: g.Results, calibration: Calibration, about: str) -> dict[str, Any]:
    """The same for machines."""
    found = g.gates(results)
    return {
        "about": about,
        "rho": calibration.rho,
        "drift": calibration.drift,
        "gates": [asdict(gate) for gate in found],
        "kpi": g.kpi(results),
        "worlds": {
            name: {score: {of: _mean(some, score, of) for of in COLUMNS} for score in some[0].scores} for name, some in results.items()
        },
        "ok": all(gate.passed for gate in found if gate.found is not None),
    }


def _mean(results: list[SeedResult], name: str, of: str) -> float:
    """Returns by their median over seeds, all else by its mean."""
    values = g.column(results, name, of)
    return float(np.median(values) if of == "gain" else np.nanmean(values))


def _table(default: list[SeedResult]) -> str:
    wallets = sum(one.wallets for one in default)
    head = f"default world, {len(default)} seeds, {wallets:,} wallets; gain, fall, adverse and ruined of the top 20 in %"
    lines = [head, f"{'score':38}" + "".join(f"{name.replace('_', ' '):>15}" for name in COLUMNS)]
    for name in ORDER:
        values = {of: _mean(default, name, of) for of in COLUMNS}
        cells = (f"{100 * value:15.1f}" if of in PERCENT else f"{value:15.2f}" for of, value in values.items())
        lines.append(f"{name:38}" + "".join(cells))
    return "\n".join(lines)


def _bands(default: list[SeedResult], calibration: Calibration) -> str:
    lines = [
        f"V2 with rho {calibration.rho:g} and drift {calibration.drift:g}, fitted on the fitting seeds; beside it the assumption 0.5 and 0",
        f"{'score':>8}{'wallets':>10}{'predicted':>11}{'paid':>7}{'wallets':>12}{'predicted':>11}{'paid':>7}",
    ]
    both = zip(g.pooled_bands(default), g.pooled_bands(default, "assumed_bands"), strict=True)
    for (low, high), rows in zip(pairwise(BAND_EDGES), both, strict=True):
        first, second = (f"{count:>10}{predicted:11.2f}{paid:7.2f}" for count, predicted, paid in rows)
        lines.append(f"{f'{low}-{high}':>8}{first}  {second}")
    errors = [calibration_error(g.pooled_bands(default, of)) for of in ("bands", "assumed_bands")]
    lines.append(f"calibration error {errors[0]:.4f}, assumed {errors[1]:.4f}")
    return "\n".join(lines)


def _roles(default: list[SeedResult]) -> str:
    counts = np.array([one.honesty.roles_on_top for one in default]).sum(axis=0)
    lines = ["who is on top by role, in %", f"{'':38}" + "".join(f"{name:>13}" for name in w.ROLE_NAMES)]
    shown = (b.SHARPE, b.PSR, V2, PLUS, b.NOW)
    tops = {f"{name}, top 20": np.array([one.top_roles[name] for one in default]).sum(axis=0) for name in shown}
    for name, count in {"V2 core, top 5 %": counts, **tops}.items():
        lines.append(f"{name:38}" + "".join(f"{100 * one / count.sum():13.1f}" for one in count))
    return "\n".join(lines)


def _worlds(results: g.Results) -> str:
    names = (b.V1, b.V1_REPLAY, b.SHARPE, b.PSR, V2)
    lines = [
        "every world: V1 | V1 on replay | Sharpe replay | PSR replay | V2",
        f"{'world':38}{'bucket':>26}{'top-20 return %':>32}{'adverse %':>26}{'V2: > 50 %, policy %':>26}",
    ]
    for world, some in results.items():
        buckets = " ".join(f"{_mean(some, name, 'bucket'):5.2f}" for name in names)
        gains, adverse = (" ".join(f"{100 * _mean(some, name, of):5.0f}" for name in names) for of in ("gain", "adverse"))
        above = 100 * float(np.mean([one.honesty.above_fifty for one in some]))
        policy = 100 * float(np.median([one.honesty.policy_gain for one in some]))
        lines.append(f"{world:38}{buckets}   {gains}   {adverse}   {above:8.2f} {policy:8.1f}")
    return "\n".join(lines)


def _gates(results: g.Results) -> str:
    lines = ["gates"]
    for gate in g.gates(results):
        verdict = "not run" if gate.found is None else "pass" if gate.passed else "FAIL"
        found = "-" if gate.found is None else f"{gate.found:.4f}"
        oracle = "" if gate.oracle is None else f"   an oracle of today's skill: {gate.oracle:.4f}"
        lines.append(f"  {verdict:8}{gate.name:72}{found:>10}  must be {gate.rule}{oracle}")
    return "\n".join([*lines, *_explained(results)])


def _explained(results: g.Results) -> list[str]:
    """Why gates fail, as far as this run shows it."""
    if all(gate.passed for gate in g.gates(results) if gate.found is not None):
        return []
    default = results[w.DEFAULT.name]
    of_v2, of_oracle = (
        100 * float(np.mean([one.top_roles[name][w.TURNCOAT] for one in default])) / sum(default[0].top_roles[name]) for name in (V2, b.NOW)
    )
    v1 = _mean(default, b.V1_REPLAY, "true")
    return [
        "why gates fail, as far as these populations show it:",
        f"  Turncoats are {of_v2:.0f} % of V2's top 20, and {of_oracle:.0f} % of that of an oracle of everybody's skill of today.",
        "  Their roles make their copied records the best of all, and then they lose for their copiers: top 20 and highest buckets suffer.",
        '  `--world "nobody turns on copiers"` shows the same list without them.',
        "  Martingales that hide open losses gain every day until they crash: nothing in their histories says so, and V2 puts them first.",
        f"  V1 on copy replay correlates {v1:.2f} with true skill here, and 0.22 in the populations that the gates were set by.",
    ]
