"""The runtimes that the program tests run in: with the features of mainnet, or with every feature there is.

XORJ_PROGRAM_FEATURES=all runs every program test with all features on.
"""

import os
from collections.abc import Callable

from solders.litesvm import FeatureSet, LiteSVM

FEATURE_SETS: dict[str, Callable[[], FeatureSet]] = {"mainnet": LiteSVM.mainnet_feature_set, "all": FeatureSet.all_enabled}
ACCOUNT_LOCKS_MAX = {"mainnet": 64, "all": 128}
LAMPORTS = 10**18


def features_chosen() -> str:
    return os.environ.get("XORJ_PROGRAM_FEATURES", "mainnet")


def account_locks_max() -> int:
    """How many accounts one transaction may name."""
    return ACCOUNT_LOCKS_MAX[features_chosen()]


def runtime(features: str | None = None) -> LiteSVM:
    """A bare chain. The features come first: programs and accounts are set up by them."""
    chosen = FEATURE_SETS[features or features_chosen()]()
    svm = LiteSVM.default().with_feature_set(chosen).with_builtins().with_lamports(LAMPORTS).with_sysvars()
    return svm.with_feature_accounts().with_default_programs().with_sigverify(True).with_blockhash_check(True)
