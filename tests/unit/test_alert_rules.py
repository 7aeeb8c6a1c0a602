"""The shipped alert rules watch metrics that there are, with labels that those have."""

import re
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from xorj.observability import metrics
from xorj.trust.live_windows import CALIBRATION_ALARM

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "docs" / "alerts" / "xorj.rules.yml").read_text()
EXPRESSIONS = re.findall(r"^ +expr: (.+)$", RULES, re.MULTILINE)
SAMPLED = re.compile(r"(xorj_\w+)(?:\{(\w+)=)?")


def labels_by_name() -> dict[str, tuple[str, ...]]:
    declared = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    return {family.name: one._labelnames for one in declared for family in one.describe()}


def test_every_metric_and_label_of_a_rule_is_declared() -> None:
    known = labels_by_name()
    assert len(EXPRESSIONS) == RULES.count("- alert:") > 0
    for expression in EXPRESSIONS:
        named = SAMPLED.findall(expression)
        assert named, expression
        for name, label in named:
            family = name.removesuffix("_total")
            assert family in known, name
            assert not label or label in known[family], label


def test_every_value_of_a_label_is_one_that_somebody_sets() -> None:
    sources = [path.read_text() for path in (ROOT / "src" / "xorj").rglob("*.py")]
    for value in re.findall(r'\{\w+="([^"]+)"\}', " ".join(EXPRESSIONS)):
        assert any(f'"{value}"' in source and "metrics." in source for source in sources), value


def test_every_rule_says_how_urgent_it_is_and_what_is_wrong() -> None:
    alerts = RULES.split("- alert:")[1:]
    assert all(re.search(r"severity: (page|ticket)", alert) and "summary:" in alert for alert in alerts)


def test_the_calibration_alarm_is_the_reports() -> None:
    assert f"xorj_trust_calibration_error > {CALIBRATION_ALARM}" in EXPRESSIONS
    assert REGISTRY.get_sample_value("xorj_trust_calibration_error") is not None
