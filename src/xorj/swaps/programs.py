"""The programs the decoder knows, one row each. Without a swap program in the instruction tree, a change of two balances is no swap.

A row names a program's swap instructions where its others move a wallet's tokens too (deposits, claims); where it names none, every
instruction may be a swap. Addresses are those that the programs' own documents or Jupiter's list of venues give. Used by the decoder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from xorj.market.local_amm import PROGRAM_ID as LOCAL_AMM
from xorj.primitives.ids import Address

SYSTEM_PROGRAM = Address("11111111111111111111111111111111")
ASSOCIATED_TOKEN_PROGRAM = Address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
TOKEN_PROGRAM = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS = frozenset({TOKEN_PROGRAM, TOKEN_2022_PROGRAM})

JUPITER_V6 = Address("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
JUPITER_LIMIT_V1 = Address("jupoNjAxXgZ4rjzxzPMP4oxduvQsQtZzyknqvzYNrNu")
JUPITER_LIMIT_V2 = Address("j1o2qRpjcyUwEvwtcfhEQefh773ZgjxcVRry7LDqg5X")
JUPITER_DCA = Address("DCA265Vj8a9CEuX1eb1LWRnDT7uK6q1xMipnNyatn23M")
JUPITER_VALUE_AVERAGE = Address("VALaaymxQh2mNy2trH9jUqHT1mTow76wpTcGmSWSwJe")
SANCTUM_ROUTER = Address("stkitrT1Uoy18Dk1fTrgPw8W6MVzoCfYoAFT4MLsmhq")

# an Anchor program tells an event by calling itself with this in front; such a call does nothing
EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")


def discriminator(name: str) -> bytes:
    """The first eight bytes of an Anchor instruction's data."""
    return sha256(b"global:" + name.encode()).digest()[:8]


# what pools call their deposits, withdrawals, claims and openings
_LIQUIDITY_NAMES = """
    increase_liquidity increase_liquidity_v2 increase_liquidity_by_token_amounts_v2 decrease_liquidity decrease_liquidity_v2
    reposition_liquidity_v2 collect_fees collect_fees_v2 collect_reward collect_reward_v2 open_position open_position_v2
    open_position_with_metadata open_position_with_token_extensions open_position_with_token22_nft close_position
    close_position_with_token_extensions add_liquidity add_liquidity2 add_liquidity_by_strategy add_liquidity_by_strategy2
    add_liquidity_by_strategy_one_side add_liquidity_one_side add_liquidity_one_side_precise add_liquidity_one_side_precise2
    add_liquidity_by_weight add_liquidity_by_weight2 remove_liquidity remove_liquidity2 remove_liquidity_by_range
    remove_liquidity_by_range2 remove_all_liquidity remove_liquidity_single_side rebalance_liquidity claim_fee claim_fee2
    claim_position_fee claim_reward claim_reward2 add_balance_liquidity remove_balance_liquidity add_imbalance_liquidity
    bootstrap_liquidity initialize initialize_pool initialize_pool_with_dynamic_config initialize_customizable_pool create_pool
    deposit withdraw collect_creator_fee collect_coin_creator_fee create_position split_position
"""
_LIQUIDITY_INSTRUCTIONS = frozenset(map(discriminator, _LIQUIDITY_NAMES.split()))
# the same of programs that number their instructions: opening, two deposits, two withdrawals
_LIQUIDITY_NUMBERS = frozenset({b"\x00", b"\x02", b"\x03", b"\x04", b"\x05"})


class Role(StrEnum):
    """What a swap program is to a wallet that calls it."""

    # trades for the wallet through others, so that a token minted on the way is a hop and no deposit
    ROUTER = "router"
    # swaps against its own reserves, and takes deposits
    POOL = "pool"
    # sells and buys a new token along a curve, takes no deposits
    LAUNCHPAD = "launchpad"
    # matches orders, or one maker with one taker
    BOOK = "book"
    # keeps orders that a keeper fills later
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class SwapProgram:
    """`swaps` are the beginnings of its swap instructions' data with the slot of the pool among their accounts, None where it has none.

    Empty: every instruction of the program may be a swap.
    """

    name: str
    role: Role
    swaps: Mapping[bytes, int | None] = field(default_factory=dict)

    def is_swap(self, data: bytes) -> bool:
        return not data.startswith(EVENT_TAG) and (not self.swaps or any(data.startswith(start) for start in self.swaps))

    def is_liquidity(self, data: bytes) -> bool:
        """Whether an instruction of a pool is understood as one that deposits, withdraws or claims."""
        return data[:8] in _LIQUIDITY_INSTRUCTIONS or (data[:1] in _LIQUIDITY_NUMBERS and any(len(start) == 1 for start in self.swaps))

    def pool_slot(self, data: bytes) -> int | None:
        return next((slot for start, slot in self.swaps.items() if data.startswith(start)), None)


def _anchor(slot: int | None, *names: str) -> dict[bytes, int | None]:
    return dict.fromkeys(map(discriminator, names), slot)


_Rows = dict[str, str | SwapProgram]


def _rows(role: Role, rows: _Rows) -> dict[Address, SwapProgram]:
    return {Address(text): row if isinstance(row, SwapProgram) else SwapProgram(row, role) for text, row in rows.items()}


_ROUTERS: _Rows = {
    JUPITER_V6: "Jupiter v6",
    "JUP4Fb2cqiRUcaTHdrPC8h2gNsA2ETXiPDD33WcGuJB": "Jupiter v4",
    "JUP2jxvXaqu7NQY1GmNF4m1vodw12LVXYxbFL2uJvfo": "Jupiter v2",
    "6m2CDdhRgxpH4WjvdzxAYbGxwdGUz5MziiL5jek2kBma": "OKX DEX",
    "proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u": "OKX DEX v2",
    "DF1ow4tspfHX9JwWJsAb9epbkA8hmpSEAtxXy1V27QBH": "DFlow",
    "T1TANpTeScyeqVzzgNViGDNrkQ6qHz9KrSBS4aNXvGT": "Titan",
    "routeUGWgWzqBWFcrCfv8tritsqukccJPu3q5GPP3xS": "Raydium route",
    SANCTUM_ROUTER: "Sanctum router",
    # terminals and bots, each with its own program
    "BSfD6SHZigAfDWSjzD5Q41jw8LmKwtmjskPH9XW1mrRW": "Photon",
    "BANANAjs7FJiPQqJTGFzkZJndT9o7UmKiYYGaJz6frGu": "Banana Gun",
    "minTcHYRLVPubRK8nt6sqe2ZpWrGDLQoNLipDJCGocY": "Mintech",
    "b1oomGGqPKGD6errbyfbVMBuzSC8WtAAYo8MwNafWW1": "Bloom",
    "MaestroAAe9ge5HTc64VbBQZ6fP77pwvrhM8i1XWSAx": "Maestro",
    "NoVA1TmDUqksaj2hB1nayFkPysjJbFiU76dT4qPw2wm": "Nova",
    "BujKR6saP3wZa7PEZ2u8ktyumdv8jqGsgHjUU7Ur7kLp": "Nova 2",
    "JSW99DKmxNyREQM14SQLDykeBvEUG63TeohrvmofEiw": "Apepro",
    "troyXT7Ty3s2rjJe4bqWaroUrS4Fjd8rbHHNHxcACF4": "Trojan",
    "TroYL71c8P2XNtDxHs98VtVLuiASJ7Ao5FvUoKyp3Bk": "Trojan terminal",
    "troY36YiPGqMyAYCNbEqYCdN2tb91Zf7bHcQt7KUi61": "Trojan 3",
    "FLASHX8DrLbgeR8FcfNV1F5krxYcYMUdBkrP1EPBtxB9": "Axiom",
    "BLUR9cL8HqZzu5bSaC7VRX25RCG93Hv3T6NPyKxQhWUT": "Axiom (old)",
    "GMgnVFR8Jb39LoXsEVzb3DvBy3ywCmdmJquHUy1Lrkqb": "GMGN",
    "GMGNreQcJFufBiCTLDBgKhYEfEe9B454UjpDr5CaSLA1": "GMGN 2",
    "DGMgNKpqygARV2pHZfW4kNQSHT9F3Ly2BKWqvpYrAg5C": "GMGN (old)",
    "term9YPb9mzAsABaqN71A4xdbxHmpBNZavpBiQKZzN3": "Padre",
    "9Fox6i7oT8p4qHn76Qj3dks8RRMGsXQyfMSBScA5yVyX": "Padre (old)",
    "CxvksNjwhdHDLr3qbCXNKVdeYACW8cs93vFqLqtgyFE5": "BONKbot",
    "BBRouter1cVunVXvkcqeKkZQcBK7ruan37PPm3xzWaXD": "BONKbot router",
    "Stbot61LkCD5HE4p1TDtYRt9bzkjX81pKrshZz4Awny": "STBot",
    "MevxQ9iQNGNQSWqa2CtDQs2BwrJA6MifzocykZAgGBr": "MevX",
}

_ORDERS: _Rows = {
    JUPITER_LIMIT_V1: "Jupiter limit v1",
    JUPITER_LIMIT_V2: "Jupiter limit v2",
    JUPITER_DCA: "Jupiter DCA",
    JUPITER_VALUE_AVERAGE: "Jupiter value average",
}

_BOOKS: _Rows = {
    "61DFfeTKM7trxYcPQCM78bJ794ddZprZpAwAnLiwTpYH": "Jupiter order engine",
    "fd3nMFYTQjX1yr5ER8u7tPdHJB7qt8RpDpNtLQX2Br5": "Jupiter RFQ v2",
    # beside swaps, loans against collateral: neither a deposit of liquidity nor a trade
    "PERPHjGBqRHArX4DySjwM6UJHiR3sWAatqfdBS2qQJu": SwapProgram(
        "Jupiter Perps", Role.BOOK, _anchor(None, "swap", "swap2", "swap_exact_out", "swap_with_token_ledger")
    ),
    "srmqPvymJeFKQ4zGQed1GFppgkRHL9kaELCbyksJtPX": "OpenBook v1",
    "opnb2LAfJYbRMAHHvqjCwQxanZn7ReEHp1k81EohpZb": "OpenBook v2",
    "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin": "Serum v3",
    "PhoeNiXZ8ByJGLkxNfZRnkUfjvmuYqLR89jjFHGqdXY": "Phoenix",
    "MNFSTqtC93rEfYHB6hF82sKdZpUDFWkViLByLd1k1Ms": "Manifest",
}

_LAUNCHPADS: _Rows = {
    "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P": SwapProgram(
        "Pump",
        Role.LAUNCHPAD,
        _anchor(3, "buy", "sell", "buy_exact_sol_in") | _anchor(None, "buy_v2", "sell_v2", "buy_exact_quote_in_v2"),
    ),
    "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj": SwapProgram(
        "Raydium LaunchLab", Role.LAUNCHPAD, _anchor(4, "buy_exact_in", "buy_exact_out", "sell_exact_in", "sell_exact_out")
    ),
    "dbcij3LWUppWqq96dh6gJWwBifmcGfLSB5D4DuSMaqN": SwapProgram(
        "Meteora DBC", Role.LAUNCHPAD, _anchor(2, "swap", "swap2") | _anchor(None, "swap2_with_transfer_hook")
    ),
    "MoonCVVNZFSYkqNXP6bxHLPL6QQJiMagDL3qcqUQTrG": SwapProgram("Moonshot", Role.LAUNCHPAD, _anchor(None, "buy", "sell")),
    "boop8hVGQGqehUK2iVEMEnMrL5RbjywRzHKBmBE7ry4": SwapProgram("Boop", Role.LAUNCHPAD, _anchor(None, "buy_token", "sell_token")),
    "HEAVENoP2qxoeuF8Dj2oT1GHEnu49U5mJYkdeC8BAX2o": SwapProgram("Heaven", Role.LAUNCHPAD, _anchor(None, "buy", "sell")),
    "deus4Bvftd5QKcEkE5muQaWGWDoma8GrySvPFrBPjhS": "Sugar",
    "CURVEmPpijXDTNdqrA9PGP1io2rkgiVXH26xdXVGLLfz": "Trends",
    "5U3EU2ubXtK84QcRjWVmYt9RaDyA8gKxdUrPFXmZyaki": "Virtuals",
}

_POOLS: _Rows = {
    "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8": SwapProgram(
        "Raydium AMM v4", Role.POOL, dict.fromkeys((b"\x09", b"\x0b", b"\x10", b"\x11"), 1)
    ),
    "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK": SwapProgram(
        "Raydium CLMM", Role.POOL, _anchor(2, "swap", "swap_v2") | _anchor(None, "swap_router_base_in")
    ),
    "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C": SwapProgram(
        "Raydium CPMM", Role.POOL, _anchor(3, "swap_base_input", "swap_base_output")
    ),
    "5quBtoiQqxF9Jv6KYKctB59NT3gtJD2Y65kdnB1Uev3h": "Raydium stable AMM",
    "whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc": SwapProgram(
        "Orca Whirlpool", Role.POOL, _anchor(2, "swap") | _anchor(4, "swap_v2") | _anchor(None, "two_hop_swap", "two_hop_swap_v2")
    ),
    "9W959DqEETiGZocYWCQPaJ6sBmUzgfxXfqGeTEdp3aQP": SwapProgram("Orca token swap v2", Role.POOL, {b"\x01": 0}),
    "DjVE6JNiYqPL2QXyCUUh8rNjHrbz9hXHNYt99MQ59qw1": SwapProgram("Orca token swap v1", Role.POOL, {b"\x01": 0}),
    "SwaPpA9LAaLfeLi3a68M4DjnLqgtticKg6CnyNwgAC8": SwapProgram("Token swap", Role.POOL, {b"\x01": 0}),
    "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo": SwapProgram(
        "Meteora DLMM",
        Role.POOL,
        _anchor(0, "swap", "swap2", "swap_exact_out", "swap_exact_out2", "swap_with_price_impact", "swap_with_price_impact2"),
    ),
    "Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB": SwapProgram("Meteora DAMM v1", Role.POOL, _anchor(0, "swap")),
    "cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG": SwapProgram("Meteora DAMM v2", Role.POOL, _anchor(1, "swap", "swap2")),
    "MERLuDFBMmsHnsBPZw2sDQZHvXFMwp8EdjudcU2HKky": "Mercurial",
    "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA": SwapProgram("Pump AMM", Role.POOL, _anchor(0, "buy", "sell", "buy_exact_quote_in")),
    "SSwpkEEcbUqx4vtoEByFjSkhKdCT862DNVb52nZg1UZ": SwapProgram("Saber", Role.POOL, {b"\x01": 0}),
    "DecZY86MU5Gj7kppfUCEmd4LbXXuyZH1yHaP2NTqdiZB": "Saber decimals",
    "SSwapUtytfBdBn1b9NUGG6foMVPtcWgpRU32HToDUZr": "Saros",
    "1qbkdrr3z4ryLA7pZykqxvxWPoeifcVKo6ZG9CfkvVE": "Saros DLMM",
    "2wT8Yq49kHgDzXuPxZSaeLaH1qbmGXtEyPy64bL7aD3c": "Lifinity v2",
    "EewxydAPCCVuNEyrVN68PuSYdQ7wKn27V9Gjeoi8dy3S": "Lifinity v1",
    "HyaB3W9q6XdA5xwpU4XnSZV94htfmbmqJXZcEbRaJutt": SwapProgram("Invariant", Role.POOL, _anchor(None, "swap")),
    "FLUXubRmkEi2q6K3Y9kBPg9248ggaZVsoSFhtJHSrm1X": SwapProgram("FluxBeam", Role.POOL, {b"\x01": 0}),
    "FLUX6xBayGxLX9UcimVRxXFMHH6q43mAbRvDzSpCsvfK": "Flux",
    "AMM55ShdkoGRB5jVYPjWziwk8m5MpwyDgsMWHaMSQWH6": "Aldrin",
    "CURVGoZn8zycx6FXwwevgBTB2gVvdbGTEpvMJDbgs2t4": "Aldrin v2",
    "CLMM9tUoggJu2wagPkkqs9eFG4BWhVBZWkP1qv3Sp7tR": "Crema",
    "H8W3ctz92svYg6mkn1UtGfu2aQr2fnUFHM1RhScEtQDt": "Cropper",
    "GAMMA7meSFWaBXF25oSUgmGRwaW6sCMFLmBNiMSdbHVT": "GooseFX GAMMA",
    "SoLFiHG9TfgtdUXUjWAxi3LtvYuFyDLVhBWxdMZxyCe": "SolFi",
    "SV2EYYJyRz2YhfXwXnhNAevDEui5Q6yrfyo13WtupPF": "SolFi v2",
    "obriQD1zbpyLz95G5n7nJe6a4DPjpFwa5XYPoNm113y": "Obric v2",
    "ZERor4xhbUycZ6gb9ntrhqscUcZmAbQDjEAtCf4hbZY": "ZeroFi",
    "9H6tua7jkLhdm3w8BvgpTn5LZNU7g4ZynDmCiNN3q6Rp": "HumidiFi",
    "TessVdML9pBGgG9yGks7o4HewRaXVAMuoVj4x83GLQH": "Tessera V",
    "goonERTdGsjnkZqWuVjs73BZ3Pb9qoCUdBUL17BnS5j": "GoonFi",
    "goonuddtQRrWqqn5nFyczVKaie28f3kDkHWkHtURSLE": "GoonFi v2",
    "BiSoNHVpsVZW2F7rx2eQ59yQwKxzU5NvBcmKshCSUypi": "BisonFi",
    "ALPHAQmeA7bjrVuccPsYPiCvsi428SNwte66Srvs4pHA": "AlphaQ",
    "SCoRcH8c2dpjvcJD6FiPbCSQyQgu3PcUAWj2Xxx3mqn": "Scorch",
    "QuaNtZsgYRe5Z9Bk4LZ4cTD9tbkVoyCNf1R2BN9bBDv": "Quantum",
    "REALQqNEomY6cQGZJUGwywTBD2UmDT32rZcNnfxQ5N2": "Byreal",
    "AQU1FRd7papthgdrwPTTq5JacJh8YtwEXaBfKU3bTz45": "Aquifer",
    "swapNyd8XiQwJ6ianp9snpu4brUqFxadzvHebnAXjJZ": "Stabble stable",
    "swapFpHZwjELNnjvThjajtiVmkz3yPQEHjLtka2fwHW": "Stabble weighted",
    "6dMXqGZ3ga2dikrYS9ovDXgHGh5RUsb2RTUj6hrQXhk6": "Stabble CLMM",
    "5ocnV1qiCgaQR8Jb8xWnVbApfaygJ8tNoZfgPwsgx9kx": "Sanctum Infinity",
    "DEXYosS6oEGvk8uCDayvwEZz4qEyDJRf9nFgYCaqPMTm": "1Dex",
    "BSwp6bEBihVLdqJRKGgzjcGLHkcTuzmSo1TQkHepzH8p": "Bonkswap",
    "fUSioN9YKKSa3CUC2YUc4tPkHJ5Y6XW1yz8y6F7qWz9": "DefiTuna",
    "DSwpgjMvXhtGn6BsbqmacdBZyfLj6jSWf3HJpdJtmg6N": "DexLab",
    "srAMMzfVHVAtgSJc8iH6CfKzuWuUTzLHVCE81QU1rgi": "Gavel",
    "Gswppe6ERWKpUTXvRPfXdzHhiCyJvLadVvXGfdpBqcE1": "Guacswap",
    "HpNfyc2Saw7RKkQd8nEL4khUcuPhQ7WwY1B2qjx8jxFq": "PancakeSwap",
    "PSwapMdSai8tjrEXcxFeQth87xC4rRsa4VA5mhGhXkP": "Penguin",
    "NUMERUNsFCP3kuNmWZuXtm1AaQCPj9uw6Guv2Ekoi5P": "Perena",
    "Dooar9JkhdZ7J3LHN3A7YCuoGRUggXhQaG4kijfLGU2j": "StepN",
    "WooFif76YGRNjk1pA8wCsN67aQsD9f9iLsz4NcJ1AVb": "Woofi",
    "FUTARELBfJfQ8RDGhg1wdhddq1odMAJUePHFuBYfUxKq": "MetaDAO",
    LOCAL_AMM: "local pool",
}

SWAP_PROGRAMS: dict[Address, SwapProgram] = {
    **_rows(Role.ROUTER, _ROUTERS),
    **_rows(Role.ORDERS, _ORDERS),
    **_rows(Role.BOOK, _BOOKS),
    **_rows(Role.LAUNCHPAD, _LAUNCHPADS),
    **_rows(Role.POOL, _POOLS),
}
ROUTERS = frozenset(address for address, row in SWAP_PROGRAMS.items() if row.role in (Role.ROUTER, Role.ORDERS))

STAKE_PROGRAMS = {
    Address("Stake11111111111111111111111111111111111111"): "native stake",
    Address("SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy"): "SPL stake pool",
    Address("SP12tWFxD9oJsVWNavTTBZvMbA6gkAmxtVgxdqvyvhY"): "Sanctum stake pool, one validator",
    Address("SPMBzsVUuoHA4Jm6KunbsotaahvVikZs1JyTW6iJvbn"): "Sanctum stake pool, many validators",
    Address("MarBmsSgKXdrN1egZf5sqe1TMai9K1rChYNDJgjq7aD"): "Marinade",
    Address("endoLNCKTqDn8gSVnN2hDdpgACUPWHZTwoYnnMybpAT"): "Solayer",
}
LENDING_PROGRAMS = {
    Address("So1endDq2YkqhipRh3WViPa8hdiSpxWy6z3Z6tMCpAo"): "Save (Solend)",
    Address("KLend2g3cP87fffoy8q1mQqGKjrxjC8boSyAYavgmjD"): "Kamino lend",
    Address("KvauGMspG5k6rtzrqqn7WNn3oZdyKqLKwK2XWQ8FLjd"): "Kamino vaults",
    Address("FarmsPZpWu9i7Kky8tPN37rs2TpmMrAZrC7S7vJa91Hr"): "Kamino farms",
    Address("MFv2hWf31Z9kbCa1snEPYctwafyhdvnV7FZnsebVacA"): "marginfi v2",
    Address("Port7uDYB3wk6GJAw4KT1WpTeMtSu9bTcChBHkX2LfR"): "Port",
    Address("dRiftyHA39MWEi3m9aunc5MzRF1JYuBsbn6VPcn33UH"): "Drift",
    Address("4MangoMjqJ2firMokCjjGgoK8d4MXcrgL7XJaL3w6fVg"): "Mango v4",
    Address("jup3YeL8QhtSx1e253b2FDvsMNC87fDrgQZivbrndc9"): "Jupiter Lend earn",
    Address("jupr81YtYssSyPt8jbnGuiWon5f6x9TcDEFxYe3Bdzi"): "Jupiter Lend borrow",
    Address("jupeiUmn818Jg1ekPURTpr4mFo29p46vygyykFJ3wZC"): "Jupiter Lend liquidity",
    Address("jupgfSgfuAXv4B6R2Uxu85Z1qdzgju79s6MfZekN6XS"): "Jupiter Lend flash loan",
}
# takes deposits of two tokens and keeps them in other programs' pools
LIQUIDITY_PROGRAMS = {Address("6LtLpnUFNByNXLyCoK9wA2MykKAmQNZKBdY8s47dehDc"): "Kamino liquidity"}
