"""What a vault holds, for which leader, and why: positions, ledger, profit. Used by copying, execution, the trade-bot and pages."""
