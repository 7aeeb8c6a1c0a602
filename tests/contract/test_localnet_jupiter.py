"""Jupiter's API on the local chain: the reply's shape, and that what it builds executes for what it quoted."""

import base64
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from xorj.demo.history import market_genesis
from xorj.demo.identities import ARBITRAGE
from xorj.demo.market import Cast
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.api import jupiter_app
from xorj.localnet.jupiter.pools import PoolBook
from xorj.localnet.live import LiveChain
from xorj.primitives.ids import SOL, USDC
from xorj.router import jupiter_v6
from xorj.vault.accounts import token_account_address

CAST = Cast.of(1)
BREW, TIDE, LARK, DUST = (
    str(next(token.mint for token in CAST.tokens if token.symbol == symbol)) for symbol in ("BREW", "TIDE", "LARK", "DUST")
)
TRADER = ARBITRAGE  # the one wallet that holds everything from the start
STRANGER = Keypair.from_seed(bytes([77]) * 32).pubkey()


class Api:
    """Asks the app as an HTTP client would."""

    def __init__(self) -> None:
        self.bank = Bank.open(None, market_genesis(CAST, 1_790_000_000))
        self.bank.advance()
        self.app = jupiter_app(LiveChain(self.bank, slot_ms=200), CAST.listed())

    async def ask(self, path: str, query: str = "", method: str = "GET") -> tuple[int, Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode("latin-1")}
        await self.app(scope, receive, send)
        return sent[0]["status"], orjson.loads(sent[1]["body"])

    async def build(self, **changes: Any) -> tuple[int, Any]:
        fields = {"inputMint": USDC, "outputMint": BREW, "amount": 25_000_000, "taker": TRADER.pubkey()} | changes
        return await self.ask("/swap/v2/build", urlencode({name: value for name, value in fields.items() if value is not None}))

    def executes(self, reply: Any) -> None:
        instructions = [*reply["setupInstructions"], reply["swapInstruction"], reply["cleanupInstruction"]]
        read = [_instruction(one) for one in instructions if one is not None]
        message = MessageV0.try_compile(TRADER.pubkey(), read, [], self.bank.latest_blockhash())
        outcome = self.bank.execute(VersionedTransaction(message, [TRADER]))
        assert outcome.succeeded, outcome

    def balance(self, owner: Pubkey, mint: str) -> int:
        return PoolBook(self.bank).amount(token_account_address(owner, Pubkey.from_string(mint)))


def _instruction(shown: Any) -> Instruction:
    metas = [AccountMeta(Pubkey.from_string(one["pubkey"]), one["isSigner"], one["isWritable"]) for one in shown["accounts"]]
    return Instruction(Pubkey.from_string(shown["programId"]), base64.b64decode(shown["data"]), metas)


@pytest.fixture
def api() -> Api:
    return Api()


async def test_a_build_is_quote_instructions_and_blockhash(api: Api) -> None:
    status, reply = await api.build(slippageBps=100)
    assert status == 200
    assert set(reply) == {
        *("inputMint", "outputMint", "inAmount", "outAmount", "otherAmountThreshold", "swapMode", "slippageBps", "priceImpactPct"),
        *("routePlan", "computeBudgetInstructions", "setupInstructions", "swapInstruction", "cleanupInstruction", "otherInstructions"),
        *("tipInstruction", "addressesByLookupTableAddress", "blockhashWithMetadata"),
    }
    assert (reply["swapMode"], reply["inAmount"], reply["slippageBps"]) == ("ExactIn", "25000000", 100)
    assert int(reply["otherAmountThreshold"]) == int(reply["outAmount"]) * 99 // 100
    assert [step["bps"] for step in reply["routePlan"]] == [10_000]
    assert len(reply["blockhashWithMetadata"]["blockhash"]) == 32
    assert reply["blockhashWithMetadata"]["lastValidBlockHeight"] > api.bank.blocks.height
    head = jupiter_v6.decode_head(base64.b64decode(reply["swapInstruction"]["data"]))
    assert (head.in_amount, head.quoted_out_amount, head.slippage_bps) == (25_000_000, int(reply["outAmount"]), 100)


@pytest.mark.parametrize(
    ("given", "got", "amount", "hops"),
    [
        (USDC, BREW, 25_000_000, 1),
        (BREW, USDC, 25_000_000, 1),
        (BREW, LARK, 9_000_000, 2),
        (TIDE, SOL, 3 * 10**9, 1),
        (LARK, SOL, 10**8, 2),
    ],
)
async def test_what_is_built_executes_for_what_was_quoted(api: Api, given: str, got: str, amount: int, hops: int) -> None:
    _, reply = await api.build(inputMint=given, outputMint=got, amount=amount, slippageBps=0, wrapAndUnwrapSol="false")
    assert len(reply["routePlan"]) == hops
    before = api.balance(TRADER.pubkey(), given), api.balance(TRADER.pubkey(), got)
    api.executes(reply)
    after = api.balance(TRADER.pubkey(), given), api.balance(TRADER.pubkey(), got)
    assert (before[0] - after[0], after[1] - before[1]) == (amount, int(reply["outAmount"]))


async def test_sol_is_wrapped_before_and_unwrapped_after(api: Api) -> None:
    _, reply = await api.build(inputMint=BREW, outputMint=SOL, amount=30_000_000)
    lamports, wrapped = api.bank.runtime.account(TRADER.pubkey()).lamports, api.balance(TRADER.pubkey(), SOL)
    api.executes(reply)
    assert api.bank.runtime.account(TRADER.pubkey()).lamports > lamports + wrapped
    _, reply = await api.build(inputMint=SOL, outputMint=BREW, amount=10**9)
    held = api.balance(TRADER.pubkey(), BREW)
    api.executes(reply)
    assert api.balance(TRADER.pubkey(), BREW) == held + int(reply["outAmount"])


async def test_the_output_goes_where_the_taker_says(api: Api) -> None:
    target = token_account_address(STRANGER, Pubkey.from_string(BREW))
    _, reply = await api.build(destinationTokenAccount=target, payer=STRANGER)
    assert reply["setupInstructions"] == []
    assert reply["swapInstruction"]["accounts"][2]["pubkey"] == str(target)


async def test_the_payer_pays_for_accounts_and_does_not_sign_the_swap(api: Api) -> None:
    _, reply = await api.build(payer=STRANGER)
    assert reply["setupInstructions"][0]["accounts"][0] == {"pubkey": str(STRANGER), "isSigner": True, "isWritable": True}
    assert {one["pubkey"] for one in reply["swapInstruction"]["accounts"] if one["isSigner"]} == {str(TRADER.pubkey())}


async def test_few_accounts_leave_only_the_direct_way(api: Api) -> None:
    assert (await api.build(inputMint=BREW, outputMint=LARK, maxAccounts=13)) == (
        400,
        {"error": "No routes found", "errorCode": "NO_ROUTES_FOUND"},
    )
    status, reply = await api.build(inputMint=TIDE, outputMint=SOL, maxAccounts=7)
    assert (status, len(reply["routePlan"])) == (200, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": None}, "INVALID_QUERY"),
        ({"amount": 0}, "INVALID_QUERY"),
        ({"amount": "-5"}, "INVALID_QUERY"),
        ({"amount": "1e9"}, "INVALID_QUERY"),
        ({"amount": 2**64}, "INVALID_QUERY"),
        ({"taker": None}, "INVALID_QUERY"),
        ({"taker": "not-base58-0OIl"}, "INVALID_QUERY"),
        ({"inputMint": "x" * 5_000}, "INVALID_QUERY"),
        ({"slippageBps": 10_001}, "INVALID_QUERY"),
        ({"wrapAndUnwrapSol": "yes"}, "INVALID_QUERY"),
        ({"maxAccounts": 65}, "MAX_ACCOUNT_GREATER_THAN_MAX"),
        ({"outputMint": USDC}, "CIRCULAR_ARBITRAGE_IS_DISABLED"),
        ({"outputMint": STRANGER}, "TOKEN_NOT_TRADABLE"),
        ({"platformFeeBps": 10}, "NOT_SUPPORTED"),
        ({"amount": 1, "inputMint": BREW, "outputMint": SOL}, "NO_ROUTES_FOUND"),
    ],
    ids=str,
)
async def test_a_bad_request_is_told_what_is_wrong(api: Api, changes: dict[str, Any], code: str) -> None:
    status, reply = await api.build(**changes)
    assert status == 400
    assert reply["errorCode"] == code
    assert reply["error"]


@pytest.mark.parametrize(
    ("path", "query", "method", "status"),
    [
        ("/nothing", "", "GET", 404),
        ("/price/v3", "ids=" + USDC, "POST", 405),
        ("/price/v3", "", "GET", 400),
        ("/price/v3", "ids=" + ",".join([USDC] * 51), "GET", 400),
        ("/price/v3", "ids=\xff", "GET", 400),
        ("/price/v3", f"ids={USDC}&ids={SOL}", "GET", 400),
        ("/price/v3", "ids=" + "a" * 9_000, "GET", 414),
        ("/tokens/v2/search", "", "GET", 400),
        ("/tokens/v2/search", "query=" + "," * 100 + "a", "GET", 400),
    ],
)
async def test_nonsense_never_becomes_a_server_error(api: Api, path: str, query: str, method: str, status: int) -> None:
    answered, reply = await api.ask(path, query, method)
    assert answered == status
    assert set(reply) == {"error", "errorCode"}


async def test_prices_follow_the_pools_and_unknown_mints_are_left_out(api: Api) -> None:
    _, before = await api.ask("/price/v3", f"ids={USDC},{SOL},{BREW},{STRANGER}")
    assert set(before) == {USDC, SOL, BREW}
    assert before[USDC]["usdPrice"] == 1
    brew = next(token for token in CAST.tokens if str(token.mint) == BREW)
    assert before[BREW]["usdPrice"] == pytest.approx(brew.price_units / 10**15, rel=1e-4)
    assert (before[BREW]["decimals"], before[BREW]["blockId"]) == (6, api.bank.slot)
    assert before[BREW]["liquidity"] > 2 * brew.depth_usd
    _, reply = await api.build(amount=50_000 * 10**6)
    api.executes(reply)
    _, after = await api.ask("/price/v3", f"ids={BREW}")
    assert after[BREW]["usdPrice"] > before[BREW]["usdPrice"] * 1.03


async def test_tokens_are_found_by_mint_name_and_tag(api: Api) -> None:
    _, by_mint = await api.ask("/tokens/v2/search", f"query={BREW},{STRANGER},{USDC}")
    assert [(one["symbol"], one["id"], one["decimals"]) for one in by_mint] == [("BREW", BREW, 6), ("USDC", USDC, 6)]
    assert {"name", "tokenProgram", "audit", "tags", "usdPrice"} <= set(by_mint[0])
    _, by_name = await api.ask("/tokens/v2/search", "query=tidewat")
    assert [one["id"] for one in by_name] == [TIDE]
    _, verified = await api.ask("/tokens/v2/tag", "query=verified")
    assert USDC in {one["id"] for one in verified}
    assert DUST not in {one["id"] for one in verified}
    assert (await api.ask("/tokens/v2/search", "query=nosuchtoken"))[1] == []
