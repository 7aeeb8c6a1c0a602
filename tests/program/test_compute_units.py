"""What the vault program may cost at most. Compute units do not vary, so these are figures and not measurements of a machine."""

import pytest
from bench.program import Figure, Stage, measure

MONEY, OTHERS, OVER_THE_ROUTER, SIZE_BYTES = 6_000, 2_500, 20_000, 40_000
MOST = {
    **dict.fromkeys(("initialize_vault", "deposit", "withdraw"), MONEY),
    **dict.fromkeys(
        (
            "initialize_config",
            "update_config",
            "accept_admin",
            "grant_bot_authority",
            "revoke_bot_authority",
            "deactivate_vault",
            "pause_vault",
            "resume_vault",
            "burn_nonce",
            "recover_trade_account",
            "close_token_account",
            "close_vault",
            "set_policy nothing",
            "set_policy all eight limits",
            "set_policy all eight, eight matured",
            "set_policy pins 16",
            "set_policy pins 16 that are listed",
            "set_policy unpins 16",
            "recover_trade_account, over its three calls",
        ),
        OTHERS,
    ),
    "bot_trade buy over the router": OVER_THE_ROUTER,
    "bot_trade sell over the router": OVER_THE_ROUTER,
    "largest route bytes": 1_232,
    "largest route locks": 64,
    "size bytes": SIZE_BYTES,
}
# What a call cannot do without, or its caller chooses: told, and watched here so that it does not grow unseen.
TOLD = {"recover_trade_account, three calls": 5_100, "set_policy a mint more": 85, "set_policy pins 8, unpins 8": 2_900}

Measured = tuple[dict[str, Figure], dict[str, list[Stage]]]


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure()


@pytest.mark.parametrize("name", MOST)
def test_no_figure_is_above_what_is_allowed(measured: Measured, name: str) -> None:
    figure = measured[0][name]
    assert figure.most == MOST[name]
    assert figure.value <= MOST[name]


@pytest.mark.parametrize("name", TOLD)
def test_what_is_only_told_does_not_grow(measured: Measured, name: str) -> None:
    assert measured[0][name].value <= TOLD[name]


def test_every_figure_with_a_ceiling_is_held_here(measured: Measured) -> None:
    assert {name for name, figure in measured[0].items() if figure.most is not None} == set(MOST)


@pytest.mark.parametrize("name", ["buy", "sell"])
def test_the_stages_of_a_trade_are_all_of_it(measured: Measured, name: str) -> None:
    figures, stages = measured
    assert sum(stage.own + stage.fee + stage.called for stage in stages[name]) == figures[f"bot_trade {name}"].value
    assert all(stage.own > 0 for stage in stages[name])
