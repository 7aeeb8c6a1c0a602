"""The signer process from both sides: its key file and server for services/signer, its client for services/trade_bot."""
