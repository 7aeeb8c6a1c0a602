"""Birdeye's public API: what tokens cost, as a witness."""
