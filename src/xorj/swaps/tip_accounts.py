"""Accounts that take a tip for landing a transaction. A transfer to one of them is a cost and no part of a price. Used by the decoder."""

from xorj.primitives.ids import Address

_JITO = """
    96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5 HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe
    Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49
    DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt
    DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL 3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT
"""
_JUPITER = """
    GGztQqQ6pCPaJQnNpXBgELr5cs3WwDakRbh1iEMzjgSJ 2MFoS3MPtvyQ4Wh4M9pdfPjz6UhVoNbFbGJAskCPCj3h
    BQ72nSv9f3PRyRKCBnHLVrerrv37CYTHm5h3s9VSGQDV 6U91aKa8pmMxkJwBCfPTmUEfZi6dHe7DcFq2ALvB2tbB
    4xDsmeTWPNjgSVSS1VTfzFq3iHZhp77ffPkAmkZkdu71 CapuXNQoDviLvU1PxFiizLgPNQCxrsag1uMeyk6zLVps
    9nnLbotNTcUhvbrsA6Mdkx45Sm82G35zo28AqUvjExn8 6LXutJvKUw8Q5ue2gCgKHQdAN4suWW8awzFVC6XCguFx
    HFqp6ErWHY6Uzhj8rFyjYuDya2mXUpYEk8VW75K9PSiY DSN3j1ykL3obAVNv7ZX49VsFCPe4LqzxHnmtLiPwY6xg
    69yhtoJR4JYPPABZcSNkzuqbaFbwHsCkja1sP1Q2aVT5 HU23r7UoZbqTUuh3vA7emAGztFtqwTeVips789vqxxBw
    3LoAYHuSd7Gh8d7RTFnhvYtiTiefdZ5ByamU42vkzd76 3CgvbiM3op4vjrrjH2zcrQUwsqh5veNVRjFCB9N6sRoD
    GP8StUXNYSZjPikyRsvkTbvRV1GBxMErb59cpeCJnDf1 7iWnBRRhBCiNXXPhqiGzvvBkKrvFSWqqmxRyu9VyYBxE
"""
_HELIUS = """
    4ACfpUFoaSD9bfPdeu6DBt89gB6ENTeHBXCAi87NhDEE D2L6yPZ2FmmmTKPgzaMKdhu6EWZcTpLy1Vhx8uvZe7NZ
    9bnz4RShgq1hAnLnZbP8kbgBg1kEmcJBYQq3gQbmnSta 5VY91ws6B2hMmBFRsXkoAAdsPHBJwRfBht4DXox3xkwn
    2nyhqdwKcJZR2vcqCyrYsaPVdAnFoJjiksCXJ7hfEYgD 2q5pghRs6arqVjRvT5gfgWfWcHWmw1ZuCzphgd5KfWGJ
    wyvPkWjVZz1M8fHQnMMCDTQDbkManefNNhweYk5WkcF 3KCKozbAaF75qEU33jtzozcJ29yJuaLJTy2jFdzUY8bT
    4vieeGHPYPG2MmyPRcYjdiDmmhN3ww7hsFNap8pVN3Ey 4TQLFNWK8AovT1gFvda5jfw2oJeRMKEmw7aH6MGBJ3or
"""
_NEXTBLOCK = """
    NextbLoCkVtMGcV47JzewQdvBpLqT9TxQFozQkN98pE NexTbLoCkWykbLuB1NkjXgFWkX9oAtcoagQegygXXA2
    NeXTBLoCKs9F1y5PJS9CKrFNNLU1keHW71rfh7KgA1X NexTBLockJYZ7QD7p2byrUa6df8ndV2WSd8GkbWqfbb
    neXtBLock1LeC67jYd1QdAa32kbVeubsfPNTJC1V5At nEXTBLockYgngeRmRrjDV31mGSekVPqZoMGhQEZtPVG
    NEXTbLoCkB51HpLBLojQfpyVAMorm3zzKg7w9NFdqid nextBLoCkPMgmG8ZgJtABeScP35qLa2AMCNKntAP7Xc
"""
_ZERO_SLOT = """
    Eb2KpSC8uMt9GmzyAEm5Eb1AAAgTjRaXWFjKyFXHZxF3 FCjUJZ1qozm1e8romw216qyfQMaaWKxWsuySnumVCCNe
    ENxTEjSQ1YabmUpXAdCgevnHQ9MHdLv8tzFiuiYJqa13 6rYLG55Q9RpsPGvqdPNJs4z5WTxJVatMB8zV3WJhs5EK
    Cix2bHfqPcKcM233mzxbLk14kSggUUiz2A87fJtGivXr
"""
_TEMPORAL = """
    TEMPaMeCRFAS9EKF53Jd6KpHxgL47uWLcpFArU1Fanq noz3jAjPiHuBPqiSPkkugaJDkJscPuRhYnSpbi8UvC4
    noz3str9KXfpKknefHji8L1mPgimezaiUyCHYMDv1GE noz6uoYCDijhu1V7cutCpwxNiSovEwLdRHPwmgCGDNo
    noz9EPNcT7WH6Sou3sr3GGjHQYVkN3DNirpbvDkv9YJ nozc5yT15LazbLTFVZzoNZCwjh3yUtW86LoUyqsBu4L
    nozFrhfnNGoyqwVuwPAW4aaGqempx4PU6g6D9CJMv7Z nozievPk7HyK1Rqy1MPJwVQ7qQg2QoJGyP71oeDwbsu
    noznbgwYnBLDHu8wcQVCEw6kDrXkPdKkydGJGNXGvL7 nozNVWs5N8mgzuD3qigrCG2UoKxZttxzZ85pvAQVrbP
    nozpEGbwx4BcGp6pvEdAh1JoC2CQGZdU6HbNP1v2p6P nozrhjhkCr3zXT3BiT4WCodYCUFeQvcdUkM7MqhKqge
    nozrwQtWhEdrA6W8dkbt9gnUaMs52PdAv5byipnadq3 nozUacTVWub3cL4mJmGCYjKZTnE9RbdY5AP46iQgbPJ
    nozWCyTPppJjRuw2fpzDhhbWW355fzosWSzrrMYB1Qk nozWNju6dY353eMkMqURqwQEoM3SFgEKC6psLCSfUne
    nozxNBgWohjR75vdspfxR5H9ceC7XXH99xpxhVGt3Bb
"""
_BLOXROUTE = """
    HWEoBxYs7ssKuudEjzjmpfJVX7Dvi7wescFsVx2L5yoY 95cfoy472fcQHaw4tPGBTKpn6ZQnfEPfBgDQx6gcRmRg
    3UQUKjhMKaY2S6bjcQD6yHB7utcZt5bfarRCmctpRtUd FogxVNs6Mm2w9rnGL1vkARSwJxvLE8mujTv3LK8RnUhF
"""
_NODE1 = """
    node1PqAa3BWWzUnTHVbw8NJHC874zn9ngAkXjgWEej node1UzzTxAAeBTpfZkQPJXBAqixsbdth11ba1NXLBG
    node1Qm1bV4fwYnCurP8otJ9s5yrkPq7SPZ5uhj3Tsv node1PUber6SFmSQgvf2ECmXsHP5o3boRSGhvJyPMX1
    node1AyMbeqiVN6eoQzEAwCA6Pk826hrdqdAHR7cdJ3 node1YtWCoTwwVYTFLfS19zquRQzYX332hs1HEuRBjC
"""

TIP_ACCOUNTS = frozenset(
    Address(text) for texts in (_JITO, _JUPITER, _HELIUS, _NEXTBLOCK, _ZERO_SLOT, _TEMPORAL, _BLOXROUTE, _NODE1) for text in texts.split()
)
