"""Wallets that are read and ranked whatever they trade."""
