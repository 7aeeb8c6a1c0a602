"""Solana's JSON-RPC methods over a live chain, by family, and the protocol around them. Called by the server and by pubsub."""
