"""What happened, told to the outside once it is committed: the outbox's messages, in order, at least once. Run by the trade-bot."""
