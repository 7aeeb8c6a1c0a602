"""The demo market's first state: tokens, pools, funded leaders, the arbitrage account's stock. Executed history starts from here."""

from xorj.demo.identities import ARBITRAGE
from xorj.demo.leaders import Leader
from xorj.demo.stage import Stage
from xorj.demo.tokens import PRICE_UNITS_PER_USD, SOL_TOKEN, USDC_DECIMALS, USDC_MINT, DemoToken
from xorj.localnet.genesis import Genesis

ARBITRAGE_USDC_RAW = 10**16
STOCK_DEPTHS = 1_000
USDC_UNIT = 10**USDC_DECIMALS


def opening(tokens: tuple[DemoToken, ...], leaders: tuple[Leader, ...], unix_seconds: int) -> Genesis:
    """The genesis of a market whose history begins at `unix_seconds`."""
    stage = Stage()
    stage.hold(ARBITRAGE.pubkey(), USDC_MINT, ARBITRAGE_USDC_RAW)
    for token in tokens:
        _add_token(stage, token)
    for leader in leaders:
        stage.wallet(leader.address)
        stage.hold(leader.address, USDC_MINT, leader.start_usd * USDC_UNIT)
    return stage.genesis(unix_seconds)


def _add_token(stage: Stage, token: DemoToken) -> None:
    stock = _raw_for_usd(token, token.depth_usd) * STOCK_DEPTHS
    if token != SOL_TOKEN:
        stage.mint(token.mint, token.decimals, 2 * stock)
    stage.hold(ARBITRAGE.pubkey(), token.mint, stock)
    stage.pool(token.mint, _raw_for_usd(token, token.depth_usd), USDC_MINT, token.depth_usd * USDC_UNIT)
    if token.sol_depth_usd:
        lamports = _raw_for_usd(SOL_TOKEN, token.sol_depth_usd)
        stage.pool(token.mint, _raw_for_usd(token, token.sol_depth_usd), SOL_TOKEN.mint, lamports)


def _raw_for_usd(token: DemoToken, usd: int) -> int:
    """So many base units of a token are worth `usd` at its starting price."""
    unit: int = 10**token.decimals
    return usd * PRICE_UNITS_PER_USD * unit // token.price_units
