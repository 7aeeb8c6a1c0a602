"""The local chain: LiteSVM behind Solana's JSON-RPC, with slots, blockhash life, commitments, history and restart.

Called by services/localnet.py, by the demo (which executes its history in process) and by tests. Its keys and funds are worthless.
"""
