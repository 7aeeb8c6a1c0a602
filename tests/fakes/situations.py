"""What a decision is made from, as a test would say it: Ana trades, Ben's vault of 500 USDC follows her with all of its equity."""

from dataclasses import replace
from decimal import Decimal

from solders.pubkey import Pubkey
from tests.fakes.copy_rows import BOT, wallet

from xorj.copying.follow import Caps, Follow, FollowMode
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.situation import Portfolio, Running, Situation
from xorj.copying.vault_state import VaultState
from xorj.market.token_screen import ClassicToken
from xorj.portfolio.attribution import Holdings
from xorj.portfolio.observed_vault import address_of
from xorj.portfolio.position import Position
from xorj.prices.price import Price
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.clock import ChainTime
from xorj.primitives.ids import SOL, USDC, USDT, Mint, Signature, Slot, UserId
from xorj.swaps.quote_rank import direction
from xorj.vault.accounts import ANY_MINT, NO_KEY, Config, Limits, PositionSlot, VaultAccount, VaultPolicy

ANA, BEN = wallet("ana"), wallet("ben")
VAULT = address_of(BEN)
BONK, WIF = Mint(wallet("bonk")), Mint(wallet("wif"))
DECIMALS = {USDC: 6, USDT: 6, SOL: 9, BONK: 5, WIF: 6}
USD = {USDC: Decimal(1), USDT: Decimal(1), SOL: Decimal(100), BONK: Decimal("0.5"), WIF: Decimal(2)}
NAMES = {"USDC": USDC, "USDT": USDT, "SOL": SOL, "BONK": BONK, "WIF": WIF}
SLOT, NOW = Slot(1_000), 1_760_000_000
M = 1_000_000


def prices(**usd: str) -> dict[Mint, Price]:
    """The usual ones, or those given by name."""
    return {mint: Price(mint, Usd(value), DECIMALS[mint], SLOT, "test") for mint, value in (USD | _by_mint(usd)).items()}


def _by_mint(usd: dict[str, str]) -> dict[Mint, Decimal]:
    return {NAMES[name]: Decimal(value) for name, value in usd.items()}


def amount(text: str) -> TokenAmount:
    """`100 USDC` in raw units."""
    number, name = text.split()
    mint = NAMES[name]
    return TokenAmount(mint, int(Decimal(number.replace(",", "")).scaleb(DECIMALS[mint])), DECIMALS[mint])


def trade(gives: str, gets: str, *, equity: str | None = "1000", held: str | None = None, slot: int = SLOT - 2) -> LeaderTrade:
    """Ana's swap; `equity` in USD and `held` of the input before it."""
    given, got = amount(gives), amount(gets)
    return LeaderTrade(
        leader=ANA,
        signature=Signature(f"{gives} for {gets}"),
        swap_index=0,
        slot=Slot(slot),
        block_time=NOW,
        direction=direction(given.mint, got.mint),
        input=given,
        output=got,
        value_usd=given.value(Usd(USD[Mint(given.mint)])),
        equity_usd=None if equity is None else Usd(Decimal(equity)),
        input_balance_before_raw=None if held is None else amount(held).raw,
        seen_slot=Slot(slot),
    )


def limits(**changes: int) -> Limits:
    wide = Limits(1_000 * M, 1_000 * M, 1_000 * M, 10_000, 10_000, 10_000, NOW + 3_600, ANY_MINT)
    return replace(wide, **changes)


def position_slot(mint: Mint, units: int, base_cost: int, *, pinned_from: int = 0) -> PositionSlot:
    return PositionSlot(Pubkey.from_string(mint), pinned_from, units, base_cost)


def policy(*slots: PositionSlot, stored: Limits | None = None, spent: int = 0, lost: int = 0, **changes: object) -> VaultPolicy:
    free = PositionSlot(NO_KEY, 0, 0, 0)
    hour = NOW // 3_600
    made = VaultPolicy(
        version=1,
        vault=Pubkey.from_string(VAULT),
        base_mint=Pubkey.from_string(USDC),
        trade_authority=NO_KEY,
        bump=1,
        trade_authority_bump=1,
        paused=False,
        was_granted=True,
        bot_epoch=7,
        nonce_base=0,
        nonce_bitmap=0,
        stored=stored or limits(),
        window_hour=hour,
        spend_buckets=tuple(spent if n == hour % 25 else 0 for n in range(25)),
        loss_buckets=tuple(lost if n == hour % 25 else 0 for n in range(25)),
        slots=(*slots, *(free for _ in range(16 - len(slots)))),
        pending={},
        loosening_delay=3_600,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of keyword arguments


def vault_state(*balances: str, deposited: int = 500 * M, rules: VaultPolicy | None = None, **changes: object) -> VaultState:
    """Ben's vault with what it holds, 500 USDC unless told."""
    account = VaultAccount(Pubkey.from_string(BEN), deposited, Pubkey.from_string(BOT), True, NOW, 1)
    config = Config(1, 1, False, 1, 0, 0, NO_KEY, None, NO_KEY, Pubkey.from_string(USDC), 1_000 * M, 3_600)
    held = {Mint(each.mint): each.raw for each in map(amount, balances or ("500 USDC",))}
    return VaultState(VAULT, replace(account, **changes), rules or policy(), config, SLOT, held)  # type: ignore[arg-type]  # as above


def follow(**changes: object) -> Follow:
    made = Follow("follow", UserId("ben"), BEN, VAULT, ANA, 10_000, FollowMode.COPY, Slot(100), caps=Caps())
    return replace(made, **changes)  # type: ignore[arg-type]  # as above


def holding(units: str | None = None, cost: str | None = None) -> Holdings:
    """What the vault holds for Ana."""
    if units is None or cost is None:
        return Holdings(VAULT)
    held = amount(units)
    position = Position(VAULT, ANA, Mint(held.mint), held.raw, amount(cost).raw)
    return Holdings(VAULT, {(ANA, Mint(held.mint)): position})


def situation(**changes: object) -> Situation:
    tokens = {mint: ClassicToken(mint, decimals) for mint, decimals in DECIMALS.items()}
    now = ChainTime(SLOT, int(SLOT), NOW)
    made = Situation(now, Running(), BOT, follow(), vault_state(), Portfolio(Holdings(VAULT)), tokens, prices())
    return replace(made, **changes)  # type: ignore[arg-type]  # as above
