"""The server-rendered page: readable without its script, and safe with whatever a token calls itself."""

import json
import re

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from xorj.web.pages import amount, chance, dollars, facts, page_routes, percent, short

USDC = {"mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "symbol": "USDC", "decimals": 6}
LEADER = "HN7cABqLq46Es1jh92dQQisAq662SmxELLLsHHe4YWrH"


def overview(symbol: str = "BONK", **changes: object) -> dict[str, object]:
    token = {"mint": LEADER, "symbol": symbol, "decimals": 5}
    return {
        "mode": {"environment": "local", "chain_genesis": "g", "worthless": True, "slot": 12, "block_time": 1},
        "bot": {"state": "active", "reason": None, "since": None, "kill_switch_stopped": False, "open_intents": 0},
        "scoring": None,
        "leaders": [
            {
                "rank": 1,
                "wallet": LEADER,
                "score": 37.0,
                "model": "v1",
                "eligible": True,
                "trade_count": 100,
                "win_rate_percent": 80.0,
                "total_return_percent": 90.0,
                "max_drawdown_percent": 10.0,
                "followed": True,
                "evidence": {
                    "classic_score": 37.0,
                    "edge_percent": 97.4,
                    "band_low": -0.02,
                    "band_high": 0.21,
                    "capacity_usd": 1234.5,
                    "evidence_days": 120,
                    "calibration": "synthetic prior 1",
                    "reasons": ["its record is 120 days long: −8.2 points"],
                    "past": None,
                },
            }
        ],
        "vaults": [],
        "trades": [
            {
                "id": "t",
                "status": "settled",
                "cause": "missed_exit",
                "direction": "open",
                "input": {**USDC, "amount_raw": "10000000"},
                "output": {**token, "amount_raw": "100000"},
                "signature": None,
                "slot": None,
                "delay_slots": None,
                "leader_trade": None,
                "reason": None,
                "updated_at": "2026-01-01T00:00:00Z",
            }
        ],
        "decisions": [],
        "totals": {"settled": 1, "reverted": 0, "dead": 0, "unsettled": 0, "copied": 1, "resized": 0, "skipped": 0, "refused": 0},
        **changes,
    }


def page(shown: dict[str, object]) -> str:
    async def read(request: Request, response: Response) -> dict[str, object]:
        response.set_cookie("seen", "yes")
        return shown

    app = FastAPI()
    app.include_router(page_routes(read))
    answer = TestClient(app).get("/")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "seen=yes" in answer.headers["set-cookie"]
    return answer.text


def test_without_its_script_the_page_says_what_matters() -> None:
    html = page(overview())
    for words in ("local demo, worthless funds", "Bot active", "37.0", "10 USDC", "1 BONK", "missed exit", "No leader trade seen yet."):
        assert words in re.sub(r"<[^>]+>", "", html)


def test_a_token_cannot_name_itself_into_the_page() -> None:
    html = page(overview(symbol="</script><script>alert(1)</script>"))
    assert "<script>alert" not in html
    inside = re.search(r'<script type="application/json" id="overview">(.*?)</script>', html, re.S)
    assert inside
    assert json.loads(inside[1])["trades"][0]["output"]["symbol"] == "</script><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("raw", "decimals", "shown"),
    [
        ("0", 6, "0"),
        ("1", 6, "0.000001"),
        ("123456", 12, "0.0000001234"),
        ("1500000", 6, "1.5"),
        ("977780499", 6, "977.78"),
        ("123456789012", 6, "123,456"),
        ("7", 0, "7"),
        ("999999", 6, "0.9999"),
    ],
)
def test_amounts_are_cut_off_never_rounded_up_and_never_look_like_nothing(raw: str, decimals: int, shown: str) -> None:
    assert amount(raw, decimals) == shown


def test_the_numbers_of_a_decision_read_as_money_shares_counts_and_addresses() -> None:
    numbers = {"leader_value_usd": "1234.5", "allocation_bps": 2000, "share_of_equity": "0.0148", "sized_raw": "1475983", "mint": LEADER}
    numbers |= {"age_slots": 7, "close": {"rule": "below one unit"}}
    assert facts(numbers) == (
        "leader value $1,234.50 · allocation 20.00 % · share of equity 1.48 % · sized raw 1,475,983 · mint HN7c…YWrH · age slots 7"
        " · close: rule below one unit"
    )


def test_money_and_shares_carry_their_sign() -> None:
    assert (dollars(1234.5), dollars(-0.5), dollars(None)) == ("$1,234.50", "−$0.50", "–")
    assert (percent(3.26), percent(-1.0), percent(None)) == ("+3.3 %", "−1.0 %", "–")
    assert (short(LEADER), short("abc")) == ("HN7c…YWrH", "abc")


@pytest.mark.parametrize(("given", "shown"), [(None, "–"), (99.93, "> 99 %"), (99.0, "99 %"), (61.4, "61 %"), (1.0, "1 %"), (0.2, "< 1 %")])
def test_no_chance_is_shown_as_certain(given: float | None, shown: str) -> None:
    assert chance(given) == shown


def test_a_leader_is_shown_with_what_stands_behind_his_score() -> None:
    shown = page(overview())
    for text in ("97 %", "−0.02 to +0.21", "$1,234", "120 d", "its record is 120 days long: −8.2 points"):
        assert text in shown


def test_a_synthetic_prior_is_named_where_leaders_stand() -> None:
    run = {"run_id": "r", "as_of_slot": 5, "status": "completed", "completed_at": None}
    assert "classic score (v1), synthetic prior 1" in page(overview(scoring=run))
