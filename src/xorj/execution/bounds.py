"""Every number that bounds execution, in one place. Read by execution's workflows through the desk."""

from dataclasses import dataclass

from xorj.primitives.amounts import LAMPORTS_PER_SOL

# A day of the fastest slots (200 ms); a longer window than a day is the stricter one.
SLOTS_PER_DAY = 432_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """Units stand last in the names; slots and heights are the chain's."""

    slippage_bps_max: int = 500
    price_age_slots_max: int = 300
    price_impact_fraction_max: float = 0.03
    deadline_slots: int = 40
    attempts_max: int = 3
    intents_at_once_max: int = 8
    priority_fee_lamports_max: int = 200_000
    priority_fee_percentile: int = 75
    compute_units_margin_percent: int = 20
    spending_lamports_per_user_day_max: int = LAMPORTS_PER_SOL // 10
    float_lamports_min: int = LAMPORTS_PER_SOL // 50
    # Past expiry, before a proof by height is accepted.
    death_margin_blocks: int = 4
    # How far slot minus height may differ from what it was when the attempt was built, beyond slots that passed.
    height_band_slots: int = 64
    # An attempt without proof of its fate is set aside for a person after this many slots past its last valid one.
    doubt_slots_max: int = 1_500
