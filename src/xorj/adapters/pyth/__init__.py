"""Pyth's price oracle over HTTP."""
