"""Jupiter's swap, price and token replies, quoted from the local chain's own pools. Served on port 8890 by services/localnet.py."""
