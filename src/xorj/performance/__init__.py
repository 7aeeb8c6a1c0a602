"""What a wallet's swaps earned: lots, PnL, daily returns, metrics. Used by trust, reporting and the command line."""
