"""The chain's data as Agave's JSON shows it: transactions, blocks, accounts, parsed instructions. Pure; called by the RPC and by pubsub."""
