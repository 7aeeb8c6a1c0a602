"""What a Solana chain is to us: transactions as read, messages as sent, and the ports of both."""
