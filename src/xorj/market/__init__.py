"""What a token and a pool are; pure. Used by swaps, copying, the router of the local chain and the demo market."""
