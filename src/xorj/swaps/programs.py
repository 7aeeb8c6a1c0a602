"""The programs the decoder knows. Without a swap program in the instruction tree, a change of two balances is not called a swap."""

from xorj.market.local_amm import PROGRAM_ID as LOCAL_AMM
from xorj.primitives.ids import Address

SYSTEM_PROGRAM = Address("11111111111111111111111111111111")
ASSOCIATED_TOKEN_PROGRAM = Address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
TOKEN_PROGRAMS = frozenset({Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"), Address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")})

JUPITER_V6 = Address("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
JUPITER_LIMIT_V1 = Address("jupoNjAxXgZ4rjzxzPMP4oxduvQsQtZzyknqvzYNrNu")
JUPITER_LIMIT_V2 = Address("j1o2qRpjcyUwEvwtcfhEQefh773ZgjxcVRry7LDqg5X")
JUPITER_DCA = Address("DCA265Vj8a9CEuX1eb1LWRnDT7uK6q1xMipnNyatn23M")

SWAP_PROGRAMS: dict[Address, str] = {
    JUPITER_V6: "Jupiter v6",
    Address("61DFfeTKM7trxYcPQCM78bJ794ddZprZpAwAnLiwTpYH"): "Jupiter order engine",
    JUPITER_LIMIT_V1: "Jupiter limit v1",
    JUPITER_LIMIT_V2: "Jupiter limit v2",
    JUPITER_DCA: "Jupiter DCA",
    Address("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"): "Raydium AMM v4",
    Address("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"): "Raydium CLMM",
    Address("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"): "Raydium CPMM",
    Address("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc"): "Orca Whirlpool",
    Address("9W959DqEETiGZocYWCQPaJ6sBmUzgfxXfqGeTEdp3aQP"): "Orca token swap v2",
    Address("LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"): "Meteora DLMM",
    Address("cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG"): "Meteora DAMM v2",
    Address("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"): "Pump AMM",
    Address("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"): "Pump",
    Address("PhoeNiXZ8ByJGLkxNfZRnkUfjvmuYqLR89jjFHGqdXY"): "Phoenix",
    Address("srmqPvymJeFKQ4zGQed1GFppgkRHL9kaELCbyksJtPX"): "OpenBook",
    Address("SSwpkEEcbUqx4vtoEByFjSkhKdCT862DNVb52nZg1UZ"): "Saber",
    Address("2wT8Yq49kHgDzXuPxZSaeLaH1qbmGXtEyPy64bL7aD3c"): "Lifinity v2",
    Address("HyaB3W9q6XdA5xwpU4XnSZV94htfmbmqJXZcEbRaJutt"): "Invariant",
    Address("Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB"): "Meteora DAMM v1",
    LOCAL_AMM: "local pool",
}

# they trade for a wallet through others, so that a token minted on the way is a hop and no deposit
ROUTERS = frozenset({JUPITER_V6, JUPITER_LIMIT_V1, JUPITER_LIMIT_V2, JUPITER_DCA})

STAKE_PROGRAMS = frozenset(
    {
        Address("Stake11111111111111111111111111111111111111"),
        Address("SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy"),
        Address("MarBmsSgKXdrN1egZf5sqe1TMai9K1rChYNDJgjq7aD"),
    }
)
LENDING_PROGRAMS = frozenset(
    {
        Address("So1endDq2YkqhipRh3WViPa8hdiSpxWy6z3Z6tMCpAo"),
        Address("KLend2g3cP87fffoy8q1mQqGKjrxjC8boSyAYavgmjD"),
        Address("MFv2hWf31Z9kbCa1snEPYctwafyhdvnV7FZnsebVacA"),
    }
)

TIP_ACCOUNTS = frozenset(
    Address(text)
    for text in (
        "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
        "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
        "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
        "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
        "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
        "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
        "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
        "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
    )
)
