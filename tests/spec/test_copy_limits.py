"""What may stop or shrink a copy: each rule by its name, the order they are asked in, and that exits pass what stops entries only."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.copy_rows import wallet
from tests.fakes.situations import (
    ANA,
    BONK,
    NOW,
    SLOT,
    USDC,
    WIF,
    M,
    amount,
    follow,
    holding,
    limits,
    policy,
    position_slot,
    prices,
    situation,
    trade,
    vault_state,
)

from xorj.copying import risk_limits
from xorj.copying.cause import CauseKind
from xorj.copying.decision import Copied, Decision, Refused, Resized, Side, Skipped
from xorj.copying.follow import Caps, FollowMode
from xorj.copying.plan_copies import decide
from xorj.copying.situation import OpenIntent, Portfolio, Situation, Stopped
from xorj.market.token_screen import UnfitToken
from xorj.primitives.ids import Mint, Slot, Wallet
from xorj.vault.accounts import ALLOWLIST
from xorj.vault.open_vault import NoVault

ENTRY = trade("100 USDC", "200 BONK")
EXIT = trade("100 BONK", "50 USDC", held="200 BONK")
HELD = Portfolio(holding("40 BONK", "20 USDC"))
HOLDS = ("480 USDC", "40 BONK")


def with_exit(**changes: object) -> Situation:
    """Ben holds 40 BONK for Ana; his share of her sale is 20 BONK."""
    given = {"portfolio": HELD, "vault": vault_state(*HOLDS)} | changes
    return situation(**given)


def open_intent(side: Side, mint: Mint, raw: int, leader: Wallet = ANA) -> OpenIntent:
    given, got = (USDC, mint) if side is Side.BUY else (mint, USDC)
    return OpenIntent(side, leader, given, got, raw, CauseKind.LEADER_TRADE)


PAUSED_PROGRAM = replace(vault_state(*HOLDS), config=replace(vault_state().config, paused=True))
SAFETY: dict[str, tuple[str, dict[str, object]]] = {
    "the kill switch is on": ("kill switch", {"switch": Stopped("drill")}),
    "the program is paused": ("program paused", {"vault": PAUSED_PROGRAM}),
    "the vault is deactivated": ("vault inactive", {"vault": vault_state(*HOLDS, is_active=False)}),
    "no bot is granted": ("bot not granted", {"vault": vault_state(*HOLDS, bot_authority=None)}),
    "another bot is granted": ("bot not granted", {"bot": wallet("another bot")}),
    "the vault is paused": ("vault paused", {"vault": vault_state(*HOLDS, rules=policy(paused=True))}),
    "the grant has run out": ("bot expired", {"vault": vault_state(*HOLDS, rules=policy(stored=limits(bot_expires_at=NOW)))}),
}


@pytest.mark.parametrize("case", SAFETY)
@pytest.mark.parametrize("seen", [ENTRY, EXIT], ids=["entry", "exit"])
def test_what_the_chain_or_a_person_forbids_stops_entries_and_exits(case: str, seen: object) -> None:
    rule, changes = SAFETY[case]
    refused = decide(seen, with_exit(**changes))  # type: ignore[arg-type]  # a leader trade
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.legs) == (rule, ())


ENTRIES_ONLY: dict[str, tuple[str, type[Decision], dict[str, object]]] = {
    "the follow has ended": ("no longer followed", Skipped, {"follow": follow(valid_to_slot=Slot(999))}),
    "only exits are copied": ("exits only", Skipped, {"follow": follow(mode=FollowMode.EXIT_ONLY)}),
    "the mint is blocked": ("mint not on the follower's list", Skipped, {"follow": follow(blocked_mints=frozenset({BONK}))}),
    "another mint is allowed": ("mint not on the follower's list", Skipped, {"follow": follow(allowed_mints=frozenset({WIF}))}),
    "the token is not classic": ("token screen", Refused, {"tokens": {BONK: UnfitToken(BONK, "not a mint of the classic token program")}}),
    "the token was not read": ("token screen", Refused, {"tokens": {}}),
    "the token has no price": ("no price", Refused, {"prices": {mint: each for mint, each in prices().items() if mint != BONK}}),
    "the vault's list is full": (
        "mint not allowed by the vault",
        Refused,
        {"vault": vault_state(*HOLDS, rules=policy(*(position_slot(Mint(wallet(f"m{n}")), 1, 1) for n in range(16))))},
    ),
    "the vault admits listed mints only": (
        "mint not allowed by the vault",
        Refused,
        {"vault": vault_state(*HOLDS, rules=policy(stored=limits(mint_mode=ALLOWLIST)))},
    ),
    "a smallest trade of his own": ("below the smallest trade", Skipped, {"follow": follow(caps=Caps(trade_min_raw=60 * M))}),
}


@pytest.mark.parametrize("case", ENTRIES_ONLY)
def test_what_stops_entries_lets_exits_pass(case: str) -> None:
    rule, kind, changes = ENTRIES_ONLY[case]
    stopped = decide(ENTRY, with_exit(**changes))
    assert (type(stopped), stopped.rule, stopped.legs) == (kind, rule, ())
    assert isinstance(decide(EXIT, with_exit(**changes)), Copied)


def test_an_entry_seen_too_late_is_stale_and_an_exit_never_is() -> None:
    last = Slot(SLOT - risk_limits.ENTRY_AGE_SLOTS_MAX)
    assert isinstance(decide(replace(ENTRY, slot=last), situation()), Copied)
    stale = decide(replace(ENTRY, slot=Slot(last - 1)), situation())
    assert isinstance(stale, Skipped)
    assert (stale.rule, stale.numbers["age_slots"]) == ("stale leader trade", risk_limits.ENTRY_AGE_SLOTS_MAX + 1)
    assert isinstance(decide(replace(EXIT, slot=Slot(1)), with_exit()), Copied)


def test_without_a_vault_nothing_is_copied() -> None:
    gone = NoVault("vault, policy or config does not exist")
    for seen, portfolio in ((ENTRY, Portfolio(holding())), (EXIT, HELD)):
        stopped = decide(seen, situation(vault=gone, portfolio=portfolio))
        assert (stopped.rule, stopped.legs) == ("no vault", ())


CAPS: dict[str, tuple[str, int, dict[str, object]]] = {
    "his own, of a trade": ("follower's cap of a trade", 20, {"follow": follow(caps=Caps(trade_max_raw=20 * M))}),
    "his own, of a day": (
        "follower's cap of a day",
        30,
        {"follow": follow(caps=Caps(day_max_raw=100 * M)), "portfolio": replace(HELD, bought_today_raw={ANA: 70 * M})},
    ),
    "his own, of a day, with what is under way": (
        "follower's cap of a day",
        25,
        {
            "follow": follow(caps=Caps(day_max_raw=100 * M)),
            "portfolio": replace(HELD, bought_today_raw={ANA: 70 * M}, open_intents=(open_intent(Side.BUY, WIF, 5 * M),)),
        },
    ),
    "his own, of exposure to one leader": (
        "cap of exposure to one leader",
        15,
        {"follow": follow(caps=Caps(exposure_max_raw=35 * M)), "portfolio": HELD},
    ),
    "the vault's, of a trade": (
        "vault's cap of a trade",
        40,
        {"vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_trade=40 * M)))},
    ),
    "the vault's, of a trade, as a share": (
        "vault's cap of a trade",
        25,
        {"vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_trade_bps=500)))},
    ),
    "the vault's, of a day": (
        "vault's cap of a day",
        45,
        {"vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_day=100 * M), spent=55 * M))},
    ),
    "the vault's, of a day, with what is under way": (
        "vault's cap of a day",
        35,
        {
            "vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_day=100 * M), spent=55 * M)),
            "portfolio": Portfolio(holding(), (open_intent(Side.BUY, WIF, 10 * M),)),
        },
    ),
    "what the vault has free": (
        "vault's free balance",
        10,
        {
            "vault": vault_state("30 USDC", "940 BONK"),
            "portfolio": Portfolio(holding(), (open_intent(Side.BUY, WIF, 20 * M, wallet("eve")),)),
        },
    ),
    "the tightest of several": (
        "follower's cap of a trade",
        5,
        {
            "follow": follow(caps=Caps(trade_max_raw=5 * M)),
            "vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_trade=40 * M))),
        },
    ),
}


@pytest.mark.parametrize("case", CAPS)
def test_a_cap_makes_an_entry_smaller_and_is_named(case: str) -> None:
    rule, spends, changes = CAPS[case]
    resized = decide(ENTRY, situation(**changes))
    assert isinstance(resized, Resized), resized
    assert (resized.rule, resized.legs[0].input.raw) == (rule, spends * M)
    assert (resized.numbers["at_most_raw"], resized.numbers["amount_raw"]) == (str(spends * M), str(spends * M))


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (
            "follower's cap of a day",
            {"follow": follow(caps=Caps(day_max_raw=10 * M)), "portfolio": replace(HELD, bought_today_raw={ANA: 99 * M})},
        ),
        ("vault's cap of a day", {"vault": vault_state("500 USDC", rules=policy(stored=limits(spend_per_day=0)))}),
        ("vault's free balance", {"vault": vault_state("0 USDC", "1000 BONK")}),
    ],
)
def test_a_cap_that_leaves_less_than_the_smallest_trade_refuses(rule: str, changes: dict[str, object]) -> None:
    refused = decide(ENTRY, situation(**changes))
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.numbers["least_raw"]) == (rule, str(M))


def test_an_exit_sells_no_more_than_the_vault_has_free() -> None:
    resized = decide(EXIT, with_exit(vault=vault_state("480 USDC", "5 BONK")))
    assert isinstance(resized, Resized)
    assert (resized.rule, resized.legs[0].input) == ("vault's free balance", amount("5 BONK"))
    for free in (vault_state("480 USDC", "0 BONK"), vault_state("480 USDC")):
        refused = decide(EXIT, with_exit(vault=free))
        assert (type(refused), refused.rule) == (Refused, "vault's free balance")


def losing(lost: int = 0, cap: int = 4 * M) -> Situation:
    """40 BONK cost 100 USDC and are worth 20; half of them sold loses about 40."""
    rules = policy(position_slot(BONK, amount("40 BONK").raw, 100 * M), stored=limits(loss_per_day=cap), lost=lost)
    return with_exit(portfolio=Portfolio(holding("40 BONK", "100 USDC")), vault=vault_state(*HOLDS, rules=rules))


def test_an_exit_at_a_loss_sells_what_the_loss_cap_leaves() -> None:
    resized = decide(EXIT, losing())
    assert isinstance(resized, Resized)
    # 20 BONK cost 50 and fetch 10 less a hundredth: 40.1 lost, and 4 may be
    assert (resized.rule, resized.legs[0].input.raw) == ("vault's loss cap of a day", amount("20 BONK").raw * 4_000_000 // 40_100_000)
    assert resized.numbers["shortfall_raw"] == "40100000"


def test_an_exit_at_a_loss_is_refused_once_the_loss_cap_is_used_up() -> None:
    refused = decide(EXIT, losing(lost=4 * M))
    assert (type(refused), refused.rule, refused.numbers["loss_left_raw"]) == (Refused, "vault's loss cap of a day", "0")


def test_an_exit_at_a_loss_within_the_cap_is_copied_whole() -> None:
    assert isinstance(decide(EXIT, losing(cap=41 * M)), Copied)


def test_an_exit_without_a_price_is_left_to_the_chain() -> None:
    unpriced = replace(losing(), prices={})
    assert isinstance(decide(EXIT, unpriced), Copied)


@given(
    trade_cap=st.integers(0, 200),
    day_cap=st.integers(0, 200),
    vault_trade=st.integers(0, 200),
    vault_day=st.integers(0, 200),
    free=st.integers(0, 200),
)
def test_no_entry_is_above_any_cap_nor_larger_than_was_wanted(
    trade_cap: int, day_cap: int, vault_trade: int, vault_day: int, free: int
) -> None:
    rules = policy(stored=limits(spend_per_trade=vault_trade * M, spend_per_day=vault_day * M))
    made = situation(
        follow=follow(caps=Caps(trade_max_raw=trade_cap * M, day_max_raw=day_cap * M)),
        vault=vault_state(f"{free} USDC", "10000 WIF", rules=rules),
    )
    decision = decide(trade("500 USDC", "1000 BONK"), made)
    bound = min(trade_cap, day_cap, vault_trade, vault_day, free) * M
    if bound < M:
        assert decision.legs == ()
    else:
        assert decision.legs[0].input.raw == min(bound, int(Decimal(free + 20_000) / 2) * M + (free % 2) * M // 2)


def test_the_order_of_the_rules_is_fixed_and_safety_comes_first() -> None:
    names = [rule.name for rule in risk_limits.SAFETY_RULES]
    assert [rule.name for rule in risk_limits.ENTRY_RULES][: len(names)] == names
    assert [rule.name for rule in risk_limits.EXIT_RULES][: len(names)] == names
    assert len({rule.name for rule in risk_limits.ENTRY_RULES}) == len(risk_limits.ENTRY_RULES)


@pytest.mark.parametrize(("given", "wanted", "outcome"), [(True, True, Copied), (True, False, Resized), (False, False, Refused)])
def test_of_two_legs_a_refused_one_leaves_the_other(given: bool, wanted: bool, outcome: type[Decision]) -> None:
    """`given`: the close is allowed; `wanted`: the opening is."""
    switch = trade("200 BONK", "50 WIF", held="200 BONK")
    tokens = {BONK: situation().tokens[BONK]} | ({WIF: situation().tokens[WIF]} if wanted else {})
    vault = vault_state(*HOLDS) if given else vault_state("480 USDC")
    decision = decide(switch, with_exit(vault=vault, tokens=tokens))
    assert (type(decision), len(decision.legs)) == (outcome, given + wanted)
