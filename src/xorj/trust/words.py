"""A score in plain words: its three largest reasons, and what past windows say of scores like it. Pure; used by the API and the CLI."""

from collections.abc import Sequence

from xorj.trust.copy_replay import Terms
from xorj.trust.live_windows import BandRate, band_of
from xorj.trust.reasons import Reason


def reason_in_words(reason: Reason) -> str:
    """`its record is 300 days long: +4.2 points`."""
    sign = "+" if reason.points > 0 else "−"
    return f"{reason.text}: {sign}{abs(reason.points):.1f} points"


def past_in_words(score: float, bands: Sequence[BandRate]) -> str | None:
    """None until windows have closed in which enough wallets were scored like this: nothing but what was observed is told."""
    band = band_of(score, bands)
    if band is None:
        return None
    return (
        f"wallets scored like this ({band.low} to {band.high}) paid their copiers in {100 * band.paid:.0f} % of past 90-day windows "
        f"({band.wallets} wallets)"
    )


def calibration_in_words(version: str) -> str:
    """What a score's prior and persistence were taken from."""
    if version.startswith("synthetic"):
        return f"{version}: from simulated wallets; how much of a skill lasts is assumed"
    if version == "uncalibrated":
        return "the prior is this cohort's own; how much of a skill lasts is assumed"
    return version


def terms_in_words(terms: Terms) -> str:
    """Where the copier's delay and costs come from."""
    if terms.fills_measured == 0:
        return f"our delay ({terms.delay_s:g} s) and the scale of costs are assumed: there are too few fills of our own"
    return f"delay {terms.delay_s:.1f} s and costs x {terms.cost_scale:.2f}, measured on {terms.fills_measured} fills of our own"
