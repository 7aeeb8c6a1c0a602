"""Solana nodes over JSON-RPC and WebSocket: the ports of xorj.chain, and the clock that reads the chain's own time."""
