"""swaps, performance and trust from the command line: what they print, and one clear message for whatever they cannot use."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.made_swaps import swap, wallet

from xorj.adapters.lake.swap_csv import COLUMNS
from xorj.cli.app import EXIT_FAILED, EXIT_OK, EXIT_USAGE, run
from xorj.swaps.swap import Swap

Start = Callable[..., tuple[int, str, str]]
SYSTEM = "1" * 32
TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


@pytest.fixture
def start(capfd: pytest.CaptureFixture[str]) -> Start:
    def started(*arguments: str | Path) -> tuple[int, str, str]:
        code = run([str(one) for one in arguments])
        out, err = capfd.readouterr()
        return code, out, " ".join(err.split())

    return started


def reply(**changes: Any) -> dict[str, Any]:
    """A getTransaction result: ana gives 5 USDC of 9 for 1 SOL through the local pool, in the encoding json."""
    ana, usdc, venue = wallet("ana"), swap("ana", "1 USDC", "1 SOL", slot=1).input.mint, "Loca1Amm11111111111111111111111111111111111"

    def row(account: int, owner: str, raw: int) -> dict[str, Any]:
        amount = {"amount": str(raw), "decimals": 6}
        return {"accountIndex": account, "mint": usdc, "owner": owner, "programId": TOKEN_PROGRAM, "uiTokenAmount": amount}

    whole = {
        "slot": 77,
        "blockTime": 1_700_000_000,
        "version": 0,
        "transaction": {
            "signatures": ["1" * 64],
            "message": {
                "accountKeys": [ana, wallet("ana's USDC"), venue, wallet("pool's USDC"), wallet("a pool")],
                "instructions": [{"programIdIndex": 2, "accounts": [], "data": ""}],
            },
        },
        "meta": {
            "err": None,
            "fee": 5_000,
            "preBalances": [10**9, 2_039_280, 1, 2_039_280, 10**10],
            "postBalances": [2 * 10**9 - 5_000, 2_039_280, 1, 2_039_280, 9 * 10**9],
            "preTokenBalances": [row(1, ana, 9_000_000), row(3, wallet("a pool"), 50_000_000)],
            "postTokenBalances": [row(1, ana, 4_000_000), row(3, wallet("a pool"), 55_000_000)],
            "innerInstructions": [],
            "logMessages": [],
        },
    }
    return whole | changes


@pytest.mark.parametrize("whole", [True, False], ids=["whole reply", "its result"])
def test_a_reply_is_decoded_for_every_trader(start: Start, tmp_path: Path, whole: bool) -> None:
    file = tmp_path / "reply.json"
    file.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "result": reply()} if whole else reply()))
    code, out, _ = start("swaps", "decode", file, "--json")
    assert code == EXIT_OK
    assert json.loads(out) == [
        {
            "outcome": "swap",
            "signature": "1" * 64,
            "slot": 77,
            "wallet": wallet("ana"),
            "input_mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            "input_amount": "5000000",
            "output_mint": "So11111111111111111111111111111111111111112",
            "output_amount": "1000000000",
            "network_fee_lamports": 5_000,
            "tip_lamports": 0,
            "venues": ["Loca1Amm11111111111111111111111111111111111"],
        }
    ]
    assert "5000000 EPjF" in start("swaps", "decode", file)[1]


def test_what_was_no_swap_says_what_it_was(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(reply(meta=reply()["meta"] | {"err": {"InstructionError": [0, {"Custom": 6001}]}})))
    code, out, _ = start("swaps", "decode", file, "--json", "--wallet", wallet("ana"))
    assert code == EXIT_OK
    assert [(row["outcome"], row["kind"]) for row in json.loads(out)] == [("not_a_swap", "failed")]


BAD_FILES = {
    "not JSON": ("<html>", "JSON"),
    "a list": ("[]", "a JSON object"),
    "a number": ("5", "a JSON object"),
    "null": ('{"jsonrpc":"2.0","result":null}', "did not know it"),
    "an error of the node": (
        '{"jsonrpc":"2.0","error":{"code":-32015,"message":"version 1 is not supported"}}',
        "not an error of the node",
    ),
    "without a transaction": ('{"slot":1}', "transaction"),
    "a wrong version": (json.dumps(reply(version=7)), "version"),
    "a slot that is a text": (json.dumps(reply(slot="5")), "slot"),
    "a slot beyond 64 bits": (json.dumps(reply(slot=2**64)), "slot"),
    "a balance too few": (json.dumps(reply(meta=reply()["meta"] | {"preBalances": [1]})), "preBalances"),
    "no meta": (json.dumps(reply(meta=None)), "meta"),
    "encoded bytes": (json.dumps(reply(transaction=["AQAB", "base64"])), "encoding json or jsonParsed"),
    "encoded bytes of old": (json.dumps(reply(transaction="AQAB")), "encoding json or jsonParsed"),
    "half a file": (json.dumps(reply())[:200], "JSON"),
}


@pytest.mark.parametrize(("content", "named"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_holds_no_transaction_is_refused_with_what_is_wrong(start: Start, tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "reply.json"
    file.write_text(content)
    code, out, err = start("swaps", "decode", file)
    assert (code, out) == (EXIT_USAGE, "")
    assert named in err
    assert "Traceback" not in err


def test_a_missing_file_a_folder_and_a_malformed_or_unknown_wallet_are_refused(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(reply()))
    refused = [
        start("swaps", "decode", tmp_path / "none.json"),
        start("swaps", "decode", tmp_path),
        start("swaps", "decode", file, "--wallet", "0OIl"),
        start("swaps", "decode", file, "--wallet", wallet("somebody else")),
    ]
    assert [code for code, _, _ in refused] == [EXIT_USAGE] * 4
    assert "base58" in refused[2][2]
    assert "takes part" in refused[3][2]


def csv_of(*swaps: Swap, **changes: str) -> str:
    lines = [",".join(COLUMNS)]
    for one in swaps:
        row = {
            "slot": one.order.slot,
            "tx_index": one.order.transaction_index,
            "ix_index": one.order.instruction_index,
            "block_time": one.block_time,
            "signature": one.signature,
            "wallet": one.wallet,
            "input_mint": one.input.mint,
            "output_mint": one.output.mint,
            "amount_in": one.input.raw,
            "amount_out": one.output.raw,
        }
        lines.append(",".join(str((row | changes)[column]) for column in COLUMNS))
    return "\n".join(lines) + "\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ana doubles her money over ten days, Ben halves his, compressed."""
    swaps = []
    for turn in range(6):
        for who, back in (("ana", "200 USDC"), ("ben", "50 USDC")):
            swaps += [
                swap(who, "100 USDC", "1 SOL", slot=1 + len(swaps), day=turn * 2, fee=None),
                swap(who, "1 SOL", back, slot=2 + len(swaps), day=turn * 2 + 1, fee=None),
            ]
    file = tmp_path / "swaps.csv.gz"
    file.write_bytes(gzip.compress(csv_of(*swaps).encode()))
    return file


def test_a_recording_becomes_a_lake_a_performance_and_a_ranking(start: Start, recording: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert start("swaps", "import", recording, "--lake", lake)[0] == EXIT_OK
    assert "0 transactions were new" in start("swaps", "import", recording, "--lake", lake)[1]
    rows = json.loads(start("performance", "--lake", lake, "--json")[1])
    assert {row["wallet"]: round(row["realised_pnl_usd"], 6) for row in rows} == {wallet("ana"): 600, wallet("ben"): -300}
    assert rows[0]["fees_known"] is False
    one = json.loads(start("performance", "--lake", lake, "--json", "--wallet", wallet("ben"))[1])
    assert [row["trades"] for row in one] == [12]
    ranking = json.loads(start("trust", "rank", "--lake", lake, "--json")[1])
    assert [(row["rank"], row["wallet"]) for row in ranking["traders"]] == [(1, wallet("ana")), (2, wallet("ben"))]
    explained = json.loads(start("trust", "explain", wallet("ana"), "--lake", lake)[1])
    assert explained["receipt"]["score"] == ranking["traders"][0]["score"]
    assert explained["receipt"]["run_input_hash"] == ranking["input_hash"]
    assert wallet("ana") in start("trust", "rank", "--lake", lake)[1]
    assert wallet("ana") in start("performance", "--lake", lake)[1]


def test_what_is_older_than_the_lake_knows_is_refused_whole_and_not_left_out(start: Start, recording: Path, tmp_path: Path) -> None:
    lake, late, early = tmp_path / "lake", tmp_path / "late.csv", tmp_path / "early.csv"
    text = recording.read_bytes()
    lines = (gzip.decompress(text) if text.startswith(b"\x1f\x8b") else text).decode().splitlines()
    late.write_text("\n".join([lines[0], *lines[-4:]]) + "\n")
    early.write_text("\n".join(lines[:-4]) + "\n")
    assert start("swaps", "import", late, "--lake", lake)[0] == EXIT_OK
    code, _, error = start("swaps", "import", early, "--lake", lake)
    assert code == EXIT_USAGE
    assert "import older files first" in error
    assert "0 transactions were new" in start("swaps", "import", late, "--lake", lake)[1]


@pytest.mark.parametrize("model", ["v1", "v2"])
def test_a_receipt_is_computed_again_to_the_bit_and_a_changed_one_is_told(
    start: Start, recording: Path, tmp_path: Path, model: str
) -> None:
    lake, receipt = tmp_path / "lake", tmp_path / "receipt.json"
    start("swaps", "import", recording, "--lake", lake)
    explained = start("trust", "explain", wallet("ana"), "--lake", lake, "--model", model)[1]
    receipt.write_text(explained)
    code, out, _ = start("trust", "recompute", receipt, "--lake", lake)
    assert code == EXIT_OK
    assert out.startswith("the same to the bit")
    changed = json.loads(explained)
    changed["receipt"]["copy"]["evidence_days"] += 1
    receipt.write_text(json.dumps(changed))
    code, _, error = start("trust", "recompute", receipt, "--lake", lake)
    assert (code, error.strip()) == (1, "differs: receipt.copy.evidence_days")
    receipt.write_text(json.dumps(json.loads(explained) | {"note": None}))
    assert start("trust", "recompute", receipt, "--lake", lake)[2].strip() == "differs: note"
    slots = (1 << 63, -1, "true")
    wrong = [f'{{"wallet": "{wallet("ana")}", "receipt": {{"as_of_slot": {slot}, "score": 1, "model": "v2"}}}}' for slot in slots]
    for text in ("{}", "no JSON", '{"wallet": 5, "receipt": {"as_of_slot": 1, "score": 1, "model": "v2"}}', *wrong):
        receipt.write_text(text)
        assert start("trust", "recompute", receipt, "--lake", lake)[0] == EXIT_USAGE


def test_performance_by_bucket_is_the_performance_computed_at_once(start: Start, recording: Path, tmp_path: Path) -> None:
    lake, legs = tmp_path / "lake", tmp_path / "legs"
    start("swaps", "import", recording, "--lake", lake)
    at_once = start("performance", "--lake", lake, "--json")[1]
    assert start("performance", "--lake", lake, "--engine", "pool", "--legs", legs, "--json")[:2] == (EXIT_OK, at_once)
    # of an older slot there is less, and nothing of before is left in the folder
    older = start("performance", "--lake", lake, "--as-of", "2", "--json")[1]
    assert start("performance", "--lake", lake, "--as-of", "2", "--engine", "pool", "--legs", legs, "--json")[1] == older


@pytest.mark.parametrize("command", [["performance"], ["performance", "--engine", "pool"], ["trust", "rank"]], ids=" ".join)
@pytest.mark.parametrize(("slot", "rule"), [("0", "at or after the lake's first swap"), ("99999", "the newest slot of the lake")])
def test_a_slot_that_the_lake_does_not_hold_is_refused_with_the_rule(
    start: Start, recording: Path, tmp_path: Path, command: list[str], slot: str, rule: str
) -> None:
    lake = tmp_path / "lake"
    start("swaps", "import", recording, "--lake", lake)
    code, out, err = start(*command, "--lake", lake, "--as-of", slot)
    assert (code, out) == (EXIT_USAGE, "")
    assert "--as-of" in err
    assert rule in err


def test_a_file_is_no_folder_for_legs(start: Start, recording: Path, tmp_path: Path) -> None:
    lake, file = tmp_path / "lake", tmp_path / "legs"
    start("swaps", "import", recording, "--lake", lake)
    file.write_text("mine")
    code, _, err = start("performance", "--lake", lake, "--engine", "pool", "--legs", file)
    assert (code, file.read_text()) == (EXIT_USAGE, "mine")
    assert "--legs" in err


def test_a_receipt_holds_although_history_came_later(start: Start, recording: Path, tmp_path: Path) -> None:
    """Ben's history, which the lake had not, changes who stands beside Ana: her receipt is of the lake as it was."""
    lake, receipt, late = tmp_path / "lake", tmp_path / "receipt.json", tmp_path / "late.csv"
    start("swaps", "import", recording, "--lake", lake)
    receipt.write_text(start("trust", "explain", wallet("ana"), "--lake", lake)[1])
    before = json.loads(receipt.read_text())["receipt"]
    late.write_text(csv_of(*(swap("cem", "50 SOL", "6000 USDC", slot=slot) for slot in (2, 3, 4))))
    assert start("swaps", "import", late, "--lake", lake)[0] == EXIT_OK
    now = json.loads(start("trust", "explain", wallet("ana"), "--lake", lake)[1])["receipt"]
    assert now["lake_version"] > before["lake_version"]
    assert now["run_input_hash"] != before["run_input_hash"]
    code, out, err = start("trust", "recompute", receipt, "--lake", lake)
    assert (code, err) == (EXIT_OK, "")
    assert f"version {before['lake_version']} of the lake" in out


def test_a_receipt_of_other_parameters_is_computed_with_those(start: Start, recording: Path, tmp_path: Path) -> None:
    lake, receipt = tmp_path / "lake", tmp_path / "receipt.json"
    start("swaps", "import", recording, "--lake", lake)
    given = json.loads(start("trust", "explain", wallet("ana"), "--lake", lake)[1])
    given["receipt"]["terms"]["order_usd"] = 500.0
    receipt.write_text(json.dumps(given))
    code, _, err = start("trust", "recompute", receipt, "--lake", lake)
    assert code == 1
    assert "differs: receipt.parameter_hash" in err
    given["receipt"]["terms"]["order_usd"] = "many"
    receipt.write_text(json.dumps(given))
    assert start("trust", "recompute", receipt, "--lake", lake)[0] == EXIT_USAGE


@pytest.mark.parametrize(
    ("part", "name", "given"),
    [
        ("terms", "trade_share_max", 0),
        ("terms", "trade_share_max", 1.5),
        ("terms", "order_usd", -1),
        ("terms", "delay_s", -1),
        ("live_calibration", "prior", []),
        ("live_calibration", "rho", 2),
    ],
)
def test_a_receipt_with_a_parameter_that_cannot_be_is_refused_by_its_name(
    start: Start, recording: Path, tmp_path: Path, part: str, name: str, given: object
) -> None:
    lake, receipt = tmp_path / "lake", tmp_path / "receipt.json"
    start("swaps", "import", recording, "--lake", lake)
    explained = json.loads(start("trust", "explain", wallet("ana"), "--lake", lake)[1])
    live = {"rho": 0.5, "drift": 0.0, "prior": [1 / 121] * 121, "version": "live"}
    explained["receipt"][part] = (explained["receipt"][part] or live) | {name: given}
    receipt.write_text(json.dumps(explained))
    code, _, error = start("trust", "recompute", receipt, "--lake", lake)
    assert code == EXIT_USAGE
    assert f"receipt.{part}.{name}" in error


def test_a_cluster_that_cannot_be_used_is_named(start: Start, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = tmp_path / "lake"
    start("swaps", "import", recording, "--lake", lake)
    monkeypatch.setenv("XORJ_RAY_ADDRESS", "nowhere")
    code, _, err = start("performance", "--lake", lake, "--engine", "ray")
    assert code == EXIT_USAGE
    assert "XORJ_RAY_ADDRESS" in err


BAD_RECORDINGS = {
    "no column": ("slot,wallet\n1,2\n", "tx_index"),
    "nothing": ("", "slot"),
    "an amount with a fraction": (csv_of(swap("ana", "1 SOL", "9 USDC", slot=1), amount_in="1.5"), "line 2, amount_in"),
    "an amount beyond 64 bits": (csv_of(swap("ana", "1 SOL", "9 USDC", slot=1), amount_out=str(2**64)), "line 2, amount_out"),
    "nothing given": (csv_of(swap("ana", "1 SOL", "9 USDC", slot=1), amount_in="0"), "line 2"),
    "a malformed wallet": (csv_of(swap("ana", "1 SOL", "9 USDC", slot=1), wallet="0OIl"), "line 2, wallet"),
    "a malformed signature": (csv_of(swap("ana", "1 SOL", "9 USDC", slot=1), signature="5"), "line 2, signature"),
    "a mint of unknown decimals": (csv_of(swap("ana", "1 BONK", "9 USDC", slot=1)), "--decimals"),
}


@pytest.mark.parametrize(("content", "named"), BAD_RECORDINGS.values(), ids=BAD_RECORDINGS.keys())
def test_a_recording_that_cannot_be_read_is_refused_and_leaves_no_lake(start: Start, tmp_path: Path, content: str, named: str) -> None:
    file, lake = tmp_path / "swaps.csv", tmp_path / "lake"
    file.write_text(content)
    code, _, err = start("swaps", "import", file, "--lake", lake)
    assert code == EXIT_USAGE
    assert named in err
    assert not lake.exists()


def test_decimals_can_be_told(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "swaps.csv"
    made = swap("ana", "1 BONK", "9 USDC", slot=1)
    file.write_text(csv_of(made))
    assert start("swaps", "import", file, "--lake", tmp_path / "lake", "--decimals", f"{made.input.mint}=5")[0] == EXIT_OK
    assert start("swaps", "import", file, "--lake", tmp_path / "lake", "--decimals", "nonsense")[0] == EXIT_USAGE


def test_a_folder_without_a_lake_and_a_wallet_without_swaps_are_refused(start: Start, recording: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    start("swaps", "import", recording, "--lake", lake)
    refused = [
        start("performance", "--lake", tmp_path / "nowhere"),
        start("trust", "rank", "--lake", tmp_path),
        start("performance", "--lake", lake, "--wallet", wallet("nobody")),
        start("trust", "explain", wallet("nobody"), "--lake", lake),
        start("trust", "explain", "abc", "--lake", lake),
    ]
    assert [code for code, _, _ in refused] == [EXIT_USAGE] * 5


@pytest.mark.parametrize("command", ["performance", "trust rank", "swaps coverage", "swaps import /dev/null"])
def test_no_name_is_no_folder(start: Start, command: str) -> None:
    code, _, error = start(*command.split(), "--lake", "")
    assert code == EXIT_USAGE
    assert "--lake" in error


def test_a_corrupt_lake_fails_with_its_cause(start: Start, recording: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    start("swaps", "import", recording, "--lake", lake)
    for file in lake.glob("*.parquet"):
        file.write_bytes(b"PAR1 not a lake")
    code, _, err = start("performance", "--lake", lake)
    assert code == EXIT_FAILED
    assert "lake" in err
    assert "Traceback" not in err


def test_the_classic_score_is_printed_with_its_parts(start: Start) -> None:
    code, out, _ = start("trust", "v1", "--roi", "90", "--max-drawdown", "10", "--trades", "100")
    assert code == EXIT_OK
    assert "36.97" in out
    assert "37.0" in out
    assert json.loads(start("trust", "v1", "--roi", "20", "--max-drawdown", "2", "--trades", "200", "--json")[1])["rounded"] == 21.4
    for bad in (["--trades", "0"], ["--max-drawdown", "101"], ["--roi", "nan"]):
        given = {"--roi": "1", "--max-drawdown": "1", "--trades": "1"} | {bad[0]: bad[1]}
        assert start("trust", "v1", *(part for pair in given.items() for part in pair))[0] == EXIT_USAGE


@pytest.mark.parametrize("command", [["performance"], ["trust", "rank"], ["trust", "explain", SYSTEM]], ids=" ".join)
def test_a_slot_beyond_64_bits_is_wrong_usage(start: Start, recording: Path, tmp_path: Path, command: list[str]) -> None:
    lake = tmp_path / "lake"
    start("swaps", "import", recording, "--lake", lake)
    code, _, err = start(*command, "--lake", lake, "--as-of", str(2**63))
    assert code == EXIT_USAGE
    assert "--as-of" in err


def test_a_file_is_not_taken_for_a_lake(start: Start, recording: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.write_text("something else")
    code, _, err = start("swaps", "import", recording, "--lake", lake)
    assert code == EXIT_USAGE
    assert "--lake" in err
    assert lake.read_text() == "something else"


def test_coverage_of_a_recording_says_which_slots_nobody_knows(start: Start, recording: Path, tmp_path: Path) -> None:
    start("swaps", "import", recording, "--lake", tmp_path / "lake")
    code, out, err = start("swaps", "coverage", wallet("ana"), "--lake", tmp_path / "lake", "--json")
    assert code == EXIT_OK, err
    found = json.loads(out)
    assert (found["wallet"], found["outcomes"], found["undecodable"]) == (wallet("ana"), {"swap": found["records"]}, {})
    recorded = sum(one["slots"]["last"] - one["slots"]["first"] + 1 for one in found["known"])
    missing = sum(one["last"] - one["first"] + 1 for one in found["gaps"])
    assert {one["source"] for one in found["known"]} == {"recording"}
    assert recorded + missing == found["slots"]["last"] - found["slots"]["first"] + 1
    code, out, _ = start("swaps", "coverage", wallet("ana"), "--lake", tmp_path / "lake")
    assert (code, "known from a recording" in out) == (EXIT_OK, True)


def test_coverage_of_an_unknown_wallet_is_refused(start: Start, recording: Path, tmp_path: Path) -> None:
    start("swaps", "import", recording, "--lake", tmp_path / "lake")
    code, _, err = start("swaps", "coverage", wallet("nobody"), "--lake", tmp_path / "lake")
    assert (code, "a wallet with records in the lake" in err) == (EXIT_USAGE, True)
